"""What may pass by itself: look at it afresh, and withdraw a plan whose reason has passed."""

from datetime import timedelta
from typing import Any

from agents.notes import UPDATE
from graphs.step import Turn
from memory.records.approval import ApprovalRequest, ApprovalStatus
from memory.records.incident import Status
from memory.records.message import Audience
from memory.records.plan import Plan, Risk
from memory.records.spend import Spend
from memory.records.timeline import EntryKind, Timer, TimerKind
from memory.state import IncidentState
from tools.actions.registry import named
from tools.passing import Harm, Passing, how_it_passes

LOOK_EVERY = timedelta(seconds=60)


def may_pass(state: IncidentState) -> bool:
    """Say whether all that was found lies outside the account, and nothing was done about it yet."""
    assessment = state.get("assessment")
    untouched = not state.get("failures") and not state.get("executions")
    return untouched and assessment is not None and assessment.is_outside


def look(turn: Turn) -> tuple[Passing, Spend]:
    """Look at how the harm goes on now; the second part is what the look has cost."""
    incident = turn.state["incident"]
    sources = turn.copilot.sources(incident, turn.state.get("spend"))
    found = how_it_passes(sources, incident, sources.topology.of_alarm(incident.alarm.name))
    return found, sources.recorder.spend


def with_waiting(turn: Turn, plan: Plan, found: Passing) -> Plan:
    """Put waiting first among the alternatives of a plan of high risk: people weigh it against the harm."""
    catalogue = turn.copilot.executor.catalogue
    known = (named(catalogue, one.action) for one in plan.actions)
    if not any(one is not None and one.risk is Risk.HIGH for one in known):
        return plan
    falls = f"; the harm is falling: {found.detail}" if found.harm is Harm.EASES else ""
    waiting = (
        "wait: the cause lies outside and may pass by itself. It is looked at each minute until you decide, and the "
        f"plan is withdrawn once it is over{falls}"
    )
    return plan.model_copy(update={"alternatives": (waiting, *plan.alternatives)})


def next_look(turn: Turn) -> Timer | None:
    """Return the timer of the next look at what may pass, or None where none is set."""
    incident = turn.state["incident"]
    return turn.copilot.records.timers.get(incident.scope, incident.incident_id, TimerKind.VERIFICATION)


def look_later(turn: Turn) -> Timer:
    """Set a durable timer for the next look."""
    records, incident = turn.copilot.records, turn.state["incident"]
    wake_at = records.clock.now() + LOOK_EVERY
    timer = Timer(incident_id=incident.incident_id, kind=TimerKind.VERIFICATION, wake_at=wake_at)
    records.timers.set(incident.scope, timer)
    return timer


def withdraw(turn: Turn, request: ApprovalRequest, detail: str, spend: Spend) -> dict[str, Any]:
    """Withdraw a plan whose reason has passed, say so, and go on to watch the alarm with nothing done.

    A request that closed otherwise in the meantime stays as it is, and the step is gone through again.
    """
    records, incident = turn.copilot.records, turn.state["incident"]
    now = records.clock.now()
    why = f"it recovered by itself before anything was done: {detail}"
    standing = records.approvals.withdraw(request, now, why)
    if standing.status is not ApprovalStatus.WITHDRAWN:
        return {"status": Status.AWAITING_APPROVAL, "spend": spend}
    for kind in (TimerKind.APPROVAL_EXPIRY, TimerKind.VERIFICATION):
        records.timers.cancel(incident.scope, incident.incident_id, kind)
    text = f"the plan is withdrawn: {standing.withdrawn}"
    turn.copilot.tell(incident, EntryKind.NOTE, text, "approve", {"withdrawn": request.plan_hash})
    told = turn.state.copy()
    told["status"], told["reason"] = Status.VERIFYING, text
    words, models = turn.copilot.announce(told, UPDATE, Audience.ON_CALL)
    return {
        "status": Status.VERIFYING,
        "watched_since": now,
        "reason": text,
        "spend": spend + words,
        "models": models,
    }
