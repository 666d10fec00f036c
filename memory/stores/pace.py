"""The pace of changes by target, written with the claim of an action: no two claims count alike."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from memory import keys
from memory.records.pace import Change, Pace
from memory.records.scope import Scope
from memory.table import Item, RecordTable, Write

WINDOW = timedelta(hours=1)
_MOST = 64


@dataclass(frozen=True)
class Seen:
    """What was changed on a target, and the version of the item that says so."""

    changes: tuple[Change, ...] = ()
    version: int = 0


class PaceStore:
    """Remembers the last hour's changes of each target in a scope."""

    def __init__(self, table: RecordTable) -> None:
        self._table = table

    def seen(self, scope: Scope, target: str, now: datetime) -> Seen:
        """Return what was claimed on a target within the last hour, as it stands now."""
        item = self._table.get(keys.pace(scope, target))
        changes = Pace.model_validate(item.body).changes if item else ()
        lately = tuple(one for one in changes if one.at > now - WINDOW)
        return Seen(lately, item.version if item else 0)

    def note(self, scope: Scope, target: str, seen: Seen, change: Change) -> Write:
        """Return the write that counts a change, to be done together with the action's claim.

        It loses when somebody else has claimed an action on the same target since it was seen.
        """
        pace = Pace(changes=(*seen.changes, change)[-_MOST:])
        item = Item(keys.pace(scope, target), pace.model_dump(mode="json"), seen.version + 1)
        return Write(item, seen.version)
