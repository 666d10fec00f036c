"""Whether the stored records let an action be done now. The graph's state is never asked."""

from datetime import datetime, timedelta

from memory.records.approval import ApprovalRequest, ApprovalStatus, Decision
from memory.records.base import canonical_json
from memory.records.incident import Incident
from memory.records.plan import Plan
from memory.records.scope import PrincipalKind
from memory.stores.approvals import ApprovalStore

GRACE = timedelta(minutes=10)
"""How long a decision made in time stays good when the action starts after the request expired."""


def objection(
    approvals: ApprovalStore,
    incident: Incident,
    plan: Plan,
    index: int,
    fingerprint: str,
    now: datetime,
    *,
    needed: bool,
) -> str | None:
    """Return why the stored records forbid this action, or None.

    An approval that policy does not need may be missing; one that was asked must have been given, whatever
    policy says now.
    """
    request = approvals.get(incident.scope, incident.incident_id, plan.plan_hash)
    if request is None:
        return "nobody was asked to approve this plan" if needed else None
    decision = approvals.decision(incident.scope, incident.incident_id, plan.plan_hash)
    return (
        _wrong_request(request, incident, plan)
        or _wrong_decision(request, decision)
        or (_too_late(request, decision, now) if decision is not None else None)
        or _moved_on(request, index, fingerprint)
    )


def _wrong_request(request: ApprovalRequest, incident: Incident, plan: Plan) -> str | None:
    if (request.incident_id, request.scope) != (incident.incident_id, incident.scope):
        return "the approval is for another incident"
    asked = [[act.action, act.parameters] for act in request.actions]
    planned = [[act.action, act.parameters] for act in plan.actions]
    if request.plan_hash != plan.plan_hash or canonical_json(asked) != canonical_json(planned):
        return "the plan is not the one that people were asked about"
    return None


def _wrong_decision(request: ApprovalRequest, decision: Decision | None) -> str | None:
    if request.status is not ApprovalStatus.APPROVED:
        return f"the request for approval is {request.status.value}"
    if decision is None:
        return "there is no decision on record"
    by = decision.by
    found = [
        (not decision.approved, "the plan was denied"),
        (
            (decision.incident_id, decision.plan_hash) != (request.incident_id, request.plan_hash),
            "the decision is on another plan",
        ),
        (by.kind not in {PrincipalKind.PERSON, PrincipalKind.ROLE}, f"{by.id} may not decide"),
        (by.id == request.proposer.id, f"{by.id} proposed the plan and may not approve it"),
        (by.tenant != request.scope.tenant, f"{by.id} belongs to another tenant"),
        (not by.has(request.role_needed), f"{by.id} does not hold the role {request.role_needed.value}"),
    ]
    return next((text for stands, text in found if stands), None)


def _too_late(request: ApprovalRequest, decision: Decision, now: datetime) -> str | None:
    if decision.decided_at >= request.expires_at or decision.decided_at < request.requested_at:
        return "the decision was not made while the request stood"
    if now < request.expires_at or now <= decision.decided_at + GRACE:
        return None
    return f"the approval lapsed at {max(request.expires_at, decision.decided_at + GRACE):%H:%M:%S} UTC"


def _moved_on(request: ApprovalRequest, index: int, fingerprint: str) -> str | None:
    if not 0 <= index < len(request.fingerprints) or not fingerprint:
        return "the approval does not say which state it was given for"
    if request.fingerprints[index] != fingerprint:
        return "the target has changed since it was looked at for approval"
    return None
