"""Commands about stored evidence: show one observation, list an incident's, ask one again."""

import json
from typing import Any

from rich.table import Table

from console.reading import Shelf
from console.text import clock_time, full_time, plain, screen, styled
from memory.records.base import canonical_json
from memory.records.evidence import Evidence
from memory.stores.incidents import UnknownIncidentError

MARK = "ev-"
# An evidence id does not say of which incident it is: the newest are looked through.
LOOKED_THROUGH = 200
SHOWN_CHARS = 4_000


def find(records: Shelf, evidence_id: str, incident: str = "") -> Evidence:
    """Return one observation by its id, in the incident that is named or among the newest; else say what there is."""
    if incident:
        return _in_incident(records, records.incidents.full_id(incident), evidence_id)
    if not evidence_id.startswith(MARK):
        raise UnknownIncidentError(
            f"{evidence_id!r} is no evidence id, which begins with {MARK!r}; "
            "`cloudops evidence list` names an incident's"
        )
    for line in records.incidents.newest(LOOKED_THROUGH):
        found = records.evidence.get(line.scope, line.incident_id, evidence_id)
        if found is not None:
            return found
    raise UnknownIncidentError(
        f"none of the newest {LOOKED_THROUGH} incidents has evidence {evidence_id!r}: name its incident with --incident"
    )


def _in_incident(records: Shelf, incident_id: str, evidence_id: str) -> Evidence:
    scope = records.incidents.scope_of(incident_id)
    found = records.evidence.get(scope, incident_id, evidence_id)
    if found is None:
        known = ", ".join(e.evidence_id for e in records.evidence.index(scope, incident_id)) or "none"
        raise UnknownIncidentError(f"incident {incident_id} has no evidence {evidence_id!r}; it has {known}")
    return found


def show(evidence: Evidence, result: Any, *, as_json: bool) -> int:
    """Print one observation: what was asked, when and over which window, what it cost, what is missing, the result."""
    out = screen()
    if as_json:
        told = {**evidence.model_dump(mode="json"), "result": result}
        out.file.write(plain(json.dumps(told, indent=2, ensure_ascii=False)) + "\n")
        return 0
    out.print(styled(f"{evidence.evidence_id}  {evidence.title}", "bold"))
    facts = Table.grid(padding=(0, 2))
    for label, value in _facts(evidence):
        facts.add_row(label, styled(value))
    out.print(facts)
    text = json.dumps(result, indent=2, ensure_ascii=False)
    out.print()
    out.print(plain(text[:SHOWN_CHARS]), soft_wrap=True)
    if len(text) > SHOWN_CHARS:
        out.print(f"… {len(text) - SHOWN_CHARS} more characters: --json prints them", style="dim")
    return 0


def _facts(evidence: Evidence) -> list[tuple[str, str]]:
    scope = evidence.scope
    gaps = ", ".join(gap.value for gap in evidence.gaps)
    rows = [
        ("incident", evidence.incident_id),
        ("asked", f"{evidence.source} {evidence.operation} in account {scope.account}, {scope.region}"),
        ("question", canonical_json(evidence.asked)),
        ("window", _window(evidence)),
        ("taken at", full_time(evidence.taken_at)),
        ("cost", f"{evidence.calls} calls, {evidence.bytes_scanned} bytes scanned, ${evidence.usd:.6f}"),
        ("missing", f"{gaps or 'nothing'}{'. ' if evidence.gap_detail else ''}{evidence.gap_detail}"),
        ("flags", ", ".join(evidence.flags)),
        ("result", f"{evidence.result_bytes} bytes, sha256 {evidence.result_sha256}"),
        ("", "the bucket keeps it whole: --whole reads it" if evidence.whole else ""),
    ]
    return [(label, value) for label, value in rows if value]


def _window(evidence: Evidence) -> str:
    if evidence.window_start is None or evidence.window_end is None:
        return ""
    return f"{full_time(evidence.window_start)} to {full_time(evidence.window_end)}"


def list_evidence(records: Shelf, incident: str, *, as_json: bool) -> int:
    """Print a line for each observation of an incident, in the order in which they were taken."""
    incident_id = records.incidents.full_id(incident)
    scope = records.incidents.scope_of(incident_id)
    found = sorted(records.evidence.all(scope, incident_id), key=lambda e: (e.taken_at, e.evidence_id))
    out = screen()
    if as_json:
        lines = [one.model_dump(mode="json", exclude={"result"}) for one in found]
        out.file.write(plain(json.dumps(lines, indent=2, ensure_ascii=False)) + "\n")
        return 0
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for header in ("evidence", "taken", "what was seen", "asked of", "missing"):
        table.add_column(header)
    for one in found:
        missing = ", ".join((*(gap.value for gap in one.gaps), *one.flags))
        table.add_row(
            one.evidence_id,
            clock_time(one.taken_at),
            styled(one.title),
            f"{one.source} {one.operation}",
            styled(missing),
        )
    out.print(table)
    scanned, usd = sum(e.bytes_scanned for e in found), sum(e.usd for e in found)
    out.print(f"{len(found)} observations, {scanned} bytes scanned, ${usd:.6f}", style="dim")
    return 0
