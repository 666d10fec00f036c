"""A store on loopback that speaks as much of DynamoDB's protocol as the compared savers use, and counts.

It answers after a delay that is set, so that what is measured is the savers and not an emulator's own speed. What
it does not understand it refuses. `python -m evals.bench.checkpoints_store` prints the port it listens on.
"""

import asyncio
import json
import re
import sys
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from evals.bench.checkpoints_units import Item, item_bytes, read_units, write_units

PAGE_BYTES, BATCH_ITEMS, ITEM_BYTES = 1_048_576, 25, 409_600
CONDITION = re.compile(
    r"(?P<pk>\w+) = (?P<value>:\w+)"
    r"( AND (begins_with\(\w+, (?P<prefix>:\w+)\)|\w+ BETWEEN (?P<low>:\w+) AND (?P<high>:\w+)))?"
)


class RefusedError(Exception):
    """What DynamoDB would not have done, or this store does not know."""


@dataclass
class Partition:
    """The items of a partition in key order."""

    keys: list[str] = field(default_factory=list)
    items: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass
class Store:
    """Tables in memory, and what was asked of them."""

    delay: float = 0.0
    keys: dict[str, tuple[str, str]] = field(default_factory=dict)
    partitions: dict[tuple[str, str], Partition] = field(default_factory=dict)
    counted: Counter[str] = field(default_factory=Counter)

    def answer(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """Do what is asked and return the answer."""
        known: Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "CreateTable": self._create,
            "PutItem": self._put,
            "GetItem": self._get,
            "Query": self._query,
            "BatchGetItem": self._batch_get,
            "BatchWriteItem": self._batch_write,
        }
        if operation not in known:
            raise RefusedError(f"{operation} is not known here")
        return known[operation](request)

    def control(self, order: dict[str, Any]) -> dict[str, Any]:
        """Set the delay, and return what was counted since the last order."""
        self.delay = order["delay"]
        counted, self.counted = self.counted, Counter()
        if order.get("empty"):
            self.partitions = {}
        return dict(counted)

    def _create(self, request: dict[str, Any]) -> dict[str, Any]:
        first, second = (one["AttributeName"] for one in request["KeySchema"])
        self.keys[request["TableName"]] = (first, second)
        return {"TableDescription": {"TableName": request["TableName"], "TableStatus": "ACTIVE"}}

    def _put(self, request: dict[str, Any]) -> dict[str, Any]:
        table, item = request["TableName"], request["Item"]
        condition = request.get("ConditionExpression")
        if condition not in {None, "attribute_not_exists(PK)"}:
            raise RefusedError(f"the condition {condition} is not known here")
        self._write(table, item)
        return {}

    def _write(self, table: str, item: dict[str, Any]) -> None:
        if item_bytes(item) > ITEM_BYTES:
            raise RefusedError("Item size has exceeded the maximum allowed size")
        partition, key = self._place(table, item)
        if key not in partition.items:
            insort(partition.keys, key)
        partition.items[key] = item
        self.counted["write units"] += write_units(item)
        self.counted["written bytes"] += item_bytes(item)

    def _get(self, request: dict[str, Any]) -> dict[str, Any]:
        partition, key = self._place(request["TableName"], request["Key"])
        item = partition.items.get(key)
        self._count_read([item] if item else [], request)
        return {"Item": _projected(item, request)} if item else {}

    def _batch_get(self, request: dict[str, Any]) -> dict[str, Any]:
        ((table, asked),) = request["RequestItems"].items()
        found = []
        for key in asked["Keys"]:
            partition, name = self._place(table, key)
            item = partition.items.get(name)
            self._count_read([item] if item else [], asked)
            found += [_projected(item, asked)] if item else []
        return {"Responses": {table: found}, "UnprocessedKeys": {}}

    def _batch_write(self, request: dict[str, Any]) -> dict[str, Any]:
        ((table, asked),) = request["RequestItems"].items()
        if len(asked) > BATCH_ITEMS:
            raise RefusedError("a batch has 25 items at most")
        for one in asked:
            self._write(table, one["PutRequest"]["Item"])
        return {"UnprocessedItems": {}}

    def _query(self, request: dict[str, Any]) -> dict[str, Any]:
        found = CONDITION.fullmatch(request["KeyConditionExpression"])
        if not found or "FilterExpression" in request:
            raise RefusedError(f"the query {request} is not known here")
        values = {name: value["S"] for name, value in request["ExpressionAttributeValues"].items()}
        table = request["TableName"]
        partition = self.partitions.get((table, values[found["value"]]), Partition())
        names = _between(partition.keys, values, found)
        if not request.get("ScanIndexForward", True):
            names = names[::-1]
        if last := request.get("ExclusiveStartKey"):
            names = names[names.index(last[self.keys[table][1]]["S"]) + 1 :]
        page, more = _page([partition.items[name] for name in names], request.get("Limit"))
        self._count_read(page, request)
        answer: dict[str, Any] = {"Items": [_projected(item, request) for item in page], "Count": len(page)}
        if more:
            answer["LastEvaluatedKey"] = {name: page[-1][name] for name in self.keys[table]}
        return answer

    def _count_read(self, items: list[Any], request: dict[str, Any]) -> None:
        self.counted["read half units"] += int(
            2 * read_units(items, consistent=bool(request.get("ConsistentRead")))
        )

    def _place(self, table: str, item: Item) -> tuple[Partition, str]:
        first, second = self.keys[table]
        return self.partitions.setdefault((table, item[first]["S"]), Partition()), item[second]["S"]


def _between(keys: list[str], values: Mapping[str, str], found: re.Match[str]) -> list[str]:
    if found["prefix"]:
        prefix = values[found["prefix"]]
        begin = bisect_left(keys, prefix)
        return [key for key in keys[begin:] if key.startswith(prefix)]
    if found["low"]:
        low, high = values[found["low"]], values[found["high"]]
        return [key for key in keys[bisect_left(keys, low) :] if key <= high]
    return list(keys)


def _page(items: list[dict[str, Any]], limit: int | None) -> tuple[list[dict[str, Any]], bool]:
    total = 0
    for number, item in enumerate(items, 1):
        total += item_bytes(item)
        if total >= PAGE_BYTES or number == limit:
            return items[:number], number < len(items)
    return items, False


def _projected(item: Item, request: Mapping[str, Any]) -> dict[str, Any]:
    expression = request.get("ProjectionExpression")
    if not expression:
        return dict(item)
    aliases = request.get("ExpressionAttributeNames", {})
    wanted = {aliases.get(name.strip(), name.strip()) for name in expression.split(",")}
    return {name: value for name, value in item.items() if name in wanted}


class Connection(asyncio.Protocol):
    """One connection of a client: requests one after another, each answered after the delay."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._held = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way to answer."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer each request that is whole."""
        self._held += data
        while (end := self._held.find(b"\r\n\r\n")) >= 0:
            head = self._held[:end].decode("latin-1")
            told = re.search(r"(?im)^content-length: (\d+)", head)
            length = int(told[1]) if told else 0
            if len(self._held) < end + 4 + length:
                if re.search(r"(?im)^expect: 100-continue", head) and len(self._held) == end + 4:
                    self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                return
            body, self._held = self._held[end + 4 : end + 4 + length], self._held[end + 4 + length :]
            self._request(head, body)

    def _request(self, head: str, body: bytes) -> None:
        target = re.search(r"(?im)^x-amz-target: \w+\.(\w+)", head)
        if target is None:
            self._write(200, json.dumps(self._store.control(json.loads(body))).encode())
            return
        counted = self._store.counted
        counted["calls"] += 1
        counted[target[1]] += 1
        counted["sent bytes"] += len(body)
        try:
            status, answer = 200, self._store.answer(target[1], json.loads(body))
        except RefusedError as error:
            status = 400
            answer = {"__type": "com.amazon.coral.validate#ValidationException", "message": str(error)}
        text = json.dumps(answer).encode()
        counted["received bytes"] += len(text)
        asyncio.get_running_loop().call_later(self._store.delay, self._write, status, text)

    def _write(self, status: int, text: bytes) -> None:
        head = f"HTTP/1.1 {status} X\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: {len(text)}\r\n\r\n"
        self._transport.write(head.encode() + text)


async def serve() -> None:
    """Listen on a free port of loopback until standard input ends."""
    store, loop = Store(), asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(store), "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    # It ends with the process that started it, however that ends.
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(serve())
