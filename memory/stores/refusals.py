"""Bodies that started nothing: kept for inspection, and counted."""

from collections.abc import Iterator
from datetime import datetime

from memory import keys
from memory.table import RecordTable

KEPT_BYTES = 64 * 1024


class RefusalStore:
    """Keeps what was refused or was no alarm, with the reason."""

    def __init__(self, table: RecordTable, tenant: str) -> None:
        self._table = table
        self._tenant = tenant

    def keep(self, received_at: datetime, sha256: str, reason: str, body: bytes) -> None:
        """Store a body, cut to 64 KB, under the time it came and its digest."""
        text = body[:KEPT_BYTES].decode("utf-8", errors="replace")
        self._table.put(
            keys.refused(self._tenant, received_at, sha256),
            {"reason": reason, "sha256": sha256, "bytes": len(body), "body": text},
        )

    def all(self) -> Iterator[dict[str, object]]:
        """Yield what was kept, oldest first."""
        for item in self._table.query(keys.refused(self._tenant, keys.EPOCH, "").pk):
            yield item.body
