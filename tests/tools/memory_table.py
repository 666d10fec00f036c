"""The records table in memory, with the conditional writes of the real one; and one that dies at a write."""

import copy
import threading
from collections.abc import Iterator, Sequence
from typing import Any

from memory.table import ConflictError, Item, Key, RecordTable, Write


class Killed(BaseException):
    """The process ends here; nothing catches it."""


class MemoryTable(RecordTable):
    """Dies at the write number `dies_at`, counted from 1: before it is done, or right after."""

    def __init__(self, dies_at: int = 0, *, after_writing: bool = False) -> None:
        self.name = "memory"
        self.expiry = lambda _: None
        self.items: dict[Key, Item] = {}
        self.writes = 0
        self.dies_at = dies_at
        self.after_writing = after_writing
        self._lock = threading.RLock()

    def get(self, key: Key) -> Item | None:
        with self._lock:
            return copy.deepcopy(self.items.get(key))

    def create(self, key: Key, body: dict[str, Any], index: Key | None = None) -> bool:
        try:
            self.transact([Write(Item(key, body, 1, index), 0)])
        except ConflictError:
            return False
        return True

    def replace(self, item: Item, body: dict[str, Any], index: Key | None = None) -> Item:
        fresh = Item(item.key, body, item.version + 1, index)
        self.transact([Write(fresh, item.version)])
        return fresh

    def write(self, write: Write) -> None:
        self.transact([write])

    def put(self, key: Key, body: dict[str, Any], index: Key | None = None) -> None:
        with self._lock, self._write():
            self.items[key] = copy.deepcopy(Item(key, body, 1, index))

    def delete(self, key: Key) -> None:
        with self._lock, self._write():
            self.items.pop(key, None)

    def transact(self, writes: Sequence[Write]) -> None:
        with self._lock:
            for write in writes:
                standing = self.items.get(write.item.key)
                if (standing.version if standing else 0) != write.expected:
                    raise ConflictError(f"{write.item.key} is not at version {write.expected}")
            with self._write():
                for write in writes:
                    self.items[write.item.key] = copy.deepcopy(write.item)

    def query(
        self,
        pk: str,
        prefix: str = "",
        *,
        after: str = "",
        before: str = "",
        limit: int | None = None,
        newest_first: bool = False,
    ) -> Iterator[Item]:
        found = sorted(
            (
                i
                for k, i in list(self.items.items())
                if k.pk == pk and k.sk.startswith(prefix) and k.sk > after and (not before or k.sk < before)
            ),
            key=lambda item: item.key.sk,
            reverse=newest_first,
        )
        yield from copy.deepcopy(found[:limit])

    def by_time(
        self, gpk: str, *, upto: str | None = None, limit: int | None = None, newest_first: bool = False
    ) -> Iterator[Item]:
        indexed = [(i.index, i) for i in list(self.items.values()) if i.index is not None]
        found = sorted(
            ((k, i) for k, i in indexed if k.pk == gpk and (upto is None or k.sk <= upto)),
            key=lambda pair: pair[0].sk,
            reverse=newest_first,
        )
        yield from copy.deepcopy([item for _, item in found][:limit])

    def bury(self) -> None:
        """Forget the leases of the process that was killed, as a store does that finds it no longer runs."""
        with self._lock:
            self.items = {key: item for key, item in self.items.items() if "LEASE" not in key.sk}

    def _write(self) -> "_OneWrite":
        return _OneWrite(self)


class _OneWrite:
    """Kills the process at the write that it is told to, once."""

    def __init__(self, table: MemoryTable) -> None:
        self.table = table

    def __enter__(self) -> None:
        self.table.writes += 1
        if self.table.writes == self.table.dies_at and not self.table.after_writing:
            raise Killed

    def __exit__(self, *_: object) -> None:
        if self.table.writes == self.table.dies_at and self.table.after_writing:
            raise Killed
