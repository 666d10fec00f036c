"""What becomes of a step: outputs, a failure, a time-out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


class StepFailedError(Exception):
    """The step failed; its text is the step's FailureMessage."""


class StepTimedOutError(StepFailedError):
    """The step did not end within its timeoutSeconds."""


@dataclass(frozen=True)
class StepResult:
    """What a step gave: its outputs, its response, and where it leads if it says so itself."""

    outputs: Mapping[str, Any] = field(default_factory=dict)
    response: str | None = None
    next_step: str | None = None
