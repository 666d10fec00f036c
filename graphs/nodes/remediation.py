"""Ask the remediation agent for a plan of catalogue actions."""

from typing import Any

from graphs.step import Turn
from graphs.stopped import stopped
from memory.records.base import digest
from memory.records.incident import Status
from memory.records.timeline import EntryKind


def remediation(turn: Turn) -> dict[str, Any]:
    """Propose what to do about the assessed cause, without what was tried before."""
    incident = turn.state["incident"]
    tried = {digest([e.action, e.parameters]) for e in turn.state.get("executions", [])}
    result = turn.copilot.propose(
        incident, turn.state["assessment"], tried, turn.state.get("attempt", 1), turn.state.get("spend")
    )
    plan = result.plan
    text = plan.summary or plan.no_action_reason or "no action"
    turn.copilot.tell(incident, EntryKind.PLAN, text, "remediation", {"plan": plan.model_dump(mode="json")})
    told = stopped(turn, "remediation", result.failure)
    return {"plan": plan, "status": Status.OPEN, "spend": result.spend, "models": result.models, **told}
