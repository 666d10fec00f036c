"""The audit: an entry is written in one transaction with what it tells of, or neither is."""

import secrets
import time
from collections.abc import Callable, Sequence
from datetime import datetime

from memory import keys
from memory.audit_chain import Chain, Checked, chain_name
from memory.records.audit import AuditEntry, AuditHead, AuditPayload, Deed
from memory.records.base import canonical_json, digest
from memory.table import ConflictError, Item, RecordTable, Write

TRIES = 64
READS = 8
SALT_BYTES = 16


def fresh_salt() -> str:
    """Return a salt that nobody can guess."""
    return secrets.token_hex(SALT_BYTES)


class AuditTrail:
    """Appends to chains of hashes, one for each incident and one for each tenant, and erases what they are about."""

    def __init__(
        self,
        table: RecordTable,
        salt: Callable[[], str] = fresh_salt,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._table = table
        self._salt = salt
        self._now = now

    def commit(  # the deed and what tells of it belong in one call
        self,
        partition: str,
        writes: Sequence[Write],
        at: datetime,
        deed: Deed,
        **told: object,
    ) -> AuditEntry:
        """Do some writes and append their entry, all or none; raise `ConflictError` when one of them has lost.

        `told` are the fields of the payload. Who meets another entry of the chain appends after it.
        """
        payload = AuditPayload.model_validate({"salt": self._salt(), **told})
        for _ in range(TRIES):
            head = self._table.get(keys.audit_head(partition))
            entry = self._entry(partition, head, at, deed, payload)
            try:
                self._table.transact([*writes, *_link(partition, head, entry, payload)])
            except ConflictError as error:
                if self._has_lost(partition, head, len(writes), error):
                    raise
            else:
                return entry
        raise ConflictError(f"the audit in {partition} is too busy to append to")

    def read(self, partition: str) -> Chain:
        """Return a chain as it is stored, whatever state it is in."""
        head = self._table.get(keys.audit_head(partition))
        return Chain(
            entries=tuple((item.key.sk, item.body) for item in self._table.query(partition, "AUDIT#")),
            payloads={item.key.sk: item.body for item in self._table.query(partition, "AUDIT_PAYLOAD#")},
            head=head.body if head else None,
            name=chain_name(partition),
        )

    def hold(self, partition: str) -> tuple[Chain, Checked]:
        """Return a chain and how it stands. What is appended while it is read is no fault: it is read again then."""
        for _ in range(READS):
            chain = self.read(partition)
            checked = chain.check(self._now())
            if checked.broken is None or self.ends_still(partition, chain):
                break
        return chain, checked

    def ends_still(self, partition: str, chain: Chain) -> bool:
        """Say whether nothing was appended since a chain was read; if so, other records can be held against it."""
        head = self._table.get(keys.audit_head(partition))
        return (head.body if head else None) == chain.head

    def erase(self, partition: str, at: datetime, who: str, why: str) -> AuditEntry:
        """Erase the payloads of all entries so far. The erasure is an entry itself, written first."""
        entry = self.commit(partition, [], at, Deed.ERASED, who=who, what="erased what was stored", why=why)
        until = keys.audit_payload(partition, entry.sequence).sk
        for item in self._table.query(partition, "AUDIT_PAYLOAD#"):
            if item.key.sk < until:
                self._table.delete(item.key)
        return entry

    def about(self, partition: str, text: str) -> list[Item]:
        """Return the payloads of a chain in which some text stands."""
        found = self._table.query(partition, "AUDIT_PAYLOAD#")
        return [item for item in found if text in canonical_json(item.body)]

    def erase_about(self, partition: str, at: datetime, who: str, text: str) -> int:
        """Erase the payloads so far in which some text stands; return how many. Of the text a digest is kept."""
        found = self.about(partition, text)
        if not found:
            return 0
        told = {
            "what": f"erased {len(found)} payloads that named a subject",
            "facts": {"subject_sha256": digest(text)},
        }
        self.commit(partition, [], at, Deed.ERASED, who=who, **told)
        for item in found:
            self._table.delete(item.key)
        return len(found)

    def _entry(
        self, partition: str, head: Item | None, at: datetime, deed: Deed, payload: AuditPayload
    ) -> AuditEntry:
        last = AuditHead.model_validate(head.body) if head else AuditHead()
        unhashed = AuditEntry(
            sequence=last.sequence + 1,
            at=at,
            deed=deed,
            payload_sha256=digest(payload.model_dump(mode="json")),
            kept_until=self._table.expiry(keys.audit_payload(partition, last.sequence + 1)),
            previous=last.hash,
            hash="",
            chain=chain_name(partition),
        )
        return unhashed.model_copy(update={"hash": unhashed.computed()})

    def _has_lost(self, partition: str, head: Item | None, count: int, error: ConflictError) -> bool:
        """Say whether a write of the caller's has lost, and not only the race for the chain's end."""
        if error.lost is not None:
            return any(index < count for index in error.lost)
        now = self._table.get(keys.audit_head(partition))
        return (now.version if now else 0) == (head.version if head else 0)


def _link(partition: str, head: Item | None, entry: AuditEntry, payload: AuditPayload) -> list[Write]:
    version = head.version if head else 0
    now = AuditHead(sequence=entry.sequence, hash=entry.hash)
    number = entry.sequence
    return [
        Write(Item(keys.audit_head(partition), now.model_dump(mode="json"), version + 1), version),
        Write(Item(keys.audit(partition, number), entry.model_dump(mode="json")), 0),
        Write(Item(keys.audit_payload(partition, number), payload.model_dump(mode="json")), 0),
    ]
