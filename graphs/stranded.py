"""Find runs that a dead process has left in the middle, and let them go on wherever a process still lives."""

import random
import time
import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import partial

from graphs.copilot import Records
from graphs.duty import Duty
from graphs.run_port import RunPort
from graphs.sweeper import Swept, Tally
from memory.records.approval import ApprovalStatus
from memory.records.timeline import TimerKind

EVERY_SECONDS, JITTER = 60.0, 0.1
# How many runs one look wakes, and how long one that strands again and again is left alone at most.
MOST_WOKEN, MOST_SECONDS = 20, 1800.0
# Whoever holds this lease looks; the others would find the same.
DUTY = "duty/stranded"


def wake_stranded(records: Records, runs: RunPort) -> Swept:
    """Wake at once whatever is stranded; an incident that another run moves is left to that run."""
    tally = Tally()
    for incident_id in list(records.incidents.unfinished()):
        tally.note(incident_id, partial(_wake, records, runs, incident_id))
    return tally.swept()


def is_stranded(records: Records, incident_id: str) -> bool:
    """Say whether an incident goes on, waits for no timer and is moved by nobody.

    A run that is moved holds the lease. A timer that ends a request counts only while the request waits: once it is
    decided, somebody should have gone on.
    """
    scope = records.incidents.scope_of(incident_id)
    if records.leases.is_held(scope, incident_id):
        return False
    kinds = {timer.kind for timer in records.timers.all(scope, incident_id)}
    if kinds == {TimerKind.APPROVAL_EXPIRY}:
        asked = records.approvals.requests(scope, incident_id)
        return all(one.status is not ApprovalStatus.PENDING for one in asked)
    return not kinds


def _wake(records: Records, runs: RunPort, incident_id: str) -> bool:
    if not is_stranded(records, incident_id):
        return False
    runs.wake(incident_id)
    return True


@dataclass
class _Turn:
    """How often in a row a run was found stranded, and when it is looked at next."""

    times: int = 0
    next_at: float = float("-inf")


@dataclass
class StrandedWatch:
    """Looks for stranded runs once a minute, in one process of those that share a table.

    The duty is a lease. When its holder dies, another process takes it over, at the latest when it lapses.
    """

    records: Records
    runs: RunPort
    monotonic: Callable[[], float] = time.monotonic
    chance: random.Random = field(default_factory=random.Random)
    holder: str = field(default_factory=lambda: f"stranded-{uuid.uuid4()}")
    _next_at: float = float("-inf")
    _turns: dict[str, _Turn] = field(default_factory=dict)

    def look(self) -> Swept:
        """Wake what is stranded, unless the minute is not over or another process looks."""
        now, tally = self.monotonic(), Tally()
        if now < self._next_at:
            return tally.swept()
        unfinished = list(self.records.incidents.unfinished()) if self._duty.take() else []
        # Only once that was answered: a look that fails is made again as soon as its caller likes.
        self._next_at = now + EVERY_SECONDS * self.chance.uniform(1 - JITTER, 1 + JITTER)
        self._forget_all_but(unfinished)
        # What strands again and again keeps no other from its turn.
        self.chance.shuffle(unfinished)
        unfinished.sort(key=lambda incident_id: self._turns.get(incident_id, _Turn()).times)
        for incident_id in unfinished:
            if len(tally.woken) == MOST_WOKEN:
                break
            tally.note(incident_id, partial(self._wake, incident_id, now))
        return tally.swept()

    def end(self) -> None:
        """Leave the duty to another process at once."""
        self._duty.leave()

    @property
    def _duty(self) -> Duty:
        return Duty(self.records, DUTY, self.holder)

    def _wake(self, incident_id: str, now: float) -> bool:
        turn = self._turns.setdefault(incident_id, _Turn())
        if turn.next_at > now:
            return False
        if not is_stranded(self.records, incident_id):
            del self._turns[incident_id]
            return False
        turn.next_at = now + min(EVERY_SECONDS * (2**turn.times - 1), MOST_SECONDS)
        turn.times += 1
        self.runs.wake(incident_id)
        return True

    def _forget_all_but(self, unfinished: Collection[str]) -> None:
        for incident_id in set(self._turns) - set(unfinished):
            del self._turns[incident_id]
