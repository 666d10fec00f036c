"""What a guardrail stopped is an outcome that people hear about, and no gap that code goes on without."""

from typing import Any

from agents.errors import Fault, ModelFailure
from graphs.step import Turn
from memory.records.failure import Failure

INTERVENED = "GuardrailIntervened"


def stopped(turn: Turn, step: str, failure: ModelFailure | None) -> dict[str, Any]:
    """Return the state's note that a guardrail intervened in a step, so that the incident goes to people.

    A model that is away is different: what code measured stands without it.
    """
    if failure is None or failure.fault is not Fault.BLOCKED:
        return {}
    at = turn.copilot.records.clock.now()
    return {"failures": [Failure(step=step, error=INTERVENED, detail=failure.sentence, at=at)]}
