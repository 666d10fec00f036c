"""Events that open nothing: further ones of a standing incident, and what else its alarm reports."""

from graphs.copilot import Records
from memory.records.alarm import Alarm, Envelope, Route
from memory.records.incident import Incident
from memory.records.timeline import EntryKind


def join(records: Records, event_id: str, standing: Incident) -> None:
    """Note a further event on the incident's timeline; one that only came again leaves no second entry."""
    scope, incident_id = standing.scope, standing.incident_id
    if records.incidents.join(scope, event_id, incident_id):
        text = f"a further event of {standing.alarm.name} joined"
        facts, once = {"event_id": event_id}, f"event {event_id}"
        records.timeline.append(scope, incident_id, EntryKind.JOINED, text, facts=facts, once=once)


def noted_on(records: Records, envelope: Envelope) -> str | None:
    """Note what an alarm reports besides ALARM on its open incident; return whose, or None without one.

    The note is for people and for the record. The steps look at the alarm themselves and act on no event.
    """
    alarm = envelope.alarm
    if alarm is None or envelope.route not in {Route.NOTE_RECOVERY, Route.SUPPRESSED_NO_PAGE}:
        return None
    standing = records.incidents.open_for(alarm.scope, alarm.arn)
    if standing is None:
        return None
    scope, incident_id = standing.scope, standing.incident_id
    if records.incidents.join(scope, envelope.event_id, incident_id):
        facts = {"event_id": envelope.event_id, "alarm": alarm.model_dump(mode="json")}
        once = f"event {envelope.event_id}"
        records.timeline.append(scope, incident_id, EntryKind.ALARM, _told(alarm), facts=facts, once=once)
    return incident_id


def _told(alarm: Alarm) -> str:
    suppressed = f", suppressed by {alarm.suppressed_by}" if alarm.suppressed_by else ""
    return f"{alarm.name} went to {alarm.state.value}{suppressed}: {alarm.reason}"
