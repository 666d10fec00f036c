"""Alarms as DescribeAlarms shows them."""

from typing import Any

from simulator.cloudwatch.alarms import Alarm
from simulator.cloudwatch.composite_words import suppressed_reason
from simulator.cloudwatch.composites import CompositeAlarm


def metric_answer(alarm: Alarm) -> dict[str, Any]:
    """API_MetricAlarm."""
    return {"Dimensions": [], **_answer(alarm)} if "Metrics" not in alarm.parameters else _answer(alarm)


def composite_answer(alarm: CompositeAlarm) -> dict[str, Any]:
    """API_CompositeAlarm."""
    standing = alarm.standing
    if not standing.suppressed_by:
        return _answer(alarm)
    held = {
        "ActionsSuppressedBy": standing.suppressed_by,
        "ActionsSuppressedReason": suppressed_reason(standing),
    }
    return _answer(alarm) | held


def _answer(alarm: Alarm) -> dict[str, Any]:
    given = {key: value for key, value in alarm.parameters.items() if key != "Tags"}
    standing = alarm.standing
    return {
        "ActionsEnabled": True,
        "OKActions": [],
        "AlarmActions": [],
        "InsufficientDataActions": [],
        **given,
        "AlarmArn": alarm.arn,
        "AlarmConfigurationUpdatedTimestamp": alarm.configured_at,
        "StateValue": standing.state.value,
        "StateReason": standing.reason,
        "StateReasonData": standing.reason_data or None,
        "StateUpdatedTimestamp": standing.at,
        "StateTransitionedTimestamp": alarm.transitioned_at,
    }
