"""What an alarm event says, whichever envelope it came in."""

from enum import StrEnum
from typing import Any

from pydantic import Field

from memory.records.base import Record, UtcTime
from memory.records.scope import Scope


class AlarmState(StrEnum):
    """CloudWatch's three alarm states."""

    OK = "OK"
    ALARM = "ALARM"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


class Metric(Record):
    """One CloudWatch metric with its dimensions."""

    namespace: str
    name: str
    dimensions: dict[str, str] = Field(default_factory=dict)
    stat: str | None = None
    period_seconds: int | None = None


class Alarm(Record):
    """The facts of one alarm state change."""

    name: str
    arn: str
    scope: Scope
    state: AlarmState
    previous_state: AlarmState | None = None
    reason: str = ""
    changed_at: UtcTime
    description: str = ""
    metrics: tuple[Metric, ...] = ()
    expression: str | None = None
    threshold: float | None = None
    alarm_rule: str | None = None
    suppressed_by: str | None = None
    suppressor: str | None = None
    tags: dict[str, str] = Field(default_factory=dict)


class Route(StrEnum):
    """What intake does with a well-formed event."""

    OPEN_OR_UPDATE_INCIDENT = "open_or_update_incident"
    SUPPRESSED_NO_PAGE = "suppressed_no_page"
    AUDIT_ONLY = "audit_only"
    NOTE_RECOVERY = "note_recovery"
    NOT_AN_ALARM = "not_an_alarm"
    DECODE_LOGS = "decode_logs"


class Envelope(Record):
    """One delivered event: its identity, its route and, for alarms, its facts."""

    event_id: str
    source: str
    kind: str
    route: Route
    received_at: UtcTime
    alarm: Alarm | None = None
    raw_sha256: str
    facts: dict[str, Any] = Field(default_factory=dict)
