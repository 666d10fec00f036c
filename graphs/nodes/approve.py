"""Wait for a decision. No process waits: the run ends here until somebody wakes it.

What lies outside the account is looked at meanwhile, and once more before it is acted on: a plan for what has passed by
itself is withdrawn.
"""

from datetime import timedelta
from typing import Any

from agents.notes import APPROVAL
from graphs.decision import tell_decisions
from graphs.passing import LOOK_EVERY, look, look_later, may_pass, next_look, withdraw
from graphs.step import Turn, Wait
from graphs.thinking import send_key
from memory.records.approval import ApprovalRequest, ApprovalStatus
from memory.records.incident import Status
from memory.records.message import Audience
from memory.records.scope import COPILOT
from memory.records.spend import Spend
from memory.records.timeline import EntryKind, Timer, TimerKind
from tools.passing import Harm
from tools.signing import signed_request


def approve(turn: Turn) -> dict[str, Any] | Wait:
    """Read the stored decision; what a resume carries is no decision and is not looked at."""
    records, incident = turn.copilot.records, turn.state["incident"]
    request = records.approvals.get(incident.scope, incident.incident_id, turn.state["plan"].plan_hash)
    if request is None:
        return _ask(turn)
    request = records.approvals.expire(request, records.clock.now())
    match request.status:
        case ApprovalStatus.PENDING:
            _tell_decided(turn, request)
            if turn.woken:
                return _looked(turn, request)
            return _waiting(turn, request) if _was_told(turn, request) else _tell(turn, request)
        case ApprovalStatus.APPROVED:
            _tell_decided(turn, request)
            return _approved(turn, request)
        case ApprovalStatus.WITHDRAWN:
            return withdraw(turn, request, request.withdrawn, Spend())
        case ApprovalStatus.DENIED:
            _tell_decided(turn, request)
            _stop_timers(turn)
            decision = records.approvals.decision(incident.scope, incident.incident_id, request.plan_hash)
            why = f": {decision.reason}" if decision and decision.reason else ""
            return {"status": Status.ESCALATED, "reason": f"the plan was denied{why}"}
        case ApprovalStatus.EXPIRED:
            _stop_timers(turn)
            decided = records.approvals.too_few(request)
            text = f"{decided} before {request.expires_at:%H:%M:%S} UTC; nothing was done"
            turn.copilot.tell(incident, EntryKind.APPROVAL_EXPIRED, text, "approve")
            return {"status": Status.ESCALATED, "reason": f"approval expired: {text}"}


def _looked(turn: Turn, request: ApprovalRequest) -> dict[str, Any]:
    """Look at what may pass by itself when its time has come, and go on waiting unless it has."""
    timer = next_look(turn)
    if not may_pass(turn.state) or (timer is not None and timer.wake_at > turn.copilot.records.clock.now()):
        return {"status": Status.AWAITING_APPROVAL}
    found, spend = look(turn)
    if found.harm is Harm.OVER:
        return withdraw(turn, request, found.detail, spend)
    look_later(turn)
    return {"status": Status.AWAITING_APPROVAL, "spend": spend}


def _approved(turn: Turn, request: ApprovalRequest) -> dict[str, Any] | Wait:
    """Let the plan be acted on. What may pass by itself is looked at first: while it eases, the plan waits."""
    if not may_pass(turn.state):
        _stop_timers(turn)
        return {"status": Status.ACTING}
    timer = next_look(turn)
    if turn.woken or (timer is not None and _is_held(turn, request, timer)):
        return {"status": Status.AWAITING_APPROVAL} if turn.woken else _waiting(turn, request)
    found, spend = look(turn)
    if found.harm is Harm.OVER:
        return withdraw(turn, request, found.detail, spend)
    if found.harm is Harm.EASES and look_later(turn).wake_at < request.expires_at:
        text = f"the plan is approved and waits a minute, since the harm is falling: {found.detail}"
        turn.copilot.tell(turn.state["incident"], EntryKind.NOTE, text, "approve")
        return {"status": Status.AWAITING_APPROVAL, "spend": spend}
    _stop_timers(turn)
    return {"status": Status.ACTING, "spend": spend}


def _is_held(turn: Turn, request: ApprovalRequest, timer: Timer) -> bool:
    """Say whether a look since the decision has set a timer that is still to come."""
    records = turn.copilot.records
    made = records.approvals.decisions(request.scope, request.incident_id, request.plan_hash)
    newest = max((one.decided_at for one in made), default=request.requested_at)
    return timer.wake_at > records.clock.now() and timer.wake_at - LOOK_EVERY >= newest


def _ask(turn: Turn) -> Wait:
    """Store the request, tell people, and wait.

    What the request is bound to is read now, and not taken from the state, which anybody with a thread may edit.
    """
    records, incident, plan = turn.copilot.records, turn.state["incident"], turn.state["plan"]
    found = turn.copilot.inspect(plan)
    now = records.clock.now()
    request = ApprovalRequest(
        incident_id=incident.incident_id,
        scope=incident.scope,
        plan_hash=plan.plan_hash,
        actions=plan.actions,
        fingerprints=tuple(one.fingerprint for one in found),
        states=tuple(one.bound for one in found),
        quorum=turn.copilot.quorum(incident, found),
        blast_percents=tuple(one.blast.percent for one in found),
        amounts=tuple(one.blast.amount for one in found),
        no_way_back=turn.copilot.no_way_back(incident, found),
        freeze=turn.copilot.freeze(),
        proposer=COPILOT,
        requested_at=now,
        expires_at=now + timedelta(minutes=records.settings.limits.approval_minutes),
    )
    return _tell(turn, records.approvals.request(signed_request(records.signer, request)))


def _tell(turn: Turn, request: ApprovalRequest) -> Wait:
    """Set the request's end, tell people what waits for them, and wait. Where it was cut off, it is done again."""
    records, incident, plan = turn.copilot.records, turn.state["incident"], turn.state["plan"]
    timer = Timer(
        incident_id=incident.incident_id, kind=TimerKind.APPROVAL_EXPIRY, wake_at=request.expires_at
    )
    records.timers.set(incident.scope, timer)
    facts = {
        "plan_hash": plan.plan_hash,
        "expires_at": request.expires_at.isoformat(),
        "quorum": request.quorum,
    }
    people = f" of {request.quorum} people" if request.quorum > 1 else ""
    turn.copilot.tell(
        incident, EntryKind.APPROVAL_REQUESTED, f"approval asked{people}: {plan.summary}", "approve", facts
    )
    turn.state["status"] = Status.AWAITING_APPROVAL
    turn.copilot.announce(turn.state, APPROVAL, Audience.ON_CALL, waits=True)
    return _waiting(turn, request)


def _was_told(turn: Turn, request: ApprovalRequest) -> bool:
    """Say whether the timeline tells of the message, which comes after all else."""
    key = send_key(request.incident_id, APPROVAL, request.plan_hash[:12], Audience.ON_CALL)
    told = turn.copilot.records.timeline.entries(request.scope, request.incident_id)
    return any(one.kind is EntryKind.MESSAGE and one.facts.get("send_key") == key for one in told)


def _waiting(turn: Turn, request: ApprovalRequest) -> Wait:
    if may_pass(turn.state) and next_look(turn) is None:
        look_later(turn)
    return Wait(
        {
            "waiting_for": "approval",
            "plan_hash": request.plan_hash,
            "actions": [act.model_dump(mode="json") for act in request.actions],
            "expires_at": request.expires_at.isoformat(),
            "decide_at": f"/incidents/{request.incident_id}/decision",
        }
    )


def _tell_decided(turn: Turn, request: ApprovalRequest) -> None:
    """Tell who decided, where the door was cut off before it could."""
    tell_decisions(turn.copilot.records, request)


def _stop_timers(turn: Turn) -> None:
    incident = turn.state["incident"]
    for kind in (TimerKind.APPROVAL_EXPIRY, TimerKind.VERIFICATION):
        turn.copilot.records.timers.cancel(incident.scope, incident.incident_id, kind)
