"""GetMetricData, GetMetricStatistics and ListMetrics over the metric store."""

import json
import math
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from simulator.clock import AccountClock
from simulator.cloudwatch.labels import labelling
from simulator.cloudwatch.metric_math.values import Series
from simulator.cloudwatch.metrics import Grid, MetricStore, metric_name
from simulator.cloudwatch.publishing import publish
from simulator.cloudwatch.queries import Request, check_period, dimensions_of, invalid
from simulator.cloudwatch.retention import oldest_kept, rounded_start
from simulator.cloudwatch.statistics import STATISTICS, is_statistic
from simulator.wire.paging import UnknownTokenError, page
from simulator.wire.protocol import AwsError, Call

MAX_POINTS = 100_800
MAX_STATISTICS_POINTS = 1_440
LISTED = 500
LISTED_SINCE, ACTIVE_SINCE = timedelta(days=14), timedelta(hours=3)
AHEAD = timedelta(hours=2)


@dataclass(frozen=True)
class MetricData:
    """Answers the metric operations of CloudWatch."""

    metrics: MetricStore
    clock: AccountClock

    def put(self, call: Call) -> Mapping[str, Any]:
        """API_PutMetricData."""
        return publish(self.metrics, call, self.clock.now())

    def list_metrics(self, call: Call) -> Mapping[str, Any]:
        """API_ListMetrics: what had data in the last two weeks."""
        parameters = call.parameters
        if parameters.get("IncludeLinkedAccounts") or "OwningAccount" in parameters:
            raise AwsError("InvalidParameterValue", "Linked accounts are not supported.")
        wanted = {one["Name"]: one.get("Value") for one in parameters.get("Dimensions", [])}
        since = self.clock.now() - (ACTIVE_SINCE if "RecentlyActive" in parameters else LISTED_SINCE)
        found = [
            one
            for one in self.metrics.list(parameters.get("Namespace"), parameters.get("MetricName"), wanted)
            if self.metrics.last_at(one) >= since
        ]
        try:
            listed, token = page(found, parameters.get("NextToken"), LISTED)
        except UnknownTokenError as error:
            raise AwsError("InvalidParameterValue", "Invalid nextToken.") from error
        metrics = [
            {
                "Namespace": one.namespace,
                "MetricName": one.name,
                "Dimensions": [{"Name": name, "Value": value} for name, value in one.dimensions],
            }
            for one in listed
        ]
        return {"Metrics": metrics, "NextToken": token}

    def statistics(self, call: Call) -> Mapping[str, Any]:
        """API_GetMetricStatistics."""
        parameters = call.parameters
        _check_statistics(parameters)
        stats = [*parameters.get("Statistics", []), *parameters.get("ExtendedStatistics", [])]
        name = metric_name(parameters["Namespace"], parameters["MetricName"], dimensions_of(parameters))
        grid = _grid(parameters["StartTime"], parameters["EndTime"], parameters["Period"], self.clock.now())
        points = [
            point
            for unit in self.metrics.units(name)
            if parameters.get("Unit", unit) == unit
            for at, values in zip(
                grid.times, self.metrics.sets(name, grid, self.clock.now(), unit), strict=True
            )
            if values is not None
            if (point := _point(at, unit, {one: values.statistic(one) for one in stats})) is not None
        ]
        return {"Label": parameters["MetricName"], "Datapoints": points}

    def get(self, call: Call) -> Mapping[str, Any]:
        """API_GetMetricData: metric queries, expressions over them, in pages."""
        parameters = call.parameters
        start, end, now = parameters["StartTime"], parameters["EndTime"], self.clock.now()
        _check_range(start, end)
        queries = parameters["MetricDataQueries"]
        labels = labelling(now, parameters.get("LabelOptions", {}))
        request = Request(queries, self.metrics, lambda period: _grid(start, end, period, now), now)
        values = request.evaluated()
        oldest_first = parameters.get("ScanBy", "TimestampDescending") == "TimestampAscending"
        results = []
        for query in queries:
            if not query.get("ReturnData", True):
                continue
            value = values[query["Id"]]
            several = isinstance(value, tuple)
            for series in value if isinstance(value, tuple) else (value,):
                assert isinstance(series, Series)
                own = series.label if several or "MetricStat" in query else ""
                default = _default_label(query, own, series)
                label = labels.written(query.get("Label", default), default, series)
                results.append(_result(query["Id"], label, series, oldest_first))
        if not any(one.get("ReturnData", True) for one in queries):
            raise invalid("At least one of the elements in the request must have ReturnData set to true.")
        return _paged(results, parameters)


def _default_label(query: Mapping[str, Any], own: str, series: Series) -> str:
    """What a series is called when its query says nothing, and what `${LABEL}` stands for."""
    if "MetricStat" in query and series.source is not None:
        return series.source.metric.name
    return own or str(query["Id"])


def _result(name: str, label: str, series: Series, oldest_first: bool) -> dict[str, Any]:
    found = [(at, one) for at, one in zip(series.grid.times, series.points, strict=True) if one is not None]
    if not oldest_first:
        found.reverse()
    return {
        "Id": name,
        "Label": label,
        "Timestamps": [datetime.fromtimestamp(at, UTC) for at, _ in found],
        "Values": [value for _, value in found],
        "StatusCode": "Complete",
    }


def _paged(results: Sequence[dict[str, Any]], parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """A page of the results' points. With an expression among the queries no further page can be asked for."""
    limit = parameters.get("MaxDatapoints", MAX_POINTS)
    if not 1 <= limit <= MAX_POINTS:
        raise invalid(f"The parameter MaxDatapoints must be between 1 and {MAX_POINTS}.")
    offset = _offset(parameters)
    end, at, shown = offset + limit, 0, []
    for one in results:
        begin, at = at, at + len(one["Values"])
        if at < offset or (at == offset and offset > 0):
            continue
        first, last = max(offset - begin, 0), max(end - begin, 0)
        part = {key: one[key][first:last] for key in ("Timestamps", "Values")}
        shown.append({**one, **part, "StatusCode": "Complete" if at <= end else "PartialData"})
    more = at > end and not any("Expression" in one for one in parameters["MetricDataQueries"])
    token = _token(parameters, end) if more else None
    return {"MetricDataResults": shown, "Messages": [], "NextToken": token}


def _token(parameters: Mapping[str, Any], offset: int) -> str:
    return urlsafe_b64encode(f"{offset}:{_asked(parameters)}".encode()).decode()


def _offset(parameters: Mapping[str, Any]) -> int:
    token = parameters.get("NextToken")
    if token is None:
        return 0
    try:
        offset, _, asked = urlsafe_b64decode(token.encode()).decode().partition(":")
        if asked == _asked(parameters):
            return int(offset)
    except ValueError:
        pass
    raise AwsError("InvalidNextToken", "The next token is invalid.")


def _asked(parameters: Mapping[str, Any]) -> str:
    """What a token belongs to: it continues the same request, whatever its pages' size."""
    asked = {key: value for key, value in parameters.items() if key not in ("NextToken", "MaxDatapoints")}
    return sha256(json.dumps(asked, sort_keys=True, default=str).encode()).hexdigest()[:16]


def _point(at: int, unit: str, values: Mapping[str, float | None]) -> dict[str, Any] | None:
    known = {stat: value for stat, value in values.items() if value is not None}
    plain = {stat: value for stat, value in known.items() if stat in STATISTICS}
    extended = {stat: value for stat, value in known.items() if stat not in STATISTICS}
    if not known:
        return None
    point: dict[str, Any] = {"Timestamp": datetime.fromtimestamp(at, UTC), **plain, "Unit": unit}
    return point | ({"ExtendedStatistics": extended} if extended else {})


def _grid(start: datetime, end: datetime, period: int, now: datetime) -> Grid:
    """The periods from the rounded start up to the end, as far as data is kept."""
    first = rounded_start(start, now, period)
    oldest = oldest_kept(period, int(now.timestamp()))
    if first < oldest:
        first += math.ceil((oldest - first) / period) * period
    last = min(end, now + AHEAD).timestamp()
    return Grid(first, period, max(math.ceil((last - first) / period), 0))


def _check_range(start: datetime, end: datetime) -> None:
    if start >= end:
        raise invalid("The parameter EndTime must be greater than StartTime.")


def _check_statistics(parameters: Mapping[str, Any]) -> None:
    period, start, end = parameters["Period"], parameters["StartTime"], parameters["EndTime"]
    if start >= end:
        message = "The parameter StartTime must be less than the parameter EndTime."
        raise AwsError("InvalidParameterCombination", message)
    check_period(period)
    asked = (end - start).total_seconds() // period
    if asked > MAX_STATISTICS_POINTS:
        message = (
            f"You have requested up to {int(asked):,} datapoints, which exceeds the limit of "
            f"{MAX_STATISTICS_POINTS:,}. You may reduce the datapoints requested by increasing "
            "Period, or decreasing the time range."
        )
        raise AwsError("InvalidParameterCombination", message)
    plain, further = parameters.get("Statistics", []), parameters.get("ExtendedStatistics", [])
    if bool(plain) == bool(further):
        message = "Exactly one of the parameters Statistics and ExtendedStatistics must be specified."
        code = "InvalidParameterCombination" if plain else "MissingParameter"
        raise AwsError(code, message)
    for stat in plain:
        if stat not in STATISTICS:
            message = f"The value {stat} for parameter Statistics is not supported."
            raise AwsError("InvalidParameterValue", message)
    for stat in further:
        if stat in STATISTICS or not is_statistic(stat):
            message = f"The value {stat} for parameter ExtendedStatistics is not supported."
            raise AwsError("InvalidParameterValue", message)
