"""The functions of metric math: what each takes, gives and does. The documentation's table is made of this.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html#metric-math-syntax-functions-list
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from simulator.cloudwatch.metric_math import aggregates, transforms
from simulator.cloudwatch.metric_math.choices import chosen
from simulator.cloudwatch.metric_math.grammar import Name, Negation, Node, Number, Text
from simulator.cloudwatch.metric_math.values import Array, ExpressionError, Series, Value, each, finite, kind
from simulator.cloudwatch.metrics import Grid


class Scope(Protocol):
    """What an expression can reach: the other queries of its request, and all metrics."""

    def evaluated(self, node: Node) -> Value:
        """The value of a part of the expression."""
        ...

    def metrics(self, containing: str) -> Array:
        """The request's metrics whose id contains a text."""
        ...

    def is_metric(self, name: str) -> bool:
        """Whether an id names a metric rather than an expression."""
        ...

    def grid(self) -> Grid:
        """The periods of the expression's own result."""
        ...

    def found(self, search: str, stat: str, period: int | None) -> Array:
        """The metrics that match a search."""
        ...

    def band(self, name: str, deviations: float) -> Array:
        """The upper and the lower edge of what a metric is expected to be."""
        ...


Arguments = Sequence[Node]
Apply = Callable[[Scope, Arguments], Value]


@dataclass(frozen=True)
class Function:
    """One function. `takes` and `gives` are types: S, TS, TS[]. It takes `least` to `most` arguments."""

    takes: str
    gives: str
    says: str
    apply: Apply
    least: int = 1
    most: int = 1


def applied(name: str, scope: Scope, arguments: Arguments) -> Value:
    """The result of a function, or a refusal that names it."""
    function = FUNCTIONS.get(name)
    if function is None:
        why = REFUSED.get(name, "no such function; functions are written in upper case")
        raise ExpressionError(f"Unsupported function {name}: {why}.")
    if not function.least <= len(arguments) <= function.most:
        raise ExpressionError(f"{name} takes ({function.takes}), got {len(arguments)} arguments.")
    return function.apply(scope, arguments)


def _aggregate(function: str, scope: Scope, arguments: Arguments) -> Value:
    return aggregates.aggregated(function, scope.evaluated(arguments[0]), scope.grid)


def _each(work: Callable[[Series], Series], scope: Scope, arguments: Arguments) -> Value:
    return each(scope.evaluated(arguments[0]), work)


def _series(scope: Scope, node: Node, function: str) -> Series:
    found = scope.evaluated(node)
    if not isinstance(found, Series):
        raise ExpressionError(f"{function} takes a TimeSeries, not {kind(found)}.")
    return found


def _array(scope: Scope, node: Node, function: str) -> Array:
    found = scope.evaluated(node)
    if not isinstance(found, tuple):
        raise ExpressionError(f"{function} takes a TimeSeries[], not {kind(found)}.")
    return found


def _whole(scope: Scope, node: Node, function: str) -> int:
    found = scope.evaluated(node)
    if not isinstance(found, float) or found < 0 or not found.is_integer():
        raise ExpressionError(f"{function} takes whole numbers from 0.")
    return int(found)


def _keyword(node: Node, function: str) -> str:
    if not isinstance(node, Name):
        raise ExpressionError(f"{function} takes a keyword there.")
    return node.name


def _calendar(function: str, scope: Scope, arguments: Arguments) -> Value:
    return transforms.calendar(function, _series(scope, arguments[0], function))


def _fill(scope: Scope, arguments: Arguments) -> Value:
    what, filler = arguments
    if isinstance(filler, Name) and filler.name in ("REPEAT", "LINEAR"):
        return each(scope.evaluated(what), lambda one: transforms.filled_by(one, filler.name))
    value = scope.evaluated(filler)
    if isinstance(value, tuple):
        raise ExpressionError("FILL takes a Scalar, a TimeSeries, REPEAT or LINEAR as filler.")
    return each(scope.evaluated(what), lambda one: transforms.filled_with(one, value))


def _if(scope: Scope, arguments: Arguments) -> Value:
    values = [scope.evaluated(one) for one in arguments]
    return chosen(values[0], values[1], values[2] if len(values) == 3 else None)


def _time_series(scope: Scope, arguments: Arguments) -> Value:
    value = scope.evaluated(arguments[0])
    if not isinstance(value, float):
        raise ExpressionError(f"TIME_SERIES takes a Scalar, not {kind(value)}.")
    grid = scope.grid()
    return Series(grid, (finite(value),) * grid.count)


def _metrics(scope: Scope, arguments: Arguments) -> Value:
    if arguments and not isinstance(arguments[0], Text):
        raise ExpressionError("METRICS takes nothing or a string.")
    return scope.metrics(arguments[0].value if arguments and isinstance(arguments[0], Text) else "")


def _period(scope: Scope, arguments: Arguments) -> Value:
    (what,) = arguments
    if not isinstance(what, Name) or not scope.is_metric(what.name):
        raise ExpressionError("PERIOD takes the id of a metric, not the result of another expression.")
    return float(_series(scope, what, "PERIOD").grid.step)


def _edge(place: int, function: str, scope: Scope, arguments: Arguments) -> Value:
    array = _array(scope, arguments[0], function)
    return array[place] if array else Series(scope.grid(), (None,) * scope.grid().count)


def _sort(scope: Scope, arguments: Arguments) -> Value:
    array = _array(scope, arguments[0], "SORT")
    ranked = aggregates.ranked(array, _keyword(arguments[1], "SORT"), _keyword(arguments[2], "SORT"))
    return ranked[: _whole(scope, arguments[3], "SORT")] if len(arguments) == 4 else ranked


def _slice(scope: Scope, arguments: Arguments) -> Value:
    array = _array(scope, arguments[0], "SLICE")
    edges = [_whole(scope, one, "SLICE") for one in arguments[1:]]
    return array[edges[0] : edges[1]] if len(edges) == 2 else array[edges[0] :]


def _search(scope: Scope, arguments: Arguments) -> Value:
    texts = arguments[:2]
    period = arguments[2] if len(arguments) == 3 else None
    if not all(isinstance(one, Text) for one in texts) or not isinstance(period, Number | None):
        raise ExpressionError("SEARCH takes a search and a statistic in single quotes, and a period.")
    search, stat = (one.value for one in texts if isinstance(one, Text))
    return scope.found(search, stat, None if period is None else int(period.value))


def _band(scope: Scope, arguments: Arguments) -> Value:
    metric = arguments[0]
    deviations = arguments[1] if len(arguments) == 2 else Number(2.0)
    if not isinstance(metric, Name) or not scope.is_metric(metric.name):
        raise ExpressionError("ANOMALY_DETECTION_BAND takes the id of a metric.")
    if isinstance(deviations, Negation) or not isinstance(deviations, Number) or deviations.value <= 0:
        raise ExpressionError("ANOMALY_DETECTION_BAND takes a number of standard deviations above 0.")
    return scope.band(metric.name, deviations.value)


def _metric_count(scope: Scope, arguments: Arguments) -> Value:
    return float(len(_array(scope, arguments[0], "METRIC_COUNT")))


def _remove_empty(scope: Scope, arguments: Arguments) -> Value:
    return tuple(one for one in _array(scope, arguments[0], "REMOVE_EMPTY") if one.existing)


_SUMMARY_SAYS = {
    "AVG": "average; across an array a missing point counts as 0",
    "DATAPOINT_COUNT": "number of data points that exist",
    "MAX": "maximum of the points that exist",
    "MIN": "minimum of the points that exist",
    "STDDEV": "standard deviation (of the whole population) of the points that exist",
    "SUM": "sum",
}
_POINT_SAYS = {
    "ABS": "absolute value",
    "CEIL": "least whole number that is not smaller",
    "FLOOR": "greatest whole number that is not larger",
    "LOG": "natural logarithm; of 0 and below the point is dropped",
    "LOG10": "logarithm to the base 10; of 0 and below the point is dropped",
}
_SUCCESSIVE_SAYS = {
    "DIFF": "difference to the preceding point; the first is dropped",
    "DIFF_TIME": "seconds since the preceding point; the first is dropped",
    "RATE": "difference to the preceding point a second; the first is dropped",
}
_CALENDAR_SAYS = {
    "MINUTE": "minute of each period, 0 to 59, UTC",
    "HOUR": "hour of each period, 0 to 23, UTC",
    "DAY": "day of the week, 1 (Monday) to 7",
    "DATE": "day of the month",
    "MONTH": "month, 1 to 12",
    "YEAR": "year",
    "EPOCH": "seconds since 1970",
}
_EACH = ("TS or TS[]", "TS or TS[]")
FUNCTIONS: Mapping[str, Function] = {
    **{
        name: Function("TS or TS[]", "S or TS", says, partial(_aggregate, name))
        for name, says in _SUMMARY_SAYS.items()
    },
    **{
        name: Function(*_EACH, says, partial(_each, partial(transforms.pointwise, name)))
        for name, says in _POINT_SAYS.items()
    },
    **{
        name: Function(*_EACH, says, partial(_each, partial(transforms.successive, name)))
        for name, says in _SUCCESSIVE_SAYS.items()
    },
    **{name: Function("TS", "TS", says, partial(_calendar, name)) for name, says in _CALENDAR_SAYS.items()},
    "ANOMALY_DETECTION_BAND": Function(
        "id of a metric[, S]",
        "TS[]",
        "upper and lower edge of the expected values, approximated",
        _band,
        1,
        2,
    ),
    "FILL": Function(
        "TS or TS[], S, TS, REPEAT or LINEAR", "TS or TS[]", "gives missing points a value", _fill, 2, 2
    ),
    "FIRST": Function("TS[]", "TS", "first series of an array", partial(_edge, 0, "FIRST")),
    "IF": Function(
        "TS, S or TS[, S or TS] or S, TS[, TS]", "TS", "chooses by a condition that is not 0", _if, 2, 3
    ),
    "LAST": Function("TS[]", "TS", "last series of an array", partial(_edge, -1, "LAST")),
    "METRICS": Function("[string]", "TS[]", "the request's metrics, by a part of their id", _metrics, 0, 1),
    "METRIC_COUNT": Function("TS[]", "S", "number of series in an array", _metric_count),
    "PERIOD": Function("id of a metric", "S", "its period in seconds", _period),
    "REMOVE_EMPTY": Function("TS[]", "TS[]", "the series that have data points", _remove_empty),
    "RUNNING_SUM": Function(*_EACH, "sum of the points so far", partial(_each, transforms.running_sum)),
    "SEARCH": Function(
        "search, statistic[, period]", "TS[]", "the metrics that match; not in alarms", _search, 2, 3
    ),
    "SLICE": Function("TS[], S[, S]", "TS[]", "part of an array, from 0, the end excluded", _slice, 2, 3),
    "SORT": Function(
        "TS[], AVG, MIN, MAX or SUM, ASC or DESC[, S]", "TS[]", "sorts an array, at most so many", _sort, 3, 4
    ),
    "TIME_SERIES": Function("S", "TS", "the same value in each period", _time_series),
}
REFUSED: Mapping[str, str] = {
    "DB_PERF_INSIGHTS": "the account has no Performance Insights",
    "INSIGHT_RULE_METRIC": "the account has no Contributor Insights rules",
    "LAMBDA": "the account has no data source connectors",
    "SELECT": "the account has no Metrics Insights queries",
    "SERVICE_QUOTA": "the account tells its quotas through Service Quotas only",
}
