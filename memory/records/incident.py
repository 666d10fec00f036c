"""An incident: its identity, status and severity."""

import hashlib
import uuid
from datetime import datetime
from enum import StrEnum

from memory.records.alarm import Alarm, Envelope
from memory.records.base import Record, UtcTime, canonical_json
from memory.records.scope import Scope

# What stands in place of names once an incident was erased.
ERASED = "erased"


class Severity(StrEnum):
    """Impact on people, by the rubric in settings; never by an alarm's words."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    NONE = "none"


class Status(StrEnum):
    """Where an incident stands. The last four are ends."""

    OPEN = "open"
    AWAITING_APPROVAL = "awaiting_approval"
    ACTING = "acting"
    VERIFYING = "verifying"
    RESOLVED = "resolved"
    NOISE = "noise"
    UNRESOLVED = "unresolved"
    ESCALATED = "escalated"

    @property
    def is_end(self) -> bool:
        """Say whether nothing more happens by itself."""
        return self in {Status.RESOLVED, Status.NOISE, Status.UNRESOLVED, Status.ESCALATED}


class Incident(Record):
    """The identity of one incident; it never changes after intake."""

    incident_id: str
    thread_id: str
    scope: Scope
    alarm: Alarm
    event_id: str
    episode_started_at: UtcTime
    opened_at: UtcTime

    @property
    def is_erased(self) -> bool:
        """Say whether only its identity is left."""
        return self.alarm.arn == ERASED


def incident_id(scope: Scope, alarm_arn: str, episode_started_at: datetime) -> str:
    """Compute the id of an alarm's episode: the same event gives the same id everywhere.

    The id is a UUID (RFC 9562, version 8) over partition, account, region, alarm ARN and the start of
    the episode, so that it can also serve as a LangGraph thread id.
    """
    facts = [
        scope.partition,
        scope.tenant,
        scope.account,
        scope.region,
        alarm_arn,
        episode_started_at.isoformat(),
    ]
    raw = bytearray(hashlib.sha256(canonical_json(facts).encode()).digest()[:16])
    raw[6] = (raw[6] & 0x0F) | 0x80
    raw[8] = (raw[8] & 0x3F) | 0x80
    return str(uuid.UUID(bytes=bytes(raw)))


def incident_of(envelope: Envelope, alarm: Alarm, thread_id: str = "") -> Incident:
    """Compute the incident that an alarm event would open; the same event always gives the same one."""
    identity = incident_id(alarm.scope, alarm.arn, alarm.changed_at)
    return Incident(
        incident_id=identity,
        thread_id=thread_id or identity,
        scope=alarm.scope,
        alarm=alarm,
        event_id=envelope.event_id,
        episode_started_at=alarm.changed_at,
        opened_at=envelope.received_at,
    )
