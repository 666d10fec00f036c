"""In which order pending writes come back, and which of two counts."""

import uuid

from langgraph.checkpoint.serde.types import ERROR, INTERRUPT, RESUME

from memory.checkpoints.saver import DynamoSaver
from tests.memory.checkpoints.conftest import OpenSaver
from tests.memory.checkpoints.drawn import config, steps
from tests.memory.checkpoints.watched import Watched


def test_thirty_writes_of_a_task_come_back_in_their_order(saver: DynamoSaver, thread: str) -> None:
    (told,) = steps(saver, thread, [{}])
    saver.put_writes(told, [("c", number) for number in range(30)], "task")
    assert [one[2] for one in saver.get_tuple(told).pending_writes] == list(range(30))  # type: ignore[union-attr]


def test_writes_come_back_by_path_then_task_then_index(saver: DynamoSaver, thread: str) -> None:
    (told,) = steps(saver, thread, [{}])
    for task, path in [("b", "~pull, 1"), ("z", "~pull, 0"), ("a", "~pull, 1"), ("k", "")]:
        saver.put_writes(told, [("c", f"{task}{number}") for number in range(2)], task, path)
    found = saver.get_tuple(config(thread))
    assert [one[2] for one in found.pending_writes] == ["k0", "k1", "z0", "z1", "a0", "a1", "b0", "b1"]  # type: ignore[union-attr]


def test_a_repeated_write_changes_nothing_and_a_longer_one_adds(saver: DynamoSaver, thread: str) -> None:
    (told,) = steps(saver, thread, [{}])
    saver.put_writes(told, [("c", "first")], "task")
    saver.put_writes(told, [("c", "second"), ("d", "more")], "task")
    assert saver.get_tuple(told).pending_writes == [("task", "c", "first"), ("task", "d", "more")]  # type: ignore[union-attr]


def test_of_two_special_writes_the_last_counts(saver: DynamoSaver, thread: str) -> None:
    (told,) = steps(saver, thread, [{}])
    saver.put_writes(told, [(INTERRUPT, "one?"), (RESUME, ["yes"])], "task")
    saver.put_writes(told, [(INTERRUPT, "two?"), (ERROR, "broken")], "task")
    found = saver.get_tuple(told).pending_writes  # type: ignore[union-attr]
    assert {channel: value for _, channel, value in found} == {
        INTERRUPT: "two?",
        RESUME: ["yes"],
        ERROR: "broken",
    }


def test_what_a_process_writes_after_reading_is_later_whatever_its_clock_says(
    open_saver: OpenSaver, thread: str
) -> None:
    ahead, behind = open_saver(now=lambda: 2_000_000_000.0), open_saver(now=lambda: 1_000_000_000.0)
    (told,) = steps(ahead, thread, [{}])
    ahead.put_writes(told, [(INTERRUPT, "one?")], "task")
    assert behind.get_tuple(told) is not None
    behind.put_writes(told, [(INTERRUPT, "two?")], "task")
    assert behind.get_tuple(told).pending_writes == [("task", INTERRUPT, "two?")]  # type: ignore[union-attr]


def test_writes_to_a_checkpoint_that_is_not_there_yet_are_not_anothers(
    saver: DynamoSaver, thread: str
) -> None:
    (told,) = steps(saver, thread, [{"a": 1}])
    to_come = config(thread, "", "ffffffff-ffff-6fff-bfff-ffffffffffff")
    for number in range(20):
        saver.put_writes(to_come, [("c", number)], f"task{number}")
    found = saver.get_tuple(config(thread))
    assert found is not None
    assert (found.config, found.pending_writes) == (told, [])


def test_writes_of_many_tasks_at_once_take_few_items_and_none_is_lost(
    open_saver: OpenSaver, client: object, thread: str
) -> None:
    import asyncio

    watched = Watched(client)
    saver = open_saver(client=watched)
    (told,) = steps(saver, thread, [{}])

    async def all_at_once() -> None:
        async with asyncio.TaskGroup() as group:
            for number in range(40):
                writes = [("c", number)]
                group.create_task(saver.aput_writes(told, writes, f"{number:03}", f"{number:03}"))

    before = len(watched.calls)
    asyncio.run(all_at_once())
    assert len(watched.calls) - before <= 4
    assert [one[2] for one in saver.get_tuple(told).pending_writes] == list(range(40))  # type: ignore[union-attr]


def test_namespaces_and_threads_that_look_alike_are_kept_apart(saver: DynamoSaver) -> None:
    salt = uuid.uuid4().hex
    odd = ["a#b", "a", "b#c", "c", "a/b", "a!b", 'a"b', "a b", "a%b", "é\u2028", "!", '"', "/", "#"]
    places = [(f"{salt}{thread}", namespace) for thread in odd for namespace in ("", *odd)]
    for place in places[:60]:
        saver.put_writes(saver.put(config(*place), _one(place), {}, {"v": 1}), [("c", place[1])], "task")
    for place in places[:60]:
        found = saver.get_tuple(config(*place))
        assert found is not None
        assert found.checkpoint["channel_values"] == {"v": "|".join(place)}
        assert found.pending_writes == [("task", "c", place[1])]
        assert [one.config for one in saver.list(config(*place))] == [found.config]


def _one(place: tuple[str, str]) -> object:
    from tests.memory.checkpoints.drawn import checkpoint

    return checkpoint({"v": "|".join(place)})
