"""CloudWatch's API: metric data from the metric store, alarms from the alarm book."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from simulator.cloudwatch.alarm_book import AlarmBook
from simulator.cloudwatch.alarms import Alarm, AlarmState, Change, Standing
from simulator.cloudwatch.metric_data import MetricData, dimensions_of
from simulator.cloudwatch.metrics import is_statistic
from simulator.wire.paging import UnknownTokenError, page
from simulator.wire.protocol import AwsError, Call

_NOT_SIMULATED = frozenset({"Metrics", "ThresholdMetricId", "EvaluationCriteria", "EvaluationInterval"})
_TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")
_THRESHOLD_COMPARISONS = (
    "GreaterThanOrEqualToThreshold",
    "GreaterThanThreshold",
    "LessThanThreshold",
    "LessThanOrEqualToThreshold",
)


@dataclass(frozen=True)
class CloudWatchOverlay:
    """Answers CloudWatch. `announce` hears of transitions that a call made."""

    data: MetricData
    book: AlarmBook
    tags: dict[str, dict[str, str]]
    announce: Callable[[Change], None]
    service: str = "cloudwatch"
    exclusive: bool = True

    @property
    def operations(self) -> frozenset[str]:
        """The operations answered here."""
        return frozenset(self._table())

    async def answer(self, call: Call) -> Mapping[str, Any]:
        """The operation's result, or `AwsError`."""
        return self._table()[call.operation](call)

    def _table(self) -> dict[str, Callable[[Call], Mapping[str, Any]]]:
        return {
            "PutMetricData": self.data.put,
            "GetMetricData": self.data.get,
            "GetMetricStatistics": self.data.statistics,
            "ListMetrics": self.data.list_metrics,
            "PutMetricAlarm": self._put_alarm,
            "DescribeAlarms": self._describe,
            "DescribeAlarmsForMetric": self._describe_for_metric,
            "DescribeAlarmHistory": self._history,
            "SetAlarmState": self._set_state,
            "DeleteAlarms": self._delete,
            "EnableAlarmActions": lambda call: self._switch_actions(call, enabled=True),
            "DisableAlarmActions": lambda call: self._switch_actions(call, enabled=False),
            "TagResource": self._tag,
            "UntagResource": self._untag,
            "ListTagsForResource": self._list_tags,
        }

    def _put_alarm(self, call: Call) -> Mapping[str, Any]:
        _check_alarm(call.parameters)
        known = self.book.alarms.get(call.parameters["AlarmName"])
        alarm = self.book.put(call.parameters, call.at)
        if known is None:
            self._set_tags(alarm.arn, call.parameters.get("Tags", []))
        return {}

    def _describe(self, call: Call) -> Mapping[str, Any]:
        parameters = call.parameters
        if "MetricAlarm" not in parameters.get("AlarmTypes", ["MetricAlarm"]):
            return {"MetricAlarms": [], "CompositeAlarms": []}
        names, prefix = parameters.get("AlarmNames"), parameters.get("AlarmNamePrefix", "")
        found = [
            alarm
            for name, alarm in sorted(self.book.alarms.items())
            if (names is None or name in names)
            and name.startswith(prefix)
            and parameters.get("StateValue") in (None, alarm.standing.state.value)
            and _has_action(alarm, parameters.get("ActionPrefix"))
        ]
        size = parameters.get("MaxRecords", 50)
        if not 1 <= size <= 100:
            raise AwsError("ValidationError", "The parameter MaxRecords must be between 1 and 100.")
        listed, token = _page(found, parameters.get("NextToken"), size)
        answers = [alarm_answer(one) for one in listed]
        return {"MetricAlarms": answers, "CompositeAlarms": [], "NextToken": token}

    def _describe_for_metric(self, call: Call) -> Mapping[str, Any]:
        parameters = call.parameters
        wanted = (parameters["Namespace"], parameters["MetricName"], dimensions_of(parameters))
        stat = parameters.get("Statistic") or parameters.get("ExtendedStatistic")
        found = [
            alarm_answer(one)
            for one in self.book.alarms.values()
            if (one.parameters["Namespace"], one.parameters["MetricName"], one.dimensions) == wanted
            and stat in (None, one.stat)
            and parameters.get("Period") in (None, one.parameters["Period"])
        ]
        return {"MetricAlarms": found}

    def _history(self, call: Call) -> Mapping[str, Any]:
        parameters = call.parameters
        name, kind = parameters.get("AlarmName"), parameters.get("HistoryItemType")
        since, until = parameters.get("StartDate"), parameters.get("EndDate")
        found = [
            item
            for alarm in self.book.alarms.values()
            if name in (None, alarm.name)
            for item in alarm.history
            if kind in (None, item["HistoryItemType"])
            and (since is None or item["Timestamp"] >= since)
            and (until is None or item["Timestamp"] <= until)
        ]
        oldest_first = parameters.get("ScanBy") == "TimestampAscending"
        found.sort(key=lambda item: item["Timestamp"], reverse=not oldest_first)
        listed, token = _page(found, parameters.get("NextToken"), parameters.get("MaxRecords", 100))
        return {"AlarmHistoryItems": listed, "NextToken": token}

    def _set_state(self, call: Call) -> Mapping[str, Any]:
        alarm = self._alarm(call.parameters["AlarmName"])
        state = AlarmState(call.parameters["StateValue"])
        data = call.parameters.get("StateReasonData", "")
        change = self.book.transition(alarm, Standing(state, call.parameters["StateReason"], data, call.at))
        if change.before.state is not state:
            self.announce(change)
        return {}

    def _delete(self, call: Call) -> Mapping[str, Any]:
        for name in call.parameters["AlarmNames"]:
            self._alarm(name)
        for name in call.parameters["AlarmNames"]:
            self.book.alarms.pop(name, None)
        return {}

    def _switch_actions(self, call: Call, *, enabled: bool) -> Mapping[str, Any]:
        for name in call.parameters["AlarmNames"]:
            if name in self.book.alarms:
                self.book.alarms[name].parameters["ActionsEnabled"] = enabled
        return {}

    def _alarm(self, name: str) -> Alarm:
        found = self.book.alarms.get(name)
        if found is None:
            raise AwsError("ResourceNotFound", f"Unknown alarm: {name}", 404)
        return found

    def _tag(self, call: Call) -> Mapping[str, Any]:
        self._set_tags(call.parameters["ResourceARN"], call.parameters["Tags"])
        return {}

    def _set_tags(self, arn: str, tags: list[dict[str, str]]) -> None:
        self.tags.setdefault(arn, {}).update({one["Key"]: one["Value"] for one in tags})

    def _untag(self, call: Call) -> Mapping[str, Any]:
        for key in call.parameters["TagKeys"]:
            self.tags.get(call.parameters["ResourceARN"], {}).pop(key, None)
        return {}

    def _list_tags(self, call: Call) -> Mapping[str, Any]:
        tags = self.tags.get(call.parameters["ResourceARN"], {})
        return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}


def alarm_answer(alarm: Alarm) -> dict[str, Any]:
    """API_MetricAlarm."""
    given = {key: value for key, value in alarm.parameters.items() if key != "Tags"}
    standing = alarm.standing
    return {
        "ActionsEnabled": True,
        "OKActions": [],
        "AlarmActions": [],
        "InsufficientDataActions": [],
        "Dimensions": [],
        **given,
        "AlarmArn": alarm.arn,
        "AlarmConfigurationUpdatedTimestamp": alarm.configured_at,
        "StateValue": standing.state.value,
        "StateReason": standing.reason,
        "StateReasonData": standing.reason_data or None,
        "StateUpdatedTimestamp": standing.at,
        "StateTransitionedTimestamp": alarm.transitioned_at,
    }


def _check_alarm(parameters: Mapping[str, Any]) -> None:
    unsupported = sorted(_NOT_SIMULATED & set(parameters))
    if unsupported:
        raise AwsError("InvalidParameterCombination", f"The parameter {unsupported[0]} is not supported.")
    for required in ("Namespace", "MetricName", "Period", "Threshold"):
        if required not in parameters:
            raise AwsError("ValidationError", f"The parameter {required} is required.")
    if ("Statistic" in parameters) == ("ExtendedStatistic" in parameters):
        message = "Exactly one of the parameters Statistic and ExtendedStatistic must be specified."
        raise AwsError("ValidationError", message)
    stat = parameters.get("ExtendedStatistic")
    if stat is not None and not is_statistic(stat):
        raise AwsError(
            "ValidationError", f"The value {stat} for parameter ExtendedStatistic is not supported."
        )
    if parameters["ComparisonOperator"] not in _THRESHOLD_COMPARISONS:
        raise AwsError("InvalidParameterCombination", "Anomaly detection alarms are not supported.")
    if parameters.get("TreatMissingData", "missing") not in _TREATMENTS:
        raise AwsError("ValidationError", "The value for parameter TreatMissingData is invalid.")
    if parameters["Period"] % 60:
        raise AwsError("ValidationError", "Metrics Period must be a multiple of 60.")
    if not 1 <= parameters.get("DatapointsToAlarm", 1) <= parameters["EvaluationPeriods"]:
        message = "DatapointsToAlarm must be between 1 and EvaluationPeriods."
        raise AwsError("ValidationError", message)


def _has_action(alarm: Alarm, prefix: str | None) -> bool:
    kinds = ("OKActions", "AlarmActions", "InsufficientDataActions")
    actions = [one for kind in kinds for one in alarm.parameters.get(kind, [])]
    return prefix is None or any(one.startswith(prefix) for one in actions)


def _page(found: list[Any], token: str | None, size: int) -> tuple[list[Any], str | None]:
    try:
        return page(found, token, size)
    except UnknownTokenError as error:
        raise AwsError("InvalidNextToken", "The next token is invalid.") from error
