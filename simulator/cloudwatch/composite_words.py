"""How CloudWatch words a composite alarm's reasons and notices."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from simulator.cloudwatch.alarm_stamps import spelled_out, stamp
from simulator.cloudwatch.alarms import Alarm, AlarmState, Standing
from simulator.cloudwatch.composites import CompositeAlarm


def reason(
    alarm: CompositeAlarm, states: Mapping[str, AlarmState], alarms: Mapping[str, Alarm], to: AlarmState
) -> tuple[str, str]:
    """The reason of a transition and its data: the child that changed last, or the configuration."""
    if alarm.seen is None:
        verb = "created" if alarm.standing.state is AlarmState.INSUFFICIENT_DATA else "updated"
        text = f"{alarm.arn} was {verb} and its alarm rule evaluates to {to.value}"
        return text, _data(alarms[name] for name in states)
    changed = [alarms[name] for name, state in states.items() if alarm.seen.get(name) is not state]
    last = max(changed, key=lambda one: one.standing.at)
    when = spelled_out(last.standing.at)
    return f"{last.arn} transitioned to {last.standing.state.value} at {when}", _data([last])


def _data(children: Iterable[Alarm]) -> str:
    triggering = [
        {
            "arn": one.arn,
            "state": {"value": one.standing.state.value, "timestamp": stamp(one.standing.at)},
        }
        for one in children
    ]
    return json.dumps({"triggeringAlarms": triggering}, separators=(",", ":"))


def configuration(alarm: CompositeAlarm) -> dict[str, Any]:
    """The `configuration` of an event."""
    names = {
        "alarmRule": "AlarmRule",
        "description": "AlarmDescription",
        "actionsSuppressor": "ActionsSuppressor",
        "actionsSuppressorWaitPeriod": "ActionsSuppressorWaitPeriod",
        "actionsSuppressorExtensionPeriod": "ActionsSuppressorExtensionPeriod",
    }
    return {ours: alarm.parameters[theirs] for ours, theirs in names.items() if theirs in alarm.parameters}


def suppression(standing: Standing) -> dict[str, str]:
    """What a state says of actions that are held back."""
    if not standing.suppressed_by:
        return {}
    return {
        "actionsSuppressedBy": standing.suppressed_by,
        "actionsSuppressedReason": suppressed_reason(standing),
    }


def suppressed_reason(standing: Standing) -> str:
    """`Actions suppressed by WaitPeriod`."""
    return f"Actions suppressed by {standing.suppressed_by}"


def notice(alarm: CompositeAlarm) -> dict[str, Any]:
    """What a message to a topic says of a composite alarm beside its states."""
    return {
        "AlarmRule": alarm.parameters["AlarmRule"],
        "TriggeringChildren": _triggering(alarm.standing.reason_data),
    }


def _triggering(reason_data: str) -> list[dict[str, Any]]:
    """The children that a reason names; none where SetAlarmState gave it other data."""
    try:
        return [
            {
                "Arn": one["arn"],
                "State": {"Value": one["state"]["value"], "Timestamp": one["state"]["timestamp"]},
            }
            for one in json.loads(reason_data)["triggeringAlarms"]
        ]
    except (KeyError, TypeError, ValueError):
        return []
