"""The evidence ledger: observations by id, and an index of them that is small enough to read at every step.

What is too large for an item stands in the table cut to size, and whole in the bucket.
"""

import json
import os
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from memory import keys
from memory.records.evidence import Evidence, EvidenceRef
from memory.records.scope import Scope
from memory.stores.objects import ObjectClass, ObjectStore, ObjectStoreError
from memory.table import RecordTable

SALT_BYTES = 16


class EvidenceLedger:
    """Stores each observation once and reads it back by id."""

    def __init__(self, table: RecordTable, objects: ObjectStore | None = None) -> None:
        self._table = table
        self._objects = objects

    def add(self, evidence: Evidence, whole: bytes | None = None) -> Evidence:
        """Store an observation; one that is already stored under its id stands as it is.

        `whole` is all of a result that stands cut in the evidence. Where it cannot be kept, the evidence says why.
        """
        if whole is not None:
            evidence = self._kept(evidence, whole)
        key = keys.evidence(evidence.scope, evidence.incident_id, evidence.evidence_id)
        self._table.create(key, evidence.model_dump(mode="json"))
        # After the observation: what the index names can be read.
        self._index(evidence)
        return evidence

    def whole(self, evidence: Evidence) -> Any:
        """Return all of an observation's result, redacted; raise `ObjectStoreError` when it was kept and is lost."""
        if not evidence.whole:
            return evidence.result
        if self._objects is None:
            raise ObjectStoreError(
                f"the whole of {evidence.evidence_id} is in the bucket, which is not open here"
            )
        at = (evidence.scope, evidence.incident_id, ObjectClass.EVIDENCE)
        return json.loads(self._objects.get(*at, evidence.result_sha256))

    def salt(self, scope: Scope, incident_id: str) -> bytes:
        """Return the incident's salt, drawn at random when it is first asked for."""
        key = keys.evidence_salt(scope, incident_id)
        if (item := self._table.get(key)) is None:
            self._table.create(key, {"salt": os.urandom(SALT_BYTES).hex()})
            item = self._table.get(key)
        if item is None:
            raise LookupError(f"the salt of incident {incident_id} was erased while it was read")
        return bytes.fromhex(item.body["salt"])

    def _kept(self, evidence: Evidence, whole: bytes) -> Evidence:
        if self._objects is None:
            return evidence
        try:
            self._objects.put(evidence.scope, evidence.incident_id, ObjectClass.EVIDENCE, whole)
        except (ObjectStoreError, ClientError, BotoCoreError) as error:
            told = f"{evidence.gap_detail} The whole could not be kept: {error}".strip()
            return evidence.model_copy(update={"gap_detail": told})
        return evidence.model_copy(update={"whole": True})

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
