"""Run one event from a file, and consume the queue."""

import json
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from console.deciding import plan_of
from console.drive import drive, record_of
from console.inspecting import record_json
from console.live import Tail
from console.report import write_out
from console.session import Session
from console.story import Story
from console.text import plain, screen, styled
from graphs.copilot import Records
from graphs.intake_queue import NO_ALARM, QueueIntake
from graphs.rest import Rest
from graphs.stranded import StrandedWatch, wake_stranded
from graphs.sweeper import DueWatch, Swept, sweep, wake_due
from graphs.tracing import Traced, TraceWatch, trace_due
from graphs.transient import PASSING
from memory.records.alarm import Envelope, Route
from memory.records.base import digest
from memory.records.incident import Status, incident_of
from memory.records.incident_record import IncidentRecord
from tools.aws.queue import open_queue
from tools.bulkhead import bulkhead
from tools.event_body import RefusedEvent
from tools.intake import parse_event

SWEEP_SECONDS = 5


def run_file(session: Session, path: Path, *, wait: bool, as_json: bool) -> int:
    """Run the alarm event of a file to its end, or to where a person must decide."""
    records = session.records
    body = path.read_bytes()
    now = records.clock.now()
    out = screen()
    try:
        envelope = parse_event(body, now, records.settings.tenant)
    except RefusedEvent as error:
        records.refusals.keep(now, digest(body.decode("utf-8", errors="replace")), error.reason, body)
        raise
    if envelope.route is not Route.OPEN_OR_UPDATE_INCIDENT or envelope.alarm is None:
        return _opens_nothing(session, envelope, body)
    incident_id = incident_of(envelope, envelope.alarm).incident_id
    story = Story(out, records)
    tail = Tail(records, envelope.alarm.scope, incident_id, story.tell)
    tail.skip()
    with nullcontext() if as_json else tail.following():
        started = session.runs.start(json.loads(body))
        found = started.incident_id or incident_id
        record = drive(records, session.runs, found) if wait else record_of(records, found)
    _ended(records, story, record, as_json=as_json)
    return 0


def _opens_nothing(session: Session, envelope: Envelope, body: bytes) -> int:
    """Keep what is no alarm, note what an alarm reports on its open incident, and say so."""
    records, said = session.records, f"{envelope.kind}: {envelope.route.value}"
    if envelope.route in NO_ALARM:
        records.refusals.keep(records.clock.now(), envelope.raw_sha256, said, body)
    noted = session.runs.start(json.loads(body)).incident_id
    told = f"; noted on incident {noted}" if noted else ""
    screen(err=True).print(plain(f"nothing to open: {said}{told}"), soft_wrap=True)
    return 0


def _ended(records: Records, story: Story, record: IncidentRecord, *, as_json: bool) -> None:
    if as_json:
        # First, so that a disk that is full does not keep it back.
        screen().file.write(record_json(record) + "\n")
        write_out(records, record)
        return
    folder = write_out(records, record)
    story.sum_up(record)
    story.console.print(styled(f"\n{folder}/report.html", "bold"), soft_wrap=True)
    if record.status is Status.AWAITING_APPROVAL:
        short = record.incident.incident_id[:8]
        seen = f"{short} --plan {plan_of(record)[:12]}"
        told = f"cloudops approve {seen}, or cloudops deny {seen} --reason WHY"
        story.console.print(told, soft_wrap=True)


@dataclass(frozen=True)
class Worker:
    """Takes events from the queue, one after the other, and wakes what is due between them."""

    session: Session
    intake: QueueIntake
    over: threading.Event

    def work(self) -> int:
        """Go on until told to stop; the message in hand is finished first."""
        out = screen()
        out.print(f"consuming {self.intake.queue.url}; Ctrl-C ends")
        stranded = StrandedWatch(self.session.records, self.session.runs)
        due = DueWatch(self.session.records, self.session.runs)
        traces, rest = TraceWatch(self.session.records), Rest()
        while not self.over.is_set():
            with bulkhead("looking for stranded runs", PASSING) as looking:
                _say_swept(stranded.look())
            with bulkhead("taking from the queue", PASSING) as taking:
                said = self.intake.take_next(wait_seconds=SWEEP_SECONDS)
                if said:
                    out.print(plain(said))
            with bulkhead("waking what is due", PASSING) as waking:
                _say_swept(sweep(due.look, self.session.copilot.flush))
            with bulkhead("looking for CloudTrail's events", PASSING) as tracing:
                _say_traced(traces.look())
            # What fails at once must not be asked again at once.
            failed = any(met.error for met in (looking, taking, waking, tracing))
            self.over.wait(rest.seconds(failed=failed))
        with bulkhead("leaving the duty to look for stranded runs and CloudTrail's events", PASSING):
            stranded.end()
            traces.end()
        out.print("ended; what waits is kept and goes on with the next worker")
        return 0


def _say_swept(swept: Swept) -> None:
    if swept != Swept():
        screen().print(plain(told_of(swept)))


def _say_traced(traced: Traced) -> None:
    if traced.noted or traced.missing:
        missing = f"; missing: {traced.missing}, see cloudops audit verify" if traced.missing else ""
        screen().print(plain(f"events of CloudTrail noted in audits: {traced.noted}{missing}"))


def told_of(swept: Swept) -> str:
    """Say what a sweep did."""
    woken = ", ".join(i[:8] for i in swept.woken) or "nothing"
    busy = f"; busy: {', '.join(i[:8] for i in swept.busy)}" if swept.busy else ""
    failed = f"; failed: {', '.join(i[:8] for i in swept.failed)}" if swept.failed else ""
    return f"woken: {woken}{busy}{failed}; messages sent: {swept.messages_sent}"


def run_worker(session: Session) -> int:
    """Consume the queue until Ctrl-C or SIGTERM."""
    records = session.records
    queue = open_queue(records.access, records.backend.queue)
    with ended_by_signal() as over:
        return Worker(session, QueueIntake(records, session.runs, queue), over).work()


@contextmanager
def ended_by_signal() -> Iterator[threading.Event]:
    """Turn the first Ctrl-C or SIGTERM into a wish; a second Ctrl-C interrupts at once."""
    over = threading.Event()

    def wish(number: int, _: object) -> None:
        over.set()
        signal.signal(number, signal.default_int_handler)

    before = {number: signal.signal(number, wish) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield over
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run_tick(session: Session) -> int:
    """Sweep once, and let go on what a crash or Ctrl-C cut off; 1 when an incident could not be woken for a defect.

    What CloudTrail is still to be asked about calls comes last.
    """
    stranded = wake_stranded(session.records, session.runs)
    swept = sweep(partial(wake_due, session.records, session.runs), session.copilot.flush)
    both = Swept(
        stranded.woken + swept.woken,
        stranded.busy + swept.busy,
        swept.messages_sent,
        stranded.failed + swept.failed,
    )
    screen().print(plain(told_of(both)))
    traced = trace_due(session.records)
    _say_traced(traced)
    return 1 if both.failed or traced.failed else 0
