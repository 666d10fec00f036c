"""Write the report of one incident: a single HTML file that needs no network."""

import json
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from console.drive import record_of
from console.inspecting import record_json
from console.plot import draw
from console.series import evidence_of, read_plot
from console.story import as_told, cost, told_title
from console.text import amount, clock_time, full_time, plain, screen, share, span
from console.whole import write_whole
from graphs.copilot import Records
from memory.records.evidence import Evidence
from memory.records.incident_record import IncidentRecord
from memory.records.timeline import EntryKind, TimelineEntry

WIDE, NARROW = 880, 400
SHOWN_CHARS = 6_000
_QUIET = {EntryKind.STEP_STARTED, EntryKind.STEP_ENDED}


def write_report(records: Records, record: IncidentRecord, path: Path) -> None:
    """Write the report of an incident to a file."""
    write_whole(path, render(records, record))


def write_out(records: Records, record: IncidentRecord) -> Path:
    """Write the record and its report, and return their folder. What is stored gives the same bytes every time."""
    folder = records.settings.out_dir / record.incident.incident_id
    write_whole(folder / "incident.json", record_json(record) + "\n")
    write_report(records, record, folder / "report.html")
    return folder


def report_again(records: Records, incident: str) -> int:
    """Write the files of a stored incident, and say where they are."""
    folder = write_out(records, record_of(records, records.incidents.full_id(incident)))
    screen().print(f"{folder}/report.html", soft_wrap=True)
    return 0


def render(records: Records, record: IncidentRecord) -> str:
    """Return the report as HTML. All text is escaped; only our own drawings go in as they are."""
    scope, incident_id = record.incident.scope, record.incident.incident_id
    plot = read_plot(records, record)
    entries = list(records.timeline.entries(scope, incident_id))
    evidence = evidence_of(records, record)
    return (
        _environment()
        .get_template("report.html")
        .render(
            r=record,
            incident=record.incident,
            plot=plot,
            drawings=[
                (name, Markup(draw(plot, width))) for name, width in (("wide", WIDE), ("narrow", NARROW))
            ]
            if plot
            else [],
            entries=[entry for entry in entries if entry.kind not in _QUIET],
            steps=steps(entries),
            evidence=[(seen, pretty(seen.asked), result_text(seen)) for seen in _in_order(evidence)],
            known={seen.evidence_id: told_title(seen) for seen in evidence},
            messages=as_told(record, entries),
            lasted=span(record.closed_at - record.incident.opened_at) if record.closed_at else None,
            cost=cost(record),
            prices_as_of=records.settings.prices.as_of,
        )
    )


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "clock": clock_time,
        "full": full_time,
        "share": share,
        "amount": amount,
        "pretty": pretty,
        "plain": plain,
        "arguments": arguments,
        "told": told_title,
    }
    return environment


def _in_order(evidence: list[Evidence]) -> list[Evidence]:
    return sorted(evidence, key=lambda seen: (seen.source, told_title(seen), seen.taken_at))


def pretty(value: Any) -> str:
    """Return JSON for reading."""
    return plain(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def arguments(parameters: dict[str, Any]) -> str:
    """Return parameters in one line."""
    return ", ".join(f"{name} = {plain(value)}" for name, value in parameters.items())


def result_text(seen: Evidence) -> str:
    """Return what came back, cut for reading; the whole is in the ledger."""
    text = pretty(_flat(seen.result))
    if len(text) <= SHOWN_CHARS:
        return text
    return f"{text[:SHOWN_CHARS]}\n… {len(text) - SHOWN_CHARS} more characters: cloudops evidence show"


def _flat(value: Any) -> Any:
    """Put each datapoint on a line of its own, and all else as it is."""
    if isinstance(value, dict):
        return {key: _flat(inner) for key, inner in value.items()}
    if isinstance(value, list):
        pairs = value and all(isinstance(inner, list) and len(inner) == 2 for inner in value)
        return [f"{a}  {b}" for a, b in value] if pairs else [_flat(inner) for inner in value]
    return value


def steps(entries: list[TimelineEntry]) -> list[tuple[str, str]]:
    """Return each step that ended, with how long it took or what it waited for."""
    ended = [entry for entry in entries if entry.kind is EntryKind.STEP_ENDED]
    return [(entry.step, _took(entry)) for entry in ended]


def _took(entry: TimelineEntry) -> str:
    waits = entry.facts.get("waiting_for")
    return f"waits for {waits}" if waits else f"{entry.facts.get('seconds', 0):.1f} s"
