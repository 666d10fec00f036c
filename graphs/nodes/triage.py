"""Ask the triage agent for an assessment on stored evidence."""

from typing import Any

from graphs.step import Turn
from graphs.stopped import stopped
from memory.records.timeline import EntryKind


def triage(turn: Turn) -> dict[str, Any]:
    """Test competing hypotheses from the first look with read tools, within limits."""
    incident = turn.state["incident"]
    result = turn.copilot.triage(incident, turn.state["first_look"], turn.state.get("spend"))
    turn.copilot.tell(
        incident,
        EntryKind.ASSESSMENT,
        result.assessment.summary,
        "triage",
        {"assessment": result.assessment.model_dump(mode="json")},
    )
    told = stopped(turn, "triage", result.failure)
    return {"assessment": result.assessment, "spend": result.spend, "models": result.models, **told}
