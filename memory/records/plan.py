"""What is proposed, and what policy says to it."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Self

from pydantic import Field, model_validator

from memory.records.alarm import Metric
from memory.records.base import Record, digest


class Risk(StrEnum):
    """How much an action may break."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Direction(StrEnum):
    """Which way a signal goes when an action works."""

    FALLS = "falls"
    RISES = "rises"
    BECOMES = "becomes"


class ExpectedSignal(Record):
    """What is seen, and by when, if an action works: a metric, or one entry of the action's own live state.

    `state_key` names an entry of what `Action.read_state` returns. `level` is what has to be reached; without one
    the signal only has to move, against what it was before the action. `no_points` is what a minute without a point
    stands for: 0 for a count that is published only while something is counted.
    """

    text: str = Field(min_length=1, description="The expectation in plain words.")
    direction: Direction
    within_seconds: int = Field(ge=1, le=86_400, description="Counted from the call that AWS accepted.")
    metric: Metric | None = None
    state_key: str = ""
    level: bool | int | float | str | None = None
    no_points: float | None = None

    @model_validator(mode="after")
    def _names_one_signal(self) -> Self:
        if (self.metric is None) == (not self.state_key):
            raise ValueError("an expected signal is a metric or an entry of the state, and one of them")
        if self.metric is not None and not (self.metric.stat and self.metric.period_seconds):
            raise ValueError("an expected metric needs its statistic and period")
        if self.direction is Direction.BECOMES and self.level is None:
            raise ValueError("what a signal becomes has to be said")
        return self

    def __str__(self) -> str:
        """Say what is seen if it works, and by when."""
        minutes, seconds = divmod(self.within_seconds, 60)
        return f"{self.text}, within {f'{self.within_seconds} s' if seconds else f'{minutes} min'}"

    def met(self, before: Any, now: Any) -> bool:
        """Say whether the signal went the way that was expected; what is not there has not."""
        if self.direction is Direction.BECOMES:
            return type(now) is type(self.level) and bool(now == self.level)
        if not _is_number(now):
            return False
        if _is_number(self.level):
            return bool(now <= self.level if self.direction is Direction.FALLS else now >= self.level)
        if not _is_number(before):
            return False
        return bool(now < before if self.direction is Direction.FALLS else now > before)


class PlannedAction(Record):
    """One action of the catalogue with its exact parameters."""

    action: str = Field(description="The name of an action in the catalogue.")
    parameters: dict[str, Any] = Field(description="The action's parameters, exactly.")
    why: str = Field(default="", description="Why this action follows from the assessment.")
    cause: str = Field(default="", description="The cause it answers, as component and kind.")
    expected: tuple[ExpectedSignal, ...] = Field(default=(), description="What is seen if it works.")
    falsified_by: str = Field(default="", description="What would show that it answers the wrong cause.")

    @property
    def told_expected(self) -> str:
        """Say what is seen if it works, and by when; empty where nothing is."""
        return "; ".join(map(str, self.expected))


class Considered(Record):
    """An action that was possible too, or looked at and left, and why it was not chosen."""

    action: str
    parameters: dict[str, Any] = Field(default_factory=dict)
    cause: str = ""
    why_not: str


class SimilarIncident(Record):
    """A past incident of the same part or kind of cause: what was done then, and how it ended."""

    incident_id: str
    alarm: str
    service: str
    kind: str
    status: str
    actions: tuple[str, ...] = ()
    outcome: str = ""


class Drift(Record):
    """Something that a runbook names and the account no longer has as the runbook says."""

    runbook: str
    subject: str
    problem: str

    def __str__(self) -> str:
        """Say which runbook, and what of it does not fit the account."""
        return f"{self.runbook}: {self.subject}: {self.problem}"


class Plan(Record):
    """One or a few actions in their order, or none with the reason."""

    actions: tuple[PlannedAction, ...] = ()
    summary: str = ""
    no_action_reason: str | None = None
    expected_effect: str = ""
    alternatives: tuple[str, ...] = ()
    considered: tuple[Considered, ...] = ()
    runbooks: tuple[str, ...] = ()
    drift: tuple[Drift, ...] = ()
    similar: tuple[SimilarIncident, ...] = ()
    attempt: int = 1

    @property
    def plan_hash(self) -> str:
        """Return the digest of what would be done: the actions and their order, and the attempt."""
        acts = [[act.action, act.parameters] for act in self.actions]
        return digest([self.attempt, acts])


NO_INVERSE = "none"
"""What a review says of an action that nothing takes back."""


class Ruling(StrEnum):
    """Policy's answer to one action."""

    PERMIT = "permit"
    ASK = "ask"
    REFUSE = "refuse"


class Review(Record):
    """One action's ruling, with what it rests on. `freeze` is the freeze that held, or nothing."""

    action: str
    ruling: Ruling
    reasons: tuple[str, ...]
    policy_ids: tuple[str, ...]
    policy_set_sha256: str
    risk: Risk
    blast_radius: str
    fingerprint: str
    inverse: str
    freeze: str = ""

    @property
    def way_back(self) -> str:
        """Say what takes the action back, or that nothing does."""
        return "none: the copilot cannot undo it" if self.inverse == NO_INVERSE else self.inverse


def reviews_of(actions: Sequence[PlannedAction], reviews: Sequence[Review]) -> tuple[Review, ...]:
    """Return the rulings on these actions, in their order, or none where the newest reviews are of others."""
    last = tuple(reviews[-len(actions) :]) if actions else ()
    return last if [one.action for one in last] == [one.action for one in actions] else ()


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
