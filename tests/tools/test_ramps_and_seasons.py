"""Where climbs begin, and what is usual at a time of day."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.analysis.points import Point
from tools.analysis.ramps import find_ramp
from tools.analysis.seasons import departures, is_usual
from tools.analysis.series import find_onset

START = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
STEP = timedelta(minutes=5)
DAY = int(timedelta(days=1) / STEP)


def _series(*values: float, step: timedelta = MINUTE) -> list[Point]:
    return [(START + n * step, float(value)) for n, value in enumerate(values)]


@settings(max_examples=30)
@given(st.integers(20, 120), st.integers(8, 40), st.floats(1, 80), st.floats(4, 50))
def test_a_climb_begins_where_it_leaves_its_level(
    before: int, climbing: int, level: float, slope: float
) -> None:
    ramp = find_ramp(_series(*[level] * before, *(level + slope * n for n in range(1, climbing + 1))), slope)
    assert ramp is not None
    assert ramp.since == START + before * MINUTE
    assert ramp.per_minute == pytest.approx(slope, rel=0.01, abs=0.01)
    assert ramp.now == pytest.approx(level + slope * climbing, rel=0.01, abs=0.01)


@settings(max_examples=30)
@given(st.integers(20, 120), st.integers(10, 60), st.floats(1, 80), st.floats(2, 50))
def test_a_step_and_a_level_are_no_climb(before: int, after: int, level: float, rise: float) -> None:
    assert find_ramp(_series(*[level] * (before + after)), 1.0) is None
    stepped = find_ramp(_series(*[level] * before, *[level + rise] * after), 1.0)
    assert stepped is None


@settings(max_examples=20)
@given(st.integers(20, 100), st.floats(1, 80), st.floats(1, 5))
def test_what_falls_is_no_climb(before: int, level: float, slope: float) -> None:
    assert find_ramp(_series(*[level] * before, *(level - slope * n for n in range(1, 20))), 1.0) is None


def test_a_climb_that_is_less_than_asked_for_is_none() -> None:
    series = _series(*[40.0] * 60, *(40.0 + n for n in range(1, 11)))
    assert find_ramp(series, 15.0) is None
    assert find_ramp(series, 5.0) is not None


def test_few_stray_points_just_before_a_jump_do_not_date_it() -> None:
    onset = find_onset(_series(*[0.0, 1.0, 0.0, 0.0] * 40, 2.0, 0.0, 2.0, 0.0, 28.0, 65.0))
    assert onset is not None
    assert onset.at == START + 164 * MINUTE


def _days(count: int, seed: int = 1) -> np.ndarray:
    """Days with a busy evening, and noise."""
    chance = np.random.default_rng(seed)
    time = np.arange(count * DAY) % DAY / DAY
    return 100 + 60 * np.exp(-(((time - 0.8) / 0.04) ** 2)) + chance.normal(0, 2, count * DAY)


def test_a_busy_evening_is_usual_and_a_busy_morning_is_not() -> None:
    values = _days(7)
    evening = START + timedelta(days=6, hours=19)
    known = values[: 6 * DAY + 20 * 12]
    assert is_usual(_series(*known, step=STEP), STEP, evening)
    values[6 * DAY + 90 : 6 * DAY + 110] += 60
    morning = _series(*values[: 6 * DAY + 110], step=STEP)
    assert not is_usual(morning, STEP, START + timedelta(days=6) + 90 * STEP)


def test_of_few_days_nothing_is_called_usual() -> None:
    assert not is_usual(_series(*_days(2), step=STEP), STEP, START + timedelta(days=1, hours=20))
    assert not is_usual([], STEP, START)


def test_a_series_with_many_gaps_and_one_that_ended_are_never_called_usual() -> None:
    # A metric of errors has no points while there are none, so its points do not tell the time of day.
    rare = [(START + timedelta(hours=15 * n), 1.0) for n in range(11)]
    since = START + timedelta(days=7)
    assert not is_usual([*rare, *((since + n * STEP, 300.0) for n in range(3))], STEP, since)
    ended = _series(*_days(6), step=STEP)
    assert not is_usual(ended, STEP, since)


def test_one_late_point_of_hundreds_leaves_a_busy_evening_usual() -> None:
    known = _series(*_days(7)[: 6 * DAY + 20 * 12], step=STEP)
    evening = START + timedelta(days=6, hours=19)
    assert is_usual(known[:700] + known[701:], STEP, evening)
    assert not is_usual([one for n, one in enumerate(known) if n % 40], STEP, evening)
    assert not is_usual(known[:-3] + known[-2:], STEP, evening)


@settings(max_examples=3, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(4 * DAY, 5 * DAY - 20), st.floats(100, 1000))
def test_a_jump_is_dated_by_its_first_point_and_nothing_ahead_is_looked_at(
    seed: int, at: int, jump: float
) -> None:
    values = _days(5, seed)
    values[at : at + 12] += jump
    found = departures(_series(*values, step=STEP), STEP)
    assert START + at * STEP in {one.at for one in found}
    until = departures(_series(*values[: at + 1], step=STEP), STEP)
    assert until == [one for one in found if one.at <= START + at * STEP]


def _with_gaps(points: list[Point], seed: int) -> list[Point]:
    """Leave out one point of twenty, and hours of the second and the fourth day."""
    kept = np.random.default_rng(seed).random(len(points)) > 0.05
    hours = {*range(DAY + 30, DAY + 80), *range(3 * DAY + 40, 3 * DAY + 120)}
    return [one for n, one in enumerate(points) if kept[n] and n not in hours]


def test_gaps_make_no_departures() -> None:
    # A share of points departs by chance, so that only many series together say something.
    quiet = (_with_gaps(_series(*_days(6, seed), step=STEP), seed) for seed in range(10))
    assert sum(len(departures(points, STEP)) for points in quiet) <= 5


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(5 * DAY + 10, 5 * DAY + 150))
def test_gaps_move_no_time_of_day(seed: int, at: int) -> None:
    # Less than what every evening brings: only whoever knows the time of day finds it.
    values = _days(6, seed)
    values[at : at + 12] += 40
    found = departures(_with_gaps(_series(*values, step=STEP), seed), STEP)
    assert any(abs(one.at - (START + at * STEP)) <= 2 * STEP for one in found)


def test_what_a_departure_says_stands_in_the_series() -> None:
    values = _days(5)
    values[4 * DAY + 50 : 4 * DAY + 60] += 500
    points = _with_gaps(_series(*values, step=STEP), 1)
    found = departures(points, STEP)
    assert found
    assert {(one.at, one.value) for one in found} <= set(points)


def test_the_first_day_only_teaches() -> None:
    values = _days(2)
    values[100] = 1000.0
    assert all(one.at >= START + timedelta(days=1) for one in departures(_series(*values, step=STEP), STEP))
    assert departures(_series(*values[:DAY], step=STEP), STEP) == []
