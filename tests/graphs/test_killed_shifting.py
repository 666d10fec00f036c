"""Killed while the alias of a function is shifted, here and there in the play, it ends as if nobody had been."""

import pytest

from tests.graphs.kills import SHIFT, Stage
from tests.graphs.plays import SHIFTING

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]
POINTS = 12


def test_killed_shifting_an_alias_it_ends_as_if_nobody_had_been(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    stage = Stage(SHIFTING, tmp_path_factory.mktemp("shifting"))
    points = stage.spread(POINTS)

    assert stage.whole[1]["changes"] == ["UpdateAlias"]
    assert len(set(points)) == POINTS and len({point.step for point in points}) >= 5
    assert {point.after for point in points if point.write == SHIFT} == {True, False}
    for point in points:
        stage.cut_off_at(point)
