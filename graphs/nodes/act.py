"""Hand the plan to the executor, action by action, and stop at the first that is not done."""

from typing import Any

from graphs.step import Turn
from memory.records.incident import Status
from memory.records.outcome import Execution, ExecutionState
from memory.records.timeline import EntryKind


def act(turn: Turn) -> dict[str, Any]:
    """Perform each action once. The executor trusts the stored approval only, never the state.

    What AWS accepted and did not finish is left half done: it is watched, and undone. What was refused after others
    of the plan were done leaves these behind: they are undone at once. What cannot be decided goes to people as it is.
    """
    incident, plan = turn.state["incident"], turn.state["plan"]
    done: list[Execution] = []
    for index, action in enumerate(plan.actions):
        execution = turn.copilot.execute(incident, plan, index)
        done.append(execution)
        text = f"{action.action}: {execution.state.value}" + (
            f" ({execution.detail})" if execution.detail else ""
        )
        turn.copilot.tell(
            incident, EntryKind.ACTION, text, "act", {"execution": execution.model_dump(mode="json")}
        )
        if execution.state is not ExecutionState.DONE:
            reason = f"{action.action} is {execution.state.value}: {execution.detail}"
            accepted = {"status": Status.VERIFYING} if execution.was_accepted else {}
            return {"executions": done, "reason": reason, **accepted}
    return {"executions": done, "status": Status.VERIFYING}
