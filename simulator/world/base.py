"""What all records of a world are made of: frozen models, offsets from the start, shares, log templates."""

import re
from datetime import timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

_OFFSET = re.compile(r"(?P<sign>[+-]?)(?:(?P<d>\d+)d)?(?:(?P<h>\d+)h)?(?:(?P<m>\d+)m)?(?:(?P<s>\d+)s)?")


def offset(text: object) -> timedelta:
    """`+4m`, `-1h30m`, `45s` as a time span."""
    if isinstance(text, timedelta):
        return text
    found = _OFFSET.fullmatch(text) if isinstance(text, str) else None
    if found is None or not any(found[unit] for unit in "dhms"):
        raise ValueError(f"not an offset like '+4m' or '-1h30m': {text!r}")
    days, hours, minutes, seconds = (int(found[unit] or 0) for unit in "dhms")
    span = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    return -span if found["sign"] == "-" else span


Offset = Annotated[timedelta, BeforeValidator(offset)]
Share = Annotated[float, Field(ge=0, le=1)]


class Record(BaseModel):
    """Frozen, and a key that nobody reads is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class LogOccasion(StrEnum):
    """When a log template is written."""

    REQUEST = "request"
    ERROR = "error"
    THROTTLE = "throttle"
    READ_THROTTLE = "read_throttle"
    OVERLOAD = "overload"
    DEPENDENCY = "dependency"
    TIMEOUT = "timeout"
    EXTERNAL = "external"
    POISON = "poison"
    BATCH = "batch"
    ALWAYS = "always"


class LogTemplate(Record):
    """One kind of log line. `$name` is filled from the request or from `fields`.

    `share` of the occasion's happenings are written; for `always`, `per_minute` lines.
    """

    on: LogOccasion
    text: str
    share: Share = 1.0
    per_minute: float = Field(default=0.0, ge=0)
    fields: dict[str, list[str]] = Field(default_factory=dict)


class Slo(Record):
    """What a service promises."""

    availability: Share
    latency_ms_p99: float
