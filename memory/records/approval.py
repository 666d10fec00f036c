"""A request for approval, and the one decision that answers it."""

from enum import StrEnum

from memory.records.base import Record, UtcTime
from memory.records.plan import PlannedAction
from memory.records.scope import Principal, Role, Scope


class ApprovalStatus(StrEnum):
    """Where a request stands."""

    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"
    EXPIRED = "expired"


class ApprovalRequest(Record):
    """What a person is asked: this plan, against this live state, until then."""

    incident_id: str
    scope: Scope
    plan_hash: str
    actions: tuple[PlannedAction, ...]
    fingerprints: tuple[str, ...]
    proposer: Principal
    role_needed: Role = Role.APPROVER
    requested_at: UtcTime
    expires_at: UtcTime
    status: ApprovalStatus = ApprovalStatus.PENDING


class Decision(Record):
    """Made once, at the decision door, by an authenticated principal."""

    incident_id: str
    plan_hash: str
    approved: bool
    by: Principal
    reason: str = ""
    decided_at: UtcTime
    door: str
