"""Take an incident from its event to its end: start, ask, wait by the account's clock, wake."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from graphs.copilot import Records
from graphs.runs import RunPort
from graphs.sweeper import serve
from memory.records.alarm import Route
from memory.records.incident import Status
from memory.records.incident_record import IncidentRecord
from memory.records.timeline import Timer, TimerKind
from tools.aws.queue import IncidentQueue
from tools.errors import CopilotError
from tools.event_body import RefusedEvent
from tools.intake import parse_event

STEP = timedelta(seconds=10)
PATIENCE = timedelta(minutes=40)
TURNS = 120


class NoAlarmError(CopilotError):
    """The account's time went by and no alarm came."""


class StuckError(CopilotError):
    """An incident that has not ended waits for nothing."""


def await_event(
    records: Records, patience: timedelta = PATIENCE, passing: Callable[[datetime], None] = lambda _: None
) -> dict[str, Any]:
    """Let the account's time pass in small steps until the queue delivers an alarm that opens an incident."""
    queue = IncidentQueue(records.access, records.backend.queue_url)
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
    records: Records, runs: RunPort, incident_id: str, ask: Callable[[IncidentRecord], None] | None = None
) -> IncidentRecord:
    """Follow an incident to its end, or, without anybody to ask, to where a person must decide."""
    asked: set[str] = set()
    for _ in range(TURNS):
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
        _wait_and_wake(records, runs, record)
    raise StuckError(f"incident {incident_id} did not end after {TURNS} turns")


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
    standing = (records.timers.get(incident.scope, incident.incident_id, kind) for kind in TimerKind)
    return min((timer for timer in standing if timer is not None), key=lambda one: one.wake_at, default=None)


def _wait_and_wake(records: Records, runs: RunPort, before: IncidentRecord) -> None:
    """Wait for the incident's next timer and wake it; without a timer, wake it and see that it moves."""
    incident, first = before.incident, _next_timer(records, before)
    if first is not None:
        pass_time(records, first.wake_at)
        serve(records, runs, first)
        return
    seen = records.timeline.last_sequence(incident.scope, incident.incident_id)
    runs.wake(incident.incident_id)
    if records.timeline.last_sequence(incident.scope, incident.incident_id) == seen:
        raise StuckError(f"incident {incident.incident_id} is {before.status.value} and waits for nothing")


def pass_time(records: Records, until: datetime) -> None:
    """Wait for a moment of the account's time, in small steps."""
    while (now := records.clock.now()) < until:
        records.clock.wait_until(min(now + STEP, until))
