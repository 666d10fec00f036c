"""The checkpoint that was asked for, or an error: whatever is lost, changed or cut off on the way."""

import asyncio
import random
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from memory.checkpoints.errors import CheckpointDamagedError, CheckpointError
from memory.checkpoints.keys import partition
from memory.checkpoints.saver import DynamoSaver
from tests.memory.checkpoints.conftest import OpenSaver
from tests.memory.checkpoints.drawn import checkpoint, config, steps, values
from tests.memory.checkpoints.watched import Died, Watched

PROSE = "".join(f"line {number} of a long report. " for number in range(400))


def noise(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)


def items(client: Any, table: str, thread: str) -> list[dict[str, Any]]:
    pages = client.get_paginator("query").paginate(
        TableName=table,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": partition(thread)}},
        ConsistentRead=True,
    )
    return [item for page in pages for item in page["Items"]]


def test_a_state_of_five_megabytes_is_kept_and_read_in_two_calls(
    open_saver: OpenSaver, client: Any, thread: str
) -> None:
    large = {"blob": noise(5_000_000), "text": PROSE * 100}
    steps(open_saver(), thread, [large, {**large, "text": PROSE}])
    watched = Watched(client)
    assert values(open_saver(client=watched), config(thread)) == {**large, "text": PROSE}
    assert watched.calls == ["query", "batch_get_item"]


def test_the_newest_of_a_long_thread_with_many_writes_is_read_without_the_rest(
    open_saver: OpenSaver, client: Any, thread: str
) -> None:
    told = steps(open_saver(), thread, [{"a": noise(4000, n)} for n in range(150)])[-1]
    for number in range(14):
        open_saver().put_writes(told, [("c", number)], f"{number:02}", f"{number:02}")
    read: list[int] = []

    def see(number: int, name: str, request: dict[str, Any]) -> None:
        if name == "query":
            read.append(
                sum(len(item.get("body", {}).get("B", b"")) for item in client.query(**request)["Items"])
            )

    watched = Watched(client, before=see)
    found = open_saver(client=watched).get_tuple(config(thread))
    assert found is not None
    assert [one[2] for one in found.pending_writes or []] == list(range(14))
    assert watched.calls in (["query", "query"], ["query", "query", "batch_get_item"])
    assert sum(read) < 200_000


@pytest.mark.parametrize("size", [60_000, 600_000])
def test_a_history_of_ten_large_checkpoints_is_read_in_four_calls(
    open_saver: OpenSaver, client: Any, thread: str, size: int
) -> None:
    states = [{"a": noise(size, number)} for number in range(12)]
    steps(open_saver(), thread, states)
    watched = Watched(client)
    found = list(open_saver(client=watched).list(config(thread), limit=10))
    assert [one.checkpoint["channel_values"] for one in found] == states[:1:-1]
    assert len(watched.calls) <= 4


def test_a_large_write_of_a_task_is_kept(saver: DynamoSaver, open_saver: OpenSaver, thread: str) -> None:
    (told,) = steps(saver, thread, [{}])
    saver.put_writes(told, [("c", noise(900_000)), ("d", 1)], "task")
    found = open_saver().get_tuple(told)
    assert found is not None
    assert found.pending_writes == [("task", "c", noise(900_000)), ("task", "d", 1)]


def test_a_step_in_a_long_thread_stores_what_is_new(open_saver: OpenSaver, client: Any, thread: str) -> None:
    saver = open_saver()
    lines = [f"{number}: {uuid.uuid4()} was seen by {uuid.uuid4()}" for number in range(2000)]
    told = steps(saver, thread, [{"log": lines[:1990]}])[-1]
    sent: list[int] = []

    def see(number: int, name: str, request: dict[str, Any]) -> None:
        (puts,) = request["RequestItems"].values()
        sent.extend(len(put["PutRequest"]["Item"]["body"]["B"]) for put in puts)

    saver.table.__dict__["client"] = Watched(client, before=see)
    for number in range(1991, 1996):
        told = saver.put(told, checkpoint({"log": lines[:number]}, {"log": number}), {}, {"log": number})
    assert max(sent) < 1000
    assert values(open_saver(), told) == {"log": lines[:1995]}


@pytest.mark.parametrize("large", [False, True], ids=["beside", "in pieces"])
def test_a_lost_or_changed_part_is_an_error_and_no_older_checkpoint(
    open_saver: OpenSaver, client: Any, table: str, thread: str, large: bool
) -> None:
    states = [{"a": PROSE, "b": noise(500_000 if large else 3000)}, {"a": PROSE + "more", "b": noise(9)}]
    told = steps(open_saver(), thread, states)[-1]
    open_saver().put_writes(told, [("c", noise(90_000 if large else 9))], "task")
    newest = told["configurable"]["checkpoint_id"]
    parts = [item for item in items(client, table, thread) if not item["sk"]["S"].endswith(f"{newest}!0")]
    assert len(parts) >= 2
    damaged = 0
    for part in parts:
        key = {name: part[name] for name in ("pk", "sk")}
        for change in (part | {"body": {"B": b"p" + noise(50)}}, None):
            if change is None:
                client.delete_item(TableName=table, Key=key)
            else:
                client.put_item(TableName=table, Item=change)
            try:
                found = open_saver().get_tuple(config(thread))
            except CheckpointDamagedError:
                damaged += 1
            else:
                # What it does not need may go, and writes of a task that never came are no damage.
                assert found is not None
                assert (found.config, found.checkpoint["channel_values"]) == (told, states[-1])
                assert change is None or "body" not in part
        client.put_item(TableName=table, Item=part)
    assert damaged >= 3
    assert values(open_saver(), config(thread)) == states[-1]


def killed_between_calls(open_saver: OpenSaver, client: Any, act: Callable[[DynamoSaver], None]) -> int:
    """Act again and again, ended after each call in turn; return how many calls it takes to the end."""
    for number in range(1, 100):

        def die(reached: int, name: str, *rest: Any, number: int = number) -> None:
            if reached > number:
                raise Died

        watched = Watched(client, before=die)
        try:
            act(open_saver(client=watched))
        except BaseException as error:
            if not isinstance(error, Died) and "saver failed" not in str(error):
                raise
        else:
            return len(watched.calls)
    raise AssertionError("it never ends")


def test_a_crash_between_any_two_calls_of_a_put_leaves_the_old_or_the_new(
    open_saver: OpenSaver, client: Any, thread: str
) -> None:
    old = steps(open_saver(), thread, [{"a": "old", "b": noise(2_000_000)}])[-1]
    new = checkpoint({"a": "new", "b": noise(2_000_000, 2)}, {"a": 2, "b": 2})

    def put(saver: DynamoSaver) -> None:
        seen = values(open_saver(), config(thread))
        assert seen == {"a": "old", "b": noise(2_000_000)}
        saver.put(old, new, {"run_id": thread}, {"a": 2, "b": 2})

    assert killed_between_calls(open_saver, client, put) >= 2
    assert values(open_saver(), config(thread)) == new["channel_values"]


def test_a_crash_while_a_thread_is_deleted_brings_no_older_checkpoint_back(
    open_saver: OpenSaver, client: Any, thread: str
) -> None:
    states = [{"a": number, "b": PROSE} for number in range(70)]
    newest = steps(open_saver(), thread, states)[-1]
    seen: set[str] = set()

    def delete(saver: DynamoSaver) -> None:
        try:
            found = open_saver().get_tuple(config(thread))
            seen.add("gone" if found is None else found.config["configurable"]["checkpoint_id"])
        except CheckpointDamagedError:
            seen.add("damaged")
        saver.delete_thread(thread)

    assert killed_between_calls(open_saver, client, delete) >= 2
    assert seen <= {newest["configurable"]["checkpoint_id"], "damaged", "gone"}
    assert items(client, open_saver().table.name, thread) == []


def test_a_crash_while_a_thread_is_copied_leaves_the_newest_or_an_error(
    open_saver: OpenSaver, client: Any, thread: str
) -> None:
    newest = steps(open_saver(), thread, [{"a": number, "b": PROSE} for number in range(70)])[-1]
    expected, copy = newest["configurable"]["checkpoint_id"], f"{thread}-copy"
    seen: set[str] = set()

    def again(saver: DynamoSaver) -> None:
        open_saver().delete_thread(copy)
        try:
            saver.copy_thread(thread, copy)
        finally:
            try:
                found = open_saver().get_tuple(config(copy))
                seen.add("none" if found is None else found.config["configurable"]["checkpoint_id"])
            except CheckpointDamagedError:
                seen.add("damaged")

    assert killed_between_calls(open_saver, client, again) >= 3
    assert seen <= {expected, "damaged", "none"}
    assert len(list(open_saver().list(config(copy)))) == 70


def test_what_a_later_version_wrote_is_refused(
    open_saver: OpenSaver, client: Any, table: str, thread: str
) -> None:
    steps(open_saver(), thread, [{"a": 1}])
    (item,) = items(client, table, thread)
    client.put_item(TableName=table, Item={**item, "form": {"N": "2"}})
    with pytest.raises(CheckpointError, match="later version"):
        open_saver().get_tuple(config(thread))


def test_one_item_that_is_refused_fails_its_own_call_alone(
    open_saver: OpenSaver, client: Any, thread: str
) -> None:
    def refuse(number: int, name: str, request: dict[str, Any]) -> None:
        if "refused" in str(request):
            raise ClientError({"Error": {"Code": "ValidationException", "Message": "no"}}, "BatchWriteItem")

    saver = open_saver(client=Watched(client, before=refuse))

    async def all_at_once() -> list[Any]:
        names = [f"{thread}-{number}" for number in range(10)] + [f"{thread}-refused"]
        made = [saver.aput(config(name), checkpoint({"a": name}), {}, {"a": 1}) for name in names]
        return await asyncio.gather(*made, return_exceptions=True)

    answers = asyncio.run(all_at_once())
    assert [isinstance(one, ClientError) for one in answers] == [False] * 10 + [True]
    assert [values(open_saver(), one)["a"] for one in answers[:10]] == [f"{thread}-{n}" for n in range(10)]


def test_what_a_busy_table_leaves_over_is_stored_before_the_call_returns(
    open_saver: OpenSaver, client: Any, thread: str
) -> None:
    waited: list[float] = []
    saver = open_saver(client=HalfBusy(client), sleep=waited.append)

    async def all_at_once() -> None:
        async with asyncio.TaskGroup() as group:
            for number in range(24):
                told = config(f"{thread}-{number}")
                group.create_task(saver.aput(told, checkpoint({"a": number}), {}, {"a": 1}))

    asyncio.run(all_at_once())
    assert waited
    assert [values(open_saver(), config(f"{thread}-{n}")) for n in range(24)] == [{"a": n} for n in range(24)]


class HalfBusy(Watched):
    """A table that takes only the first half of each batch."""

    def batch_write_item(self, RequestItems: dict[str, list[Any]]) -> Any:
        ((table, requests),) = RequestItems.items()
        taken = max(1, len(requests) // 2)
        self.client.batch_write_item(RequestItems={table: requests[:taken]})
        return {"UnprocessedItems": {table: requests[taken:]} if requests[taken:] else {}}


def test_a_call_that_is_cancelled_is_finished_all_the_same(
    open_saver: OpenSaver, client: Any, thread: str
) -> None:
    async def cancelled() -> None:
        saver = open_saver(client=Watched(client))
        writing = asyncio.create_task(saver.aput(config(thread), checkpoint({"a": 1}), {}, {"a": 1}))
        await asyncio.sleep(0)
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing
        saver.close()

    asyncio.run(cancelled())
    assert values(open_saver(), config(thread)) == {"a": 1}


def test_an_error_of_the_savers_own_fails_its_calls_and_no_later_ones(
    open_saver: OpenSaver, client: Any, thread: str
) -> None:
    def stumble(number: int, name: str, request: dict[str, Any]) -> None:
        if number <= 40:
            raise Died

    saver = open_saver(client=Watched(client, before=stumble))
    for number in range(40):
        with pytest.raises(CheckpointError, match="was not stored"):
            saver.put(config(thread), checkpoint({"a": number}), {}, {"a": 1})
    assert values(saver, saver.put(config(thread), checkpoint({"a": "last"}), {}, {"a": 1})) == {"a": "last"}


def test_closing_stores_what_is_on_its_way(open_saver: OpenSaver, thread: str) -> None:
    saver = open_saver()
    (told,) = steps(saver, thread, [{"a": 1}])

    async def left_behind() -> None:
        tasks = [asyncio.create_task(saver.aput_writes(told, [("c", n)], f"t{n}", str(n))) for n in range(5)]
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()

    asyncio.run(left_behind())
    saver.close()
    found = open_saver().get_tuple(told)
    assert found is not None
    assert [one[2] for one in found.pending_writes or []] == list(range(5))


def test_a_closed_saver_takes_nothing_and_nobody_waits_for_it(open_saver: OpenSaver, thread: str) -> None:
    saver = open_saver()
    (told,) = steps(saver, thread, [{"a": 1}])
    saver.close()
    for _ in range(10):
        with pytest.raises(CheckpointError, match="is closed"):
            saver.put(told, checkpoint({"a": 2}), {}, {"a": 1})
        with pytest.raises(CheckpointError, match="is closed"):
            saver.put_writes(told, [("c", 1)], "task")
    assert open_saver().get_tuple(config(thread)).config == told  # type: ignore[union-attr]
