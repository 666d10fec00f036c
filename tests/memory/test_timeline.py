"""The timeline tells each thing once, whoever was cut off while telling it."""

from memory.records.timeline import EntryKind
from memory.stores.timeline import TimelineStore
from tests.tools.memory_table import MemoryTable
from tests.tools.stand_ins import SCOPE, StillClock

ID = "0b3a8c54-9d35-8f86-8d2f-5f2a0a0c1a01"


def _told(store: TimelineStore) -> list[tuple[int, str]]:
    return [(entry.sequence, entry.text) for entry in store.entries(SCOPE, ID)]


def test_a_go_that_begins_again_says_nothing_twice() -> None:
    table = MemoryTable()
    first = TimelineStore(table, StillClock())
    told = first.append(SCOPE, ID, EntryKind.PLAN, "go back", facts={"plan": 1}, turn="remediation:1")
    later = TimelineStore(table, StillClock())

    again = later.append(SCOPE, ID, EntryKind.PLAN, "go back", facts={"plan": 1}, turn="remediation:1")

    assert again == told
    assert _told(later) == [(1, "go back")]


def test_what_it_says_otherwise_and_what_another_go_says_is_told() -> None:
    store = TimelineStore(MemoryTable(), StillClock())
    for turn, text in (
        ("r:1", "go back"),
        ("r:1", "restart"),
        ("r:2", "go back"),
        ("", "seen"),
        ("", "seen"),
    ):
        store.append(SCOPE, ID, EntryKind.NOTE, text, turn=turn)

    assert [text for _, text in _told(store)] == ["go back", "restart", "go back", "seen", "seen"]


def test_two_processes_that_tell_of_one_thing_leave_one_entry_and_no_gap() -> None:
    table = MemoryTable()
    mine, theirs = TimelineStore(table, StillClock()), TimelineStore(table, StillClock())
    mine.append(SCOPE, ID, EntryKind.OPENED, "opened", once="opened")
    theirs.append(SCOPE, ID, EntryKind.OPENED, "opened", once="opened")
    mine.append(SCOPE, ID, EntryKind.NOTE, "mine")

    theirs.append(SCOPE, ID, EntryKind.JOINED, "a further event", once="event 7")
    mine.append(SCOPE, ID, EntryKind.JOINED, "a further event", once="event 7")
    mine.append(SCOPE, ID, EntryKind.NOTE, "mine")

    assert _told(mine) == [(1, "opened"), (2, "mine"), (3, "a further event"), (4, "mine")]
