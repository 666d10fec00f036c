"""Undo what did not help, in reverse order, and see that the undo took effect."""

from datetime import timedelta
from typing import Any

from graphs.step import Turn, Wait
from memory.records.incident import Status
from memory.records.outcome import Execution, ExecutionState
from memory.records.timeline import EntryKind, Timer, TimerKind

LOOK_EVERY = timedelta(seconds=60)


def revert(turn: Turn) -> dict[str, Any] | Wait:
    """Run the inverse of every action of this plan once; plan again only when all of it is undone for certain."""
    records, incident = turn.copilot.records, turn.state["incident"]
    acted = turn.copilot.executed(incident, turn.state["plan"])
    undone = [turn.copilot.undo(incident, execution) for execution in reversed(acted)]
    for undo in undone:
        _tell_news(turn, undo)
    why = turn.state["verification"].detail
    if not undone or any(undo.state is not ExecutionState.DONE for undo in undone):
        return _over(turn, undone, Status.ESCALATED, f"{why}; the undo is not certain, look at the account")
    open_until = max(undo.done_at or undo.claimed_at for undo in undone) + timedelta(
        minutes=records.settings.limits.verification_minutes
    )
    if any(turn.copilot.is_under_way(incident, undo) for undo in undone):
        if records.clock.now() < open_until:
            return _waiting(turn)
        reason = f"{why}; the undo is still under way, look at the account"
        return _over(turn, undone, Status.ESCALATED, reason)
    if turn.state.get("attempt", 1) >= records.settings.limits.plan_attempts:
        return _over(turn, undone, Status.ESCALATED, f"{why}; it was undone and no further plan is allowed")
    return _over(turn, undone, Status.OPEN, f"{why}; it was undone")


def _waiting(turn: Turn) -> dict[str, Any] | Wait:
    """Look again by a durable timer, which is set anew once its time has come."""
    records, incident = turn.copilot.records, turn.state["incident"]
    now = records.clock.now()
    timer = records.timers.get(incident.scope, incident.incident_id, TimerKind.VERIFICATION)
    if timer is None or timer.wake_at <= now:
        timer = Timer(incident_id=incident.incident_id, kind=TimerKind.VERIFICATION, wake_at=now + LOOK_EVERY)
        records.timers.set(incident.scope, timer)
    if turn.woken:
        return {"status": Status.VERIFYING}
    return Wait({"waiting_for": "time", "wake_at": timer.wake_at.isoformat()})


def _over(turn: Turn, undone: list[Execution], status: Status, reason: str) -> dict[str, Any]:
    records, incident = turn.copilot.records, turn.state["incident"]
    records.timers.cancel(incident.scope, incident.incident_id, TimerKind.VERIFICATION)
    ended: dict[str, Any] = {"executions": undone, "status": status, "reason": reason}
    if status is not Status.OPEN:
        return ended
    return {**ended, "reviews": [], "attempt": turn.state.get("attempt", 1) + 1}


def _tell_news(turn: Turn, undo: Execution) -> None:
    """Tell the timeline how an undo stands, unless that was its last word already."""
    incident = turn.state["incident"]
    facts = {"execution": undo.model_dump(mode="json")}
    told = turn.copilot.records.timeline.entries(incident.scope, incident.incident_id)
    if any(entry.kind is EntryKind.REVERT and entry.facts == facts for entry in told):
        return
    text = f"undo of {undo.action}: {undo.state.value}" + (f" ({undo.detail})" if undo.detail else "")
    turn.copilot.tell(incident, EntryKind.REVERT, text, "revert", facts)
