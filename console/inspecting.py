"""Commands that only read what is stored of one incident: show, evidence."""

from collections.abc import Iterable

from console.reading import Shelf
from console.story import Story
from console.text import plain, screen
from memory.records.incident_record import IncidentRecord
from memory.stores.incidents import UnknownIncidentError


def record_json(record: IncidentRecord) -> str:
    """Return exactly the public record, as JSON."""
    return record.model_dump_json(indent=2)


def show(records: Shelf, incident: str, *, as_json: bool) -> int:
    """Print one incident: its record as JSON, or its story."""
    incident_id = records.incidents.full_id(incident)
    record = records.incidents.record(incident_id)
    if record is None:
        raise UnknownIncidentError(_why_no_record(records, incident_id))
    out = screen()
    if as_json:
        out.file.write(record_json(record) + "\n")
        return 0
    story = Story(out, records)
    for entry in records.timeline.entries(record.incident.scope, incident_id):
        story.tell(entry)
    story.sum_up(record)
    return 0


def show_evidence(records: Shelf, incident: str, evidence_id: str) -> int:
    """Print one observation as JSON: what was asked, when, and what came back."""
    incident_id = records.incidents.full_id(incident)
    scope = records.incidents.scope_of(incident_id)
    found = records.evidence.get(scope, incident_id, evidence_id)
    if found is None:
        known = _known(e.evidence_id for e in records.evidence.all(scope, incident_id))
        raise UnknownIncidentError(f"incident {incident_id} has no evidence {evidence_id!r}; it has {known}")
    screen().file.write(plain(found.model_dump_json(indent=2)) + "\n")
    return 0


def _why_no_record(records: Shelf, incident_id: str) -> str:
    if records.incidents.get(incident_id).is_erased:
        return f"incident {incident_id} was erased; `cloudops audit show` has the hashes"
    return f"incident {incident_id} has no record yet: its intake has not finished"


def _known(ids: Iterable[str]) -> str:
    return ", ".join(ids) or "none"
