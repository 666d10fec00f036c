"""The decision door: the only place where a decision comes into being."""

from dataclasses import dataclass

from graphs.copilot import Records
from graphs.runs import RunPort
from memory.records.approval import ApprovalRequest, ApprovalStatus, Decision
from memory.records.scope import Principal, PrincipalKind
from memory.records.timeline import EntryKind, Timer, TimerKind
from memory.stores.leases import IncidentBusyError
from memory.table import ConflictError


class DecisionRefusedError(Exception):
    """This caller cannot decide this, or it is decided already; the message says which and what to do."""


class NotAllowedError(DecisionRefusedError):
    """The caller does not hold the role that the decision needs."""


@dataclass(frozen=True)
class Decided:
    """A decision that now stands, and whether the run could be woken at once."""

    decision: Decision
    woken: bool


def decide(
    records: Records,
    runs: RunPort,
    incident_id: str,
    by: Principal,
    *,
    approved: bool,
    reason: str,
    door: str,
) -> Decided:
    """Record one decision on the pending request of an incident, and wake its run.

    Raises `NotAllowedError` for a wrong role, the proposer itself or another tenant, and
    `DecisionRefusedError` when nothing waits, the time is up or somebody else decided first. A run that
    cannot be woken now is woken by the next sweep, by a timer that is due.
    """
    scope = records.incidents.scope_of(incident_id)
    request = _pending(records, incident_id)
    _check_principal(by, request)
    now = records.clock.now()
    if now >= request.expires_at:
        raise DecisionRefusedError(f"the request expired at {request.expires_at:%Y-%m-%d %H:%M:%S} UTC")
    decision = Decision(
        incident_id=incident_id,
        plan_hash=request.plan_hash,
        approved=approved,
        by=by,
        reason=reason,
        decided_at=now,
        door=door,
    )
    try:
        records.approvals.decide(scope, decision)
    except ConflictError as error:
        raise DecisionRefusedError(f"somebody else was first: {error}") from error
    verb = "approved" if approved else "denied"
    facts = decision.model_dump(mode="json")
    records.timeline.append(scope, incident_id, EntryKind.DECISION, f"{by.id} {verb} the plan", facts=facts)
    try:
        runs.wake(incident_id)
    except IncidentBusyError:
        due = Timer(incident_id=incident_id, kind=TimerKind.CADENCE, wake_at=now)
        records.timers.set(scope, due)
        return Decided(decision, woken=False)
    return Decided(decision, woken=True)


def _pending(records: Records, incident_id: str) -> ApprovalRequest:
    scope = records.incidents.scope_of(incident_id)
    requests = list(records.approvals.requests(scope, incident_id))
    pending = [request for request in requests if request.status is ApprovalStatus.PENDING]
    if pending:
        return max(pending, key=lambda request: request.requested_at)
    if requests:
        newest = max(requests, key=lambda request: request.requested_at)
        raise DecisionRefusedError(f"nothing waits for a decision: the last request is {newest.status.value}")
    raise DecisionRefusedError("nothing waits for a decision: no approval was asked")


def _check_principal(by: Principal, request: ApprovalRequest) -> None:
    if by.tenant != request.scope.tenant:
        raise NotAllowedError(f"{by.id} belongs to another tenant")
    if by.kind in {PrincipalKind.COPILOT, PrincipalKind.STUDIO} or by.id == request.proposer.id:
        raise NotAllowedError(f"{by.id} cannot decide: whoever proposes or debugs a plan does not approve it")
    if not by.has(request.role_needed):
        raise NotAllowedError(f"{by.id} does not hold the role {request.role_needed.value}")
