"""An incident's dossier: all that stands of it beside its evidence, read in two queries whatever it holds.

In the order of keys evidence stands between the two, and it is the one part that is large. A kind of item that is
added later is in the dossier as well.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from memory import keys
from memory.records.base import Record
from memory.records.scope import Scope
from memory.table import Item, Key, RecordTable

R = TypeVar("R", bound=Record)


@dataclass(frozen=True)
class Dossier:
    """An incident's items but its evidence, by their sort keys and in the order of those."""

    items: Mapping[str, Item]

    def of(self, kind: str, record: type[R]) -> list[R]:
        """Return the records of a kind: of all items whose sort key is it, or begins with it and `#`."""
        return [record.model_validate(i.body) for sk, i in self.items.items() if sk.split("#", 1)[0] == kind]

    def at(self, key: Key, record: type[R]) -> R | None:
        """Return the record under one key, or None."""
        item = self.items.get(key.sk)
        return record.model_validate(item.body) if item else None


def read_dossier(table: RecordTable, scope: Scope, incident_id: str) -> Dossier:
    """Read an incident's dossier. Each of the two queries is strongly consistent in itself."""
    first = keys.evidence(scope, incident_id, "")
    before = table.query(first.pk, before=first.sk)
    after = table.query(first.pk, after=first.sk + "\uffff")
    return Dossier({item.key.sk: item for found in (before, after) for item in found})
