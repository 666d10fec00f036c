"""Hold the assessment against the ledger; the critic may only lower confidence."""

from typing import Any

from graphs.step import Turn
from graphs.stopped import stopped
from memory.records.timeline import EntryKind


def critic(turn: Turn) -> dict[str, Any]:
    """Remove claims without stored evidence and let a second reader doubt the rest."""
    incident = turn.state["incident"]
    result = turn.copilot.critique(
        incident, turn.state["first_look"], turn.state["assessment"], turn.state.get("spend")
    )
    checked = result.assessment
    claims = f"{checked.claims_removed} claims removed"
    turn.copilot.tell(
        incident,
        EntryKind.CRITIQUE,
        f"{checked.verdict.value}, confidence {checked.confidence:.2f}, {claims}",
        "critic",
        {"assessment": checked.model_dump(mode="json")},
    )
    told = stopped(turn, "critic", result.failure)
    return {"assessment": checked, "spend": result.spend, "models": result.models, **told}
