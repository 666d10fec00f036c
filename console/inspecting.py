"""Show what is stored of one incident."""

from console.reading import Shelf
from console.story import Story
from console.text import screen
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


def _why_no_record(records: Shelf, incident_id: str) -> str:
    if records.incidents.get(incident_id).is_erased:
        return f"incident {incident_id} was erased; `cloudops audit show` has the hashes"
    return f"incident {incident_id} has no record yet: its intake has not finished"
