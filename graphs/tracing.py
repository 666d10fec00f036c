"""Note CloudTrail's event of each call in the audit, also when the incident has ended: events come minutes late.

What is owed is a record that the call's own transaction writes, found by when it is looked for next. So nothing reads
incidents to find it, and a process that dies between two looks loses none.
"""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from graphs.copilot import Records
from graphs.duty import Duty
from graphs.transient import PASSING
from memory.records.scope import Scope
from memory.records.trace import TraceState
from tools.bulkhead import bulkhead
from tools.trail import LOOKUP_SECONDS, Wait, look_for, next_look

EVERY_SECONDS = 10.0
"""How long nothing is asked of the table after nothing was due."""
MOST_DUE, MOST_AT_ONCE = 100, 20
# Whoever holds this lease looks: two that look would be more than CloudTrail answers.
DUTY = "duty/traces"


@dataclass(frozen=True)
class Traced:
    """What became of some looks: whether any was made, how many events were noted, and how many are missing."""

    looked: bool = False
    noted: int = 0
    missing: int = 0
    failed: tuple[str, ...] = ()


@dataclass
class TraceWatch:
    """Looks for what is due, in a process that stays: one look a call, so that the caller's pace is CloudTrail's."""

    records: Records
    monotonic: Callable[[], float] = time.monotonic
    holder: str = field(default_factory=lambda: f"traces-{uuid.uuid4()}")
    _next_at: float = float("-inf")

    def look(self) -> Traced:
        """Look for the first call that is due, if any is and no other process looks."""
        now = self.monotonic()
        if now < self._next_at:
            return Traced()
        due = list(self.records.traces.due(self.records.home, self.records.clock.now(), MOST_DUE))
        if not due or not self._duty.take():
            self._next_at = now + EVERY_SECONDS
            return Traced()
        failed: list[str] = []
        for incident_id, action_id in due:
            # One that cannot be looked for must not hide the others.
            with bulkhead(f"looking for CloudTrail's event of {incident_id}/{action_id}", PASSING) as met:
                state = self._look(self.records.home, incident_id, action_id)
                if state is not None:
                    missing = state in {TraceState.ABSENT, TraceState.UNASKED}
                    return Traced(True, int(state is TraceState.FOUND), int(missing), tuple(failed))
            if met.error is not None:
                failed.append(incident_id)
        self._next_at = now + EVERY_SECONDS
        return Traced(failed=tuple(failed))

    def end(self) -> None:
        """Leave the duty to another process at once."""
        self._duty.leave()

    @property
    def _duty(self) -> Duty:
        return Duty(self.records, DUTY, self.holder)

    def _look(self, scope: Scope, incident_id: str, action_id: str) -> TraceState | None:
        """Look for one call, unless it is not due any more. The next look is set before this one is made."""
        records, now = self.records, self.records.clock.now()
        owed = records.traces.get(scope, incident_id, action_id)
        if owed is None or owed.trace.next_at > now:
            return None
        counted = records.traces.put_off(scope, owed, next_look(owed.trace, now))
        return look_for(records.access, records.traces, scope, counted, now) if counted else None


def trace_due(records: Records, wait: Wait = time.sleep) -> Traced:
    """Look for what is due now, in a process that does not stay: the first few, at CloudTrail's pace."""
    watch, all_of_it = TraceWatch(records), Traced()
    for number in range(MOST_AT_ONCE):
        wait(LOOKUP_SECONDS if number else 0)
        one = watch.look()
        all_of_it = Traced(
            all_of_it.looked or one.looked,
            all_of_it.noted + one.noted,
            all_of_it.missing + one.missing,
            all_of_it.failed + one.failed,
        )
        if not one.looked:
            break
    watch.end()
    return all_of_it
