"""What is proposed, and what policy says to it."""

from enum import StrEnum
from typing import Any

from pydantic import Field

from memory.records.base import Record, digest


class Risk(StrEnum):
    """How much an action may break."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class PlannedAction(Record):
    """One action of the catalogue with its exact parameters."""

    action: str = Field(description="The name of an action in the catalogue.")
    parameters: dict[str, Any] = Field(description="The action's parameters, exactly.")
    why: str = Field(default="", description="Why this action follows from the assessment.")


class Plan(Record):
    """At most a few actions, or none with the reason."""

    actions: tuple[PlannedAction, ...] = ()
    summary: str = ""
    no_action_reason: str | None = None
    expected_effect: str = ""
    alternatives: tuple[str, ...] = ()
    runbooks: tuple[str, ...] = ()
    attempt: int = 1

    @property
    def plan_hash(self) -> str:
        """Return the digest of what would be done: the actions and their order, and the attempt."""
        acts = [[act.action, act.parameters] for act in self.actions]
        return digest([self.attempt, acts])


class Ruling(StrEnum):
    """Policy's answer to one action."""

    PERMIT = "permit"
    ASK = "ask"
    REFUSE = "refuse"


class Review(Record):
    """One action's ruling, with what it rests on."""

    action: str
    ruling: Ruling
    reasons: tuple[str, ...]
    policy_ids: tuple[str, ...]
    policy_set_sha256: str
    risk: Risk
    blast_radius: str
    fingerprint: str
    inverse: str
