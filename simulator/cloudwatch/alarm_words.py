"""How CloudWatch words a metric alarm's reasons, and every alarm's history items and notices.

Formats: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from simulator.cloudwatch import composite_words
from simulator.cloudwatch.alarm_stamps import stamp
from simulator.cloudwatch.alarms import Alarm, AlarmState, Change, Judgement, MetricAlarm, Point, Standing
from simulator.cloudwatch.composites import CompositeAlarm
from simulator.wire.protocol import ACCOUNT, REGION

_PHRASES = {
    "GreaterThanThreshold": "greater than",
    "GreaterThanOrEqualToThreshold": "greater than or equal to",
    "LessThanThreshold": "less than",
    "LessThanOrEqualToThreshold": "less than or equal to",
}
_TREATED = {
    "breaching": "Breaching",
    "notBreaching": "NonBreaching",
    "missing": "Missing",
    "ignore": "Ignore",
}


def reason(alarm: MetricAlarm, judgement: Judgement) -> str:
    """The `StateReason` of an evaluation."""
    if judgement.state is AlarmState.INSUFFICIENT_DATA:
        return f"Insufficient Data: {_counted(judgement.filled, 'datapoint')} were unknown."
    if not judgement.points:
        verb = "was" if judgement.filled == 1 else "were"
        return (
            f"Threshold Crossed: no datapoints were received for {_counted(judgement.filled, 'period')} and "
            f"{_counted(judgement.filled, 'missing datapoint')} {verb} treated as "
            f"[{_TREATED[alarm.missing.value]}]."
        )
    return _crossed(alarm, judgement)


def _crossed(alarm: MetricAlarm, judgement: Judgement) -> str:
    is_alarm = judgement.state is AlarmState.ALARM
    telling = [one for one in reversed(judgement.points) if one.breaches == is_alarm]
    minimum = alarm.needed if is_alarm else alarm.periods - alarm.needed + 1
    verb = "was" if len(telling) == 1 else "were"
    before, after = ("OK", "ALARM") if is_alarm else ("ALARM", "OK")
    return (
        f"Threshold{'' if alarm.compare else 's'} Crossed: {len(telling)} out of the last {alarm.periods} "
        f"datapoints [{_listed(telling)}] {verb} {_beside(alarm, telling, is_alarm)} "
        f"(minimum {_counted(minimum, 'datapoint')} for {before} -> {after} transition)."
    )


def _beside(alarm: MetricAlarm, telling: Sequence[Point], is_alarm: bool) -> str:
    """How the datapoints compare with what they are held against."""
    negation = "" if is_alarm else "not "
    comparison = alarm.parameters["ComparisonOperator"]
    if alarm.threshold is not None:
        return f"{negation}{_PHRASES[comparison]} the threshold ({alarm.threshold})"
    lower = f"{negation}less than the lower thresholds [{', '.join(str(one.lower) for one in telling)}]"
    upper = f"{negation}greater than the upper thresholds [{', '.join(str(one.upper) for one in telling)}]"
    edges = {"LessThanLowerThreshold": lower, "GreaterThanUpperThreshold": upper}
    return edges.get(comparison, f"{lower} or {upper}")


def _listed(points: Sequence[Point]) -> str:
    return ", ".join(f"{float(one.value)} ({_moment(one):%d/%m/%y %H:%M:%S})" for one in points)


def _moment(point: Point) -> datetime:
    return datetime.fromtimestamp(point.at, UTC)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def reason_data(alarm: MetricAlarm, judgement: Judgement, now: datetime) -> str:
    """The `StateReasonData` of an evaluation, JSON in a string."""
    points = judgement.points
    data: dict[str, Any] = {"version": "1.0", "queryDate": stamp(now)}
    if points:
        data["startDate"] = stamp(_moment(points[0]))
    if "Unit" in alarm.parameters:
        data["unit"] = alarm.parameters["Unit"]
    if alarm.metric is not None:
        data["statistic"] = alarm.stat
    data |= {"period": alarm.period, "recentDatapoints": [one.value for one in points]}
    if alarm.threshold is not None:
        data["threshold"] = alarm.threshold
    else:
        data["recentLowerThresholds"] = [one.lower for one in points]
        data["recentUpperThresholds"] = [one.upper for one in points]
    return json.dumps(data, separators=(",", ":"))


def configured(alarm: Alarm, at: datetime, verb: str) -> dict[str, Any]:
    """A history item for an alarm that was created, updated or deleted."""
    kept = {_lower_first(key): value for key, value in alarm.parameters.items() if key != "Tags"}
    shown = {**kept, "alarmArn": alarm.arn, "stateValue": alarm.standing.state.value}
    data = {"type": verb.removesuffix("d").title(), "version": "1.0", f"{verb}Alarm": shown}
    return _item(alarm, at, "ConfigurationUpdate", f'Alarm "{alarm.name}" {verb}', data)


def _lower_first(name: str) -> str:
    return name[0].lower() + name[1:]


def updated(change: Change) -> dict[str, Any]:
    """A history item for a state transition."""
    summary = f"Alarm updated from {change.before.state.value} to {change.after.state.value}"
    data = {
        "version": "1.0",
        "oldState": _state_data(change.before),
        "newState": _state_data(change.after),
    }
    return _item(change.alarm, change.after.at, "StateUpdate", summary, data)


def acted(alarm: Alarm, at: datetime, action: str) -> dict[str, Any]:
    """A history item for an action that was carried out."""
    data = {"actionState": "Succeeded", "notificationResource": action, "version": "1.0"}
    return _item(alarm, at, "Action", f"Successfully executed action {action}", data)


def failed(alarm: Alarm, at: datetime, action: str) -> dict[str, Any]:
    """A history item for an action whose topic does not exist."""
    error = "Resource: " + action + " could not be found"
    data = {"actionState": "Failed", "notificationResource": action, "error": error, "version": "1.0"}
    return _item(alarm, at, "Action", f'Failed to execute action {action}. Received error: "{error}"', data)


def _item(alarm: Alarm, at: datetime, kind: str, summary: str, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "AlarmName": alarm.name,
        "AlarmType": alarm.kind,
        "Timestamp": at,
        "HistoryItemType": kind,
        "HistorySummary": summary,
        "HistoryData": json.dumps(data, separators=(",", ":")),
    }


def _state_data(standing: Standing) -> dict[str, Any]:
    data: dict[str, Any] = {"stateValue": standing.state.value, "stateReason": standing.reason}
    if standing.reason_data:
        data["stateReasonData"] = _read(standing.reason_data)
    return data | composite_words.suppression(standing)


def _read(reason_data: str) -> Any:
    """A reason's data. SetAlarmState may have set any text."""
    try:
        return json.loads(reason_data)
    except ValueError:
        return reason_data


def event_detail(change: Change) -> dict[str, Any]:
    """The `detail` of a `CloudWatch Alarm State Change` event."""
    alarm = change.alarm
    if isinstance(alarm, CompositeAlarm):
        configuration = composite_words.configuration(alarm)
    else:
        assert isinstance(alarm, MetricAlarm)
        configuration = _configuration(alarm)
    return {
        "alarmName": alarm.name,
        "configuration": configuration,
        "previousState": _event_state(change.before),
        "state": _event_state(change.after),
    }


def _configuration(alarm: MetricAlarm) -> dict[str, Any]:
    configuration: dict[str, Any] = {}
    if "AlarmDescription" in alarm.parameters:
        configuration["description"] = alarm.parameters["AlarmDescription"]
    if alarm.queries:
        return configuration | {"metrics": [_event_query(one) for one in alarm.queries]}
    stat = {"Metric": alarm.parameters, "Period": alarm.period, "Stat": alarm.stat}
    query = {"Id": str(uuid5(NAMESPACE_URL, alarm.arn)), "MetricStat": stat}
    return configuration | {"metrics": [_event_query(query)]}


def _event_query(query: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"id": query["Id"]}
    if "MetricStat" in query:
        stat = query["MetricStat"]
        metric = {
            "dimensions": {one["Name"]: one["Value"] for one in stat["Metric"].get("Dimensions", [])},
            "name": stat["Metric"]["MetricName"],
            "namespace": stat["Metric"]["Namespace"],
        }
        found["metricStat"] = {"metric": metric, "period": stat["Period"], "stat": stat["Stat"]}
    else:
        found["expression"] = query["Expression"]
    if "Label" in query:
        found["label"] = query["Label"]
    return found | {"returnData": query.get("ReturnData", True)}


def _event_state(standing: Standing) -> dict[str, Any]:
    state = {"reason": standing.reason, **composite_words.suppression(standing)}
    if standing.reason_data:
        state["reasonData"] = standing.reason_data
    return state | {"timestamp": stamp(standing.at), "value": standing.state.value}


def notification(change: Change) -> tuple[str, str]:
    """Subject and message that an alarm publishes to a topic."""
    alarm, after = change.alarm, change.after
    message = {
        "AlarmName": alarm.name,
        "AlarmDescription": alarm.parameters.get("AlarmDescription"),
        "AWSAccountId": ACCOUNT,
        "AlarmConfigurationUpdatedTimestamp": stamp(alarm.configured_at),
        "NewStateValue": after.state.value,
        "NewStateReason": after.reason,
        "StateChangeTime": stamp(after.at),
        "Region": REGION,
        "AlarmArn": alarm.arn,
        "OldStateValue": change.before.state.value,
        **{name: alarm.parameters.get(name, []) for name in _ACTIONS},
    }
    if isinstance(alarm, CompositeAlarm):
        message |= composite_words.notice(alarm)
    elif isinstance(alarm, MetricAlarm):
        message["Trigger"] = _trigger(alarm)
    return f'{after.state.value}: "{alarm.name}" in {REGION}'[:100], json.dumps(message)


_ACTIONS = ("OKActions", "AlarmActions", "InsufficientDataActions")


def _trigger(alarm: MetricAlarm) -> dict[str, Any]:
    trigger: dict[str, Any] = {
        "Period": alarm.period,
        "EvaluationPeriods": alarm.periods,
        "DatapointsToAlarm": alarm.needed,
        "ComparisonOperator": alarm.parameters["ComparisonOperator"],
        "TreatMissingData": alarm.parameters.get("TreatMissingData", "missing"),
        "EvaluateLowSampleCountPercentile": alarm.parameters.get("EvaluateLowSampleCountPercentile", ""),
    }
    if alarm.threshold is not None:
        trigger["Threshold"] = alarm.threshold
    else:
        trigger["ThresholdMetricId"] = alarm.parameters["ThresholdMetricId"]
    if alarm.queries:
        return trigger | {"Metrics": [_trigger_query(one) for one in alarm.queries]}
    metric = {
        "MetricName": alarm.parameters["MetricName"],
        "Namespace": alarm.parameters["Namespace"],
        **_trigger_statistic(alarm),
        "Unit": alarm.parameters.get("Unit"),
        "Dimensions": [{"value": value, "name": name} for name, value in alarm.dimensions.items()],
    }
    return metric | trigger


def _trigger_query(query: dict[str, Any]) -> dict[str, Any]:
    """A query as given, with dimensions in the lower case that these messages have."""
    if "MetricStat" not in query:
        return query
    metric = query["MetricStat"]["Metric"]
    dimensions = [{"value": one["Value"], "name": one["Name"]} for one in metric.get("Dimensions", [])]
    return {**query, "MetricStat": {**query["MetricStat"], "Metric": {**metric, "Dimensions": dimensions}}}


def _trigger_statistic(alarm: MetricAlarm) -> dict[str, str]:
    if "Statistic" in alarm.parameters:
        return {"StatisticType": "Statistic", "Statistic": alarm.stat.upper()}
    return {"StatisticType": "ExtendedStatistic", "ExtendedStatistic": alarm.stat}
