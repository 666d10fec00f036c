"""Wait for a decision. No process waits: the run ends here until somebody wakes it."""

from datetime import timedelta
from typing import Any

from agents.notes import APPROVAL
from graphs.step import Turn, Wait
from graphs.thinking import send_key
from memory.records.approval import ApprovalRequest, ApprovalStatus
from memory.records.incident import Status
from memory.records.message import Audience
from memory.records.scope import COPILOT
from memory.records.timeline import EntryKind, Timer, TimerKind


def approve(turn: Turn) -> dict[str, Any] | Wait:
    """Read the stored decision; what a resume carries is no decision and is not looked at."""
    records, incident = turn.copilot.records, turn.state["incident"]
    request = records.approvals.get(incident.scope, incident.incident_id, turn.state["plan"].plan_hash)
    if request is None:
        return _ask(turn)
    request = records.approvals.expire(request, records.clock.now())
    match request.status:
        case ApprovalStatus.PENDING:
            if turn.woken:
                return {"status": Status.AWAITING_APPROVAL}
            return _waiting(request) if _was_told(turn, request) else _tell(turn, request)
        case ApprovalStatus.APPROVED:
            _stop_timer(turn)
            return {"status": Status.ACTING}
        case ApprovalStatus.DENIED:
            _stop_timer(turn)
            decision = records.approvals.decision(incident.scope, incident.incident_id, request.plan_hash)
            why = f": {decision.reason}" if decision and decision.reason else ""
            return {"status": Status.ESCALATED, "reason": f"the plan was denied{why}"}
        case ApprovalStatus.EXPIRED:
            _stop_timer(turn)
            text = f"nobody decided before {request.expires_at:%H:%M:%S} UTC; nothing was done"
            turn.copilot.tell(incident, EntryKind.APPROVAL_EXPIRED, text, "approve")
            return {"status": Status.ESCALATED, "reason": f"approval expired: {text}"}


def _ask(turn: Turn) -> Wait:
    """Store the request, tell people, and wait.

    What the request is bound to is read now, and not taken from the state, which anybody with a thread may edit.
    """
    records, incident, plan = turn.copilot.records, turn.state["incident"], turn.state["plan"]
    found = turn.copilot.inspect(plan)
    now = records.clock.now()
    request = records.approvals.request(
        ApprovalRequest(
            incident_id=incident.incident_id,
            scope=incident.scope,
            plan_hash=plan.plan_hash,
            actions=plan.actions,
            fingerprints=tuple(one.fingerprint for one in found),
            states=tuple(one.bound for one in found),
            quorum=turn.copilot.quorum(incident, found),
            proposer=COPILOT,
            requested_at=now,
            expires_at=now + timedelta(minutes=records.settings.limits.approval_minutes),
        )
    )
    return _tell(turn, request)


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
    return _waiting(request)


def _was_told(turn: Turn, request: ApprovalRequest) -> bool:
    """Say whether the message is in the outbox: it is stored there after all else, and sent from there."""
    key = send_key(request.incident_id, APPROVAL, request.plan_hash[:12], Audience.ON_CALL)
    told = turn.copilot.records.outbox.all(request.scope, request.incident_id)
    return any(message.send_key == key for message in told)


def _waiting(request: ApprovalRequest) -> Wait:
    return Wait(
        {
            "waiting_for": "approval",
            "plan_hash": request.plan_hash,
            "actions": [act.model_dump(mode="json") for act in request.actions],
            "expires_at": request.expires_at.isoformat(),
            "decide_at": f"/incidents/{request.incident_id}/decision",
        }
    )


def _stop_timer(turn: Turn) -> None:
    incident = turn.state["incident"]
    turn.copilot.records.timers.cancel(incident.scope, incident.incident_id, TimerKind.APPROVAL_EXPIRY)
