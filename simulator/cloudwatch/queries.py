"""What a list of MetricDataQueries comes to: metrics read from the store, expressions computed from them.

GetMetricData and alarms on metric math both ask this way; they differ in the periods that they look at.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from simulator.cloudwatch.metric_math.band import banded
from simulator.cloudwatch.metric_math.evaluation import valued
from simulator.cloudwatch.metric_math.grammar import Name, Node, Number, mentioned, parsed
from simulator.cloudwatch.metric_math.search import searched
from simulator.cloudwatch.metric_math.values import Array, ExpressionError, Series, Source, Value
from simulator.cloudwatch.metrics import Grid, MetricName, MetricStore, MixedUnitsError, metric_name
from simulator.cloudwatch.retention import is_period
from simulator.cloudwatch.statistics import is_statistic
from simulator.wire.protocol import AwsError

Query = Mapping[str, Any]
MOST_FOUND = 500
SEARCHED = timedelta(days=14)
_ID = re.compile(r"[a-z][a-zA-Z0-9_]*")
_INSIGHTS = re.compile(r"\s*SELECT\s", re.IGNORECASE)


@dataclass
class Request:
    """Queries that may refer to each other. `span` gives the periods of a length that are looked at."""

    queries: Sequence[Query]
    metrics: MetricStore
    span: Callable[[int], Grid]
    now: datetime
    _by_id: dict[str, Query] = field(default_factory=dict)
    _trees: dict[str, Node] = field(default_factory=dict)
    _values: dict[str, Value] = field(default_factory=dict)
    _periods: dict[str, int | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_queries(self.queries)
        self._by_id = {one["Id"]: one for one in self.queries}
        for one in self.queries:
            if "Expression" in one:
                self._trees[one["Id"]] = _tree(one)

    def evaluated(self) -> dict[str, Value]:
        """Every query's value by its id. A scalar is none: the result of an expression has times."""
        for name in self._ordered():
            query = self._by_id[name]
            self._periods[name] = self._period(name)
            if "MetricStat" in query:
                self._values[name] = self.read(query)
                continue
            try:
                self._values[name] = _Scope(self, name).evaluated(self._trees[name])
            except (ExpressionError, MixedUnitsError) as error:
                raise in_expression(name, str(error)) from error
        for name, value in self._values.items():
            if isinstance(value, float) and self._by_id[name].get("ReturnData", True):
                raise in_expression(name, "The expression result must be a time series, got a Scalar.")
        return self._values

    def _ordered(self) -> list[str]:
        """Ids with what they use before them."""
        order: list[str] = []
        waiting = {name: self._uses(name) for name in self._by_id}
        while waiting:
            ready = [name for name, uses in waiting.items() if not uses & waiting.keys()]
            if not ready:
                raise in_expression(next(iter(waiting)), "The expression refers to itself.")
            order += ready
            for name in ready:
                del waiting[name]
        return order

    def _uses(self, name: str) -> set[str]:
        """The ids that an expression names; METRICS() uses all metrics it may give."""
        if name not in self._trees:
            return set()
        names, functions = mentioned(self._by_id[name]["Expression"])
        used = {one for one in names if one in self._by_id}
        if any(one.function == "METRICS" for one in functions):
            used |= {one for one, query in self._by_id.items() if "MetricStat" in query}
        return used

    def _period(self, name: str) -> int | None:
        """The period of a query's result: its own, or that of what it uses, or of the request's metrics."""
        query = self._by_id[name]
        if "MetricStat" in query:
            return int(query["MetricStat"]["Period"])
        for one in sorted(self._uses(name)):
            if (used := self._periods[one]) is not None:
                return used
        stated = _search_periods(query["Expression"]) + [query[one] for one in ("Period",) if one in query]
        if stated:
            return int(stated[0])
        metrics = (one["MetricStat"]["Period"] for one in self.queries if "MetricStat" in one)
        return next(metrics, None)

    def read(self, query: Query) -> Series:
        """The series of a query that names a metric."""
        stat = query["MetricStat"]
        metric = stat["Metric"]
        name = metric_name(metric["Namespace"], metric["MetricName"], dimensions_of(metric))
        try:
            found = self.series(name, stat["Stat"], stat["Period"], stat.get("Unit"))
        except MixedUnitsError as error:
            raise invalid(f"{error}. Specify the Unit.") from error
        return Series(found.grid, found.points, query.get("Label", name.name), found.source)

    def series(self, name: MetricName, stat: str, period: int, unit: str | None = None) -> Series:
        """A statistic of a metric in the periods that are looked at."""
        grid = self.span(period)
        points = tuple(self.metrics.values(name, grid, stat, self.now, unit))
        return Series(grid, points, name.name, Source(name, stat, period))

    def metric_queries(self, containing: str) -> list[str]:
        """Ids of the metrics of the request, in its order."""
        return [one["Id"] for one in self.queries if "MetricStat" in one and containing in one["Id"]]

    def value(self, name: str) -> Value:
        """The value of another query, which was computed before."""
        return self._values[name]

    def knows(self, name: str) -> bool:
        """Whether there is a query of this id."""
        return name in self._by_id

    def period(self, name: str) -> int:
        """The period of an expression's own result."""
        found = self._periods[name]
        if found is None:
            raise ExpressionError("The parameter Period is needed: the expression uses no metric.")
        return found

    def banded(self, name: str, deviations: float) -> Array:
        """The band of a metric of the request."""
        query = self._by_id[name]["MetricStat"]
        stat, period, unit = query["Stat"], query["Period"], query.get("Unit")
        metric = metric_name(
            query["Metric"]["Namespace"], query["Metric"]["MetricName"], dimensions_of(query["Metric"])
        )
        return banded(
            self.span(period),
            lambda grid: self.metrics.values(metric, grid, stat, self.now, unit),
            deviations,
            self.metrics.expectations(metric, stat, period, unit),
            int(self.now.timestamp()),
        )


@dataclass(frozen=True)
class _Scope:
    """What one expression of a request can reach."""

    request: Request
    name: str

    def evaluated(self, node: Node) -> Value:
        if isinstance(node, Name) and self.request.knows(node.name):
            return self.request.value(node.name)
        return valued(node, self)

    def metrics(self, containing: str) -> Array:
        values = [self.request.value(one) for one in self.request.metric_queries(containing)]
        return tuple(one for one in values if isinstance(one, Series))

    def is_metric(self, name: str) -> bool:
        return name in self.request.metric_queries("")

    def grid(self) -> Grid:
        return self.request.span(self.request.period(self.name))

    def found(self, search: str, stat: str, period: int | None) -> Array:
        matches = searched(search)
        if not is_statistic(stat):
            raise ExpressionError(f"The statistic {stat} is not supported.")
        length = self.request.period(self.name) if period is None else period
        if not is_period(length):
            raise ExpressionError(f"The period {length} is not supported.")
        since = self.request.now - SEARCHED
        store = self.request.metrics
        names = [one for one in store.list() if matches(one) and store.last_at(one) >= since]
        if len(names) > MOST_FOUND:
            raise ExpressionError(f"The search finds more than {MOST_FOUND} metrics.")
        series = [self.request.series(one, stat, length) for one in names]
        return tuple(Series(one.grid, one.points, _told_apart(one, names), one.source) for one in series)

    def band(self, name: str, deviations: float) -> Array:
        return self.request.banded(name, deviations)


def _told_apart(series: Series, names: Sequence[MetricName]) -> str:
    """The parts of a metric's name by which it differs from the others that were found."""
    assert series.source is not None
    metric = series.source.metric
    parts = [
        value
        for pair in metric.dimensions
        if not all(pair in one.dimensions for one in names)
        for value in pair[1:]
    ]
    if len({one.name for one in names}) > 1 or not parts:
        parts.append(metric.name)
    return " ".join(parts)


def _search_periods(expression: str) -> list[int]:
    """The periods that an expression's searches state themselves."""
    calls = [one for one in mentioned(expression)[1] if one.function == "SEARCH"]
    last = [one.arguments[2] for one in calls if len(one.arguments) == 3]
    return [int(one.value) for one in last if isinstance(one, Number)]


def dimensions_of(named: Mapping[str, Any]) -> dict[str, str]:
    """A metric's dimensions as a mapping."""
    return {one["Name"]: one["Value"] for one in named.get("Dimensions", [])}


def check_queries(queries: Sequence[Query]) -> None:
    """Refuse queries that CloudWatch would refuse before it reads anything."""
    if not 1 <= len(queries) <= 500:
        raise invalid("The collection MetricDataQueries must have between 1 and 500 members.")
    ids = [one["Id"] for one in queries]
    for one in queries:
        if not _ID.fullmatch(one["Id"]):
            raise invalid(
                f"The value {one['Id']} for parameter MetricDataQueries.Id does not match {_ID.pattern}."
            )
        if ("MetricStat" in one) == ("Expression" in one):
            raise invalid("Exactly one of the parameters MetricStat and Expression must be specified.")
        if "AccountId" in one:
            raise invalid("The parameter AccountId is not supported: the account monitors no other.")
        if "MetricStat" in one:
            _check_stat(one["MetricStat"])
        elif "Period" in one:
            check_period(one["Period"])
    if len(set(ids)) < len(ids):
        raise invalid("The values for parameter id in MetricDataQueries are not unique.")


def _check_stat(stat: Mapping[str, Any]) -> None:
    check_period(stat["Period"])
    if not is_statistic(stat["Stat"]):
        raise invalid(f"The value {stat['Stat']} for parameter Stat is not supported.")
    if "Namespace" not in stat["Metric"] or "MetricName" not in stat["Metric"]:
        raise invalid("The parameters Namespace and MetricName are required.")


def check_period(period: int) -> None:
    """Refuse a period that CloudWatch does not have."""
    if not is_period(period):
        message = "The parameter Period must be 1, 5, 10, 20, 30, or a multiple of 60."
        raise AwsError("InvalidParameterValue", message)


def _tree(query: Query) -> Node:
    expression = query["Expression"]
    if _INSIGHTS.match(expression):
        raise in_expression(query["Id"], "Metrics Insights queries (SELECT) are not supported.")
    try:
        return parsed(expression)
    except ExpressionError as error:
        raise in_expression(query["Id"], str(error)) from error


def invalid(message: str) -> AwsError:
    """A ValidationError."""
    return AwsError("ValidationError", message)


def in_expression(name: str, why: str) -> AwsError:
    """The refusal of one expression."""
    return invalid(f"Error in expression '{name}': {why}")
