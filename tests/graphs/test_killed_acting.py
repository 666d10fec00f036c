"""Killed from the decision to the closing message, it ends as if nobody had been."""

import pytest

from tests.graphs.kills import Stage
from tests.graphs.plays import ACTING

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def acting(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return Stage(ACTING, tmp_path_factory.mktemp("acting"))


@pytest.mark.parametrize("step", ACTING.steps)
def test_killed_acting_it_ends_as_if_nobody_had_been(acting: Stage, step: str) -> None:
    acting.cut_off_in(step)
