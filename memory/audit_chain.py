"""Hold an audit's chain against its hashes: any entry that was edited, dropped, put in or moved is found."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from memory.records.audit import FIRST, AuditEntry, AuditHead, AuditPayload, Deed
from memory.records.base import digest


def chain_name(partition: str) -> str:
    """Return the name that the entries of a partition's chain bear, so that none passes for another incident's."""
    return digest(["audit", partition])[:32]


@dataclass(frozen=True)
class Link:
    """An entry, with what it is about unless that was erased."""

    entry: AuditEntry
    payload: AuditPayload | None

    def tells(self, deed: Deed, told: Mapping[str, Any]) -> bool:
        """Say whether the entry is of a deed and tells just this, whatever its salt."""
        if self.entry.deed is not deed or self.payload is None:
            return False
        return self.payload == AuditPayload.model_validate({"salt": self.payload.salt, **told})


@dataclass(frozen=True)
class Checked:
    """How a chain stands: how many entries are sound, how many payloads were erased, and the first that is broken."""

    entries: int
    erased: int
    head: str
    broken: int | None = None
    why: str = ""


@dataclass(frozen=True)
class Chain:
    """What is stored of an audit: entries and payloads by their sort keys, the head, and the name of its chain."""

    entries: tuple[tuple[str, Mapping[str, Any]], ...]
    payloads: Mapping[str, Mapping[str, Any]]
    head: Mapping[str, Any] | None
    name: str = ""

    def links(self) -> Iterator[Link]:
        """Yield the entries in order, as they are stored."""
        return self._links(self.entries)

    def last(self) -> Iterator[Link]:
        """Yield the newest entry, if there is one."""
        return self._links(self.entries[-1:])

    def _links(self, entries: Sequence[tuple[str, Mapping[str, Any]]]) -> Iterator[Link]:
        for key, body in entries:
            payload = self.payloads.get(_payload_key(key))
            told = AuditPayload.model_validate(payload) if payload is not None else None
            yield Link(AuditEntry.model_validate(body), told)

    def check(self, now: float) -> Checked:
        """Return how the chain stands; `now` is wall time, by which a payload may have reached its end."""
        erasures = [int(key[-8:]) for key, body in self.entries if body.get("deed") == Deed.ERASED.value]
        last_erasure = max(erasures, default=0)
        previous, erased = FIRST, 0
        for number, (key, body) in enumerate(self.entries, start=1):
            payload = self.payloads.get(_payload_key(key))
            why = (
                _fault(number, key, body, previous)
                or self._strange(body, number)
                or _payload_fault(body, payload, now, may_be_gone=number < last_erasure)
            )
            if why:
                return Checked(number - 1, erased, previous, number, why)
            previous, erased = str(body["hash"]), erased + (payload is None)
        count = len(self.entries)
        why = self._end_fault(count, previous)
        return Checked(count, erased, previous, count + 1 if why else None, why)

    def _strange(self, body: Mapping[str, Any], number: int) -> str:
        """Say so when an entry is of another chain. A chain that an older version began has first entries of none."""
        named = body.get("chain", "")
        unnamed = not named and not any(before.get("chain") for _, before in self.entries[: number - 1])
        return "" if unnamed or named == self.name else "it belongs to another chain"

    def _end_fault(self, count: int, last: str) -> str:
        try:
            head = AuditHead.model_validate(self.head) if self.head is not None else AuditHead()
        except ValidationError:
            return "the head of the chain cannot be read"
        if (head.sequence, head.hash) != (count, last):
            return f"the chain ends at {count}, and its head is {head.sequence}"
        known = {_payload_key(key) for key, _ in self.entries}
        strays = sorted(set(self.payloads) - known)
        return f"{strays[0]} belongs to no entry" if strays else ""


def _fault(number: int, key: str, body: Mapping[str, Any], previous: str) -> str:
    """Return what is wrong with an entry, or nothing."""
    try:
        entry = AuditEntry.model_validate(body)
    except ValidationError:
        return "it cannot be read"
    if entry.sequence != number or int(key[-8:]) != number:
        return (
            f"it is numbered {entry.sequence} and stands where {number} belongs: one is missing or was put in"
        )
    if entry.previous != previous:
        return "it does not follow the entry before it"
    if entry.hash != entry.computed():
        return "it was changed"
    return ""


def _payload_fault(
    body: Mapping[str, Any], payload: Mapping[str, Any] | None, now: float, *, may_be_gone: bool
) -> str:
    if payload is None:
        kept_until = body.get("kept_until")
        over = kept_until is not None and kept_until <= now
        return "" if may_be_gone or over else "what it is about is missing, and nobody erased it"
    return "" if digest(dict(payload)) == body["payload_sha256"] else "what it is about was changed"


def _payload_key(entry_key: str) -> str:
    return entry_key.replace("AUDIT#", "AUDIT_PAYLOAD#", 1)
