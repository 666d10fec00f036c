"""Take an incident from its event to its end: start, ask, wait by the account's clock, wake."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from graphs.copilot import Records
from graphs.run_port import RunPort
from graphs.sweeper import serve
from memory.records.alarm import Route
from memory.records.incident import Status
from memory.records.incident_record import IncidentRecord
from memory.records.timeline import Timer
from memory.stores.leases import IncidentBusyError
from tools.aws.queue import IncidentQueue, open_queue
from tools.errors import CopilotError
from tools.event_body import RefusedEvent
from tools.intake import parse_event

STEP = timedelta(seconds=10)
PATIENCE = timedelta(minutes=40)
# How long an incident may stand still, in wall time: while a run holds it, longer than the longest step with its second
# try; while nobody does, as long as a server may need to begin.
HELD_SECONDS, FREE_SECONDS = 400.0, 30.0
LOOK_SECONDS = 0.5


class NoAlarmError(CopilotError):
    """The account's time went by and no alarm came."""


class StuckError(CopilotError):
    """An incident that has not ended does not move; the message says what lets it go on."""


@dataclass
class Pace:
    """How long an incident has stood still by a steady clock, and how a caller waits between two looks."""

    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _seen: object = None
    _since: float = field(default=0.0)

    def still_for(self, mark: object) -> float:
        """Return for how many seconds the same mark was seen."""
        now = self.monotonic()
        if mark != self._seen:
            self._seen, self._since = mark, now
        return now - self._since


def await_event(
    records: Records, patience: timedelta = PATIENCE, passing: Callable[[datetime], None] = lambda _: None
) -> dict[str, Any]:
    """Let the account's time pass in small steps until the queue delivers an alarm that opens an incident."""
    queue = open_queue(records.access, records.backend.queue)
    clock, began = records.clock, records.clock.now()
    while (now := clock.now()) <= began + patience:
        event = _next_alarm(records, queue)
        if event is not None:
            return event
        passing(clock.wait_until(now + STEP))
    minutes = int(patience.total_seconds() // 60)
    raise NoAlarmError(f"no alarm reached the queue within {minutes} minutes of the account's time")


def _next_alarm(records: Records, queue: IncidentQueue) -> dict[str, Any] | None:
    """Take the first message that is an alarm; any other is marked done and let go."""
    while deliveries := queue.receive(wait_seconds=0, most=1):
        delivery = deliveries[0]
        queue.done(delivery)
        try:
            envelope = parse_event(delivery.body, records.clock.now(), records.settings.tenant)
        except RefusedEvent:
            continue
        if envelope.route is Route.OPEN_OR_UPDATE_INCIDENT:
            event: dict[str, Any] = json.loads(delivery.body)
            return event
    return None


def record_of(records: Records, incident_id: str) -> IncidentRecord:
    """Return the public record, or say that there is none yet."""
    record = records.incidents.record(incident_id)
    if record is None:
        raise StuckError(f"incident {incident_id} has no record yet: its intake has not finished")
    return record


def drive(
    records: Records,
    runs: RunPort,
    incident_id: str,
    ask: Callable[[IncidentRecord], None] | None = None,
    pace: Pace | None = None,
) -> IncidentRecord:
    """Follow an incident to its end, or, without anybody to ask, to where a person must decide.

    A host that runs it elsewhere answers a wake at once and works on; so what bounds this is not how often it is looked
    at, but for how long nothing moves. Raise `StuckError` then.
    """
    asked: set[str] = set()
    pace = pace or Pace()
    while True:
        record = record_of(records, incident_id)
        if record.status.is_end:
            return record
        if record.status is Status.AWAITING_APPROVAL and record.approval is not None:
            if ask is None:
                return record
            if record.approval.plan_hash not in asked:
                asked.add(record.approval.plan_hash)
                ask(record)
                continue
        _let_go_on(records, runs, record, pace)


def let_pass(records: Records, runs: RunPort, incident_id: str, until: datetime) -> bool:
    """Let time pass while an incident waits for a decision, and wake what is due; say whether it still waits."""
    while (record := record_of(records, incident_id)).status is Status.AWAITING_APPROVAL:
        first = _next_timer(records, record)
        if first is None or first.wake_at > until:
            pass_time(records, until)
            return True
        pass_time(records, first.wake_at)
        serve(records, runs, first)
    return False


def _next_timer(records: Records, record: IncidentRecord) -> Timer | None:
    incident = record.incident
    standing = records.timers.all(incident.scope, incident.incident_id)
    return min(standing, key=lambda one: one.wake_at, default=None)


def _let_go_on(records: Records, runs: RunPort, record: IncidentRecord, pace: Pace) -> None:
    """Wait for the incident's next timer and wake it; without a timer, wake it and see that it moves."""
    scope, incident_id = record.incident.scope, record.incident.incident_id
    before = records.timeline.last_sequence(scope, incident_id)
    still = pace.still_for(before)
    first = _next_timer(records, record)
    try:
        if first is not None:
            pass_time(records, first.wake_at)
            serve(records, runs, first)
        else:
            runs.wake(incident_id)
    except IncidentBusyError:
        # Another run moves it, here or elsewhere.
        pass
    if records.timeline.last_sequence(scope, incident_id) != before:
        return
    if still >= (HELD_SECONDS if records.leases.is_held(scope, incident_id) else FREE_SECONDS):
        raise StuckError(_stuck(records, record, still))
    pace.sleep(LOOK_SECONDS)


def _stuck(records: Records, record: IncidentRecord, still: float) -> str:
    short, host = record.incident.incident_id[:8], records.settings.runs_url
    elsewhere = f"; its runs are with {host}: see that it works" if host else ""
    return (
        f"incident {short} is {record.status.value} and has not moved for {still:.0f} s{elsewhere}. Nothing is lost: "
        f"`cloudops tick` lets it go on, `cloudops show {short}` says where it stands"
    )


def pass_time(records: Records, until: datetime) -> None:
    """Wait for a moment of the account's time, in small steps."""
    while (now := records.clock.now()) < until:
        records.clock.wait_until(min(now + STEP, until))
