"""Arithmetic, comparison and logical operators with CloudWatch's rules of types and missing values.

Between two time series a missing value counts as 0. A division by zero, or any other result that is no
finite number, drops its data point.
"""

import math
import operator
from collections.abc import Callable, Mapping

from simulator.cloudwatch.metric_math.values import (
    UNDEFINED,
    ExpressionError,
    Series,
    Value,
    each,
    finite,
    kind,
    same_grid,
)

_Compute = Callable[[float, float], float]


def _power(base: float, exponent: float) -> float:
    found = base**exponent
    return found if isinstance(found, float) else UNDEFINED


_ARITHMETIC: Mapping[str, _Compute] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "^": _power,
}
_LOGICAL: Mapping[str, _Compute] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
    "AND": lambda left, right: left != 0 and right != 0,
    "OR": lambda left, right: left != 0 or right != 0,
}
SIGNS = (*_ARITHMETIC, *_LOGICAL)


def operated(sign: str, left: Value, right: Value) -> Value:
    """What an operator makes of two values."""
    if sign in _LOGICAL:
        return _compared(sign, left, right)
    compute = _ARITHMETIC[sign]
    if isinstance(left, tuple):
        if isinstance(right, tuple):
            raise _unsupported(sign, left, right)
        return tuple(_one(compute, one, right) for one in left)
    if isinstance(right, tuple):
        return tuple(_one(compute, left, one) for one in right)
    return _pair(compute, left, right)


def negated(value: Value) -> Value:
    """`-value`."""
    if isinstance(value, float):
        return -value
    return each(value, lambda one: one.with_points(tuple(None if p is None else -p for p in one.points)))


def _compared(sign: str, left: Value, right: Value) -> Value:
    if isinstance(left, tuple) or isinstance(right, tuple):
        raise _unsupported(sign, left, right)
    return _pair(_LOGICAL[sign], left, right)


def _unsupported(sign: str, left: Value, right: Value) -> ExpressionError:
    return ExpressionError(f"Unsupported operand type(s) for {sign}: '[{kind(left)}, {kind(right)}]'.")


def _one(compute: _Compute, left: float | Series, right: float | Series) -> Series:
    found = _pair(compute, left, right)
    assert isinstance(found, Series)
    kept = left if isinstance(left, Series) and left.source is not None else right
    # A member of an array keeps its name, so that results of METRICS() * 100 can be told apart.
    return Series(found.grid, found.points, kept.label if isinstance(kept, Series) else "")


def _pair(compute: _Compute, left: float | Series, right: float | Series) -> float | Series:
    if isinstance(left, Series) and isinstance(right, Series):
        same_grid(left, right)
        pairs = zip(left.points, right.points, strict=True)
        return Series(
            left.grid,
            tuple(
                None if a is None and b is None else _computed(compute, a or 0.0, b or 0.0) for a, b in pairs
            ),
        )
    if isinstance(left, Series) and isinstance(right, float):
        kept = tuple(None if a is None else _computed(compute, a, right) for a in left.points)
        return Series(left.grid, kept)
    if isinstance(right, Series) and isinstance(left, float):
        return Series(
            right.grid, tuple(None if b is None else _computed(compute, left, b) for b in right.points)
        )
    assert isinstance(left, float)
    assert isinstance(right, float)
    found = _computed(compute, left, right)
    return UNDEFINED if found is None else found


def _computed(compute: _Compute, left: float, right: float) -> float | None:
    # A comparison with NaN is false, not NaN: what is undefined must stay so.
    if math.isnan(left) or math.isnan(right):
        return None
    try:
        return finite(float(compute(left, right)))
    except (ZeroDivisionError, OverflowError):
        return None
