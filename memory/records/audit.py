"""The audit: what was done, by whom and on which authority, each entry bound to the one before it."""

from enum import StrEnum
from typing import Any

from pydantic import Field

from memory.records.base import Record, UtcTime, digest

FIRST = "0" * 64


class Deed(StrEnum):
    """What the audit tells."""

    OPENED = "opened"
    RULED = "ruled"
    ASKED = "asked"
    DECIDED = "decided"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    CLAIMED = "claimed"
    SETTLED = "settled"
    TRACED = "traced"
    CLOSED = "closed"
    EXPORTED = "exported"
    ERASED = "erased"
    SWITCHED = "switched"
    REVIEWED = "reviewed"
    REFUSED = "refused"
    """An action or an undo was attempted and not let through: nothing was claimed, and nothing sent."""


class AuditPayload(Record):
    """What an entry is about. The salt keeps a hash that is left over from being guessed back into names."""

    salt: str
    who: str
    what: str
    why: str = ""
    policy_ids: tuple[str, ...] = ()
    approval: str | None = None
    plan_hash: str | None = None
    execution_id: str | None = None
    session: str | None = None
    event_id: str | None = None
    facts: dict[str, Any] = Field(default_factory=dict)


class AuditEntry(Record):
    """One link: it names nobody, and its hash is over all else that it says.

    `kept_until` is the second of wall time until which its payload is kept, unless it is erased before. `chain` says
    which chain it is of; the first entries of older chains do not.
    """

    sequence: int
    at: UtcTime
    deed: Deed
    payload_sha256: str
    kept_until: int | None = None
    previous: str
    hash: str
    chain: str = ""

    def computed(self) -> str:
        """Return the hash that the entry must have."""
        return digest(self.model_dump(mode="json", exclude={"hash"} if self.chain else {"hash", "chain"}))


class AuditHead(Record):
    """The newest entry's number and hash: a chain that was cut short does not end in it."""

    sequence: int = 0
    hash: str = FIRST
