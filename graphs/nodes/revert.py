"""Undo what did not help, in reverse order."""

from typing import Any

from graphs.step import Turn
from memory.records.incident import Status
from memory.records.outcome import Execution, ExecutionState
from memory.records.timeline import EntryKind


def revert(turn: Turn) -> dict[str, Any]:
    """Run the inverse of every action of this plan once; plan again only if all of it was undone."""
    incident, attempt = turn.state["incident"], turn.state.get("attempt", 1)
    undone: list[Execution] = []
    for execution in reversed(turn.copilot.executed(incident, turn.state["plan"])):
        undo = turn.copilot.undo(incident, execution)
        undone.append(undo)
        text = f"{undo.action} undone: {undo.state.value}" + (f" ({undo.detail})" if undo.detail else "")
        turn.copilot.tell(
            incident, EntryKind.REVERT, text, "revert", {"execution": undo.model_dump(mode="json")}
        )
    why = turn.state["verification"].detail
    if any(undo.state is not ExecutionState.DONE for undo in undone):
        reason = f"{why}; the undo is not certain, look at the account"
        return {"executions": undone, "status": Status.ESCALATED, "reason": reason}
    if attempt >= turn.copilot.records.settings.limits.plan_attempts:
        reason = f"{why}; it was undone and no further plan is allowed"
        return {"executions": undone, "status": Status.ESCALATED, "reason": reason}
    return {
        "executions": undone,
        "status": Status.OPEN,
        "reviews": [],
        "attempt": attempt + 1,
        "reason": f"{why}; it was undone",
    }
