"""The evidence ledger: observations by id."""

from collections.abc import Iterator

from memory import keys
from memory.records.evidence import Evidence
from memory.records.scope import Scope
from memory.table import RecordTable


class EvidenceLedger:
    """Stores each observation once and reads it back by id."""

    def __init__(self, table: RecordTable) -> None:
        self._table = table

    def add(self, evidence: Evidence) -> Evidence:
        """Store an observation; one that is already stored under its id stands as it is."""
        key = keys.evidence(evidence.scope, evidence.incident_id, evidence.evidence_id)
        self._table.create(key, evidence.model_dump(mode="json"))
        return evidence

    def get(self, scope: Scope, incident_id: str, evidence_id: str) -> Evidence | None:
        """Read one observation, or None."""
        item = self._table.get(keys.evidence(scope, incident_id, evidence_id))
        return Evidence.model_validate(item.body) if item else None

    def all(self, scope: Scope, incident_id: str) -> Iterator[Evidence]:
        """Yield an incident's observations in the order of their ids."""
        for item in self._table.query(keys.incident(scope, incident_id).pk, "EVIDENCE#"):
            yield Evidence.model_validate(item.body)
