"""How long each class of what is stored is kept."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from pydantic import Field

from memory.records.base import Record
from memory.table import Key

DAY_SECONDS = 24 * 60 * 60


class Retention(Record):
    """Days that each class is kept after it was last written; 0 keeps it for good.

    Hashes of the audit and the calendar of months are always kept: they hold nothing about anybody.
    """

    incidents: int = Field(default=400, ge=0)
    timeline: int = Field(default=400, ge=0)
    evidence: int = Field(default=90, ge=0)
    approvals: int = Field(default=400, ge=0)
    actions: int = Field(default=400, ge=0)
    messages: int = Field(default=400, ge=0)
    claims: int = Field(default=400, ge=0)
    timers: int = Field(default=90, ge=0)
    leases: int = Field(default=7, ge=0)
    refusals: int = Field(default=30, ge=1)
    audit_payloads: int = Field(default=400, ge=0)
    checkpoints: int = Field(default=90, ge=0)

    @property
    def checkpoint_seconds(self) -> float | None:
        """Return how long a thread's checkpoints are kept after it was last written, or None for good."""
        return float(self.checkpoints * DAY_SECONDS) or None

    def days_of(self, name: str) -> int:
        """Return for how many days a class is kept, 0 for good."""
        return int(getattr(self, name))

    def is_over(self, name: str, written_at: datetime, now: datetime) -> bool:
        """Say whether what a class held then need not be kept any more."""
        days = self.days_of(name)
        return days > 0 and written_at + timedelta(days=days) <= now


# What the part of a sort key before its first `#` says, and the class that it is of. What is not named is for good.
CLASSES = {
    "INCIDENT": "incidents",
    "RECORD": "incidents",
    "LISTING": "incidents",
    "OPEN": "incidents",
    "TIMELINE": "timeline",
    "EVIDENCE": "evidence",
    "EVIDENCE_INDEX": "incidents",
    "EVIDENCE_SALT": "incidents",
    "APPROVAL": "approvals",
    "DECISION": "approvals",
    "ACTION": "actions",
    "TRACE": "actions",
    "MESSAGE": "messages",
    "TIMER": "timers",
    "LEASE": "leases",
    "PACE": "leases",
    "EVENT": "claims",
    "EPISODE": "claims",
    "AUDIT_PAYLOAD": "audit_payloads",
}
# Items whose sort key is an id or a time are told by their partition, whose second part names them.
PARTITIONS = {
    "DIRECTORY": "incidents",
    "SUBJECT": "approvals",
    "REFUSED": "refusals",
    "BREAK_GLASS": "approvals",
}


def class_of(key: Key) -> str | None:
    """Return the class that an item is of, or None when it is always kept."""
    of_item = CLASSES.get(key.sk.split("#", 1)[0])
    return of_item or PARTITIONS.get([*key.pk.split("#"), ""][1])


def expiry_under(retention: Retention, now: Callable[[], float] = time.time) -> Callable[[Key], int | None]:
    """Return the rule that says until which second of wall time an item is kept that is written now."""

    def expiry(key: Key) -> int | None:
        named = class_of(key)
        days = retention.days_of(named) if named else 0
        return int(now()) + days * DAY_SECONDS if days else None

    return expiry
