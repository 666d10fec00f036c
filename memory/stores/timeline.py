"""The append-only timeline: the one source of what happened."""

import secrets
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from memory import keys
from memory.clock import Clock
from memory.records.audit import Deed
from memory.records.base import digest
from memory.records.scope import COPILOT, Scope
from memory.records.timeline import EntryKind, TimelineEntry
from memory.stores.audit import AuditTrail
from memory.table import ConflictError, Item, RecordTable, Write

# What is told on the timeline alone and belongs in the audit; other deeds are audited where they are stored.
AUDITED = {EntryKind.REVIEW: Deed.RULED, EntryKind.CLOSED: Deed.CLOSED}

# Of how many incidents it is remembered what was told.
REMEMBERED = 1000
TRIES, ID_BYTES = 64, 8


@dataclass
class _Known:
    """What this process knows of one incident's timeline: its newest number, and the ids of its entries."""

    newest: int = 0
    ids: dict[str, int] = field(default_factory=dict)


class TimelineStore:
    """Appends numbered entries, each once, and reads them."""

    def __init__(self, table: RecordTable, clock: Clock) -> None:
        self._table = table
        self._clock = clock
        self._trail = AuditTrail(table)
        self._known: OrderedDict[str, _Known] = OrderedDict()
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
        turn: str = "",
        once: str = "",
    ) -> TimelineEntry:
        """Add one entry under the next free number, or return the one that says the same of the same.

        Two writers never share a number and none is skipped. `once` names what is told, and `turn` the go of a step
        that tells it: a step that was cut off begins again under the same turn, and what it says again stands already.
        Without either the entry is one of its own. What was written though its answer was lost is found by its id.
        """
        told = facts or {}
        named = once or (digest([turn, kind, step, text, told]) if turn else secrets.token_hex(ID_BYTES))
        entry_id = digest(named)[: 2 * ID_BYTES]
        for _ in range(TRIES):
            known = self._read_up(scope, incident_id)
            standing = known.ids.get(entry_id)
            if standing is not None:
                return self._entry(scope, incident_id, standing)
            entry = TimelineEntry(
                incident_id=incident_id,
                sequence=known.newest + 1,
                at=self._clock.now(),
                kind=kind,
                step=step,
                text=text,
                facts=told,
                entry_id=entry_id,
                turn=turn,
            )
            if self._append(scope, entry):
                self._note(scope, [entry])
                return entry
            # Somebody else was first, so what this process knows is old.
            self._note(scope, self.entries(scope, incident_id, known.newest))
        raise ConflictError(f"the timeline of {incident_id} is too busy to append to")

    def _entry(self, scope: Scope, incident_id: str, sequence: int) -> TimelineEntry:
        item = self._table.get(keys.timeline(scope, incident_id, sequence))
        if item is None:
            raise ConflictError(f"entry {sequence} of the timeline of {incident_id} vanished")
        return TimelineEntry.model_validate(item.body)

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

    def _read_up(self, scope: Scope, incident_id: str) -> _Known:
        """Return what this process knows, and read the timeline where it knows nothing."""
        partition = keys.incident(scope, incident_id).pk
        with self._lock:
            known = self._known.get(partition)
            if known is not None:
                self._known.move_to_end(partition)
                return _Known(known.newest, dict(known.ids))
        self._note(scope, self.entries(scope, incident_id))
        with self._lock:
            known = self._known.get(partition, _Known())
            return _Known(known.newest, dict(known.ids))

    def _note(self, scope: Scope, entries: Iterable[TimelineEntry]) -> None:
        """Remember entries, which follow what is known of their incident without a gap."""
        found = list(entries)
        if not found:
            return
        partition = keys.incident(scope, found[0].incident_id).pk
        with self._lock:
            known = self._known.setdefault(partition, _Known())
            for entry in found:
                known.newest = max(known.newest, entry.sequence)
                known.ids[entry.entry_id] = entry.sequence
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)

    def last_sequence(self, scope: Scope, incident_id: str) -> int:
        """Return the number of the newest entry, 0 when there is none."""
        partition = keys.incident(scope, incident_id).pk
        for item in self._table.query(partition, "TIMELINE#", limit=1, newest_first=True):
            return int(item.body["sequence"])
        return 0

    def caught_up(self, scope: Scope, incident_id: str) -> int:
        """Return the number of the newest entry, and know all of them: what is told next need not read them again."""
        self._note(scope, self.entries(scope, incident_id))
        return self._read_up(scope, incident_id).newest

    def entries(self, scope: Scope, incident_id: str, after: int = 0) -> Iterator[TimelineEntry]:
        """Yield the entries numbered above `after`, in order."""
        partition = keys.incident(scope, incident_id).pk
        low = keys.timeline(scope, incident_id, after).sk if after else ""
        for item in self._table.query(partition, "TIMELINE#", after=low):
            yield TimelineEntry.model_validate(item.body)
