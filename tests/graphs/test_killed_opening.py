"""Killed while an incident is opened and first looked at, it ends as if nobody had been."""

import pytest

from tests.graphs.kills import Stage
from tests.graphs.plays import OPENING

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def opening(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return Stage(OPENING, tmp_path_factory.mktemp("opening"))


@pytest.mark.parametrize("step", OPENING.steps)
def test_killed_opening_it_ends_as_if_nobody_had_been(opening: Stage, step: str) -> None:
    opening.cut_off_in(step)
