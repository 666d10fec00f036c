"""One lease per incident: only its holder may move the incident, whichever host runs it.

Leases run on wall time, because they bound how long a dead process can block others.
"""

import os
import socket
from datetime import UTC, datetime, timedelta
from typing import Any

from memory import keys
from memory.records.scope import Scope
from memory.table import ConflictError, Item, Key, RecordTable

TRIES = 8


class IncidentBusyError(Exception):
    """Another run holds the incident; this one must change nothing."""


class LeaseStore:
    """Grants, extends and releases leases.

    A lease outlives the longest step, so a holder that works never loses it between steps. The lease of a
    process of this host that no longer runs is taken over at once; any other lapses after `seconds`.
    """

    def __init__(self, table: RecordTable, seconds: float = 180.0) -> None:
        self._table = table
        self._span = timedelta(seconds=seconds)

    def hold(self, scope: Scope, incident_id: str, holder: str) -> None:
        """Take or extend the lease, or raise `IncidentBusyError`."""
        now = datetime.now(UTC)
        body = {
            "holder": holder,
            "until": (now + self._span).isoformat(),
            "host": socket.gethostname(),
            "pid": os.getpid(),
        }
        # Parallel steps of one run extend the same lease at once; who loses that race looks again.
        for _ in range(TRIES):
            if self._take(keys.lease(scope, incident_id), holder, body, now):
                return
        raise IncidentBusyError(f"incident {incident_id} is being worked on by another run")

    def _take(self, key: Key, holder: str, body: dict[str, Any], now: datetime) -> bool:
        """Take a lease that is free or one's own; say False when it changed meanwhile."""
        item = self._table.get(key)
        if item is None:
            return self._table.create(key, body)
        if item.body["holder"] != holder and not _is_free(item, now):
            raise IncidentBusyError(f"{key.pk} is being worked on by another run")
        try:
            self._table.replace(item, body)
        except ConflictError:
            return False
        return True

    def release(self, scope: Scope, incident_id: str, holder: str) -> None:
        """Give the lease back, if this holder has it."""
        item = self._table.get(keys.lease(scope, incident_id))
        if item is None or item.body["holder"] != holder:
            return
        try:
            self._table.replace(item, {**item.body, "until": datetime.now(UTC).isoformat()})
        except ConflictError:
            return


def _is_free(item: Item, now: datetime) -> bool:
    if datetime.fromisoformat(item.body["until"]) <= now:
        return True
    return item.body["host"] == socket.gethostname() and not _runs(int(item.body["pid"]))


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
