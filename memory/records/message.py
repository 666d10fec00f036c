"""What people are told, and whether they were."""

from enum import StrEnum

from memory.records.base import Record, UtcTime

# The one channel there is: the topic that on-call subscribes to.
CHANNEL = "sns"


class Audience(StrEnum):
    """Who reads a message."""

    ON_CALL = "on_call"
    STAKEHOLDERS = "stakeholders"


class MessageState(StrEnum):
    """How far a message got."""

    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"


class Message(Record):
    """One message to one audience; its send key makes it go out once."""

    incident_id: str
    send_key: str
    audience: Audience
    channel: str
    subject: str
    body: str
    state: MessageState = MessageState.QUEUED
    queued_at: UtcTime
    sent_at: UtcTime | None = None
    channel_message_id: str | None = None
    failure: str | None = None
