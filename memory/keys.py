"""Every key of the records table, in one place. Each begins with its scope or its tenant."""

from datetime import UTC, datetime

from memory.records.scope import Scope
from memory.table import Key

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def instant(moment: datetime) -> str:
    """Write a time so that text order is time order."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def incident(scope: Scope, incident_id: str) -> Key:
    """Return the key of the incident's identity and of its claim."""
    return Key(f"{scope.key}#INCIDENT#{incident_id}", "INCIDENT")


def record(scope: Scope, incident_id: str) -> Key:
    """Return the key of the public record."""
    return Key(incident(scope, incident_id).pk, "RECORD")


def timeline(scope: Scope, incident_id: str, sequence: int) -> Key:
    """Return the key of one timeline entry."""
    return Key(incident(scope, incident_id).pk, f"TIMELINE#{sequence:08d}")


def evidence(scope: Scope, incident_id: str, evidence_id: str) -> Key:
    """Return the key of one piece of evidence."""
    return Key(incident(scope, incident_id).pk, f"EVIDENCE#{evidence_id}")


def approval(scope: Scope, incident_id: str, plan_hash: str) -> Key:
    """Return the key of the request to approve one plan."""
    return Key(incident(scope, incident_id).pk, f"APPROVAL#{plan_hash}")


def decision(scope: Scope, incident_id: str, plan_hash: str) -> Key:
    """Return the key of the one decision on a plan."""
    return Key(incident(scope, incident_id).pk, f"DECISION#{plan_hash}")


def execution(scope: Scope, incident_id: str, action_id: str) -> Key:
    """Return the key of one action's claim and outcome."""
    return Key(incident(scope, incident_id).pk, f"ACTION#{action_id}")


def message(scope: Scope, incident_id: str, send_key: str) -> Key:
    """Return the key of one outgoing message."""
    return Key(incident(scope, incident_id).pk, f"MESSAGE#{send_key}")


def timer(scope: Scope, incident_id: str, kind: str) -> Key:
    """Return the key of one timer; an incident has at most one of a kind."""
    return Key(incident(scope, incident_id).pk, f"TIMER#{kind}")


def lease(scope: Scope, incident_id: str) -> Key:
    """Return the key of the incident's lease."""
    return Key(incident(scope, incident_id).pk, "LEASE")


def event(scope: Scope, event_id: str) -> Key:
    """Return the key that claims one delivered event."""
    return Key(f"{scope.key}#EVENT#{event_id}", "EVENT")


def episode(scope: Scope, alarm_arn: str) -> Key:
    """Return the key of an alarm's current episode."""
    return Key(f"{scope.key}#ALARM#{alarm_arn}", "EPISODE")


def directory(tenant: str, incident_id: str) -> Key:
    """Return the key that tells the scope of an incident id."""
    return Key(f"{tenant}#DIRECTORY", incident_id)


def refused(tenant: str, received_at: datetime, sha256: str) -> Key:
    """Return the key of a body that was refused or was no alarm."""
    return Key(f"{tenant}#REFUSED", f"{instant(received_at)}#{sha256[:16]}")


def incidents_by_time(tenant: str, opened_at: datetime, incident_id: str) -> Key:
    """Return the index key that lists a tenant's incidents by time."""
    return Key(f"{tenant}#INCIDENTS", f"{instant(opened_at)}#{incident_id}")


def timers_by_time(tenant: str, wake_at: datetime, incident_id: str) -> Key:
    """Return the index key that lists a tenant's timers by wake time."""
    return Key(f"{tenant}#TIMERS", f"{instant(wake_at)}#{incident_id}")


def outbox_by_time(tenant: str, queued_at: datetime, send_key: str) -> Key:
    """Return the index key that lists a tenant's unsent messages."""
    return Key(f"{tenant}#OUTBOX", f"{instant(queued_at)}#{send_key}")
