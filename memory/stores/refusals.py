"""Bodies that started nothing: kept for inspection, and counted."""

from collections.abc import Callable, Iterator
from datetime import datetime

from memory import keys
from memory.table import Item, RecordTable

KEPT_BYTES = 64 * 1024


class RefusalStore:
    """Keeps what was refused or was no alarm, with the reason. Each day has a partition of its own.

    `kept_text` takes out of a text what may not be stored.
    """

    def __init__(self, table: RecordTable, tenant: str, kept_text: Callable[[str], str]) -> None:
        self._table = table
        self._tenant = tenant
        self._kept_text = kept_text
        self._days: set[str] = set()

    def keep(self, received_at: datetime, sha256: str, reason: str, body: bytes) -> None:
        """Store a body, cut to 64 KB once it may be stored, under the time it came and its digest."""
        text = self._kept_text(body.decode("utf-8", errors="replace")).encode()[:KEPT_BYTES]
        key = keys.refused(self._tenant, received_at, sha256)
        day = keys.refused_day(self._tenant, received_at)
        if day.sk not in self._days:
            self._table.create(day, {})
            self._days.add(day.sk)
        self._table.put(
            key,
            {
                "reason": self._kept_text(reason),
                "sha256": sha256,
                "bytes": len(body),
                "body": text.decode("utf-8", errors="ignore"),
            },
        )

    def all(self) -> Iterator[dict[str, object]]:
        """Yield what was kept, oldest first."""
        for item in self._items():
            yield item.body

    def mentioning(self, texts: tuple[str, ...]) -> Iterator[dict[str, object]]:
        """Yield what was kept and holds one of some texts."""
        for item in self._items():
            if _mentions(item, texts):
                yield item.body

    def erase(self, texts: tuple[str, ...]) -> int:
        """Erase what was kept and holds one of some texts; return how many bodies that were."""
        found = [item for item in self._items() if _mentions(item, texts)]
        for item in found:
            self._table.delete(item.key)
        return len(found)

    def _items(self) -> Iterator[Item]:
        yield from self._table.query(keys.refused_of_version_1(self._tenant))
        for day in self._table.query(keys.refused_day(self._tenant, keys.EPOCH).pk):
            yield from self._table.query(keys.refused_on(self._tenant, day.key.sk))


def _mentions(item: Item, texts: tuple[str, ...]) -> bool:
    told = f"{item.body['reason']} {item.body['body']}"
    return any(text in told for text in texts)
