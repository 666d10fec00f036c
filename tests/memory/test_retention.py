"""What is over is not read, though DynamoDB has not deleted it yet, and something new may stand in its place."""

import tomllib
from datetime import timedelta

import pytest

from memory import keys
from memory.records.incident import Status
from memory.records.timeline import Timer, TimerKind
from memory.retention import CLASSES, DAY_SECONDS, Retention, class_of, expiry_under
from memory.stores.incidents import IncidentStore, UnknownIncidentError
from memory.stores.listings import Wanted
from memory.stores.timers import TimerStore
from memory.table import Item, Key, Write
from tests.memory.filed import SCOPE, START, WallTime, account, ended, incident, new_table
from tests.simulated import ROOT, SimulatedAccount

__all__ = ["account"]

# The simulated account deletes by the machine's own time, so these seconds lie far ahead of it.
AHEAD = 4_000_000_000.0


def test_the_file_names_every_class_once() -> None:
    told = tomllib.loads((ROOT / "settings" / "retention.toml").read_text())
    assert set(told) == set(Retention.model_fields)
    assert Retention.model_validate(told) == Retention()


def test_every_kind_of_item_is_of_a_class_or_kept_for_good() -> None:
    every = [
        keys.incident(SCOPE, "i"),
        keys.record(SCOPE, "i"),
        keys.listing(SCOPE, "i"),
        keys.unfinished(SCOPE, "i"),
        keys.timeline(SCOPE, "i", 1),
        keys.evidence(SCOPE, "i", "e"),
        keys.evidence_index(SCOPE, "i", "e"),
        keys.approval(SCOPE, "i", "p"),
        keys.decision(SCOPE, "i", "p"),
        keys.execution(SCOPE, "i", "a"),
        keys.message(SCOPE, "i", "m"),
        keys.timer(SCOPE, "i", "t"),
        keys.lease(SCOPE, "i"),
        keys.event(SCOPE, "e"),
        keys.episode(SCOPE, "a"),
        keys.directory("default", "i"),
        keys.subject("default", "ann", "i"),
        keys.refused("default", START, "d"),
        keys.audit_payload("p", 1),
    ]
    named = {class_of(key) for key in every}
    assert named == set(Retention.model_fields) - {"checkpoints"}
    kept = [keys.audit("p", 1), keys.audit_head("p"), keys.calendar("default", "2026-11")]
    assert {class_of(key) for key in kept} == {None}
    assert set(CLASSES.values()) <= set(Retention.model_fields)


def test_an_item_carries_the_second_of_its_end(account: SimulatedAccount) -> None:
    wall = WallTime(AHEAD)
    table = new_table(account, expiry_under(Retention(timers=3), wall), wall)
    TimerStore(table, "default").set(SCOPE, Timer(incident_id="i", kind=TimerKind.CADENCE, wake_at=START))
    key = keys.timer(SCOPE, "i", TimerKind.CADENCE)
    raw = account.client("dynamodb").get_item(
        TableName=table.name, Key={"pk": {"S": key.pk}, "sk": {"S": key.sk}}
    )["Item"]
    assert int(raw["ttl"]["N"]) == int(AHEAD) + 3 * DAY_SECONDS


def test_what_is_over_is_not_read_in_any_way(account: SimulatedAccount) -> None:
    wall = WallTime(AHEAD)
    table = new_table(account, expiry_under(Retention(incidents=2, claims=9), wall), wall)
    store = IncidentStore(table, "default")
    one = incident(1)
    ended(store, one)
    wall.seconds += 2 * DAY_SECONDS - 1
    assert store.get(one.incident_id).incident_id == one.incident_id
    assert len(store.page(Wanted(status=Status.RESOLVED), 5).lines) == 1

    wall.seconds += 1
    with pytest.raises(UnknownIncidentError):
        store.scope_of(one.incident_id)
    with pytest.raises(UnknownIncidentError):
        store.full_id(one.incident_id[:8])
    assert store.page(Wanted(), 5).lines == ()
    assert store.page(Wanted(service="checkout"), 5).lines == ()


def test_what_is_over_gives_its_place_to_something_new(account: SimulatedAccount) -> None:
    wall = WallTime(AHEAD)
    table = new_table(account, expiry_under(Retention(claims=1), wall), wall)
    key = keys.event(SCOPE, "e")
    assert table.create(key, {"n": 1})
    assert not table.create(key, {"n": 2})
    wall.seconds += DAY_SECONDS
    assert table.get(key) is None
    table.transact([Write(Item(key, {"n": 3}), 0)])
    standing = table.get(key)
    assert standing is not None
    assert standing.body == {"n": 3}


def test_a_limit_counts_only_what_lives(account: SimulatedAccount) -> None:
    wall = WallTime(AHEAD)
    table = new_table(account, expiry_under(Retention(timeline=1), wall), wall)
    for number in range(6):
        if number == 4:
            wall.seconds += timedelta(days=2).total_seconds()
        table.put(Key("p", f"TIMELINE#{number}"), {"n": number})
    assert [item.body["n"] for item in table.query("p", limit=2)] == [4, 5]
