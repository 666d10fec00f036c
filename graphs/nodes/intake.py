"""Parse the event and claim its incident, so that every way to start a run is claimed alike."""

from typing import Any

from graphs.step import Turn
from memory.records.alarm import Route
from memory.records.incident import Status, incident_of
from memory.records.timeline import EntryKind
from memory.state import SCHEMA_VERSION
from memory.stores.incidents import Claimed
from tools.intake import parse_event


def intake(turn: Turn) -> dict[str, Any]:
    """Open the incident of an alarm event, or join the one that stands."""
    records = turn.copilot.records
    if "incident" in turn.state:
        ended = turn.state["status"].is_end
        return {"joined": turn.state["incident"].incident_id, "event": {}} if ended else {"event": {}}
    now = records.clock.now()
    envelope = parse_event(turn.state["event"], now, records.settings.tenant)
    if envelope.route is not Route.OPEN_OR_UPDATE_INCIDENT or envelope.alarm is None:
        return {"joined": envelope.route.value, "schema_version": SCHEMA_VERSION, "event": {}}
    claim = records.incidents.claim(incident_of(envelope, envelope.alarm, turn.thread_id))
    incident = claim.incident
    if claim.outcome is Claimed.JOINED:
        records.timeline.append(
            incident.scope,
            incident.incident_id,
            EntryKind.JOINED,
            f"a further event of {envelope.alarm.name} joined",
            facts={"event_id": envelope.event_id},
        )
        return {"joined": incident.incident_id, "incident": incident, "event": {}}
    if claim.outcome is Claimed.OPENED:
        records.timeline.append(
            incident.scope,
            incident.incident_id,
            EntryKind.OPENED,
            f"{incident.alarm.name} went to ALARM: {incident.alarm.reason}",
            step="intake",
            facts={"alarm": incident.alarm.model_dump(mode="json")},
        )
    return {
        "incident": incident,
        "status": Status.OPEN,
        "schema_version": SCHEMA_VERSION,
        "attempt": 1,
        "event": {},
    }
