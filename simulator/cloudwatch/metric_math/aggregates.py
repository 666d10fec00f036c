"""Functions that make one out of many: of a time series a scalar, of an array a time series."""

import math
from collections.abc import Callable, Mapping, Sequence

from simulator.cloudwatch.metric_math.values import (
    UNDEFINED,
    Array,
    ExpressionError,
    Series,
    Value,
    empty,
    finite,
    kind,
    same_grid,
)
from simulator.cloudwatch.metrics import Grid

_Summary = Callable[[Sequence[float]], float]


def mean(values: Sequence[float]) -> float:
    """The average."""
    return math.fsum(values) / len(values)


def deviation(values: Sequence[float]) -> float:
    """The standard deviation of all there is, not of a sample."""
    middle = mean(values)
    return math.sqrt(math.fsum((one - middle) ** 2 for one in values) / len(values))


_OF_NOTHING = {"SUM": 0.0, "DATAPOINT_COUNT": 0.0}
_SUMMARIES: Mapping[str, _Summary] = {
    "SUM": math.fsum,
    "AVG": mean,
    "MIN": min,
    "MAX": max,
    "STDDEV": deviation,
    "DATAPOINT_COUNT": lambda values: float(len(values)),
}
AGGREGATES = tuple(_SUMMARIES)
SORTED_BY = ("AVG", "MIN", "MAX", "SUM")


def aggregated(function: str, value: Value, grid: Callable[[], Grid]) -> Value:
    """A scalar of a time series, or a time series of an array; `grid` is asked for an empty array only."""
    if isinstance(value, Series):
        return scalar(function, value)
    if isinstance(value, tuple):
        return _across(function, value) if value else empty(grid())
    raise ExpressionError(f"{function} takes a TimeSeries or TimeSeries[], not {kind(value)}.")


def scalar(function: str, series: Series) -> float:
    """One number for all data points that exist."""
    values = series.existing
    if not values:
        return _OF_NOTHING.get(function, UNDEFINED)
    try:
        return float(_SUMMARIES[function](values))
    except OverflowError:
        return UNDEFINED


def _across(function: str, array: Array) -> Series:
    """One time series: at each time, of all series that have a point then."""
    for one in array[1:]:
        same_grid(array[0], one)
    points = []
    for column in zip(*(one.points for one in array), strict=True):
        values = [one for one in column if one is not None]
        if function == "AVG" and values:
            # The average of an array counts a missing value as 0.
            values += [0.0] * (len(column) - len(values))
        try:
            points.append(finite(float(_SUMMARIES[function](values))) if values else None)
        except OverflowError:
            points.append(None)
    return Series(array[0].grid, tuple(points))


def ranked(array: Array, function: str, order: str) -> Array:
    """An array sorted by a summary of each series; those without data points come last."""
    if function not in SORTED_BY:
        raise ExpressionError(f"SORT takes one of {', '.join(SORTED_BY)}, not {function}.")
    if order not in ("ASC", "DESC"):
        raise ExpressionError(f"SORT takes ASC or DESC, not {order}.")
    full = [one for one in array if one.existing]
    full.sort(key=lambda one: scalar(function, one), reverse=order == "DESC")
    return (*full, *(one for one in array if not one.existing))
