"""Count what a client asks of one table, and the units that DynamoDB bills for it, its indexes included."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from evals.bench.checkpoints_units import Item, item_bytes, read_units, write_units
from memory.table import INDEXES

# A transaction prepares and commits each of its writes.
TRANSACTION = 2


@dataclass
class Meter:
    """What was asked so far. It has to see every write of a table to know what an index held before."""

    table: str
    calls: Counter[str] = field(default_factory=Counter)
    writes: int = 0
    index_writes: int = 0
    reads: float = 0.0
    answered_bytes: int = 0
    _standing: dict[tuple[str, str], Item] = field(default_factory=dict)

    def asked(self, params: Mapping[str, Any], context: dict[str, Any], **_: Any) -> None:
        """Keep what a call asks until it is answered."""
        context["asked"] = params

    def answered(self, parsed: Mapping[str, Any], model: Any, context: Mapping[str, Any], **_: Any) -> None:
        """Count a call once it is answered; what lost its condition is billed as well, and changes nothing."""
        asked, operation = context.get("asked", {}), model.name
        if not self._is_ours(asked):
            return
        self.calls[operation] += 1
        done = parsed["ResponseMetadata"]["HTTPStatusCode"] == 200
        match operation:
            case "GetItem":
                self._read([parsed["Item"]] if "Item" in parsed else [], consistent=True)
            case "Query":
                self._read(parsed.get("Items", []), consistent="IndexName" not in asked)
            case "PutItem":
                self._write(asked["Item"], 1, done=done)
            case "DeleteItem":
                self._delete(asked["Key"])
            case "TransactWriteItems":
                for one in asked["TransactItems"]:
                    self._write(one["Put"]["Item"], TRANSACTION, done=done)

    def _is_ours(self, asked: Mapping[str, Any]) -> bool:
        named = asked.get("TableName") or next(
            (one["Put"]["TableName"] for one in asked.get("TransactItems", [])), ""
        )
        return bool(named == self.table)

    def _read(self, items: list[Item], *, consistent: bool) -> None:
        self.reads += read_units(items, consistent=consistent)
        self.answered_bytes += sum(item_bytes(item) for item in items)

    def _write(self, item: Item, times: int, *, done: bool) -> None:
        key = (item["pk"]["S"], item["sk"]["S"])
        before = self._standing.get(key)
        larger = max(write_units(item), write_units(before) if before else 0)
        self.writes += larger * times
        if done:
            self.index_writes += _index_units(before, item)
            self._standing[key] = item

    def _delete(self, key: Mapping[str, Any]) -> None:
        before = self._standing.pop((key["pk"]["S"], key["sk"]["S"]), None)
        self.writes += write_units(before) if before else 1
        self.index_writes += _index_units(before, None)


def _index_units(before: Item | None, after: Item | None) -> int:
    """Return what a change costs in the indexes: a place that is left and a place that is taken are a write each."""
    units = 0
    for partition in INDEXES.values():
        was = _place(before, partition)
        now = _place(after, partition)
        if was is not None and before is not None and was != now:
            units += write_units(before)
        if now is not None and after is not None and (was != now or before != after):
            units += write_units(after)
    return units


def _place(item: Item | None, partition: str) -> tuple[str, str] | None:
    return (item[partition]["S"], item["gsk"]["S"]) if item and partition in item else None


@contextmanager
def metered(client: Any, table: str) -> Iterator[Meter]:
    """Count what a client asks of a table while the block runs."""
    meter = Meter(table)
    events = client.meta.events
    events.register("before-parameter-build.dynamodb", meter.asked)
    events.register("after-call.dynamodb", meter.answered)
    try:
        yield meter
    finally:
        events.unregister("before-parameter-build.dynamodb", meter.asked)
        events.unregister("after-call.dynamodb", meter.answered)
