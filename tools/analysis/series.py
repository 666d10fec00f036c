"""Series of a metric: onset, level before and after, recurrence."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import fmean, median, pstdev

Point = tuple[datetime, float]
LEAST_POINTS = 8
LEAST_NOISE = 0.03
LEAST_SHARE = 0.25
# Sixteen digits say nothing more than six, and pass for a card number with whoever looks for such.
DECIMALS = 6


@dataclass(frozen=True)
class Onset:
    """Where a series changed its level: the first point of the new one, and how far apart the levels are."""

    at: datetime
    before: float
    after: float
    strength: float


def points_of(raw: Sequence[Sequence[object]]) -> list[Point]:
    """Read `[time, value]` pairs as stored in evidence."""
    return [(datetime.fromisoformat(str(at)), float(str(value))) for at, value in raw]


def find_onset(points: Sequence[Point], least_strength: float = 5.0) -> Onset | None:
    """Return where the present departure of a series from its usual level began; None when it is at its level.

    The usual level is the median of the older two thirds and its noise the median absolute deviation, which earlier
    spikes do not move. The departure is the last run of points on one side of that band. It may hold one calm point
    inside, and must reach to the end but for two points, since the newest minute is often incomplete.
    """
    if len(points) < LEAST_POINTS:
        return None
    usual = [value for _, value in points[: max(LEAST_POINTS, len(points) * 2 // 3)]]
    level, noise = median(usual), _noise(usual)
    band = least_strength * noise
    run = _last_run(points, level, band)
    if run is None:
        return None
    # A stray point just outside the noise is no part of a departure many times its size.
    departure = abs(median(value for _, value in run) - level)
    run = _last_run(points, level, max(band, departure * LEAST_SHARE)) or run
    after = median(value for _, value in run)
    return Onset(run[0][0], level, after, abs(after - level) / noise)


def _last_run(points: Sequence[Point], level: float, band: float) -> Sequence[Point] | None:
    """Return the last run of points on one side of a band around a level, if it reaches nearly to the end."""
    sides = [_side(value - level, band) for _, value in points]
    last = max((index for index, side in enumerate(sides) if side), default=-1)
    if last < len(points) - 3:
        return None
    first, calm = last, 0
    for index in range(last - 1, -1, -1):
        calm = 0 if sides[index] == sides[last] else calm + 1
        if calm > 1:
            break
        first = index if calm == 0 else first
    return points[first : last + 1]


def _side(difference: float, band: float) -> int:
    return 0 if abs(difference) <= band else (1 if difference > 0 else -1)


def _noise(values: Sequence[float]) -> float:
    """Return the spread of usual values: 1.4826 times the median absolute deviation, and at least a little."""
    middle = median(values)
    spread = 1.4826 * median(abs(value - middle) for value in values)
    # Over half of the values may be one and the same; then the rarest fifth, where spikes are, does not count.
    common = sorted(values, key=lambda value: abs(value - middle))[: max(1, len(values) * 4 // 5)]
    return max(spread or pstdev(common), abs(middle) * LEAST_NOISE, 1e-9)


def mean_between(points: Sequence[Point], start: datetime, end: datetime) -> float | None:
    """Return the mean of the points from a start up to, but not at, an end; None without points."""
    values = [value for at, value in points if start <= at < end]
    return round(fmean(values), DECIMALS) if values else None


def total_between(points: Sequence[Point], start: datetime, end: datetime) -> float:
    """Return the sum of the points from a start up to, but not at, an end."""
    return sum(value for at, value in points if start <= at < end)


def breaches_before(points: Sequence[Point], threshold: float, until: datetime, *, above: bool) -> int:
    """Count the separate times a series crossed a threshold before a moment."""
    count, inside = 0, False
    for at, value in points:
        crossed = value > threshold if above else value < threshold
        if at < until and crossed and not inside:
            count += 1
        inside = crossed
    return count


def is_over(points: Sequence[Point], threshold: float, *, above: bool, calm: timedelta) -> bool:
    """Say whether a series has been on the good side of a threshold for a while up to its end."""
    if not points:
        return False
    last = [value for at, value in points if at > points[-1][0] - calm]
    return all((value <= threshold) if above else (value >= threshold) for value in last)
