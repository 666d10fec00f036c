"""What the meter of the records counts is what DynamoDB bills."""

import base64
import os
from pathlib import Path

import pytest

from console.account import Play, playing
from console.session import open_session
from evals.bench.records import lines, one_incident
from evals.bench.records_meter import metered
from graphs.bootstrap import set_up
from graphs.settings import World, from_environment
from memory.records.incident import Status
from memory.stores.listings import ListingStore, Wanted
from memory.table import ConflictError, Item, Key, Write
from tests.memory.filed import account, new_table
from tests.simulated import SimulatedAccount

__all__ = ["account"]


def test_a_line_that_is_listed_moved_and_deleted_costs_its_places(account: SimulatedAccount) -> None:
    table = new_table(account)
    store = ListingStore(table, "t")
    line = next(lines(1))
    ended = line.model_copy(update={"status": Status.RESOLVED})
    with metered(account.client("dynamodb"), table.name) as meter:
        table.write(Write(store.item(line), 0))
        assert (meter.writes, meter.index_writes) == (1, 4)
        table.write(Write(store.item(ended, 2), 1))
        assert (meter.writes, meter.index_writes) == (2, 4 + 3 + 2)
        table.delete(store.item(ended).key)
        assert (meter.writes, meter.index_writes) == (3, 4 + 3 + 2 + 4)


def test_what_loses_its_condition_is_billed_and_changes_nothing(account: SimulatedAccount) -> None:
    table = new_table(account)
    # Of random bytes in base64, a quarter is all that compression takes away.
    large = Item(Key("p", "s"), {"text": base64.b64encode(os.urandom(2300)).decode()})
    with metered(account.client("dynamodb"), table.name) as meter:
        table.transact([Write(large, 0)])
        assert meter.writes == 2 * 3
        assert not table.create(large.key, {})
        assert meter.writes == 2 * 3 + 3
        with pytest.raises(ConflictError):
            table.transact([Write(Item(Key("p", "t"), {}), 0), Write(large, 0)])
        assert (meter.calls["TransactWriteItems"], meter.calls["PutItem"]) == (2, 1)


def test_reads_are_billed_by_size_and_half_from_an_index(account: SimulatedAccount) -> None:
    table = new_table(account)
    store = ListingStore(table, "t")
    for line in lines(12):
        table.write(Write(store.item(line), 0))
        store.note_month(line.opened_at)
    with metered(account.client("dynamodb"), table.name) as meter:
        page = store.page(Wanted(), 50)
        assert len(page.lines) == 12
        assert meter.calls == {"Query": 1 + 12}
        # The calendar consistently, and twelve months of one line each from the index.
        assert meter.reads == 1 + 12 * 0.5
    with metered(account.client("dynamodb"), table.name) as meter:
        table.get(Key("p", "nothing"))
        assert meter.reads == 1


def test_the_lines_are_spread_over_services_and_have_ids_of_their_own() -> None:
    every = list(lines(2000))
    assert len({line.incident_id for line in every}) == 2000
    assert len({line.service for line in every}) == 40
    assert sum(line.status is Status.AWAITING_APPROVAL for line in every) == 4


@pytest.mark.slow
def test_an_incident_costs_no_more_than_is_told(tmp_path: Path) -> None:
    with playing(Play("bad-deployment"), tmp_path, keep=False):
        settings = from_environment(World.SIMULATED, tmp_path)
        set_up(settings)
        status, meter = one_incident(open_session(settings))
    assert status == "resolved"
    # Measured: 526, 58, 514 and 516, with 52 pieces of evidence.
    assert meter.writes <= 580
    assert meter.index_writes <= 80
    assert meter.reads <= 570
    assert meter.calls.total() <= 570
