"""The faults in force, and which of them a call meets."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from random import Random
from typing import Any

from simulator.control.fault_rules import ALWAYS, FaultRule


class UnknownFaultError(ValueError):
    """No fault in force has that id."""


@dataclass(frozen=True)
class Asking:
    """Who calls what, and when by the account's clock."""

    service: str
    operation: str
    caller: str
    at: datetime


@dataclass
class Fault:
    """A rule in force: how many matching calls it has seen, and how many of them met it."""

    id: str
    rule: FaultRule
    seen: int = 0
    met: int = 0
    lifted: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def is_spent(self) -> bool:
        """Whether no further call can meet it."""
        return self.rule.most != ALWAYS and self.met >= self.rule.most

    def meets(self, asking: Asking) -> bool:
        """Whether this call meets it; a call that matches is counted."""
        rule = self.rule
        if self.is_spent or not rule.is_due(asking.at) or not _matches(rule, asking):
            return False
        self.seen += 1
        if self.seen <= rule.after:
            return False
        # Chance hangs on the call's number alone, so that the order of other faults changes nothing.
        if rule.share is not None and Random(f"{rule.seed}/{self.seen}").random() >= rule.share:
            return False
        self.met += 1
        return True

    def as_json(self) -> dict[str, Any]:
        """The fault as the control plane shows it."""
        return {"id": self.id, **self.rule.as_json(), "seen": self.seen, "met": self.met}


class Faults:
    """The faults in force, in the order they were put there."""

    def __init__(self) -> None:
        self._standing: list[Fault] = []
        self._last = 0

    def add(self, orders: Sequence[Mapping[str, Any]]) -> list[Fault]:
        """Put further faults in force. A bad order raises pydantic's ValidationError and adds none."""
        return self.enforce([FaultRule.model_validate(one) for one in orders])

    def enforce(self, rules: Sequence[FaultRule]) -> list[Fault]:
        """Put rules in force, each under an id of its own."""
        added = [Fault(f"f{self._last + number}", rule) for number, rule in enumerate(rules, 1)]
        self._last += len(added)
        self._standing += added
        return added

    def standing(self) -> list[Fault]:
        """The faults that calls can still meet, and those that were met for the last time."""
        return list(self._standing)

    def clear(self, id_: str | None = None) -> int:
        """Lift one fault, or all; calls that hang on them are let go. How many were lifted."""
        lifted = [one for one in self._standing if id_ in (None, one.id)]
        if id_ is not None and not lifted:
            raise UnknownFaultError(f"no fault {id_} is in force")
        for one in lifted:
            one.lifted.set()
        self._standing = [one for one in self._standing if one not in lifted]
        return len(lifted)

    def meeting(self, asking: Asking) -> list[Fault]:
        """The faults that this call meets; each counts the call."""
        return [one for one in self._standing if one.meets(asking)]

    def kept(self) -> dict[str, Any]:
        """The faults as plain data, to be put in force again by another process."""
        faults = [
            {"id": one.id, "rule": one.rule.as_json(), "seen": one.seen, "met": one.met}
            for one in self._standing
        ]
        return {"last": self._last, "faults": faults}

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Put in force what `kept` gave, in place of what is."""
        self.clear()
        self._last = int(kept["last"])
        self._standing = [
            Fault(one["id"], FaultRule.model_validate(one["rule"]), one["seen"], one["met"])
            for one in kept["faults"]
        ]


def _matches(rule: FaultRule, asking: Asking) -> bool:
    pairs = (
        (rule.service, asking.service),
        (rule.operation, asking.operation),
        (rule.caller, asking.caller),
    )
    return all(_pattern(pattern).fullmatch(name) for pattern, name in pairs)


@cache
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(re.escape(text).replace(r"\*", ".*"))
