"""The append-only timeline: the one source of what happened."""

import threading
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

from memory import keys
from memory.clock import Clock
from memory.records.audit import Deed
from memory.records.scope import COPILOT, Scope
from memory.records.timeline import EntryKind, TimelineEntry
from memory.stores.audit import AuditTrail
from memory.table import ConflictError, Item, RecordTable, Write

# What is told on the timeline alone and belongs in the audit; other deeds are audited where they are stored.
AUDITED = {EntryKind.REVIEW: Deed.RULED, EntryKind.CLOSED: Deed.CLOSED}

# Of how many incidents it is remembered which number was the newest.
REMEMBERED = 1000


class TimelineStore:
    """Appends and reads numbered entries."""

    def __init__(self, table: RecordTable, clock: Clock) -> None:
        self._table = table
        self._clock = clock
        self._trail = AuditTrail(table)
        self._newest: OrderedDict[str, int] = OrderedDict()
        self._lock = threading.Lock()

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
                sequence=self._newest_known(scope, incident_id) + 1,
                at=self._clock.now(),
                kind=kind,
                step=step,
                text=text,
                facts=facts or {},
            )
            if self._append(scope, entry):
                self._note(scope, incident_id, entry.sequence)
                return entry
            # Somebody else was first, so what this process knows is old.
            self._note(scope, incident_id, None)
        raise ConflictError(f"the timeline of {incident_id} is too busy to append to")

    def _append(self, scope: Scope, entry: TimelineEntry) -> bool:
        """Store an entry, with its audit where it has one; say False when its number is taken."""
        key, body = keys.timeline(scope, entry.incident_id, entry.sequence), entry.model_dump(mode="json")
        deed = AUDITED.get(entry.kind)
        if deed is None:
            return self._table.create(key, body)
        policy_ids = entry.facts.get("review", {}).get("policy_ids", ())
        try:
            self._trail.commit(
                key.pk,
                [Write(Item(key, body), 0)],
                entry.at,
                deed,
                who=COPILOT.id,
                what=entry.text,
                policy_ids=policy_ids,
            )
        except ConflictError:
            return False
        return True

    def _newest_known(self, scope: Scope, incident_id: str) -> int:
        """Return the newest number that this process has seen, and look for it where it has seen none."""
        with self._lock:
            known = self._newest.get(keys.incident(scope, incident_id).pk)
        return self.last_sequence(scope, incident_id) if known is None else known

    def _note(self, scope: Scope, incident_id: str, sequence: int | None) -> None:
        partition = keys.incident(scope, incident_id).pk
        with self._lock:
            if sequence is None:
                self._newest.pop(partition, None)
                return
            self._newest[partition] = max(sequence, self._newest.pop(partition, 0))
            while len(self._newest) > REMEMBERED:
                self._newest.popitem(last=False)

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
