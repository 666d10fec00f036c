"""What an expression works on: scalars, time series and arrays of time series.

A time series holds one place for each period of its grid, None where it has no data point. A scalar that
cannot be computed, such as the average of nothing, is NaN, and drops every point that it touches.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from simulator.cloudwatch.metrics import Grid, MetricName

UNDEFINED = math.nan
Points = tuple[float | None, ...]


class ExpressionError(ValueError):
    """The expression cannot be answered, and why."""


@dataclass(frozen=True)
class Source:
    """What a time series was read from."""

    metric: MetricName
    stat: str
    period: int


@dataclass(frozen=True)
class Series:
    """One time series. `source` is None where it was computed."""

    grid: Grid
    points: Points
    label: str = ""
    source: Source | None = None

    @property
    def existing(self) -> list[float]:
        """The values of the data points that exist, oldest first."""
        return [one for one in self.points if one is not None]

    def with_points(self, points: Points) -> "Series":
        """The same series with other values."""
        return replace(self, points=points)


Array = tuple[Series, ...]
Value = float | Series | Array


def empty(grid: Grid) -> Series:
    """A time series without data points."""
    return Series(grid, (None,) * grid.count)


def kind(value: Value) -> str:
    """A type as error messages name it."""
    if isinstance(value, tuple):
        return "TimeSeries[]"
    return "TimeSeries" if isinstance(value, Series) else "Scalar"


def same_grid(left: Series, right: Series) -> None:
    """Refuse two series that were aggregated over different periods."""
    if left.grid != right.grid:
        raise ExpressionError("All metrics must have the same period.")


def finite(value: float) -> float | None:
    """A value, or None where there is none: what is no number drops its data point."""
    return value if math.isfinite(value) else None


def each(value: Value, work: Callable[[Series], Series]) -> Value:
    """Do the same to a time series, or to each one of an array."""
    if isinstance(value, tuple):
        return tuple(work(one) for one in value)
    if isinstance(value, Series):
        return work(value)
    raise ExpressionError(f"Expected a TimeSeries or TimeSeries[], got {kind(value)}.")
