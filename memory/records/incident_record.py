"""The public record of an incident: a versioned schema with a compatibility promise.

Within version 1 fields are only added, never renamed, removed or narrowed. `docs/schema/incident.v1.json` is
generated from this model, and a committed example of version 1 must always validate.
"""

from typing import Literal

from pydantic import Field

from memory.records.approval import ApprovalRequest, Decision
from memory.records.assessment import Assessment, FirstLook
from memory.records.base import Record, UtcTime
from memory.records.evidence import EvidenceRef
from memory.records.failure import Failure
from memory.records.incident import Incident, Severity, Status
from memory.records.message import Message
from memory.records.outcome import DeadLetters, Execution, Verification
from memory.records.plan import Plan, Review
from memory.records.spend import ModelUse, Spend


class IncidentRecord(Record):
    """Everything the copilot claims about one incident."""

    schema_version: Literal[1] = 1
    incident: Incident
    status: Status
    severity: Severity | None = None
    reason: str = ""
    first_look: FirstLook | None = None
    assessment: Assessment | None = None
    plans: tuple[Plan, ...] = ()
    reviews: tuple[Review, ...] = ()
    approval: ApprovalRequest | None = None
    decision: Decision | None = None
    decisions: tuple[Decision, ...] = ()
    executions: tuple[Execution, ...] = ()
    verifications: tuple[Verification, ...] = ()
    dead_letters: tuple[DeadLetters, ...] = ()
    messages: tuple[Message, ...] = ()
    evidence: tuple[EvidenceRef, ...] = ()
    failures: tuple[Failure, ...] = ()
    spend: Spend = Field(default_factory=Spend)
    models: tuple[ModelUse, ...] = ()
    events_joined: int = 0
    updated_at: UtcTime
    closed_at: UtcTime | None = None
