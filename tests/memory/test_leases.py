"""One holder at a time, whatever is remembered of the lease, and whoever takes, loses or erases it meanwhile."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evals.bench.records_meter import metered
from memory import keys
from memory.processes import this_process
from memory.stores.leases import IncidentBusyError, LeaseStore
from memory.table import RecordTable
from tests.memory.filed import SCOPE, account, new_table
from tests.simulated import SimulatedAccount
from tests.tools.memory_table import MemoryTable

__all__ = ["account"]


def lapsed(table: RecordTable, incident_id: str) -> None:
    """Let a lease's time be over."""
    item = table.get(keys.lease(SCOPE, incident_id))
    assert item is not None
    past = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    table.replace(item, {**item.body, "until": past})


def test_a_holder_extends_with_one_call_and_others_are_kept_out(account: SimulatedAccount) -> None:
    table = new_table(account)
    mine, theirs = LeaseStore(table), LeaseStore(table)
    with metered(account.client("dynamodb"), table.name) as meter:
        mine.hold(SCOPE, "one", "me")
        assert meter.calls == {"GetItem": 1, "PutItem": 1}
        for _ in range(5):
            mine.hold(SCOPE, "one", "me")
        assert meter.calls == {"GetItem": 1, "PutItem": 6}
    for store in (theirs, mine):
        with pytest.raises(IncidentBusyError):
            store.hold(SCOPE, "one", "them")
    mine.hold(SCOPE, "one", "me")
    mine.release(SCOPE, "one", "me")
    theirs.hold(SCOPE, "one", "them")
    with pytest.raises(IncidentBusyError):
        mine.hold(SCOPE, "one", "me")


def test_a_lease_is_held_from_when_it_is_taken_until_it_is_given_back_or_lapses() -> None:
    table = MemoryTable()
    leases = LeaseStore(table)

    def held() -> bool:
        return LeaseStore(table).is_held(SCOPE, "one")

    before = held()
    leases.hold(SCOPE, "one", "me")
    during = held()
    leases.release(SCOPE, "one", "me")
    given_back = held()
    leases.hold(SCOPE, "one", "me")
    lapsed(table, "one")

    assert (before, during, given_back, held()) == (False, True, False, False)


def test_a_lease_that_somebody_took_over_is_not_taken_back() -> None:
    table = MemoryTable()
    mine, theirs = LeaseStore(table), LeaseStore(table)
    mine.hold(SCOPE, "one", "me")
    lapsed(table, "one")
    theirs.hold(SCOPE, "one", "them")
    with pytest.raises(IncidentBusyError):
        mine.hold(SCOPE, "one", "me")
    mine.release(SCOPE, "one", "me")
    theirs.hold(SCOPE, "one", "them")


def test_a_lease_that_was_erased_and_taken_by_another_is_not_written_over() -> None:
    table = MemoryTable()
    mine, theirs = LeaseStore(table), LeaseStore(table)
    for _ in range(20):
        mine.hold(SCOPE, "one", "me")
        table.delete(keys.lease(SCOPE, "one"))
        theirs.hold(SCOPE, "one", "them")
        with pytest.raises(IncidentBusyError):
            mine.hold(SCOPE, "one", "me")
        mine.release(SCOPE, "one", "me")
        with pytest.raises(IncidentBusyError):
            mine.hold(SCOPE, "one", "me")
        theirs.release(SCOPE, "one", "them")


Move = st.tuples(st.sampled_from(["hold", "release", "lapse", "erase"]), st.integers(0, 2))


@settings(max_examples=150, deadline=None)
@given(moves=st.lists(Move, max_size=20))
def test_stores_that_remember_grant_what_one_that_reads_would(moves: list[tuple[str, int]]) -> None:
    table, held = MemoryTable(), ""
    stores = [LeaseStore(table) for _ in range(3)]
    for move, number in moves:
        holder = f"holder-{number}"
        if move == "hold":
            try:
                stores[number].hold(SCOPE, "one", holder)
            except IncidentBusyError:
                assert held not in {"", holder}
            else:
                assert held in {"", holder}
                held = holder
        elif move == "release":
            stores[number].release(SCOPE, "one", holder)
            held = "" if held == holder else held
        elif table.get(keys.lease(SCOPE, "one")) is not None:
            if move == "lapse":
                lapsed(table, "one")
            else:
                table.delete(keys.lease(SCOPE, "one"))
            held = ""


@dataclass
class Moving:
    """A wall clock and a steady one, which a test sets apart."""

    wall: datetime = datetime(2026, 3, 29, 0, 59, tzinfo=UTC)
    steady: float = 50.0

    def pass_by(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.steady += seconds

    def store(self, table: RecordTable) -> LeaseStore:
        return LeaseStore(table, now=lambda: self.wall, monotonic=lambda: self.steady)


def test_a_clock_that_is_set_back_keeps_nobody_out_for_longer_than_a_lease_lasts() -> None:
    table, at = MemoryTable(), Moving()
    dead, living = at.store(table), at.store(table)
    dead.hold(SCOPE, "one", "dead")
    at.wall -= timedelta(hours=1)

    with pytest.raises(IncidentBusyError):
        living.hold(SCOPE, "one", "living")
    at.pass_by(179)
    assert living.is_held(SCOPE, "one")
    at.pass_by(2)

    living.hold(SCOPE, "one", "living")
    with pytest.raises(IncidentBusyError):
        dead.hold(SCOPE, "one", "dead")


def test_a_holder_that_works_keeps_its_lease_while_another_looks_on() -> None:
    table, at = MemoryTable(), Moving()
    mine, theirs = at.store(table), at.store(table)
    for _ in range(10):
        mine.hold(SCOPE, "one", "me")
        with pytest.raises(IncidentBusyError):
            theirs.hold(SCOPE, "one", "them")
        at.pass_by(100)


def held_by(table: MemoryTable, **other: Any) -> None:
    """Let a lease say that another process took it."""
    LeaseStore(table).hold(SCOPE, "one", "other")
    item = table.items[keys.lease(SCOPE, "one")]
    table.items[item.key] = replace(item, body={**item.body, **other})


def gone() -> dict[str, Any]:
    """What a process says of itself that has ended since."""
    told, tell = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(tell, json.dumps(this_process()).encode())
        os._exit(0)
    os.waitpid(pid, 0)
    said: dict[str, Any] = json.loads(os.read(told, 1000))
    return said


def test_the_lease_of_a_process_that_has_ended_is_taken_over_at_once() -> None:
    table = MemoryTable()
    held_by(table, **gone())
    LeaseStore(table).hold(SCOPE, "one", "me")


def test_a_process_that_ended_and_was_not_waited_for_holds_nothing() -> None:
    table = MemoryTable()
    child = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    started = Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()[19]
    held_by(table, pid=child.pid, started=int(started))
    LeaseStore(table).hold(SCOPE, "one", "me")
    child.wait()


@pytest.mark.parametrize(
    "other",
    [
        {"host": "another"},
        {"boot": "another boot of this host"},
        {"pid_namespace": "pid:[1]"},
        {"boot": None, "pid_namespace": None, "started": None},
        {"started": None},
    ],
    ids=["host", "boot", "container with the same name", "no Linux", "no start time"],
)
def test_a_process_that_cannot_be_seen_from_here_keeps_its_lease_until_it_lapses(
    other: dict[str, Any],
) -> None:
    table = MemoryTable()
    held_by(table, **{**gone(), **other})
    with pytest.raises(IncidentBusyError):
        LeaseStore(table).hold(SCOPE, "one", "me")
    lapsed(table, "one")
    LeaseStore(table).hold(SCOPE, "one", "me")


def test_a_number_that_another_process_was_given_since_is_no_proof_of_life() -> None:
    table = MemoryTable()
    held_by(table, started=1)
    LeaseStore(table).hold(SCOPE, "one", "me")


def test_a_lease_of_an_earlier_version_lapses_by_time_alone() -> None:
    table = MemoryTable()
    held_by(table, **gone())
    item = table.items[keys.lease(SCOPE, "one")]
    known = {"holder", "until", "host", "pid"}
    table.items[item.key] = replace(item, body={k: v for k, v in item.body.items() if k in known})
    with pytest.raises(IncidentBusyError):
        LeaseStore(table).hold(SCOPE, "one", "me")
