"""The pace of changes by target, written with the claim of an action: no two claims count alike."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from memory import keys
from memory.records.pace import Change, Pace
from memory.records.scope import Scope
from memory.table import Item, RecordTable, Write

WINDOW = timedelta(hours=1)
_MOST = 64


def is_recent(change: Change, now: datetime) -> bool:
    """Say whether a change was claimed within the last hour."""
    return change.at > now - WINDOW


@dataclass(frozen=True)
class Seen:
    """What was changed on a target, and the version of the item that says so.

    Changes of before the last hour are there too, since they may go on still.
    """

    changes: tuple[Change, ...] = ()
    version: int = 0


class PaceStore:
    """Remembers each target's changes in a scope: those of the last hour, and older ones that may go on."""

    def __init__(self, table: RecordTable) -> None:
        self._table = table

    def seen(self, scope: Scope, target: str) -> Seen:
        """Return what was claimed on a target, as it stands now."""
        item = self._table.get(keys.pace(scope, target))
        changes = Pace.model_validate(item.body).changes if item else ()
        return Seen(changes, item.version if item else 0)

    def note(
        self, scope: Scope, target: str, seen: Seen, change: Change, unsettled: Collection[Change] = ()
    ) -> Write:
        """Return the write that counts a change, to be done together with the action's claim.

        Of what is older than an hour only the `unsettled` is kept. It loses when somebody else has claimed an action
        on the same target since it was seen.
        """
        lately = [one for one in seen.changes if is_recent(one, change.at)][-_MOST:]
        pace = Pace(changes=(*(one for one in seen.changes if one in lately or one in unsettled), change))
        item = Item(keys.pace(scope, target), pace.model_dump(mode="json"), seen.version + 1)
        return Write(item, seen.version)

    def renew(self, scope: Scope, target: str, seen: Seen) -> Write:
        """Return the write that counts nothing, and makes a claim lose that rests on what was seen before it."""
        body = Pace(changes=seen.changes).model_dump(mode="json")
        return Write(Item(keys.pace(scope, target), body, seen.version + 1), seen.version)
