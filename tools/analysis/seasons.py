"""Departures of a series from what is usual at this time of day, and lately: what a threshold cannot tell.

A value is a departure when it is off by half as much again as anything in memory was. That asks for no distribution,
and gets used to a series that is restless. Two memories are kept: a week of what the same time of day on earlier days
would have made expected, at the pace of a point, an hour and four hours; and a day of what the last half day would.
Nothing that lies ahead is looked at, so the same is found as would have been at the time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from tools.analysis.points import Point
from tools.analysis.series import Values, values_of

DAY = timedelta(days=1)
WEEK_DAYS = 7
LEAST_DAYS = 3
# By how much of an hour days may be out of step.
ASIDE = timedelta(minutes=15)
PACES = (timedelta(0), timedelta(hours=1), timedelta(hours=4))
LATELY = timedelta(hours=12)
BEYOND = 1.5
# A series of which more is missing is never called usual.
MOST_MISSING = 0.02
# A departure that pauses for less than this is still the same one.
PAUSE = timedelta(hours=1)


@dataclass(frozen=True)
class Departure:
    """Where a series began to be what it never was: the moment, the value, and what was expected."""

    at: datetime
    value: float
    expected: float


def departures(points: Sequence[Point], step: timedelta) -> list[Departure]:
    """Return the beginnings of all departures in a series, oldest point first; the first day only teaches.

    A point stands at its time, whatever is missing before it: of what is missing nothing is concluded, and the median
    of a time is known where half of its points are.
    """
    at = _places(points, step)
    values, day = _spread(points, at), int(DAY / step)
    if len(values) <= day:
        return []
    found: dict[int, float] = {}
    for pace in PACES:
        smooth = _rolling_median(values, max(1, int(pace / step)))
        smooth[np.isnan(values)] = np.nan
        lag, known = max(1, int(pace / step)), LEAST_DAYS * day
        lately = _shift(_rolling_median(smooth, day, least=day // 24), 1)
        found |= _beyond(smooth[:known], lately[:known], known, lag, _from(day, smooth)[:known], step)
        # What was off while little was known of the days says nothing of what is off now.
        expected = _by_time_of_day(smooth, day, int(ASIDE / step))
        expected[:known] = np.nan
        # Nor is a time of day judged at which, for gaps, it was never seen how far off is usual.
        seen = ~np.isnan(_by_time_of_day(smooth - expected, day, int(ASIDE / step)))
        found |= _beyond(smooth, expected, WEEK_DAYS * day, lag, _from(known + day, smooth) & seen, step)
    half = int(LATELY / step)
    before = _shift(_rolling_median(values, half), 1)
    found |= _beyond(values, before, day, 1, _from(day + half, values), step)
    there = dict(zip(at, points, strict=True))
    return [Departure(*there[n], round(found[n], 6)) for n in sorted(found)]


def is_usual(points: Sequence[Point], step: timedelta, since: datetime) -> bool:
    """Say whether what a series does since a moment is what it does at this time of day.

    Never without some days, nor where one point of fifty or more is missing, or one since that moment: CloudWatch has
    none where nothing was published, and what is missing may be what is unusual. Nor of one that has ended before.
    """
    if not points or since - points[0][0] < LEAST_DAYS * DAY or points[-1][0] < since - step:
        return False
    late = [point for point in points if point[0] >= since - ASIDE]
    if _missing(points, step) >= MOST_MISSING or (late and _missing(late, step)):
        return False
    return not any(one.at >= since - ASIDE for one in departures(points, step))


def _missing(points: Sequence[Point], step: timedelta) -> float:
    """Return the share of a series that is missing between its ends."""
    return 1 - len(points) / (round((points[-1][0] - points[0][0]) / step) + 1)


def _places(points: Sequence[Point], step: timedelta) -> list[int]:
    """Return at which step since the first one each point stands."""
    return [round((at - points[0][0]) / step) for at, _ in points]


def _spread(points: Sequence[Point], places: Sequence[int]) -> Values:
    """Return the values in their places, NaN where there is none."""
    spread = np.full(places[-1] + 1 if places else 0, np.nan)
    spread[list(places)] = values_of(points)
    return spread


def _by_time_of_day(values: Values, day: int, aside: int) -> Values:
    """Return what earlier days make expected: their median around the same time."""
    shifted = [
        _shift(values, days * day + off)
        for days in range(1, WEEK_DAYS + 1)
        for off in range(-aside, aside + 1)
    ]
    return _median_of(np.vstack(shifted))


def _beyond(
    values: Values, expected: Values, memory: int, lag: int, judged: NDArray[np.bool_], step: timedelta
) -> dict[int, float]:
    """Return where runs begin of values that are further off than anything in memory, times a factor.

    `judged` says of which values that is asked; all of them are remembered.
    """
    off = np.abs(values - expected)
    known = np.nan_to_num(off, nan=0.0)
    padded = np.concatenate((np.zeros(memory), known))
    # What lies within the pace of a value is partly the value itself.
    most = _shift(np.max(sliding_window_view(padded, memory), axis=1)[: len(values)], lag - 1)
    beyond = np.flatnonzero((off > BEYOND * most) & (most > 0) & judged)
    pause = int(PAUSE / step)
    begins = [int(n) for k, n in enumerate(beyond) if k == 0 or n - beyond[k - 1] > pause]
    return {n: float(expected[n]) for n in begins}


def _from(first: int, values: Values) -> NDArray[np.bool_]:
    """Return which values stand at a place or later."""
    return np.arange(len(values)) >= first


def _shift(values: Values, by: int) -> Values:
    """Return values moved later by some points."""
    if by <= 0:
        return values
    return np.concatenate((np.full(min(by, len(values)), np.nan), values[:-by]))[: len(values)]


def _rolling_median(values: Values, width: int, least: int | None = None) -> Values:
    """Return the median of the last so many values at each point; NaN until there are so many, or `least`."""
    if width <= 1:
        return values.copy()
    padded = np.concatenate((np.full(width - 1, np.nan), values))
    windows = sliding_window_view(padded, width)
    known = np.sum(~np.isnan(windows), axis=1)
    whole = np.arange(len(values)) >= width - 1
    enough = known >= least if least else whole & (2 * known >= width)
    return np.where(enough, _median_of(windows.T), np.nan)


def _median_of(rows: Values) -> Values:
    """Return the median of each column, without what is not known; NaN where nothing is."""
    told = ~np.all(np.isnan(rows), axis=0)
    found = np.full(rows.shape[1], np.nan)
    found[told] = np.nanmedian(rows[:, told], axis=0)
    return found
