"""What a fault in the control plane says: which calls meet it, what happens to them, how often, and when."""

from datetime import datetime
from difflib import get_close_matches
from enum import StrEnum
from typing import Annotated, Any

from botocore.exceptions import UnknownServiceError
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from simulator.bedrock.faults import StreamException
from simulator.clock import aware_iso
from simulator.wire.protocol import service_model, service_names

ALWAYS = -1
# What else each kind may say beside which calls it meets and how often.
_TERMS = {
    "throttle": frozenset[str](),
    "error": frozenset({"code", "status", "message"}),
    "hang": frozenset({"seconds"}),
    "slow": frozenset({"seconds"}),
    "lose_answer": frozenset[str](),
    "stream_error": frozenset({"exception", "after_frames", "message"}),
    "guardrail": frozenset[str](),
}
_STREAMS = frozenset({"ConverseStream"})
_GUARDED = frozenset({"Converse", "ConverseStream", "ApplyGuardrail"})
_BEDROCK_ONLY = {"stream_error": _STREAMS, "guardrail": _GUARDED}


class FaultKind(StrEnum):
    """What happens to a call that meets the fault."""

    THROTTLE = "throttle"
    ERROR = "error"
    HANG = "hang"
    SLOW = "slow"
    LOSE_ANSWER = "lose_answer"
    STREAM_ERROR = "stream_error"
    GUARDRAIL = "guardrail"


def _moment(value: object) -> object:
    return aware_iso(value) if isinstance(value, str) else value


def _aware(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("a time of the account has a zone")
    return value


Moment = Annotated[datetime, BeforeValidator(_moment), AfterValidator(_aware)]


class FaultTerms(BaseModel):
    """What every fault says, whoever orders it. In names and in `caller`, `*` stands for anything.

    The first `after` matching calls pass. Then `times` calls meet it, or of all calls the `share` that
    chance with `seed` picks. Without either it is one call.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    service: str = Field(min_length=1)
    operation: str = Field(default="*", min_length=1)
    caller: str = Field(default="*", min_length=1)
    kind: FaultKind
    code: str | None = Field(default=None, min_length=1)
    status: int | None = Field(default=None, ge=400, le=599)
    message: str | None = None
    seconds: float | None = Field(default=None, ge=0, le=3600)
    exception: StreamException | None = None
    after_frames: int | None = Field(default=None, ge=0)
    times: int | None = Field(default=None, ge=ALWAYS)
    share: float | None = Field(default=None, gt=0, le=1)
    seed: int = 0
    after: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _makes_sense(self) -> "FaultTerms":
        said = {name for terms in _TERMS.values() for name in terms if getattr(self, name) is not None}
        foreign = sorted(said - _TERMS[self.kind])
        if foreign:
            raise ValueError(f"a fault of the kind {self.kind} has no {' and no '.join(foreign)}")
        if self.kind is FaultKind.ERROR and self.code is None:
            raise ValueError("an error needs its code, such as AccessDeniedException")
        if self.kind is FaultKind.SLOW and self.seconds is None:
            raise ValueError("slow needs its seconds")
        if self.times is not None and self.share is not None:
            raise ValueError("give either times or share")
        if self.times == 0:
            raise ValueError("times is 1 or more, or -1 for every call")
        _check_names(self)
        return self


class FaultRule(FaultTerms):
    """A fault as it is ordered while the account runs, from a moment of account time until another."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    begins: Moment | None = Field(default=None, alias="from")
    until: Moment | None = None

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> "FaultRule":
        if self.begins is not None and self.until is not None and self.until <= self.begins:
            raise ValueError("a fault ends after it begins: until is later than from")
        return self

    def is_due(self, now: datetime) -> bool:
        """Whether the fault is in force at a moment of account time."""
        return (self.begins is None or self.begins <= now) and (self.until is None or now < self.until)

    @property
    def most(self) -> int:
        """How many calls meet it at most; `ALWAYS` where nothing bounds that."""
        if self.times is not None:
            return self.times
        return 1 if self.share is None and self.until is None else ALWAYS

    def as_json(self) -> dict[str, Any]:
        """The rule as it was ordered."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def _check_names(terms: FaultTerms) -> None:
    """A misspelled name would make a fault that no call ever meets."""
    if terms.kind in _BEDROCK_ONLY:
        known = _BEDROCK_ONLY[terms.kind]
        if terms.service != "bedrock-runtime" or terms.operation not in {*known, "*"}:
            raise ValueError(f"{terms.kind} is for bedrock-runtime: {', '.join(sorted(known))}")
    if "*" in terms.service:
        return
    try:
        operations = service_model(terms.service).operation_names
    except UnknownServiceError as error:
        raise ValueError(_unknown("service", terms.service, service_names())) from error
    if "*" not in terms.operation and terms.operation not in operations:
        raise ValueError(_unknown(f"operation of {terms.service}", terms.operation, operations))


def _unknown(what: str, name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, 1) or [one for one in known if one.lower() == name.lower()]
    return f"{name} is no {what}" + (f"; did you mean {near[0]}?" if near else "")
