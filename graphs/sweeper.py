"""Wake what is due. The worker, the server and `cloudops tick` sweep; nothing sleeps in a run."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

from graphs.copilot import Records
from graphs.run_port import RunPort
from graphs.transient import PASSING
from memory.records.timeline import Timer, TimerKind
from memory.stores.incidents import UnknownIncidentError
from memory.stores.leases import IncidentBusyError
from tools.bulkhead import bulkhead
from tools.outbox import Flushed

FIRST_SECONDS, MOST_SECONDS = 1.0, 60.0


@dataclass(frozen=True)
class Swept:
    """What one sweep did; `failed` are the incidents that met a defect, and are tried again by the next."""

    woken: tuple[str, ...] = ()
    busy: tuple[str, ...] = ()
    messages_sent: int = 0
    failed: tuple[str, ...] = ()


def sweep(wake: Callable[[], Swept], flush: Callable[[], Flushed]) -> Swept:
    """Wake every incident whose timer is due and send what is still in the outbox.

    Messages go out also where the timers cannot be read; what kept these from being read is raised then.
    """
    flushed = Flushed()
    try:
        due = wake()
    finally:
        flushed = flush()
    return replace(due, messages_sent=flushed.sent)


def wake_due(records: Records, runs: RunPort) -> Swept:
    """Wake every incident whose timer is due. A timer that could not be served stays and is found again."""
    tally = Tally()
    for incident_id, read in list(records.timers.due(records.clock.now())):
        tally.note(incident_id, partial(_serve, records, runs, read))
    return tally.swept()


@dataclass
class Tally:
    """What became of each incident of a sweep."""

    woken: list[str] = field(default_factory=list)
    busy: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def note(self, incident_id: str, wake: Callable[[], bool]) -> None:
        """Wake an incident; one that cannot be woken must not keep the others asleep."""
        with bulkhead(f"waking incident {incident_id}", PASSING) as met:
            try:
                if wake():
                    self.woken.append(incident_id)
            except (IncidentBusyError, UnknownIncidentError):
                self.busy.append(incident_id)
        if met.error is not None:
            (self.failed if met.is_defect else self.busy).append(incident_id)

    def swept(self) -> Swept:
        """Return all of it."""
        return Swept(tuple(self.woken), tuple(self.busy), failed=tuple(self.failed))


@dataclass
class _Turn:
    """How often in a row a timer was found due, and when it is served next."""

    times: int = 0
    next_at: float = float("-inf")


@dataclass
class DueWatch:
    """Wakes what is due, over and over, in a process that stays.

    A timer that is found due again was not served: its run failed, or is busy elsewhere. It is served again after
    twice as long each time, so that a run which fails at its first step is not asked of a model every second.
    """

    records: Records
    runs: RunPort
    monotonic: Callable[[], float] = time.monotonic
    _turns: dict[Timer, _Turn] = field(default_factory=dict)

    def look(self) -> Swept:
        """Wake every incident whose timer is due, unless that timer's rest is not over."""
        now, tally = self.monotonic(), Tally()
        found: dict[Timer, _Turn] = {}
        for incident_id, read in list(self.records.timers.due(self.records.clock.now())):
            tally.note(incident_id, partial(self._serve, read, now, found))
        self._turns = found
        return tally.swept()

    def _serve(self, read: Callable[[], Timer], now: float, found: dict[Timer, _Turn]) -> bool:
        timer = read()
        turn = found[timer] = self._turns.get(timer, _Turn())
        if turn.next_at > now:
            return False
        turn.next_at = now + min(FIRST_SECONDS * 2.0**turn.times, MOST_SECONDS)
        turn.times += 1
        return serve(self.records, self.runs, timer)


def _serve(records: Records, runs: RunPort, read: Callable[[], Timer]) -> bool:
    return serve(records, runs, read())


def serve(records: Records, runs: RunPort, timer: Timer) -> bool:
    """Wake the incident of a timer; its timer goes when that was all it was for, unless it was set anew meanwhile."""
    scope, incident_id = records.incidents.scope_of(timer.incident_id), timer.incident_id
    runs.wake(incident_id)
    if records.timers.get(scope, incident_id, timer.kind) != timer:
        return True
    record = records.incidents.record(incident_id) if timer.kind is not TimerKind.CADENCE else None
    if timer.kind is TimerKind.CADENCE or (record is not None and record.status.is_end):
        records.timers.cancel(scope, incident_id, timer.kind)
    return True
