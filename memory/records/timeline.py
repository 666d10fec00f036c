"""The append-only account of one incident."""

from enum import StrEnum
from typing import Any

from pydantic import Field

from memory.records.base import Record, UtcTime


class EntryKind(StrEnum):
    """What an entry tells."""

    OPENED = "opened"
    JOINED = "joined"
    STEP_STARTED = "step_started"
    STEP_ENDED = "step_ended"
    STEP_FAILED = "step_failed"
    EVIDENCE = "evidence"
    FIRST_LOOK = "first_look"
    ASSESSMENT = "assessment"
    CRITIQUE = "critique"
    PLAN = "plan"
    REVIEW = "review"
    APPROVAL_REQUESTED = "approval_requested"
    DECISION = "decision"
    APPROVAL_EXPIRED = "approval_expired"
    ACTION = "action"
    REVERT = "revert"
    VERIFICATION = "verification"
    MESSAGE = "message"
    ALARM = "alarm"
    CLOSED = "closed"
    NOTE = "note"


class TimelineEntry(Record):
    """One thing that happened, numbered without gaps from 1.

    `entry_id` is the same for whoever tells the same again; `turn` is the go of the step that told it, which keeps its
    name when it is cut off and begins anew.
    """

    incident_id: str
    sequence: int
    at: UtcTime
    kind: EntryKind
    step: str = ""
    text: str
    facts: dict[str, Any] = Field(default_factory=dict)
    entry_id: str = ""
    turn: str = ""


class TimerKind(StrEnum):
    """Why an incident wants to be woken."""

    APPROVAL_EXPIRY = "approval_expiry"
    VERIFICATION = "verification"
    CADENCE = "cadence"


class Timer(Record):
    """A durable wish to be woken at a time of the account's clock."""

    incident_id: str
    kind: TimerKind
    wake_at: UtcTime
