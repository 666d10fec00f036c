"""Where nothing is to be done by us: call people at once, and watch whether the alarm clears by itself."""

from datetime import timedelta
from typing import Any

from agents.notes import PEOPLE_NEEDED, stamp
from graphs.step import Turn
from memory.records.incident import Status
from memory.records.message import Audience
from memory.records.timeline import EntryKind


def stand_by(turn: Turn) -> dict[str, Any]:
    """Tell people that they are needed, before any time passes, and say until when the alarm is watched."""
    records, incident = turn.copilot.records, turn.state["incident"]
    since = records.clock.now()
    until = since + timedelta(minutes=records.settings.limits.self_recovery_minutes)
    why = turn.state["plan"].no_action_reason or "no safe action is known"
    text = (
        f"{why}; people are needed. The alarm is watched until {stamp(until)},"
        " and the incident is closed if it recovers by itself"
    )
    turn.copilot.tell(incident, EntryKind.NOTE, text, "stand_by", {"watched_until": until.isoformat()})
    told = turn.state.copy()
    told["status"], told["reason"] = Status.VERIFYING, text
    turn.copilot.announce(told, PEOPLE_NEEDED, Audience.ON_CALL)
    return {"status": Status.VERIFYING, "watched_since": since}
