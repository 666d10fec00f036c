"""Deal with the messages of the alarm queue, one at a time: the worker does, and every server beside its routes."""

import json
from dataclasses import dataclass

from graphs.copilot import Records
from graphs.run_port import RunPort
from graphs.transient import PASSING
from memory.records.alarm import Route
from memory.records.base import digest
from memory.stores.incidents import UnknownIncidentError
from tools.aws.queue import Delivery, IncidentQueue
from tools.bulkhead import bulkhead
from tools.event_body import RefusedEvent
from tools.intake import parse_event

NO_ALARM = frozenset({Route.NOT_AN_ALARM, Route.DECODE_LOGS})
AGAIN_SECONDS = 5
# A server that was given the run may need a while until its intake claims the incident.
OPENING_SECONDS = 30
MOST_SECONDS = 300


@dataclass(frozen=True)
class QueueIntake:
    """Starts a run for each event of the queue.

    A message is taken off once its event is dealt with: its incident stands, or it starts nothing and that is on
    record. Any other comes again, later each time, until the queue itself puts it to the dead letters.
    """

    records: Records
    runs: RunPort
    queue: IncidentQueue

    def take_next(self, wait_seconds: int) -> str | None:
        """Deal with the next message and say what became of it, or return None when none came. Blocks."""
        for delivery in self.queue.receive(wait_seconds, most=1):
            return self.take(delivery)
        return None

    def take(self, delivery: Delivery) -> str:
        """Deal with one message and say what became of it."""
        dealt_with, said = False, ""
        # An event that meets a defect must not end the intake of all others.
        with bulkhead("taking in an event", PASSING) as met:
            dealt_with, said = self._take_in(delivery.body)
        if met.error is not None:
            why = f"{type(met.error).__name__}: {met.error}" if met.is_defect else str(met.error)
            return self._again(delivery, AGAIN_SECONDS, why)
        if not dealt_with:
            return self._again(delivery, OPENING_SECONDS, said)
        self.queue.done(delivery)
        return said

    def _take_in(self, body: str) -> tuple[bool, str]:
        """Start what an event asks for; say whether that is all there is to do, and what became of it."""
        records = self.records
        now = records.clock.now()
        try:
            envelope = parse_event(body, now, records.settings.tenant)
        except RefusedEvent as refused:
            records.refusals.keep(now, digest(body), refused.reason, body.encode())
            return True, f"refused: {refused.reason}"
        if envelope.route in NO_ALARM:
            records.refusals.keep(now, envelope.raw_sha256, envelope.route.value, body.encode())
        started = self.runs.start(json.loads(body))
        said = f"{started.outcome.value}  {started.incident_id or started.route.value}"
        return started.incident_id is None or self._stands(started.incident_id), said

    def _stands(self, incident_id: str) -> bool:
        """Say whether an incident is claimed: only then does its event outlive whoever works on it."""
        try:
            self.records.incidents.scope_of(incident_id)
        except UnknownIncidentError:
            return False
        return True

    def _again(self, delivery: Delivery, first_seconds: int, why: str) -> str:
        """Let a message come again, later each time, so that one that always fails keeps nobody busy."""
        seconds = min(first_seconds * 2 ** (max(delivery.receives, 1) - 1), MOST_SECONDS)
        self.queue.put_back(delivery, seconds)
        return f"comes again in {seconds} s: {why}"
