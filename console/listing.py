"""List incidents: by time, narrowed by status, service and account, page by page."""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from rich.table import Table

from console.reading import Shelf
from console.text import SEVERITY_STYLE, STATUS_STYLE, full_time, plain, screen, styled
from memory.records.incident import Status
from memory.stores.listings import Page, Wanted
from tools.errors import Misconfigured

# What `memory.keys.place` makes of a time and an id.
PLACE = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z#[0-9a-f-]{36}")


@dataclass(frozen=True)
class Listed:
    """Which incidents are asked for, how many, and after which."""

    status: str = ""
    service: str = ""
    account: str = ""
    since: str = ""
    after: str = ""
    limit: int = 20


def list_incidents(records: Shelf, asked: Listed, *, as_json: bool) -> int:
    """Print the incidents, newest first, and on stderr how to ask for the next page."""
    wanted = Wanted(
        status=_status(asked.status),
        service=asked.service or None,
        account=asked.account or None,
        since=moment(asked.since) if asked.since else None,
    )
    after = _place(asked.after)
    page = records.incidents.page(wanted, asked.limit, after)
    out = screen()
    if as_json:
        found = [records.incidents.record(line.incident_id) for line in page.lines]
        rows = [record.model_dump(mode="json") for record in found if record is not None]
        out.file.write(json.dumps(rows, indent=2) + "\n")
    elif page.lines:
        out.print(_table(page))
    else:
        out.print("no incidents")
    if page.after and _has_more(records, wanted, page.after):
        screen(err=True).print(plain(f"there are more: --after '{page.after}'"))
    return 0


def moment(text: str) -> datetime:
    """Read a day or a time; without a zone it is UTC."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError as error:
        raise Misconfigured(f"{text!r} is no time: write 2026-11-23 or 2026-11-23T09:00:00Z") from error
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def _place(text: str) -> str:
    """Return where a next page begins; what no page ended with would list something else in silence."""
    if text and not PLACE.fullmatch(text):
        raise Misconfigured(f"--after takes what the page before ended with, and that was not {text!r}")
    return text


def _status(text: str) -> Status | None:
    try:
        return Status(text) if text else None
    except ValueError as error:
        raise Misconfigured(f"{text!r} is no status; there are {', '.join(Status)}") from error


def _has_more(records: Shelf, wanted: Wanted, after: str) -> bool:
    page = records.incidents.page(wanted, 1, after)
    return bool(page.lines or page.after)


def _table(page: Page) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for column in ("incident", "opened", "alarm", "service", "status", "severity"):
        table.add_column(column)
    for line in page.lines:
        severity = line.severity
        table.add_row(
            line.incident_id[:13],
            full_time(line.opened_at),
            styled(line.alarm),
            styled(line.service),
            styled(line.status.value, STATUS_STYLE.get(line.status, "")),
            styled(severity.value if severity else "-", SEVERITY_STYLE[severity] if severity else ""),
        )
    return table
