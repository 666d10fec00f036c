"""Deleting, copying and pruning: what is to stay stays readable."""

from typing import Any

import pytest

from memory.checkpoints.encryption import ACTIONS as KEY_ACTIONS
from memory.checkpoints.saver import DynamoSaver
from memory.checkpoints.table import ACTIONS, SETUP_ACTIONS
from tests.memory.checkpoints.conftest import OpenSaver
from tests.memory.checkpoints.drawn import checkpoint, config, steps, values
from tests.memory.checkpoints.test_damage import PROSE, items, noise
from tests.memory.checkpoints.watched import Watched
from tests.simulated import ROOT


def long(saver: DynamoSaver, thread: str, **metadata: Any) -> list[Any]:
    return steps(saver, thread, [{"a": number, "p": PROSE + str(number)} for number in range(6)], **metadata)


def test_pruning_keeps_the_newest_with_what_it_was_written_against(
    open_saver: OpenSaver, client: Any, table: str, thread: str
) -> None:
    writer = open_saver()
    for namespace in ("", "sub#a"):
        long(writer, thread, namespace=namespace)
    told = config(thread)
    writer.put_writes(writer.get_tuple(told).config, [("c", 1)], "task")  # type: ignore[union-attr]
    open_saver().prune([thread], strategy="keep_latest")
    for namespace in ("", "sub#a"):
        (found,) = open_saver().list(config(thread, namespace))
        assert found.checkpoint["channel_values"] == {"a": 5, "p": PROSE + "5"}
        assert len(found.pending_writes or []) == (0 if namespace else 1)
    assert len(items(client, table, thread)) == 5
    # A run that was under way goes on over what it holds in memory.
    made = checkpoint({"a": 6, "p": PROSE + "6"}, {"a": 7, "p": 7})
    after = writer.put(writer.get_tuple(told).config, made, {}, {"a": 7, "p": 7})  # type: ignore[union-attr]
    assert values(open_saver(), after) == {"a": 6, "p": PROSE + "6"}
    open_saver().prune([thread], strategy="keep_latest")
    assert values(open_saver(), config(thread)) == {"a": 6, "p": PROSE + "6"}


def test_pruning_takes_the_pieces_of_what_goes_and_leaves_those_of_what_stays(
    open_saver: OpenSaver, client: Any, table: str, thread: str
) -> None:
    steps(open_saver(), thread, [{"blob": noise(500_000, number)} for number in range(3)])
    open_saver().prune([thread])
    assert len(items(client, table, thread)) == 3
    assert values(open_saver(), config(thread)) == {"blob": noise(500_000, 2)}


def test_an_unknown_strategy_is_refused(saver: DynamoSaver, thread: str) -> None:
    with pytest.raises(ValueError, match="no such strategy"):
        saver.prune([thread], strategy="keep_some")


def test_a_run_that_others_were_written_against_goes_and_they_stay(
    open_saver: OpenSaver, thread: str
) -> None:
    first = long(open_saver(), thread, run_id=f"{thread}-1")
    saver = open_saver()
    assert saver.get_tuple(first[-1]) is not None
    made = checkpoint({"a": 9, "p": PROSE + "5"}, {"a": 9, "p": 6})
    second = saver.put(first[-1], made, {"run_id": f"{thread}-2"}, {"a": 9})
    open_saver().delete_for_runs([f"{thread}-1"])
    assert [found.config for found in open_saver().list(config(thread))] == [second]
    assert values(open_saver(), second) == {"a": 9, "p": PROSE + "5"}
    assert open_saver().get_tuple(first[0]) is None
    open_saver().delete_for_runs([f"{thread}-2"])
    assert open_saver().get_tuple(config(thread)) is None


def test_a_run_that_writes_again_after_it_was_deleted_is_found_again(saver: DynamoSaver, thread: str) -> None:
    for _ in range(2):
        steps(saver, thread, [{"a": 1}], run_id=thread)
        saver.delete_for_runs([thread])
        assert saver.get_tuple(config(thread)) is None


def test_a_copy_outlives_its_source(open_saver: OpenSaver, client: Any, table: str, thread: str) -> None:
    told = long(open_saver(), thread, run_id=thread)[-1]
    open_saver().put_writes(told, [("c", noise(100_000))], "task")
    before = [found._replace(config={}, parent_config=None) for found in open_saver().list(config(thread))]
    open_saver().copy_thread(thread, f"{thread}#copy")
    open_saver().delete_thread(thread)
    assert items(client, table, thread) == []
    copies = open_saver().list(config(f"{thread}#copy"))
    assert [found._replace(config={}, parent_config=None) for found in copies] == before
    open_saver().delete_for_runs([thread])
    assert list(open_saver().list(config(f"{thread}#copy"))) == []


def test_a_listing_of_no_thread_is_refused(saver: DynamoSaver) -> None:
    with pytest.raises(ValueError, match="name a thread"):
        saver.list(None)


def test_a_history_of_many_pages_is_listed_whole_and_in_order(open_saver: OpenSaver, thread: str) -> None:
    told = steps(open_saver(), thread, [{"b": noise(40_000, number)} for number in range(60)])
    found = list(open_saver().list(config(thread)))
    assert [one.config for one in found] == told[::-1]
    assert [one.parent_config for one in found] == [*told[-2::-1], None]
    some = list(open_saver().list(config(thread), before=told[40], limit=7, filter={"source": "loop"}))
    assert [one.config for one in some] == told[39:32:-1]
    assert [one.config for one in open_saver().list(told[3])] == [told[3]]
    assert [one.metadata["step"] for one in open_saver().list(config(thread), filter={"step": 12})] == [12]


def test_the_listed_permissions_are_those_it_uses_and_those_that_are_documented(
    open_saver: OpenSaver, client: Any, thread: str
) -> None:
    watched = Watched(client)
    saver = open_saver(client=watched, ttl_seconds=1000)
    told = long(saver, thread, run_id=thread)[-1]
    saver.put_writes(told, [("c", noise(100_000))], "task")
    open_saver(client=watched, ttl_seconds=1000).get_tuple(told)
    saver.copy_thread(thread, f"{thread}-copy")
    saver.prune([thread])
    saver.delete_for_runs([thread])
    saver.delete_thread(f"{thread}-copy")
    assert {f"dynamodb:{name.title().replace('_', '')}" for name in watched.calls} == set(ACTIONS)
    documented = (ROOT / "docs/data-model.md").read_text()
    assert all(f"`{action}`" in documented for action in (*ACTIONS, *SETUP_ACTIONS, *KEY_ACTIONS))
