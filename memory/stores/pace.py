"""The pace of changes by target, written with the claim of an action: no two claims count alike."""

from datetime import datetime, timedelta

from memory import keys
from memory.records.pace import Change, Pace
from memory.records.scope import Scope
from memory.table import Item, RecordTable, Write

WINDOW = timedelta(hours=1)
_MOST = 64


class PaceStore:
    """Remembers the last hour's changes of each target in a scope."""

    def __init__(self, table: RecordTable) -> None:
        self._table = table

    def recent(self, scope: Scope, target: str, now: datetime) -> tuple[Change, ...]:
        """Return what was claimed on a target within the last hour."""
        item = self._table.get(keys.pace(scope, target))
        return _recent(item, now)

    def note(self, scope: Scope, target: str, change: Change) -> Write:
        """Return the write that counts a change, to be done together with the action's claim.

        It loses when somebody else has claimed an action on the same target since it was made.
        """
        key = keys.pace(scope, target)
        item = self._table.get(key)
        pace = Pace(changes=(*_recent(item, change.at), change)[-_MOST:])
        version = item.version if item else 0
        return Write(Item(key, pace.model_dump(mode="json"), version + 1), version)


def _recent(item: Item | None, now: datetime) -> tuple[Change, ...]:
    changes = Pace.model_validate(item.body).changes if item else ()
    return tuple(one for one in changes if one.at > now - WINDOW)
