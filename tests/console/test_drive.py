"""Following an incident: a host elsewhere may take its time, and what does not move is told with the way on."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from console.drive import FREE_SECONDS, HELD_SECONDS, Pace, StuckError, drive
from graphs.copilot import Records
from graphs.run_port import RunPort
from memory.records.incident import Status
from memory.records.timeline import Timer, TimerKind
from memory.stores.leases import IncidentBusyError
from memory.stores.timers import TimerStore
from tests.tools.dials import INCIDENT_ID, incident
from tests.tools.memory_table import MemoryTable
from tests.tools.stand_ins import NOW, SCOPE, StillClock


@dataclass
class Elsewhere:
    """An incident whose runs are with another host. `after` says what has come to pass at a moment of wall time."""

    after: Callable[["Elsewhere"], None] = lambda _: None
    status: Status = Status.OPEN
    sequence: int = 1
    steady: float = 0.0
    held: bool = False
    busy: bool = False
    wakes: int = 0
    runs_url: str | None = "http://127.0.0.1:2024"
    timers: TimerStore = field(default_factory=lambda: TimerStore(MemoryTable(), SCOPE.tenant))

    @property
    def records(self) -> Records:
        record = SimpleNamespace(incident=incident(), status=self.status, approval=None)
        return cast(
            Records,
            SimpleNamespace(
                clock=StillClock(NOW + timedelta(minutes=1)),
                settings=SimpleNamespace(runs_url=self.runs_url),
                timers=self.timers,
                leases=SimpleNamespace(is_held=lambda *_: self.held),
                timeline=SimpleNamespace(last_sequence=lambda *_: self.sequence),
                incidents=SimpleNamespace(
                    record=lambda _: SimpleNamespace(**{**vars(record), "status": self.status}),
                    scope_of=lambda _: SCOPE,
                ),
            ),
        )

    def wake(self, incident_id: str) -> None:
        self.wakes += 1
        if self.busy:
            raise IncidentBusyError("held")

    def pass_by(self, seconds: float) -> None:
        self.steady += seconds
        self.after(self)

    def follow(self) -> Any:
        pace = Pace(lambda: self.steady, self.pass_by)
        return drive(self.records, cast(RunPort, self), INCIDENT_ID, pace=pace)


def test_a_host_elsewhere_is_followed_for_as_long_as_the_incident_moves() -> None:
    def works(at: Elsewhere) -> None:
        at.held, at.sequence = True, int(at.steady // 60)
        at.status = Status.RESOLVED if at.steady > 3600 else Status.OPEN

    assert Elsewhere(works).follow().status is Status.RESOLVED


def test_a_step_of_some_minutes_is_waited_for_while_somebody_holds_the_incident() -> None:
    def works(at: Elsewhere) -> None:
        at.held = at.busy = True
        at.status = Status.RESOLVED if at.steady > HELD_SECONDS - 50 else Status.OPEN

    assert Elsewhere(works).follow().status is Status.RESOLVED


@pytest.mark.parametrize(("held", "seconds"), [(True, HELD_SECONDS), (False, FREE_SECONDS)])
def test_what_does_not_move_is_told_with_the_command_that_goes_on(held: bool, seconds: float) -> None:
    at = Elsewhere(held=held)

    with pytest.raises(StuckError, match=rf"has not moved for {seconds:.0f} s") as told:
        at.follow()

    assert "`cloudops tick` lets it go on" in str(told.value)
    assert "http://127.0.0.1:2024" in str(told.value)
    assert seconds <= at.steady < seconds + 2


def test_a_timer_that_another_run_serves_at_this_moment_is_no_error() -> None:
    def works(at: Elsewhere) -> None:
        at.status = Status.RESOLVED if at.steady > 5 else Status.VERIFYING

    at = Elsewhere(works, busy=True)
    at.timers.set(SCOPE, Timer(incident_id=INCIDENT_ID, kind=TimerKind.VERIFICATION, wake_at=NOW))

    assert at.follow().status is Status.RESOLVED
