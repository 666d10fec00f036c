"""One lease per incident: only its holder may move the incident, whichever host runs it.

Leases run on wall time, because they bound how long a dead process can block others.
"""

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from memory import keys
from memory.processes import is_gone, this_process
from memory.records.scope import Scope
from memory.table import ConflictError, Item, Key, RecordTable, Write

TRIES = 8
FIRST_BITS, REMEMBERED = 52, 1000


class IncidentBusyError(Exception):
    """Another run holds the incident; this one must change nothing."""


class LeaseStore:
    """Grants, extends and releases leases.

    A lease outlives the longest step, so a holder that works never loses it between steps. The lease of a
    process that is known to run no longer is taken over at once (`memory/processes.py`); any other lapses after
    `seconds`. A wall clock that was set back would keep it for longer, so one that nobody wrote over for that long,
    by this process's own steady clock, has lapsed too.

    A holder is not read about each time: what it wrote last is remembered, and written over only while it stands.
    """

    def __init__(
        self,
        table: RecordTable,
        seconds: float = 180.0,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._table = table
        self._span = timedelta(seconds=seconds)
        self._now = now
        self._monotonic = monotonic
        self._held: OrderedDict[Key, Item] = OrderedDict()
        self._met: OrderedDict[Key, tuple[int, float]] = OrderedDict()
        self._lock = threading.Lock()

    def hold(self, scope: Scope, incident_id: str, holder: str) -> None:
        """Take or extend the lease, or raise `IncidentBusyError`."""
        now = self._now()
        body = {"holder": holder, "until": (now + self._span).isoformat(), **this_process()}
        # Parallel steps of one run extend the same lease at once; who loses that race looks again.
        for _ in range(TRIES):
            if self._take(keys.lease(scope, incident_id), holder, body, now):
                return
        raise IncidentBusyError(f"incident {incident_id} is being worked on by another run")

    def _take(self, key: Key, holder: str, body: dict[str, Any], now: datetime) -> bool:
        """Take a lease that is free or one's own; say False when it changed meanwhile."""
        item = self._mine(key, holder) or self._table.get(key)
        try:
            if item is None:
                self._begin(key, body)
                return True
            if item.body["holder"] != holder and not self._is_free(item, now):
                raise IncidentBusyError(f"{key.pk} is being worked on by another run")
            self._keep(self._table.replace(item, body))
        except ConflictError:
            self._forget(key)
            return False
        return True

    def is_held(self, scope: Scope, incident_id: str) -> bool:
        """Say whether somebody's lease stands."""
        item = self._table.get(keys.lease(scope, incident_id))
        return item is not None and not self._is_free(item, self._now())

    def release(self, scope: Scope, incident_id: str, holder: str) -> None:
        """Give the lease back, if this holder has it."""
        key = keys.lease(scope, incident_id)
        item = self._mine(key, holder) or self._table.get(key)
        self._forget(key)
        if item is None or item.body["holder"] != holder:
            return
        try:
            self._table.replace(item, {**item.body, "until": self._now().isoformat()})
        except ConflictError:
            return

    def _begin(self, key: Key, body: dict[str, Any]) -> None:
        """Store the first of a row of versions. It is drawn, so that no version of a row before it comes again."""
        first = Item(key, body, secrets.randbits(FIRST_BITS))
        self._table.write(Write(first, 0))
        self._keep(first)

    def _mine(self, key: Key, holder: str) -> Item | None:
        with self._lock:
            item = self._held.get(key)
        return item if item is not None and item.body["holder"] == holder else None

    def _keep(self, item: Item) -> None:
        with self._lock:
            self._held[item.key] = item
            self._held.move_to_end(item.key)
            while len(self._held) > REMEMBERED:
                self._held.popitem(last=False)

    def _forget(self, key: Key) -> None:
        with self._lock:
            self._held.pop(key, None)

    def _is_free(self, item: Item, now: datetime) -> bool:
        if datetime.fromisoformat(item.body["until"]) <= now or is_gone(item.body):
            return True
        return self._stood_for(item) >= self._span.total_seconds()

    def _stood_for(self, item: Item) -> float:
        """Return how many seconds ago this process met a lease first as it still stands."""
        steady = self._monotonic()
        with self._lock:
            version, since = self._met.pop(item.key, (item.version, steady))
            if version != item.version:
                since = steady
            self._met[item.key] = (item.version, since)
            while len(self._met) > REMEMBERED:
                self._met.popitem(last=False)
        return steady - since
