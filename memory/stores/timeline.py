"""The append-only timeline: the one source of what happened."""

from collections.abc import Iterator
from typing import Any

from memory import keys
from memory.clock import Clock
from memory.records.scope import Scope
from memory.records.timeline import EntryKind, TimelineEntry
from memory.table import ConflictError, RecordTable


class TimelineStore:
    """Appends and reads numbered entries."""

    def __init__(self, table: RecordTable, clock: Clock) -> None:
        self._table = table
        self._clock = clock

    def append(
        self,
        scope: Scope,
        incident_id: str,
        kind: EntryKind,
        text: str,
        *,
        step: str = "",
        facts: dict[str, Any] | None = None,
    ) -> TimelineEntry:
        """Add one entry under the next free number; two writers never share one and none is skipped."""
        for _ in range(64):
            entry = TimelineEntry(
                incident_id=incident_id,
                sequence=self.last_sequence(scope, incident_id) + 1,
                at=self._clock.now(),
                kind=kind,
                step=step,
                text=text,
                facts=facts or {},
            )
            key = keys.timeline(scope, incident_id, entry.sequence)
            if self._table.create(key, entry.model_dump(mode="json")):
                return entry
        raise ConflictError(f"the timeline of {incident_id} is too busy to append to")

    def last_sequence(self, scope: Scope, incident_id: str) -> int:
        """Return the number of the newest entry, 0 when there is none."""
        partition = keys.incident(scope, incident_id).pk
        for item in self._table.query(partition, "TIMELINE#", limit=1, newest_first=True):
            return int(item.body["sequence"])
        return 0

    def entries(self, scope: Scope, incident_id: str, after: int = 0) -> Iterator[TimelineEntry]:
        """Yield the entries numbered above `after`, in order."""
        partition = keys.incident(scope, incident_id).pk
        low = keys.timeline(scope, incident_id, after).sk if after else ""
        for item in self._table.query(partition, "TIMELINE#", after=low):
            yield TimelineEntry.model_validate(item.body)
