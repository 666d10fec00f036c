"""Measure the table of records: lists over many incidents, and what one incident reads and writes."""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from console.account import Play, playing
from console.deciding import Answer, plan_of, put_decision
from console.drive import PATIENCE, await_event, drive
from console.session import Session, open_session
from evals.bench.machine import machine
from evals.bench.page import replaced
from evals.bench.records_meter import Meter, metered
from evals.bench.run import PAGE
from graphs.bootstrap import set_up
from graphs.settings import World, from_environment
from memory.records.incident import Severity, Status
from memory.records.incident_record import IncidentRecord
from memory.records.listing import Listing
from memory.records.scope import Scope
from memory.stores.listings import ListingStore, Page, Wanted
from memory.table import RecordTable

NAME = "records"
INCIDENTS = 100_000
SERVICES = 40
DAYS = 400
NEWEST = datetime(2026, 11, 20, tzinfo=UTC)
BATCH = 25
PAGE_LINES = 50
ENDS = (Status.RESOLVED, Status.RESOLVED, Status.RESOLVED, Status.ESCALATED, Status.NOISE)
HEADS = ("list", "incidents", "calls", "read units", "KB", "s")


@dataclass(frozen=True)
class Row:
    """What one list cost."""

    name: str
    found: int
    meter: Meter
    seconds: float


def lines(count: int) -> Iterator[Listing]:
    """Yield so many incidents, evenly over days and services; one in five hundred waits for a decision."""
    for number in range(count):
        waits = number % 500 == 0
        opened_at = NEWEST - timedelta(days=DAYS) * (number / count)
        identity = f"{number * 2654435761 % 2**32:08x}-0000-8000-8000-{number:012x}"
        service = f"service-{number * 7919 % SERVICES:02}"
        yield Listing(
            incident_id=identity,
            thread_id=identity,
            scope=Scope(account=f"{111111111111 + number % 5}", region="eu-west-1"),
            alarm=f"{service}-errors",
            service=service,
            status=Status.AWAITING_APPROVAL if waits else ENDS[number // SERVICES % len(ENDS)],
            severity=Severity.HIGH,
            reason="Errors fell from 34 % to 0.2 % within six minutes, and the alarm is OK again.",
            opened_at=opened_at,
            closed_at=None if waits else opened_at + timedelta(minutes=20),
        )


def fill(client: Any, table: RecordTable, count: int) -> float:
    """Store so many listings, as the store itself writes them, and return the seconds that took."""
    store = ListingStore(table, "bench")
    began, every = time.monotonic(), lines(count)
    while some := list(islice(every, BATCH)):
        store.note_month(some[0].opened_at)
        requests = [{"PutRequest": {"Item": table.attributes(store.item(line))}} for line in some]
        while requests:
            left = client.batch_write_item(RequestItems={table.name: requests})["UnprocessedItems"]
            requests = left.get(table.name, [])
    return time.monotonic() - began


def measure(client: Any, table: RecordTable) -> list[Row]:
    """Ask each kind of list, as `cloudops list` does."""
    store = ListingStore(table, "bench")
    week, day = NEWEST - timedelta(days=7), NEWEST - timedelta(days=1)
    asked: dict[str, Callable[[], int]] = {
        "newest 50": lambda: _first(store, Wanted()),
        "newest 50 of a service": lambda: _first(store, Wanted(service="service-07")),
        "a service, 7 days, all": lambda: _all(store, Wanted(service="service-07", since=week)),
        "a service, 400 days, all": lambda: _all(store, Wanted(service="service-07")),
        "an account, 1 day, all": lambda: _all(store, Wanted(account="111111111113", since=day)),
        "resolved, 1 day, all": lambda: _all(store, Wanted(status=Status.RESOLVED, since=day)),
        "waiting for a decision, all": lambda: _all(store, Wanted(status=Status.AWAITING_APPROVAL)),
        "newest 50 of a service that were noise": lambda: _first(
            store, Wanted(service="service-07", status=Status.NOISE)
        ),
    }
    rows = []
    for name, ask in asked.items():
        with metered(client, table.name) as meter:
            began = time.monotonic()
            found = ask()
            rows.append(Row(name, found, meter, time.monotonic() - began))
    return rows


def one_incident(session: Session) -> tuple[str, Meter]:
    """Take an incident from its alarm over an approval to its end, and return its status and what it cost."""
    records, runs = session.records, session.runs
    event = await_event(records, PATIENCE)
    with metered(records.access.client("dynamodb"), records.backend.records_table) as meter:
        started = runs.start(event)
        incident_id = started.incident_id or ""

        def ask(waiting: IncidentRecord) -> None:
            answer = Answer(approved=True, plan=plan_of(waiting), reason="measured")
            put_decision(records, runs, incident_id, answer)

        record = drive(records, runs, incident_id, ask)
    return record.status.value, meter


def run(count: int) -> str:
    """Measure in a simulated account of its own, and return the tables."""
    with (
        tempfile.TemporaryDirectory(prefix="cloudops-bench-") as folder,
        playing(Play("bad-deployment"), Path(folder), keep=False),
    ):
        settings = from_environment(World.SIMULATED, Path(folder))
        set_up(settings)
        session = open_session(settings)
        status, meter = one_incident(session)
        client = session.records.access.client("dynamodb")
        table = RecordTable(client, session.records.backend.records_table)
        seconds = fill(client, table, count)
        rows = measure(client, table)
    return f"{_lists(rows)}\n\n{_costs(status, meter)}\n\n{_facts(count, seconds)}"


def _first(store: ListingStore, wanted: Wanted) -> int:
    return len(store.page(wanted, PAGE_LINES).lines)


def _all(store: ListingStore, wanted: Wanted) -> int:
    found, page = 0, Page((), "")
    while True:
        page = store.page(wanted, PAGE_LINES, page.after)
        found += len(page.lines)
        if not page.after:
            return found


def _lists(rows: Sequence[Row]) -> str:
    told = [f"| {' | '.join(HEADS)} |", "|---" + "|---:" * (len(HEADS) - 1) + "|"]
    for row in rows:
        meter = row.meter
        figures = f"{meter.calls.total()} | {meter.reads:g} | {meter.answered_bytes / 1024:.0f}"
        told.append(f"| {row.name} | {row.found} | {figures} | {row.seconds:.2f} |")
    return "\n".join(told)


def _costs(status: str, meter: Meter) -> str:
    calls = ", ".join(f"{count} {name}" for name, count in meter.calls.most_common())
    return "\n".join(
        [
            "| one incident, from its alarm over an approval to its end | |",
            "|---|---:|",
            f"| ended as | {status} |",
            f"| write units of the table | {meter.writes} |",
            f"| write units of the indexes | {meter.index_writes} |",
            f"| read units | {meter.reads:g} |",
            f"| calls | {meter.calls.total()} ({calls}) |",
        ]
    )


def _facts(count: int, seconds: float) -> str:
    here = "; ".join(f"{name}: {value}" for name, value in machine().items())
    days = f"{count:,} incidents over {DAYS} days and {SERVICES} services, stored in {seconds:.0f} s"
    return f"{datetime.now(UTC).date()}, {days}. {here}."


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and set the page's tables anew."""
    parser = argparse.ArgumentParser(prog="python -m evals.bench.records", description=__doc__)
    parser.add_argument("--incidents", type=int, default=INCIDENTS, help=f"how many; {INCIDENTS} without")
    parser.add_argument("--no-page", action="store_true", help="write nothing")
    parser.add_argument("--page", type=Path, default=PAGE, metavar="FILE", help="the page to write")
    asked = parser.parse_args(arguments)
    text = run(asked.incidents)
    sys.stdout.write(f"{text}\n")
    if not asked.no_page:
        asked.page.write_text(replaced(asked.page.read_text(encoding="utf-8"), NAME, text), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
