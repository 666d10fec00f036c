"""Runs that a dead process left in the middle: found within a minute, by one process, wherever one still lives."""

import random
from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from graphs.copilot import Records
from graphs.run_port import RunPort
from graphs.stranded import MOST_WOKEN, StrandedWatch
from memory.records.approval import ApprovalStatus
from memory.records.timeline import Timer, TimerKind
from memory.stores.leases import LeaseStore
from memory.stores.timers import TimerStore
from tests.tools.memory_table import MemoryTable
from tests.tools.stand_ins import NOW, SCOPE, StillClock
from tools.errors import Transient


@dataclass
class Shared:
    """A table that servers share, and the incidents that have not ended."""

    unfinished: list[str] = field(default_factory=list)
    asked: ApprovalStatus = ApprovalStatus.PENDING
    table: MemoryTable = field(default_factory=MemoryTable)
    steady: float = 0.0
    down: bool = False

    def records(self) -> Records:
        """The records as one process opens them."""
        return cast(
            Records,
            SimpleNamespace(
                home=SCOPE,
                clock=StillClock(),
                leases=LeaseStore(self.table, monotonic=lambda: self.steady),
                timers=TimerStore(self.table, SCOPE.tenant),
                incidents=SimpleNamespace(scope_of=lambda _: SCOPE, unfinished=self._unfinished),
                approvals=SimpleNamespace(requests=lambda *_: [SimpleNamespace(status=self.asked)]),
            ),
        )

    def _unfinished(self) -> list[str]:
        if self.down:
            raise Transient("the table does not answer")
        return self.unfinished

    def waits(self, incident_id: str, kind: TimerKind) -> None:
        timer = Timer(incident_id=incident_id, kind=kind, wake_at=NOW + timedelta(minutes=5))
        TimerStore(self.table, SCOPE.tenant).set(SCOPE, timer)


@dataclass
class Server:
    """One process: whom it woke, and whether it still runs."""

    shared: Shared
    woken: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.records = self.shared.records()
        runs: Any = SimpleNamespace(wake=self.woken.append)
        self.watch = StrandedWatch(
            self.records, cast(RunPort, runs), lambda: self.shared.steady, random.Random(7)
        )

    def sweep_for(self, seconds: int) -> list[str]:
        """Look each second, and return who was woken meanwhile."""
        before = len(self.woken)
        for _ in range(seconds):
            self.shared.steady += 1
            self.watch.look()
        return self.woken[before:]


def test_what_strands_while_a_server_runs_is_woken_within_a_good_minute() -> None:
    shared = Shared()
    server = Server(shared)
    assert server.sweep_for(10) == []
    shared.unfinished = ["cut-off"]

    assert server.sweep_for(67) == ["cut-off"]


@pytest.mark.parametrize("kind", [TimerKind.VERIFICATION, TimerKind.CADENCE, TimerKind.APPROVAL_EXPIRY])
def test_what_waits_for_its_timer_is_let_be(kind: TimerKind) -> None:
    shared = Shared(["waiting"])
    shared.waits("waiting", kind)

    assert Server(shared).sweep_for(200) == []


def test_what_was_decided_while_nobody_was_there_to_go_on_is_woken() -> None:
    shared = Shared(["decided"], asked=ApprovalStatus.APPROVED)
    shared.waits("decided", TimerKind.APPROVAL_EXPIRY)

    assert Server(shared).sweep_for(2) == ["decided"]


def test_what_another_process_moves_is_let_be_and_taken_over_once_its_lease_has_lapsed() -> None:
    shared = Shared(["moved"])
    shared.records().leases.hold(SCOPE, "moved", "another process")
    server = Server(shared)

    assert server.sweep_for(170) == []
    # Nobody wrote over the lease since this server met it first.
    assert server.sweep_for(80) == ["moved"]


def test_of_two_servers_one_looks_and_the_other_takes_over_when_that_is_gone() -> None:
    shared = Shared(["cut-off"])
    first, second = Server(shared), Server(shared)
    assert first.sweep_for(1) == ["cut-off"]
    assert second.sweep_for(100) == []

    # The first is killed: it gives nothing back.
    assert "cut-off" in second.sweep_for(200)


def test_a_server_that_ends_leaves_its_duty_at_once() -> None:
    shared = Shared(["cut-off"])
    first, second = Server(shared), Server(shared)
    first.sweep_for(1)
    first.watch.end()

    assert second.sweep_for(1) == ["cut-off"]


def test_what_strands_again_and_again_is_left_alone_for_longer_each_time() -> None:
    server = Server(Shared(["hopeless"]))

    # At once, and after some 1, 2, 4, 8 and 16 minutes, then each half hour.
    assert len(server.sweep_for(60 * 60)) in {6, 7}
    assert len(server.sweep_for(60 * 60)) in {1, 2}


def test_one_look_wakes_so_many_and_the_next_ones_wake_the_others() -> None:
    many = [f"i-{number}" for number in range(3 * MOST_WOKEN)]
    server = Server(Shared(many))

    assert len(server.sweep_for(1)) == MOST_WOKEN
    server.sweep_for(60 * 3)
    assert set(server.woken) == set(many)


def test_a_look_that_fails_is_made_again_at_once() -> None:
    shared = Shared(["cut-off"], down=True)
    server = Server(shared)
    with pytest.raises(Transient):
        server.sweep_for(1)
    shared.down = False

    assert server.sweep_for(1) == ["cut-off"]
