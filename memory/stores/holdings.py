"""All that the records table holds of one incident, whatever kind it is: to hand it over, and to erase it."""

from typing import Any

from memory import keys
from memory.records.approval import Decision
from memory.records.incident import Incident
from memory.table import Item, Key, RecordTable

# What an erasure leaves: the audit, whose payloads `AuditTrail.erase` takes, and what `IncidentStore.forget` empties.
LEFT = ("AUDIT_HEAD", "AUDIT#", "AUDIT_PAYLOAD#", "INCIDENT", "LISTING")


class HoldingStore:
    """Looks through an incident's partition; a kind of item that is added later is found as well."""

    def __init__(self, table: RecordTable, tenant: str) -> None:
        self._table = table
        self._tenant = tenant

    def of(self, incident: Incident) -> dict[str, list[dict[str, Any]]]:
        """Return what is stored of an incident: its items by kind, in the order of their keys."""
        found: dict[str, list[dict[str, Any]]] = {}
        for item in self._items(incident):
            found.setdefault(item.key.sk.split("#", 1)[0].lower(), []).append(item.body)
        return found

    def incidents_of(self, who: str) -> list[str]:
        """Return the ids of the incidents in which somebody took part, by the index of subjects."""
        return [item.key.sk for item in self._table.query(keys.subject(self._tenant, who, "").pk)]

    def erase(self, incident: Incident) -> int:
        """Erase an incident's items but the hashes of its audit and its identity; return how many that were."""
        scope, incident_id = incident.scope, incident.incident_id
        gone = [item for item in self._items(incident) if not item.key.sk.startswith(LEFT)]
        for item in gone:
            for key in self._beside(incident, item):
                self._table.delete(key)
            self._table.delete(item.key)
        self._table.delete(keys.lease(scope, incident_id))
        return len(gone)

    def _beside(self, incident: Incident, item: Item) -> list[Key]:
        """Return what stands elsewhere because of an item: a sender's or an actor's lease, and who decided."""
        scope, incident_id = incident.scope, incident.incident_id
        kind, _, name = item.key.sk.partition("#")
        match kind:
            case "MESSAGE" | "ACTION":
                return [keys.lease(scope, f"{incident_id}/{name}")]
            case "DECISION":
                made = Decision.model_validate(item.body)
                glass = [keys.break_glass(self._tenant, made.decided_at, incident_id)] * made.break_glass
                return [keys.subject(self._tenant, made.by.id, incident_id), *glass]
            case _:
                return []

    def _items(self, incident: Incident) -> list[Item]:
        return list(self._table.query(keys.incident(incident.scope, incident.incident_id).pk))
