"""What a guardrail stopped is an outcome that people hear about, and no gap that code goes on without."""

from typing import TYPE_CHECKING, Any

from graphs.step import Turn
from memory.records.failure import Failure

if TYPE_CHECKING:
    from agents.errors import ModelFailure

INTERVENED = "GuardrailIntervened"


def stopped(turn: Turn, step: str, failure: "ModelFailure | None") -> dict[str, Any]:
    """Return the state's note that a guardrail intervened in a step, so that the incident goes to people.

    A model that is away is different: what code measured stands without it.
    """
    if failure is None or not failure.is_blocked:
        return {}
    at = turn.copilot.records.clock.now()
    return {"failures": [Failure(step=step, error=INTERVENED, detail=failure.sentence, at=at)]}
