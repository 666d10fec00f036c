"""Functions that give each data point another value, or fill in points that are missing."""

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from itertools import pairwise

from simulator.cloudwatch.metric_math.values import ExpressionError, Points, Series, finite, same_grid

_Between = Callable[[float, float], float | None]


def _logarithm(compute: Callable[[float], float]) -> Callable[[float], float | None]:
    # The logarithm of what is not above 0 is no number, and drops its point.
    return lambda value: compute(value) if value > 0 else None


POINTWISE: Mapping[str, Callable[[float], float | None]] = {
    "ABS": abs,
    "CEIL": lambda value: float(math.ceil(value)),
    "FLOOR": lambda value: float(math.floor(value)),
    "LOG": _logarithm(math.log),
    "LOG10": _logarithm(math.log10),
}
_CALENDAR: Mapping[str, Callable[[datetime], int]] = {
    "MINUTE": lambda at: at.minute,
    "HOUR": lambda at: at.hour,
    "DAY": lambda at: at.isoweekday(),
    "DATE": lambda at: at.day,
    "MONTH": lambda at: at.month,
    "YEAR": lambda at: at.year,
    "EPOCH": lambda at: int(at.timestamp()),
}
CALENDAR = tuple(_CALENDAR)
_SUCCESSIVE: Mapping[str, _Between] = {
    "DIFF": lambda change, seconds: change,
    "DIFF_TIME": lambda change, seconds: seconds,
    "RATE": lambda change, seconds: change / seconds,
}
SUCCESSIVE = tuple(_SUCCESSIVE)


def pointwise(function: str, series: Series) -> Series:
    """Each data point by itself."""
    compute = POINTWISE[function]
    return series.with_points(tuple(None if one is None else compute(one) for one in series.points))


def successive(function: str, series: Series) -> Series:
    """Each data point beside the one before it that exists; the first has none, and is dropped."""
    compute = _SUCCESSIVE[function]
    points: list[float | None] = []
    before: tuple[int, float] | None = None
    for at, value in zip(series.grid.times, series.points, strict=True):
        if value is None:
            points.append(None)
            continue
        found = compute(value - before[1], float(at - before[0])) if before is not None else None
        points.append(None if found is None else finite(found))
        before = (at, value)
    return series.with_points(tuple(points))


def running_sum(series: Series) -> Series:
    """At each data point, the sum of those so far."""
    total, points = 0.0, []
    for value in series.points:
        total += value or 0.0
        points.append(None if value is None else finite(total))
    return series.with_points(tuple(points))


def calendar(function: str, series: Series) -> Series:
    """A time series without gaps, of a part of each period's own time, in UTC."""
    part = _CALENDAR[function]
    found = (float(part(datetime.fromtimestamp(at, UTC))) for at in series.grid.times)
    return series.with_points(tuple(found))


def filled_with(series: Series, filler: float | Series) -> Series:
    """Missing points get a value, or that of another series at their time."""
    if isinstance(filler, Series):
        same_grid(series, filler)
        others: Points = filler.points
    else:
        others = (finite(filler),) * len(series.points)
    pairs = zip(series.points, others, strict=True)
    return series.with_points(tuple(other if one is None else one for one, other in pairs))


def filled_by(series: Series, keyword: str) -> Series:
    """Missing points get the last value before them, or what lies on a line through their neighbours."""
    if keyword == "REPEAT":
        return series.with_points(_repeated(series.points))
    if keyword == "LINEAR":
        return series.with_points(_interpolated(series.points))
    raise ExpressionError(f"FILL takes REPEAT or LINEAR, not {keyword}.")


def _repeated(points: Points) -> Points:
    found: list[float | None] = []
    for one in points:
        found.append(one if one is not None or not found else found[-1])
    return tuple(found)


def _interpolated(points: Points) -> Points:
    found = list(points)
    known = [at for at, one in enumerate(points) if one is not None]
    for first, last in pairwise(known):
        low, high = points[first], points[last]
        assert low is not None
        assert high is not None
        for at in range(first + 1, last):
            found[at] = finite(low + (high - low) * (at - first) / (last - first))
    return tuple(found)
