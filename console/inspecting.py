"""Commands that only read what is stored: show, list, evidence."""

import json
from collections.abc import Iterable

from rich.table import Table

from console.reading import Shelf
from console.story import Story
from console.text import SEVERITY_STYLE, STATUS_STYLE, full_time, plain, screen, styled
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
        raise UnknownIncidentError(f"incident {incident_id} has no record yet: its intake has not finished")
    out = screen()
    if as_json:
        out.file.write(record_json(record) + "\n")
        return 0
    story = Story(out, records)
    for entry in records.timeline.entries(record.incident.scope, incident_id):
        story.tell(entry)
    story.sum_up(record)
    return 0


def list_incidents(records: Shelf, limit: int, *, as_json: bool) -> int:
    """Print the incidents, newest first."""
    found = [(i, records.incidents.record(i.incident_id)) for i in records.incidents.newest(limit)]
    out = screen()
    if as_json:
        rows = [r.model_dump(mode="json") for _, r in found if r is not None]
        out.file.write(json.dumps(rows, indent=2) + "\n")
        return 0
    if not found:
        out.print("no incidents")
        return 0
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for column in ("incident", "opened", "alarm", "status", "severity"):
        table.add_column(column)
    for incident, record in found:
        status = record.status if record else None
        severity = record.severity if record else None
        table.add_row(
            incident.incident_id[:13],
            full_time(incident.opened_at),
            styled(incident.alarm.name),
            styled(status.value if status else "opening", STATUS_STYLE.get(status, "") if status else ""),
            styled(severity.value if severity else "-", SEVERITY_STYLE[severity] if severity else ""),
        )
    out.print(table)
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


def _known(ids: Iterable[str]) -> str:
    return ", ".join(ids) or "none"
