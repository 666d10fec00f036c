"""Hand the plan to the executor, action by action, and stop at the first that is not done."""

from collections.abc import Sequence
from typing import Any

from graphs.later import later, no_later
from graphs.step import Turn, Wait
from memory.records.incident import Status
from memory.records.outcome import Execution, ExecutionState
from memory.records.timeline import EntryKind


def act(turn: Turn) -> dict[str, Any] | Wait:
    """Perform each action once. The executor trusts the stored approval only, never the state.

    A step is sent only once the one before it is over at AWS and is known to have succeeded; it is looked at each
    minute, by a durable timer, for as long as a verification or what it promised may take. What AWS accepted and did
    not finish is left half done: it is watched, and undone. What was refused after others of the plan were done leaves
    these behind: they are undone at once. What cannot be decided goes to people as it is.
    """
    incident, plan = turn.state["incident"], turn.state["plan"]
    done: list[Execution] = []
    for index, action in enumerate(plan.actions):
        execution = turn.copilot.execute(incident, plan, index)
        is_last = index + 1 == len(plan.actions)
        if not is_last and execution.detail and execution.state is ExecutionState.DONE:
            execution = turn.copilot.confirmed(incident, execution)
        done.append(execution)
        _tell(turn, execution)
        if execution.state is not ExecutionState.DONE:
            return _over(turn, done, f"{action.action} is {execution.state.value}: {execution.detail}")
        if is_last or not execution.detail or not turn.copilot.is_under_way(incident, execution):
            continue
        if _may_take_longer(turn, execution):
            return _waiting(turn)
        reason = f"{action.action} is still under way, so that the rest was not sent"
        turn.copilot.tell(incident, EntryKind.NOTE, reason, "act")
        return _over(turn, done, reason)
    return _over(turn, done)


def _may_take_longer(turn: Turn, execution: Execution) -> bool:
    since = execution.done_at or execution.claimed_at
    return turn.copilot.records.clock.now() < since + turn.copilot.time_for(execution)


def _waiting(turn: Turn) -> dict[str, Any] | Wait:
    """Come back to the step that is under way; nothing of the plan is over yet."""
    asked = later(turn, Status.ACTING)
    return asked if isinstance(asked, Wait) else {**asked, "due": False}


def _over(turn: Turn, done: Sequence[Execution], reason: str = "") -> dict[str, Any]:
    no_later(turn)
    ended: dict[str, Any] = {"executions": list(done), "due": True}
    if reason:
        ended["reason"] = reason
    if done and not done[-1].was_accepted:
        return ended
    return {**ended, "status": Status.VERIFYING}


def _tell(turn: Turn, execution: Execution) -> None:
    """Tell the timeline how an action ended, once: while a later one waits, all are gone through again."""
    incident, copilot = turn.state["incident"], turn.copilot
    for entry in copilot.records.timeline.entries(incident.scope, incident.incident_id):
        told = entry.facts.get("execution", {}) if entry.kind is EntryKind.ACTION else {}
        if (told.get("action_id"), told.get("state")) == (execution.action_id, execution.state.value):
            return
    text = f"{execution.action}: {execution.state.value}" + (
        f" ({execution.detail})" if execution.detail else ""
    )
    copilot.tell(incident, EntryKind.ACTION, text, "act", {"execution": execution.model_dump(mode="json")})
