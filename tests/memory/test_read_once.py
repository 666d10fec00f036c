"""What does not change is read once, however often it is asked for."""

from collections.abc import Iterator
from typing import Any

import pytest

from memory.records.timeline import EntryKind
from memory.stores.incidents import IncidentStore, UnknownIncidentError
from memory.stores.timeline import TimelineStore
from memory.table import Item, Key
from tests.tools.dials import incident
from tests.tools.memory_table import MemoryTable
from tests.tools.stand_ins import SCOPE, StillClock


class Counted(MemoryTable):
    """Counts what is read."""

    def __init__(self) -> None:
        super().__init__()
        self.gets: list[str] = []
        self.queries: list[str] = []

    def get(self, key: Key) -> Item | None:
        self.gets.append(key.pk)
        return super().get(key)

    def query(self, partition: str, prefix: str = "", **more: Any) -> Iterator[Item]:
        self.queries.append(f"{partition} {prefix}")
        return super().query(partition, prefix, **more)


def opened() -> Counted:
    table = Counted()
    IncidentStore(table, SCOPE.tenant).claim(incident())
    table.gets.clear()
    return table


def test_where_an_incident_is_is_read_once() -> None:
    table = opened()
    store = IncidentStore(table, SCOPE.tenant)

    assert {store.scope_of(incident().incident_id) for _ in range(3)} == {SCOPE}

    assert len(table.gets) == 1


def test_a_completed_id_says_where_its_incident_is() -> None:
    table = opened()
    store = IncidentStore(table, SCOPE.tenant)

    assert store.full_id(incident().incident_id[:8]) == incident().incident_id
    assert store.scope_of(incident().incident_id) == SCOPE

    assert table.gets == []


def test_an_unknown_id_is_looked_for_again() -> None:
    table = Counted()
    store = IncidentStore(table, SCOPE.tenant)
    for _ in range(2):
        with pytest.raises(UnknownIncidentError):
            store.scope_of(incident().incident_id)

    IncidentStore(table, SCOPE.tenant).claim(incident())

    assert store.scope_of(incident().incident_id) == SCOPE


def test_whoever_caught_up_with_a_timeline_tells_without_reading_it_again() -> None:
    table = Counted()
    before = TimelineStore(table, StillClock())
    for number in range(4):
        before.append(SCOPE, "i", EntryKind.NOTE, f"note {number}", once=f"note {number}")
    store = TimelineStore(table, StillClock())

    assert store.caught_up(SCOPE, "i") == 4
    table.queries.clear()
    new = store.append(SCOPE, "i", EntryKind.NOTE, "one more")
    again = store.append(SCOPE, "i", EntryKind.NOTE, "note 2", once="note 2")

    assert (new.sequence, again.sequence, again.text) == (5, 3, "note 2")
    assert table.queries == []
