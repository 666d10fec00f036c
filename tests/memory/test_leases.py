"""One holder at a time, whatever is remembered of the lease, and whoever takes, loses or erases it meanwhile."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evals.bench.records_meter import metered
from memory import keys
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
