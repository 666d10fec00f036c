"""Stored observations, and the claims that point to them."""

from enum import StrEnum
from typing import Any

from pydantic import Field

from memory.records.base import Record, UtcTime
from memory.records.scope import Scope


class Gap(StrEnum):
    """Why an observation is missing something."""

    DENIED = "denied"
    THROTTLED = "throttled"
    TRUNCATED = "truncated"
    NO_DATA = "no_data"
    TIMED_OUT = "timed_out"
    FAILED = "failed"
    REFUSED = "refused"
    NARROWED = "narrowed"


UNREAD = frozenset({Gap.DENIED, Gap.THROTTLED, Gap.TIMED_OUT, Gap.FAILED, Gap.REFUSED})
"""What was asked was not seen: such an observation speaks neither for health nor against it."""

PARTIAL = frozenset({Gap.TRUNCATED, Gap.NARROWED})
"""What was asked was seen in part: what it does not show may still be so."""


class Evidence(Record):
    """One observation: what was asked, when, and what came back.

    `tool` and `asked` are enough to ask the same again. `result` is the observation itself, redacted and cut to a
    budget; `result_sha256` and `result_bytes` are of the redacted whole, which `whole` says the bucket keeps under that
    digest. `usd` is at the dated prices in settings.
    `untrusted` marks text that people outside the team may have written (log lines, ticket text).
    `flags` names what a detector found in it, such as `prompt_injection`.
    """

    evidence_id: str
    incident_id: str
    scope: Scope
    title: str
    source: str
    operation: str
    tool: str = ""
    asked: dict[str, Any]
    window_start: UtcTime | None = None
    window_end: UtcTime | None = None
    taken_at: UtcTime
    result: Any = None
    result_sha256: str
    result_bytes: int
    whole: bool = False
    bytes_scanned: int = 0
    calls: int = 0
    usd: float = 0.0
    gaps: tuple[Gap, ...] = ()
    gap_detail: str = ""
    untrusted: bool = False
    flags: tuple[str, ...] = ()


class EvidenceRef(Record):
    """A pointer to evidence, small enough for the state."""

    evidence_id: str
    title: str
    gaps: tuple[Gap, ...] = Field(default=())
    flags: tuple[str, ...] = Field(default=())
