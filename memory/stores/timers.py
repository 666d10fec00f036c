"""Durable timers: who wants to be woken when."""

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial

from memory import keys
from memory.records.scope import Scope
from memory.records.timeline import Timer, TimerKind
from memory.table import Item, RecordTable


class TimerStore:
    """Sets, cancels and finds timers by their wake time on the account's clock."""

    def __init__(self, table: RecordTable, tenant: str) -> None:
        self._table = table
        self._tenant = tenant

    def set(self, scope: Scope, timer: Timer) -> None:
        """Set a timer, in place of the incident's earlier one of the same kind."""
        key = keys.timer(scope, timer.incident_id, timer.kind)
        index = keys.timers_by_time(self._tenant, timer.wake_at, timer.incident_id)
        self._table.put(key, timer.model_dump(mode="json"), index)

    def cancel(self, scope: Scope, incident_id: str, kind: TimerKind) -> None:
        """Forget a timer; one that is not set is fine."""
        self._table.delete(keys.timer(scope, incident_id, kind))

    def get(self, scope: Scope, incident_id: str, kind: TimerKind) -> Timer | None:
        """Read one timer."""
        item = self._table.get(keys.timer(scope, incident_id, kind))
        return Timer.model_validate(item.body) if item else None

    def all(self, scope: Scope, incident_id: str) -> Iterator[Timer]:
        """Yield an incident's timers, of whatever kind."""
        for item in self._table.query(keys.incident(scope, incident_id).pk, "TIMER#"):
            yield Timer.model_validate(item.body)

    def due(self, now: datetime) -> Iterator[tuple[str, Callable[[], Timer]]]:
        """Yield the incident of each of the tenant's timers whose time has come, earliest first, and how to read it.

        Each is read by itself: one that cannot be read must not hide the others.
        """
        for item in self._by_time(upto=keys.timers_by_time(self._tenant, now, "\uffff").sk):
            yield str(item.body.get("incident_id")), partial(Timer.model_validate, item.body)

    def next_wake(self) -> datetime | None:
        """Return the earliest wake time of any timer, or None."""
        for item in self._by_time(limit=1):
            return Timer.model_validate(item.body).wake_at
        return None

    def _by_time(self, upto: str | None = None, limit: int | None = None) -> Iterator[Item]:
        partition = keys.timers_by_time(self._tenant, keys.EPOCH, "").pk
        yield from self._table.by_time(partition, upto=upto, limit=limit)
