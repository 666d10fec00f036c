"""How CloudWatch words an alarm's reasons, history items and notices.

Formats: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from simulator.cloudwatch.alarms import Alarm, AlarmState, Change, Judgement, Standing
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


def reason(alarm: Alarm, judgement: Judgement) -> str:
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


def _crossed(alarm: Alarm, judgement: Judgement) -> str:
    is_alarm = judgement.state is AlarmState.ALARM
    telling = [one for one in reversed(judgement.points) if alarm.breaches(one[1]) == is_alarm]
    minimum = alarm.needed if is_alarm else alarm.periods - alarm.needed + 1
    verb = "was" if len(telling) == 1 else "were"
    phrase = ("" if is_alarm else "not ") + _PHRASES[alarm.parameters["ComparisonOperator"]]
    before, after = ("OK", "ALARM") if is_alarm else ("ALARM", "OK")
    return (
        f"Threshold Crossed: {len(telling)} out of the last {alarm.periods} datapoints "
        f"[{_listed(telling)}] {verb} {phrase} the threshold ({float(alarm.parameters['Threshold'])}) "
        f"(minimum {_counted(minimum, 'datapoint')} for {before} -> {after} transition)."
    )


def _listed(points: Sequence[tuple[datetime, float]]) -> str:
    return ", ".join(f"{float(value)} ({at:%d/%m/%y %H:%M:%S})" for at, value in points)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def reason_data(alarm: Alarm, judgement: Judgement, now: datetime) -> str:
    """The `StateReasonData` of an evaluation, JSON in a string."""
    data: dict[str, Any] = {"version": "1.0", "queryDate": stamp(now)}
    if judgement.points:
        data["startDate"] = stamp(judgement.points[0][0])
    if "Unit" in alarm.parameters:
        data["unit"] = alarm.parameters["Unit"]
    data |= {
        "statistic": alarm.stat,
        "period": alarm.parameters["Period"],
        "recentDatapoints": [value for _, value in judgement.points],
        "threshold": float(alarm.parameters["Threshold"]),
    }
    return json.dumps(data, separators=(",", ":"))


def stamp(moment: datetime) -> str:
    """`2019-10-02T17:04:40.989+0000`, as alarms write times."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}+0000"


def configured(alarm: Alarm, at: datetime, verb: str) -> dict[str, Any]:
    """A history item for a created or updated alarm."""
    data = {"type": verb.removesuffix("d").title(), "version": "1.0"}
    return _item(alarm, at, "ConfigurationUpdate", f'Alarm "{alarm.name}" {verb}', data)


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


def _item(alarm: Alarm, at: datetime, kind: str, summary: str, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "AlarmName": alarm.name,
        "AlarmType": "MetricAlarm",
        "Timestamp": at,
        "HistoryItemType": kind,
        "HistorySummary": summary,
        "HistoryData": json.dumps(data, separators=(",", ":")),
    }


def _state_data(standing: Standing) -> dict[str, Any]:
    data: dict[str, Any] = {"stateValue": standing.state.value, "stateReason": standing.reason}
    if standing.reason_data:
        data["stateReasonData"] = json.loads(standing.reason_data)
    return data


def event_detail(change: Change) -> dict[str, Any]:
    """The `detail` of a `CloudWatch Alarm State Change` event."""
    alarm = change.alarm
    configuration: dict[str, Any] = {}
    if "AlarmDescription" in alarm.parameters:
        configuration["description"] = alarm.parameters["AlarmDescription"]
    metric = {
        "dimensions": alarm.dimensions,
        "name": alarm.parameters["MetricName"],
        "namespace": alarm.parameters["Namespace"],
    }
    configuration["metrics"] = [
        {
            "id": str(uuid5(NAMESPACE_URL, alarm.arn)),
            "metricStat": {"metric": metric, "period": alarm.parameters["Period"], "stat": alarm.stat},
            "returnData": True,
        }
    ]
    return {
        "alarmName": alarm.name,
        "configuration": configuration,
        "previousState": _event_state(change.before),
        "state": _event_state(change.after),
    }


def _event_state(standing: Standing) -> dict[str, Any]:
    state = {"reason": standing.reason}
    if standing.reason_data:
        state["reasonData"] = standing.reason_data
    return state | {"timestamp": stamp(standing.at), "value": standing.state.value}


def notification(change: Change) -> tuple[str, str]:
    """Subject and message that an alarm publishes to a topic."""
    alarm, after = change.alarm, change.after
    trigger: dict[str, Any] = {
        "MetricName": alarm.parameters["MetricName"],
        "Namespace": alarm.parameters["Namespace"],
        **_trigger_statistic(alarm),
        "Unit": alarm.parameters.get("Unit"),
        "Dimensions": [{"value": value, "name": name} for name, value in alarm.dimensions.items()],
        "Period": alarm.parameters["Period"],
        "EvaluationPeriods": alarm.periods,
        "DatapointsToAlarm": alarm.needed,
        "ComparisonOperator": alarm.parameters["ComparisonOperator"],
        "Threshold": float(alarm.parameters["Threshold"]),
        "TreatMissingData": alarm.parameters.get("TreatMissingData", "missing"),
        "EvaluateLowSampleCountPercentile": "",
    }
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
        "OKActions": alarm.parameters.get("OKActions", []),
        "AlarmActions": alarm.parameters.get("AlarmActions", []),
        "InsufficientDataActions": alarm.parameters.get("InsufficientDataActions", []),
        "Trigger": trigger,
    }
    return f'{after.state.value}: "{alarm.name}" in {REGION}'[:100], json.dumps(message)


def _trigger_statistic(alarm: Alarm) -> dict[str, str]:
    if "Statistic" in alarm.parameters:
        return {"StatisticType": "Statistic", "Statistic": alarm.stat.upper()}
    return {"StatisticType": "ExtendedStatistic", "ExtendedStatistic": alarm.stat}
