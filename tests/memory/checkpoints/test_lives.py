"""How long threads live, by a clock that the tests move."""

import dataclasses
import random
from typing import Any

import pytest

from memory.checkpoints.saver import DynamoSaver
from tests.memory.checkpoints.conftest import OpenSaver
from tests.memory.checkpoints.drawn import checkpoint, config, steps, values
from tests.memory.checkpoints.test_damage import PROSE, items

START, TTL = 1_800_000_000.0, 1000.0


@dataclasses.dataclass
class Clock:
    now: float = START

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def mortal(open_saver: OpenSaver, clock: Clock) -> Any:
    def make() -> DynamoSaver:
        return open_saver(ttl_seconds=TTL, now=clock)

    return make


def test_a_thread_is_read_until_its_end_and_not_after_though_it_still_stands(
    mortal: Any, clock: Clock, client: Any, table: str, thread: str
) -> None:
    steps(mortal(), thread, [{"a": 1}, {"a": 2}])
    clock.now += TTL - 1
    assert values(mortal(), config(thread)) == {"a": 2}
    clock.now += TTL * 0.1 + 2
    assert values(mortal(), config(thread)) is None
    assert list(mortal().list(config(thread))) == []
    assert len(items(client, table, thread)) == 3


@pytest.mark.parametrize("fresh", [True, False], ids=["each time a new process", "one process"])
def test_every_write_renews_all_of_a_thread(
    mortal: Any, clock: Clock, client: Any, table: str, thread: str, fresh: bool
) -> None:
    """A checkpoint is written against one that is much older than a life: neither may end."""
    saver = mortal()
    blob = random.Random(1).randbytes(100_000)
    told = steps(saver, thread, [{"blob": blob, "a": 0}], run_id=f"run-{thread}")[-1]
    for number in range(1, 12):
        clock.now += TTL * 0.45
        saver = mortal() if fresh else saver
        assert values(saver, told)["a"] == number - 1
        if number % 3:
            made = checkpoint({"blob": blob, "a": number}, {"blob": 1, "a": number + 1})
            told = saver.put(told, made, {}, {"a": number + 1})
        else:
            saver.put_writes(told, [("a", number)], f"task{number}")
            made = checkpoint({"blob": blob, "a": number}, {"blob": 1, "a": number + 1})
            told = saver.put(told, made, {}, {"a": number + 1})
        remaining = [int(item["ttl"]["N"]) - clock.now for item in items(client, table, thread)]
        assert min(remaining) > TTL
    assert len(list(mortal().list(config(thread)))) == 12
    saver.delete_for_runs([f"run-{thread}"])
    assert len(list(mortal().list(config(thread)))) == 11
    assert values(mortal(), told) == {"blob": blob, "a": 11}


def test_a_thread_that_is_begun_again_has_nothing_of_its_former_life(
    mortal: Any, clock: Clock, thread: str
) -> None:
    steps(mortal(), thread, [{"a": number} for number in range(5)])
    clock.now += 2 * TTL
    told = steps(mortal(), thread, [{"b": 1}])[-1]
    clock.now += TTL * 0.9
    mortal().put_writes(told, [("c", 1)], "task")
    clock.now += TTL * 0.9
    assert [one.checkpoint["channel_values"] for one in mortal().list(config(thread))] == [{"b": 1}]


def test_a_thread_begun_without_an_end_lives_on_when_one_is_set(
    mortal: Any, open_saver: OpenSaver, clock: Clock, thread: str
) -> None:
    told = steps(open_saver(now=clock), thread, [{"a": 1, "p": PROSE}, {"a": 2, "p": PROSE}])[-1]
    clock.now += TTL / 2
    mortal().put_writes(told, [("c", 1)], "task")
    clock.now += TTL * 0.8
    assert [one.metadata["step"] for one in mortal().list(config(thread))] == [2, 1]


def test_a_thread_deleted_by_another_process_and_begun_again_lives_its_own_life(
    mortal: Any, clock: Clock, thread: str
) -> None:
    one, other = mortal(), mortal()
    steps(one, thread, [{"a": 1}])
    other.delete_thread(thread)
    told = steps(one, thread, [{"b": 1}])[-1]
    for _ in range(4):
        clock.now += TTL * 0.4
        one.put_writes(told, [("c", 1)], "task")
    assert [found.checkpoint["channel_values"] for found in mortal().list(config(thread))] == [{"b": 1}]


def test_the_table_is_made_with_time_to_live_on(client: Any, table: str, saver: DynamoSaver) -> None:
    saver.setup()
    told = client.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    assert (told["TimeToLiveStatus"], told["AttributeName"]) == ("ENABLED", "ttl")
