"""Close an incident that needs nothing more."""

from typing import Any

from graphs.step import Turn
from memory.records.assessment import Verdict
from memory.records.incident import Status


def close(turn: Turn) -> dict[str, Any]:
    """Close as noise with the reason, or as resolved with what verification found."""
    assessment = turn.state["assessment"]
    if assessment.verdict is Verdict.NOISE:
        return {"status": Status.NOISE, "reason": assessment.summary}
    return {"status": Status.RESOLVED, "reason": turn.state["verification"].detail}
