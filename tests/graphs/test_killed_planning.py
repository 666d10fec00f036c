"""Killed between the first look and the request for approval, it ends as if nobody had been."""

import pytest

from tests.graphs.kills import Stage
from tests.graphs.plays import PLANNING

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def planning(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return Stage(PLANNING, tmp_path_factory.mktemp("planning"))


@pytest.mark.parametrize("step", PLANNING.steps)
def test_killed_planning_it_ends_as_if_nobody_had_been(planning: Stage, step: str) -> None:
    planning.cut_off_in(step)
