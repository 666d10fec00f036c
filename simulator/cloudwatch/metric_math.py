"""Metric math as far as it is arithmetic: + - * / ^, numbers, parentheses and other queries' ids.

Missing points count as 0 and a division by zero drops its point
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html). Functions,
SEARCH and comparisons are refused.
"""

import ast
import operator
from collections.abc import Callable, Mapping
from datetime import datetime


class ExpressionError(ValueError):
    """The expression cannot be answered, and why."""


Series = Mapping[datetime, float]

_OPERATORS: Mapping[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}


def referenced(expression: str) -> set[str]:
    """The ids an expression uses."""
    return {node.id for node in ast.walk(_parsed(expression)) if isinstance(node, ast.Name)}


def evaluate(expression: str, series: Mapping[str, Series]) -> dict[datetime, float]:
    """The expression's points over all times that any series it uses has."""
    tree = _parsed(expression)
    used = referenced(expression)
    if not used:
        raise ExpressionError("The expression result must be a time series, not a scalar.")
    unknown = sorted(used - set(series))
    if unknown:
        raise ExpressionError(f"Undefined variable {unknown[0]}.")
    times = sorted({at for name in used for at in series[name]})
    found = {}
    for at in times:
        try:
            found[at] = _value(tree.body, {name: series[name].get(at, 0.0) for name in used})
        except ZeroDivisionError:
            continue
    return found


def _parsed(expression: str) -> ast.Expression:
    try:
        # Python writes the power otherwise, and its own `**` is not metric math.
        tree = ast.parse(expression.replace("**", "?").replace("^", "**").strip(), mode="eval")
    except SyntaxError as error:
        raise ExpressionError(f"Invalid syntax at position {error.offset or 0}.") from error
    _check(tree.body)
    return tree


def _check(node: ast.expr) -> None:
    match node:
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            _check(left)
            _check(right)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            _check(operand)
        case ast.Name() | ast.Constant(value=int() | float()):
            return
        case ast.Call(func=ast.Name(id=name)):
            raise ExpressionError(f"Unsupported function {name}.")
        case _:
            raise ExpressionError("Unsupported expression.")


def _value(node: ast.expr, values: Mapping[str, float]) -> float:
    match node:
        case ast.BinOp(left=left, op=op, right=right):
            return _OPERATORS[type(op)](_value(left, values), _value(right, values))
        case ast.UnaryOp(operand=operand):
            return -_value(operand, values)
        case ast.Name(id=name):
            return values[name]
        case ast.Constant(value=int() | float() as number):
            return float(number)
    raise ExpressionError("Unsupported expression.")
