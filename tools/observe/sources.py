"""What read tools read from, and the shape they share."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict

from memory.clock import Clock
from memory.records.config import Limits, Topology
from memory.records.evidence import Evidence
from memory.records.scope import Scope
from tools.aws.access import AwsAccess
from tools.aws.counted import counted
from tools.budget import Allowance
from tools.evidence import Answer, Recorder, Window


class RunbookSearch(Protocol):
    """Whatever finds runbooks for a text."""

    def search(self, text: str, k: int = 3) -> list[dict[str, Any]]:
        """Return the best matching runbooks, best first."""
        ...


@dataclass(frozen=True)
class Sources:
    """One incident's access to the account, within its scope."""

    access: AwsAccess
    recorder: Recorder
    clock: Clock
    topology: Topology
    scope: Scope
    limits: Limits
    runbooks: RunbookSearch

    def last(self, minutes: int) -> Window:
        """Return the window of the last minutes of the account's time."""
        now = self.clock.now()
        return now - timedelta(minutes=minutes), now

    def allowed(self) -> "Sources":
        """Return the same for one collector, which may take no more than its allowance out of the incident's budget."""
        budget = self.recorder.budget
        own = Allowance(budget.limits, budget.prices, whole=budget)
        return replace(self, access=counted(self.access, own.told), recorder=self.recorder.within(own))


class Question(BaseModel):
    """The parameters of a read tool: narrow, typed, and nothing beside them."""

    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True)
class ReadTool:
    """A read tool as agents see it.

    `ask` stores what it reads. `again` reads the same once more and stores nothing; it takes the window that the
    evidence is of, where it has one.
    """

    name: str
    description: str
    question: type[Question]
    ask: Callable[[Sources, Any], Evidence]
    again: Callable[[Sources, Any, Any], Answer]
