"""The value of an expression's tree."""

from simulator.cloudwatch.metric_math.functions import Scope, applied
from simulator.cloudwatch.metric_math.grammar import (
    Application,
    Listing,
    Name,
    Negation,
    Node,
    Number,
    Operation,
    Text,
)
from simulator.cloudwatch.metric_math.operators import negated, operated
from simulator.cloudwatch.metric_math.values import Array, ExpressionError, Series, Value, kind


def valued(node: Node, scope: Scope) -> Value:
    """What a part of an expression comes to. Ids are left to the scope."""
    match node:
        case Number(value=value):
            return value
        case Negation(operand=operand):
            return negated(scope.evaluated(operand))
        case Operation(sign=sign, left=left, right=right):
            return operated(sign, scope.evaluated(left), scope.evaluated(right))
        case Listing(members=members):
            return _listed([scope.evaluated(one) for one in members])
        case Application(function=function, arguments=arguments):
            return applied(function, scope, arguments)
        case Text():
            raise ExpressionError(f"Unexpected string '{node.value}'.")
        case Name(name=name):
            raise ExpressionError(f"Undefined variable {name}.")


def _listed(values: list[Value]) -> Array:
    found: list[Series] = []
    for one in values:
        if isinstance(one, float):
            raise ExpressionError(f"An array takes time series, not {kind(one)}.")
        found.extend(one if isinstance(one, tuple) else (one,))
    return tuple(found)
