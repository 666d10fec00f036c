"""Series of a metric: onset, level before and after, recurrence."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import fmean, median, pstdev

Point = tuple[datetime, float]


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


def find_onset(points: Sequence[Point], least_strength: float = 4.0) -> Onset | None:
    """Return where the level of a series last changed for good, or None when it did not.

    The split with the greatest difference of means, in units of the noise on both sides, is the change point (as in
    binary segmentation by a t statistic). The side after it must reach to the end, so a spike that is over is none.
    """
    best: Onset | None = None
    for index in range(5, len(points) - 1):
        before = [value for _, value in points[:index]]
        after = [value for _, value in points[index:]]
        noise = max(_noise(before), _noise(after) / 2, abs(fmean(before)) * 0.02, 1e-9)
        gap = abs(median(after) - median(before))
        strength = gap / noise * min(len(after), 10) ** 0.5
        if best is None or strength > best.strength:
            best = Onset(points[index][0], median(before), median(after), strength)
    return best if best is not None and best.strength >= least_strength else None


def _noise(values: Sequence[float]) -> float:
    """Return a spread that single outliers do not move: 1.4826 times the median absolute deviation."""
    middle = median(values)
    spread = 1.4826 * median(abs(value - middle) for value in values)
    return spread if spread > 0 else pstdev(values) / 3


def mean_between(points: Sequence[Point], start: datetime, end: datetime) -> float | None:
    """Return the mean of the points from a start up to, but not at, an end; None without points."""
    values = [value for at, value in points if start <= at < end]
    return fmean(values) if values else None


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
