"""IF: a value of one or of another series, by a condition.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html#using-IF-expressions
"""

import math

from simulator.cloudwatch.metric_math.values import (
    ExpressionError,
    Points,
    Series,
    Value,
    empty,
    kind,
    same_grid,
)


def chosen(condition: Value, yes: Value, no: Value | None) -> Series:
    """What IF gives. Without `no`, points at which the condition is false are dropped."""
    for one in (condition, yes, no):
        if isinstance(one, tuple):
            raise ExpressionError(f"IF takes scalars and time series, not {kind(one)}.")
    assert not isinstance(yes, tuple)
    assert not isinstance(no, tuple)
    if isinstance(condition, Series):
        return _point_by_point(condition, yes, no)
    assert isinstance(condition, float)
    if not isinstance(yes, Series) or isinstance(no, float):
        raise ExpressionError("IF with a scalar condition takes time series to choose from.")
    if math.isnan(condition) or (condition == 0 and no is None):
        return empty(yes.grid)
    if no is not None:
        same_grid(yes, no)
    return no if condition == 0 and no is not None else yes


def _point_by_point(condition: Series, yes: float | Series, no: float | Series | None) -> Series:
    # Where the condition holds, a missing point counts as 0; where it does not, the point is dropped.
    held = tuple(0.0 if one is None else one for one in _points(condition, yes))
    failed = _points(condition, no)
    rows = zip(condition.points, held, failed, strict=True)
    return Series(condition.grid, tuple(None if c is None else (y if c != 0 else n) for c, y, n in rows))


def _points(condition: Series, choice: float | Series | None) -> Points:
    if isinstance(choice, Series):
        same_grid(condition, choice)
        return choice.points
    return (None if choice is None or math.isnan(choice) else choice,) * len(condition.points)
