"""Killed while what did not help is undone, and where nothing can be done, it ends as if nobody had been."""

import pytest

from tests.graphs.kills import Stage
from tests.graphs.plays import STANDING_BY, UNDOING

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def undoing(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return Stage(UNDOING, tmp_path_factory.mktemp("undoing"))


@pytest.fixture(scope="module")
def standing_by(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return Stage(STANDING_BY, tmp_path_factory.mktemp("standing_by"))


@pytest.mark.parametrize("step", UNDOING.steps)
def test_killed_undoing_it_ends_as_if_nobody_had_been(undoing: Stage, step: str) -> None:
    undoing.cut_off_in(step)


@pytest.mark.parametrize("step", STANDING_BY.steps)
def test_killed_standing_by_it_ends_as_if_nobody_had_been(standing_by: Stage, step: str) -> None:
    standing_by.cut_off_in(step)
