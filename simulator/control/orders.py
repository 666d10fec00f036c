"""What can be asked of the control plane, checked before anything happens."""

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from simulator.account import Account
from simulator.clock import aware_iso
from simulator.trail.calls import Recorded

LONGEST_ADVANCE = timedelta(hours=48)


class BadOrderError(ValueError):
    """The control plane cannot do what was asked, and why."""


def _moment(text: object) -> datetime:
    try:
        return aware_iso(str(text))
    except ValueError as error:
        raise ValueError(f"not a time: {text!r}") from error


class Order(BaseModel):
    """Nothing in an order goes unread."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ClockOrder(Order):
    """How the clock is to move: by a span, to a moment, or at a pace from now on."""

    advance_seconds: float | None = Field(default=None, ge=0)
    until: Annotated[datetime, BeforeValidator(_moment)] | None = None
    pace: float | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _one_of(self) -> "ClockOrder":
        if sum(one is not None for one in (self.advance_seconds, self.until, self.pace)) != 1:
            raise ValueError("give exactly one of advance_seconds, until and pace")
        return self


class InjectOrder(Order):
    """Which scenario is to be laid over the account."""

    scenario: str
    scenarios_dir: Path | None = None


class PulseQuestion(Order):
    """How many of the last minutes are wanted."""

    minutes: int = Field(default=30, ge=1, le=24 * 60)


class CallsQuestion(Order):
    """Which calls are wanted: those after a number, of an operation, a service or a caller, not too old.

    In the names, `*` stands for anything.
    """

    after: int = 0
    operation: str = "*"
    service: str = "*"
    caller: str = "*"
    since_seconds: float | None = Field(default=None, ge=0)

    def answered(self, account: Account) -> dict[str, Any]:
        """The calls, oldest first, and the number to ask after the next time."""
        calls = account.log.after(self.after)
        oldest = None
        if self.since_seconds is not None:
            oldest = account.clock.now() - timedelta(seconds=self.since_seconds)
        wanted = [one.as_json() for one in calls if self._wants(one, oldest)]
        return {"calls": wanted, "next": calls[-1].number if calls else self.after}

    def _wants(self, call: Recorded, oldest: datetime | None) -> bool:
        named = (
            (self.operation, call.operation),
            (self.service, call.service),
            (self.caller, call.caller.arn),
        )
        young = oldest is None or call.at >= oldest
        return young and all(_fits(pattern, name) for pattern, name in named)


def check_span(span: timedelta) -> None:
    """Refuse what would keep everybody waiting."""
    if span > LONGEST_ADVANCE:
        raise BadOrderError(f"the clock advances by {LONGEST_ADVANCE} at most at a time")


def worded(error: ValidationError) -> str:
    """What is wrong with an order, each with its place."""
    return "; ".join(_placed(one["loc"], one["msg"]) for one in error.errors())


def _placed(place: tuple[int | str, ...], said: str) -> str:
    said = said.removeprefix("Value error, ")
    return f"{'.'.join(str(part) for part in place)}: {said}" if place else said


def _fits(pattern: str, name: str) -> bool:
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), name, re.IGNORECASE) is not None
