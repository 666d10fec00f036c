"""Faults that a test orders: a call that is refused, answered late, or performed and never answered."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class FaultKind(StrEnum):
    """What happens to a call that meets the fault."""

    ERROR = "error"
    DROP_RESPONSE = "drop_response"
    DELAY = "delay"


class Fault(BaseModel):
    """One order. `times` -1 means always; the first `after` matching calls pass."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    service: str
    operation: str
    kind: FaultKind
    error_code: str = "ThrottlingException"
    status: int = Field(default=400, ge=400, le=599)
    message: str = "Rate exceeded"
    seconds: float = Field(default=1.0, ge=0)
    times: int = Field(default=1, ge=-1)
    after: int = Field(default=0, ge=0)


@dataclass
class _Ordered:
    fault: Fault
    to_pass: int
    left: int


class Faults:
    """The faults in force."""

    def __init__(self) -> None:
        self._ordered: list[_Ordered] = []

    def add(self, orders: Sequence[dict[str, Any]]) -> None:
        """Put further faults in force. A bad order raises pydantic's ValidationError and adds none."""
        faults = [Fault.model_validate(one) for one in orders]
        self._ordered += [_Ordered(one, one.after, one.times) for one in faults]

    def clear(self) -> None:
        """Lift all faults."""
        self._ordered.clear()

    def meeting(self, service: str, operation: str) -> list[Fault]:
        """The faults that this call meets; each counts the call."""
        met = []
        for ordered in self._ordered:
            fault = ordered.fault
            if not (_matches(fault.service, service) and _matches(fault.operation, operation)):
                continue
            if ordered.to_pass > 0:
                ordered.to_pass -= 1
            elif ordered.left != 0:
                ordered.left -= 1 if ordered.left > 0 else 0
                met.append(fault)
        return met


def _matches(pattern: str, name: str) -> bool:
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), name) is not None
