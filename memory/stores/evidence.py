"""The evidence ledger: observations by id, and an index of them that is small enough to read at every step."""

from collections.abc import Iterator

from memory import keys
from memory.records.evidence import Evidence, EvidenceRef
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
        # After the observation: what the index names can be read.
        self._index(evidence)
        return evidence

    def get(self, scope: Scope, incident_id: str, evidence_id: str) -> Evidence | None:
        """Read one observation, or None."""
        item = self._table.get(keys.evidence(scope, incident_id, evidence_id))
        return Evidence.model_validate(item.body) if item else None

    def all(self, scope: Scope, incident_id: str) -> Iterator[Evidence]:
        """Yield an incident's observations in the order of their ids."""
        for item in self._table.query(keys.incident(scope, incident_id).pk, "EVIDENCE#"):
            yield Evidence.model_validate(item.body)

    def index(self, scope: Scope, incident_id: str) -> Iterator[EvidenceRef]:
        """Yield pointers to an incident's observations in the order of their ids, without reading those."""
        for item in self._table.query(keys.incident(scope, incident_id).pk, "EVIDENCE_INDEX#"):
            yield EvidenceRef.model_validate(item.body)

    def list_again(self, scope: Scope, incident_id: str) -> None:
        """Put what an earlier version has stored into the index."""
        for evidence in self.all(scope, incident_id):
            self._index(evidence)

    def _index(self, evidence: Evidence) -> None:
        ref = EvidenceRef(
            evidence_id=evidence.evidence_id, title=evidence.title, gaps=evidence.gaps, flags=evidence.flags
        )
        key = keys.evidence_index(evidence.scope, evidence.incident_id, evidence.evidence_id)
        self._table.create(key, ref.model_dump(mode="json"))
