"""GetMetricData, GetMetricStatistics, ListMetrics and PutMetricData over the metric store."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from simulator.clock import AccountClock
from simulator.cloudwatch.metric_math import ExpressionError, Series, evaluate, referenced
from simulator.cloudwatch.metrics import STATISTICS, MetricStore, StatisticSet, is_statistic, metric_name
from simulator.wire.paging import UnknownTokenError, page
from simulator.wire.protocol import AwsError, Call

MAX_POINTS = 100_800
MAX_STATISTICS_POINTS = 1_440
LISTED = 500
_ID = re.compile(r"[a-z][a-zA-Z0-9_]*")


@dataclass(frozen=True)
class MetricData:
    """Answers the metric operations of CloudWatch."""

    metrics: MetricStore
    clock: AccountClock

    def put(self, call: Call) -> Mapping[str, Any]:
        """API_PutMetricData, at one-minute resolution."""
        namespace = call.parameters["Namespace"]
        if namespace.startswith("AWS/"):
            raise AwsError("InvalidParameterValue", "The value AWS/ for parameter Namespace is invalid.")
        data = call.parameters.get("MetricData", [])
        if not data:
            raise AwsError("MissingParameter", "The parameter MetricData is required.")
        for datum in data:
            self._put_datum(namespace, datum)
        return {}

    def _put_datum(self, namespace: str, datum: Mapping[str, Any]) -> None:
        if datum.get("StorageResolution", 60) != 60:
            raise AwsError("InvalidParameterValue", "The parameter StorageResolution must be 60.")
        dimensions = dimensions_of(datum)
        at = datum.get("Timestamp", self.clock.now())
        name = datum["MetricName"]
        if "StatisticValues" in datum:
            given = datum["StatisticValues"]
            values = StatisticSet(given["SampleCount"], given["Sum"], given["Minimum"], given["Maximum"])
            self.metrics.put_set(metric_name(namespace, name, dimensions), at, values)
            return
        if "Values" not in datum and "Value" not in datum:
            raise AwsError("MissingParameter", "The parameter MetricData.member.1.Value is required.")
        observed = datum.get("Values", [datum.get("Value")])
        for value, count in zip(observed, datum.get("Counts", [1.0] * len(observed)), strict=False):
            self.metrics.put(namespace, name, dimensions, at, value, count)

    def list_metrics(self, call: Call) -> Mapping[str, Any]:
        """API_ListMetrics."""
        parameters = call.parameters
        wanted = {one["Name"]: one.get("Value") for one in parameters.get("Dimensions", [])}
        since = self.clock.now() - timedelta(hours=3) if "RecentlyActive" in parameters else None
        found = [
            one
            for one in self.metrics.list(parameters.get("Namespace"), parameters.get("MetricName"), wanted)
            if since is None or self.metrics.last_at(one) >= since
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
        period, start, end = parameters["Period"], parameters["StartTime"], parameters["EndTime"]
        _check_range(start, end)
        _check_period(period)
        _refuse_unit(parameters)
        asked = (end - start).total_seconds() // period
        if asked > MAX_STATISTICS_POINTS:
            message = (
                f"You have requested up to {int(asked):,} datapoints, which exceeds the limit of "
                f"{MAX_STATISTICS_POINTS:,}. You may reduce the datapoints requested by increasing "
                "Period, or decreasing the time range."
            )
            raise AwsError("InvalidParameterCombination", message)
        plain, percentiles = parameters.get("Statistics", []), parameters.get("ExtendedStatistics", [])
        if not plain and not percentiles:
            raise AwsError(
                "MissingParameter",
                "At least one of the parameters Statistics and ExtendedStatistics must be specified.",
            )
        points: dict[datetime, dict[str, Any]] = {}
        for stat in [*plain, *percentiles]:
            for at, value in self._series(parameters, stat, period, start, end).items():
                point = points.setdefault(at, {"Timestamp": at, "Unit": "None"})
                if stat in STATISTICS:
                    point[stat] = value
                else:
                    point.setdefault("ExtendedStatistics", {})[stat] = value
        return {"Label": parameters["MetricName"], "Datapoints": list(points.values())}

    def get(self, call: Call) -> Mapping[str, Any]:
        """API_GetMetricData: metric queries and arithmetic between them."""
        parameters = call.parameters
        queries = parameters["MetricDataQueries"]
        start, end = parameters["StartTime"], parameters["EndTime"]
        _check_range(start, end)
        _check_queries(queries)
        series = self._answers(queries, start, end)
        newest_first = parameters.get("ScanBy", "TimestampDescending") == "TimestampDescending"
        results = [
            _result(one, series[one["Id"]], newest_first) for one in queries if one.get("ReturnData", True)
        ]
        if not results:
            raise _invalid("At least one of the elements in the request must have ReturnData set to true.")
        limit = min(parameters.get("MaxDatapoints", MAX_POINTS), MAX_POINTS)
        if sum(len(one["Values"]) for one in results) > limit:
            raise _invalid(f"The request exceeds the maximum number of data points, {limit}.")
        return {"MetricDataResults": results, "Messages": []}

    def _answers(self, queries: list[dict[str, Any]], start: datetime, end: datetime) -> dict[str, Series]:
        series: dict[str, Series] = {}
        periods: dict[str, int] = {}
        for one in queries:
            if "MetricStat" in one:
                stat = one["MetricStat"]
                _check_period(stat["Period"])
                _refuse_unit(stat)
                periods[one["Id"]] = stat["Period"]
                series[one["Id"]] = self._series(stat["Metric"], stat["Stat"], stat["Period"], start, end)
        waiting = [one for one in queries if "Expression" in one]
        while waiting:
            one = next((each for each in waiting if _uses(each) <= set(series)), waiting[0])
            waiting.remove(one)
            if len({periods[name] for name in _uses(one) if name in periods}) > 1:
                raise _in_expression(one, "All metrics must have the same period.")
            try:
                series[one["Id"]] = evaluate(one["Expression"], series)
            except ExpressionError as error:
                raise _in_expression(one, str(error)) from error
            periods[one["Id"]] = next((periods[name] for name in _uses(one)), 60)
        return series

    def _series(
        self, metric: Mapping[str, Any], stat: str, period: int, start: datetime, end: datetime
    ) -> dict[datetime, float]:
        if not is_statistic(stat):
            raise _invalid(f"The value {stat} for parameter Stat is not supported.")
        if "Namespace" not in metric or "MetricName" not in metric:
            raise _invalid("The parameters Namespace and MetricName are required.")
        dimensions = dimensions_of(metric)
        return dict(
            self.metrics.series(
                metric["Namespace"], metric["MetricName"], dimensions, start, end, period, stat
            )
        )


def dimensions_of(named: Mapping[str, Any]) -> dict[str, str]:
    """A metric's dimensions as a mapping."""
    return {one["Name"]: one["Value"] for one in named.get("Dimensions", [])}


def _uses(query: Mapping[str, Any]) -> set[str]:
    try:
        return referenced(query["Expression"])
    except ExpressionError as error:
        raise _in_expression(query, str(error)) from error


def _result(query: Mapping[str, Any], series: Series, newest_first: bool) -> dict[str, Any]:
    times = sorted(series, reverse=newest_first)
    label = query["MetricStat"]["Metric"]["MetricName"] if "MetricStat" in query else query["Id"]
    return {
        "Id": query["Id"],
        "Label": query.get("Label", label),
        "Timestamps": times,
        "Values": [series[at] for at in times],
        "StatusCode": "Complete",
    }


def _check_queries(queries: list[dict[str, Any]]) -> None:
    if not 1 <= len(queries) <= 500:
        raise _invalid("The collection MetricDataQueries must have between 1 and 500 members.")
    ids = [one["Id"] for one in queries]
    for one in queries:
        if not _ID.fullmatch(one["Id"]):
            raise _invalid(
                f"The value {one['Id']} for parameter MetricDataQueries.Id does not match {_ID.pattern}."
            )
        if ("MetricStat" in one) == ("Expression" in one):
            raise _invalid("Exactly one of the parameters MetricStat and Expression must be specified.")
    if len(set(ids)) < len(ids):
        raise _invalid("The values for parameter id in MetricDataQueries are not unique.")


def _check_range(start: datetime, end: datetime) -> None:
    if start >= end:
        raise _invalid("The parameter EndTime must be greater than StartTime.")


def _check_period(period: int) -> None:
    if period < 60 or period % 60:
        raise AwsError("InvalidParameterValue", "The parameter Period must be a multiple of 60.")


def _refuse_unit(named: Mapping[str, Any]) -> None:
    if "Unit" in named:
        raise AwsError("InvalidParameterCombination", "Data cannot be selected by Unit.")


def _invalid(message: str) -> AwsError:
    return AwsError("ValidationError", message)


def _in_expression(query: Mapping[str, Any], why: str) -> AwsError:
    return _invalid(f"Error in expression '{query['Id']}': {why}")
