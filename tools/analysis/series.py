"""Series of a metric: onset, and level before and after."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tools.analysis.points import DECIMALS, Point

Values = NDArray[np.float64]
LEAST_POINTS = 8
LEAST_NOISE = 0.03
LEAST_SHARE = 0.25
MOST_OF_IT = 0.75
# The median absolute deviation of normal noise, times this, is its standard deviation.
MAD_TO_SIGMA = 1.4826


@dataclass(frozen=True)
class Onset:
    """Where a series changed its level: the first point of the new one, and how far apart the levels are."""

    at: datetime
    before: float
    after: float
    strength: float


def values_of(points: Sequence[Point]) -> Values:
    """Return the values of points as an array."""
    return np.array([value for _, value in points], dtype=np.float64)


def find_onset(points: Sequence[Point], least_strength: float = 5.0) -> Onset | None:
    """Return where the present departure of a series from its usual level began; None when it is at its level.

    The usual level is the median of the older two thirds and its noise the median absolute deviation, which earlier
    spikes do not move. The departure is the last run of points on one side of that band. It may hold one calm point
    inside, and must reach to the end but for two points, since the newest minute is often incomplete.
    """
    if len(points) < LEAST_POINTS:
        return None
    values = values_of(points)
    usual = values[: max(LEAST_POINTS, len(values) * 2 // 3)]
    level, noise = float(np.median(usual)), noise_of(usual)
    band = least_strength * noise
    run = _last_run(values, level, band)
    if run is None:
        return None
    # A stray point just outside the noise is no part of a departure many times its size.
    departure = float(np.quantile(np.abs(values[run] - level), MOST_OF_IT))
    run = _last_run(values, level, max(band, departure * LEAST_SHARE)) or run
    after = float(np.median(values[run]))
    return Onset(points[run.start][0], level, after, abs(after - level) / noise)


def _last_run(values: Values, level: float, band: float) -> slice | None:
    """Return the last run of points on one side of a band around a level, if it reaches nearly to the end."""
    difference = values - level
    sides = np.sign(difference) * (np.abs(difference) > band)
    outside = np.flatnonzero(sides)
    if not len(outside) or outside[-1] < len(values) - 3:
        return None
    last = int(outside[-1])
    same = np.flatnonzero(sides[: last + 1] == sides[last])
    # One calm point between two of a run may be; more end it.
    breaks = [int(right) for left, right in pairwise(same) if right - left > 2]
    return slice(breaks[-1] if breaks else int(same[0]), last + 1)


def noise_of(values: Values) -> float:
    """Return the spread of usual values: the median absolute deviation as a sigma, and at least a little."""
    middle = float(np.median(values))
    off = np.abs(values - middle)
    spread = spread_of(values)
    if not spread:
        # Over half of the values may be one and the same; then the rarest fifth, where spikes are, does not count.
        common = values[np.argsort(off, kind="stable")][: max(1, len(values) * 4 // 5)]
        spread = float(np.std(common))
    return max(spread, abs(middle) * LEAST_NOISE, 1e-9)


def spread_of(values: Values) -> float:
    """Return the median absolute deviation as a sigma."""
    return MAD_TO_SIGMA * float(np.median(np.abs(values - np.median(values))))


def between(points: Sequence[Point], start: datetime, end: datetime) -> Values:
    """Return the values from a start up to, but not at, an end."""
    return values_of([point for point in points if start <= point[0] < end])


def mean_between(points: Sequence[Point], start: datetime, end: datetime) -> float | None:
    """Return the mean of the points from a start up to, but not at, an end; None without points."""
    values = between(points, start, end)
    return round(float(np.mean(values)), DECIMALS) if len(values) else None


def total_between(points: Sequence[Point], start: datetime, end: datetime) -> float:
    """Return the sum of the points from a start up to, but not at, an end."""
    return float(np.sum(between(points, start, end)))
