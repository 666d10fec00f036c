"""Parse the event and claim its incident, so that every way to start a run is claimed alike."""

from typing import Any

from graphs.joining import join, noted_on
from graphs.step import Turn
from memory.records.alarm import Route
from memory.records.base import canonical_json, digest
from memory.records.incident import Incident, Status, incident_of
from memory.records.timeline import EntryKind
from memory.state import SCHEMA_VERSION
from memory.stores.incidents import Claimed
from tools.event_body import RefusedEvent
from tools.intake import parse_event


def intake(turn: Turn) -> dict[str, Any]:
    """Open the incident of an alarm event, or join the one that stands.

    On a thread that has its incident already, the run goes on where it stood, whatever the event.
    """
    if "incident" in turn.state:
        return _go_on(turn, turn.state["incident"])
    records = turn.copilot.records
    envelope = parse_event(turn.state["event"], records.clock.now(), records.settings.tenant)
    if envelope.route is not Route.OPEN_OR_UPDATE_INCIDENT or envelope.alarm is None:
        noted = noted_on(records, envelope)
        return {"joined": noted or envelope.route.value, "schema_version": SCHEMA_VERSION, "event": {}}
    asked = incident_of(envelope, envelope.alarm, turn.thread_id)
    claim = records.incidents.claim(asked)
    if claim.outcome in {Claimed.OPENED, Claimed.MINE} and not claim.incident.is_erased:
        _tell_opened(turn, claim.incident)
    if claim.outcome is not Claimed.OPENED:
        join(records, asked.event_id, claim.incident)
    if claim.outcome is Claimed.JOINED or claim.incident.is_erased:
        return {"joined": claim.incident.incident_id, "schema_version": SCHEMA_VERSION, "event": {}}
    return {
        "incident": claim.incident,
        "joined": "",
        "status": Status.OPEN,
        "schema_version": SCHEMA_VERSION,
        "attempt": 1,
        "event": {},
    }


def _go_on(turn: Turn, own: Incident) -> dict[str, Any]:
    """Leave the state as it is; an incident whose end was told has nothing left to do.

    A step that raised here would raise again at every wake, so an event that cannot be taken is set aside.
    """
    event = turn.state.get("event")
    if event:
        try:
            _take(turn, own, event)
        except RefusedEvent as error:
            _set_aside(turn, own, event, error.reason)
    entries = turn.copilot.records.timeline.entries(own.scope, own.incident_id)
    told = any(entry.kind is EntryKind.CLOSED for entry in entries)
    return {"joined": own.incident_id if told else "", "event": {}}


def _take(turn: Turn, own: Incident, event: dict[str, Any]) -> None:
    """Join a further event of this incident, note what else its alarm reports, and set aside all others."""
    records = turn.copilot.records
    envelope = parse_event(event, records.clock.now(), records.settings.tenant)
    if envelope.route is not Route.OPEN_OR_UPDATE_INCIDENT or envelope.alarm is None:
        if noted_on(records, envelope) != own.incident_id:
            _set_aside(turn, own, event, f"{envelope.kind}: {envelope.route.value}")
        return
    standing = records.incidents.standing(incident_of(envelope, envelope.alarm))
    if standing is not None and standing.incident_id == own.incident_id:
        join(records, envelope.event_id, own)
        return
    _set_aside(turn, own, event, f"an event of {envelope.alarm.name}, which needs a thread of its own")


def _set_aside(turn: Turn, own: Incident, event: dict[str, Any], why: str) -> None:
    """Keep an event for inspection and say so where its sender will look."""
    records, body = turn.copilot.records, canonical_json(event)
    records.refusals.keep(records.clock.now(), digest(body), why, body.encode())
    text = f"an event sent to this incident's thread was set aside: {why}"
    records.timeline.append(own.scope, own.incident_id, EntryKind.NOTE, text, step="intake")


def _tell_opened(turn: Turn, incident: Incident) -> None:
    turn.copilot.records.timeline.append(
        incident.scope,
        incident.incident_id,
        EntryKind.OPENED,
        f"{incident.alarm.name} went to ALARM: {incident.alarm.reason}",
        step="intake",
        facts={"alarm": incident.alarm.model_dump(mode="json")},
        once=str(EntryKind.OPENED),
    )
