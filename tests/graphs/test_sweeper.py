"""The sweeper: one incident that fails keeps no other asleep, and no message unsent."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from types import SimpleNamespace
from typing import cast

from graphs.copilot import Records
from graphs.run_port import RunPort
from graphs.stranded import wake_stranded
from graphs.sweeper import MOST_SECONDS, DueWatch, Swept, sweep, wake_due
from memory.records.timeline import Timer, TimerKind
from memory.stores.leases import LeaseStore
from memory.stores.timers import TimerStore
from tests.tools.memory_table import MemoryTable
from tests.tools.stand_ins import NOW, SCOPE, StillClock
from tools.outbox import Flushed


class Runs:
    """A host of runs in which some incidents fail, and some do more than to wake."""

    def __init__(self, **then: Callable[[], None]) -> None:
        self.then = then
        self.woken: list[str] = []

    def wake(self, incident_id: str) -> None:
        self.woken.append(incident_id)
        self.then.get(incident_id, lambda: None)()


class Sweeping:
    """Incidents in memory whose timers are due in the order of their names."""

    def __init__(self, *due: str, kind: TimerKind = TimerKind.VERIFICATION) -> None:
        self.timers = TimerStore(MemoryTable(), SCOPE.tenant)
        for number, incident_id in enumerate(due):
            self.set(incident_id, kind, timedelta(seconds=number - len(due)))
        self.records = SimpleNamespace(
            clock=StillClock(),
            timers=self.timers,
            leases=LeaseStore(MemoryTable()),
            incidents=SimpleNamespace(
                scope_of=lambda _: SCOPE, record=lambda _: None, unfinished=lambda: ["a", "b"]
            ),
        )

    def set(self, incident_id: str, kind: TimerKind, after: timedelta) -> None:
        self.timers.set(SCOPE, Timer(incident_id=incident_id, kind=kind, wake_at=NOW + after))

    def waking(self, runs: Runs) -> Callable[[], Swept]:
        """Wake what is due once."""
        return partial(wake_due, cast(Records, self.records), cast(RunPort, runs))

    def woken_in(self, seconds: int, runs: Runs) -> list[int]:
        """Look each second, and return at which of them something was woken."""
        now = 0.0
        watch = DueWatch(cast(Records, self.records), cast(RunPort, runs), lambda: now)
        found = []
        for second in range(seconds):
            now, before = float(second), len(runs.woken)
            watch.look()
            found += [second] * (len(runs.woken) - before)
        return found


def _broken() -> None:
    raise ValueError("the state of this incident cannot be read")


def test_an_incident_that_meets_a_defect_keeps_no_other_asleep_and_no_message_unsent() -> None:
    at, runs = Sweeping("a", "b"), Runs(a=_broken)

    swept = sweep(at.waking(runs), lambda: Flushed(3))

    assert (swept.woken, swept.failed, swept.messages_sent) == (("b",), ("a",), 3)
    assert at.timers.get(SCOPE, "a", TimerKind.VERIFICATION) is not None


def test_what_was_cut_off_and_meets_a_defect_keeps_no_other_asleep() -> None:
    at, runs = Sweeping(), Runs(a=_broken)

    swept = wake_stranded(cast(Records, at.records), cast(RunPort, runs))

    assert (swept.woken, swept.failed) == (("b",), ("a",))


def test_a_timer_that_a_woken_run_sets_anew_is_not_cancelled_with_the_one_that_woke_it() -> None:
    at = Sweeping("a", "b", kind=TimerKind.CADENCE)
    runs = Runs(a=lambda: at.set("a", TimerKind.CADENCE, timedelta(minutes=1)))

    sweep(at.waking(runs), lambda: Flushed())

    anew = at.timers.get(SCOPE, "a", TimerKind.CADENCE)
    assert anew is not None and anew.wake_at == NOW + timedelta(minutes=1)
    assert at.timers.get(SCOPE, "b", TimerKind.CADENCE) is None


def test_a_timer_that_stays_due_is_served_ever_less_often() -> None:
    assert Sweeping("a").woken_in(300, Runs(a=_broken)) == [0, 1, 3, 7, 15, 31, 63, 123, 183, 243]
    # The run of a server that stands alone fails later, in a thread of its own: nothing is told here.
    assert Sweeping("a").woken_in(300, Runs()) == [0, 1, 3, 7, 15, 31, 63, 123, 183, 243]
    assert MOST_SECONDS == 60


def test_a_timer_that_is_set_anew_is_served_at_once() -> None:
    at = Sweeping("a")
    again = iter(range(1, 5))
    runs = Runs(a=lambda: at.set("a", TimerKind.VERIFICATION, -timedelta(seconds=10 * next(again))))
    assert at.woken_in(4, runs) == [0, 1, 2, 3]
