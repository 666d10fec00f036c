"""Every key of the records table, in one place. Each begins with its scope or its tenant."""

from datetime import UTC, datetime

from memory.records.base import digest
from memory.records.incident import Status
from memory.records.scope import Scope
from memory.table import Key

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Ids are digests, so their first characters spread the directory evenly over 256 partitions.
DIRECTORY_CHARACTERS = 2


def month(moment: datetime) -> str:
    """Return the month that a listing's partition is of."""
    return f"{moment:%Y-%m}"


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


def evidence_index(scope: Scope, incident_id: str, evidence_id: str) -> Key:
    """Return the key of the line that tells of a piece of evidence without holding it."""
    return Key(incident(scope, incident_id).pk, f"EVIDENCE_INDEX#{evidence_id}")


def evidence_salt(scope: Scope, incident_id: str) -> Key:
    """Return the key of the salt under which an incident's redacted texts stay comparable."""
    return Key(incident(scope, incident_id).pk, "EVIDENCE_SALT")


def approval(scope: Scope, incident_id: str, plan_hash: str) -> Key:
    """Return the key of the request to approve one plan."""
    return Key(incident(scope, incident_id).pk, f"APPROVAL#{plan_hash}")


def decision(scope: Scope, incident_id: str, plan_hash: str) -> Key:
    """Return the key of the one decision on a plan."""
    return Key(incident(scope, incident_id).pk, f"DECISION#{plan_hash}")


def execution(scope: Scope, incident_id: str, action_id: str) -> Key:
    """Return the key of one action's claim and outcome."""
    return Key(incident(scope, incident_id).pk, f"ACTION#{action_id}")


def trace(scope: Scope, incident_id: str, action_id: str) -> Key:
    """Return the key of the search for CloudTrail's event of one action."""
    return Key(incident(scope, incident_id).pk, f"TRACE#{action_id}")


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
    return Key(f"{tenant}#DIRECTORY#{incident_id[:DIRECTORY_CHARACTERS]}", incident_id)


def calendar(tenant: str, of_month: str) -> Key:
    """Return the key that notes a month in which incidents were opened."""
    return Key(f"{tenant}#MONTHS", of_month)


def subject(tenant: str, who: str, incident_id: str) -> Key:
    """Return the key that notes an incident in which somebody took part; who it was stands as a digest only."""
    return Key(f"{tenant}#SUBJECT#{digest(who)}", incident_id)


def refused_on(tenant: str, day: str) -> str:
    """Return the partition of the bodies that were refused on one day."""
    return f"{tenant}#REFUSED#{day}"


def refused(tenant: str, received_at: datetime, sha256: str) -> Key:
    """Return the key of a body that was refused or was no alarm."""
    return Key(refused_on(tenant, f"{received_at:%Y-%m-%d}"), f"{instant(received_at)}#{sha256[:16]}")


def refused_day(tenant: str, received_at: datetime) -> Key:
    """Return the key that notes a day on which something was refused."""
    return Key(f"{tenant}#REFUSALS", f"{received_at:%Y-%m-%d}")


def endorsement(scope: Scope, incident_id: str, plan_hash: str, who: str) -> Key:
    """Return the key of one person's approval that does not yet complete the quorum."""
    return Key(incident(scope, incident_id).pk, f"DECISION#{plan_hash}#{digest(who)[:16]}")


def break_glass(tenant: str, decided_at: datetime, incident_id: str) -> Key:
    """Return the key that lists a decision by break-glass for review."""
    return Key(f"{tenant}#BREAK_GLASS", f"{instant(decided_at)}#{incident_id}")


def pace(scope: Scope, target: str) -> Key:
    """Return the key of what was changed lately on one target."""
    return Key(f"{scope.key}#TARGET#{digest(target)[:32]}", "PACE")


def kill_switch(tenant: str) -> Key:
    """Return the key of a tenant's kill switch."""
    return Key(f"{tenant}#KILL_SWITCH", "KILL_SWITCH")


def listing(scope: Scope, incident_id: str) -> Key:
    """Return the key of the line that lists an incident."""
    return Key(incident(scope, incident_id).pk, "LISTING")


def unfinished(scope: Scope, incident_id: str) -> Key:
    """Return the key of the mark that an incident has not come to its end."""
    return Key(incident(scope, incident_id).pk, "OPEN")


def audit_head(partition: str) -> Key:
    """Return the key of an audit's newest hash."""
    return Key(partition, "AUDIT_HEAD")


def audit(partition: str, sequence: int) -> Key:
    """Return the key of one audit entry."""
    return Key(partition, f"AUDIT#{sequence:08d}")


def audit_payload(partition: str, sequence: int) -> Key:
    """Return the key of what one audit entry is about, which can be erased by itself."""
    return Key(partition, f"AUDIT_PAYLOAD#{sequence:08d}")


def tenant_audit(tenant: str) -> str:
    """Return the partition of a tenant's own audit."""
    return f"{tenant}#AUDIT"


# Partitions of the indexes. What waits stands in one for each tenant, since it leaves again; what stays, by month.


def place(moment: datetime, name: str) -> str:
    """Return where something stands in an index: by time, then by name."""
    return f"{instant(moment)}#{name}"


def incidents_in(tenant: str, of_month: str) -> str:
    """Return the index partition of a tenant's incidents of one month."""
    return f"{tenant}#INCIDENTS#{of_month}"


def status_in(tenant: str, status: Status, of_month: str) -> str:
    """Return the index partition of a status: of one month for ends, of all times for what goes on."""
    return f"{tenant}#STATUS#{status.value}" + (f"#{of_month}" if status.is_end else "")


def service_in(tenant: str, service: str, of_month: str) -> str:
    """Return the index partition of a service's incidents of one month."""
    return f"{tenant}#SERVICE#{service}#{of_month}"


def account_in(tenant: str, account: str, of_month: str) -> str:
    """Return the index partition of an account's incidents of one month."""
    return f"{tenant}#ACCOUNT#{account}#{of_month}"


def unfinished_by_time(tenant: str, opened_at: datetime, incident_id: str) -> Key:
    """Return the index key that lists a tenant's incidents that have not come to their end."""
    return Key(f"{tenant}#OPEN", place(opened_at, incident_id))


def pending_by_time(tenant: str, expires_at: datetime, incident_id: str) -> Key:
    """Return the index key that lists a tenant's requests that wait for a decision, by when they expire."""
    return Key(f"{tenant}#PENDING", place(expires_at, incident_id))


def timers_by_time(tenant: str, wake_at: datetime, incident_id: str) -> Key:
    """Return the index key that lists a tenant's timers by wake time."""
    return Key(f"{tenant}#TIMERS", place(wake_at, incident_id))


def traces_by_time(scope: Scope, next_at: datetime, incident_id: str, action_id: str) -> Key:
    """Return the index key that lists what CloudTrail of one account and region is asked about, by the next look."""
    return Key(f"{scope.key}#TRACES", place(next_at, f"{incident_id}#{action_id}"))


def outbox_by_time(tenant: str, queued_at: datetime, send_key: str) -> Key:
    """Return the index key that lists a tenant's unsent messages."""
    return Key(f"{tenant}#OUTBOX", place(queued_at, send_key))


# Where version 1 listed what later versions keep by month or by shard; `cloudops setup` reads it once more.


def incidents_of_version_1(tenant: str) -> str:
    """Return the index partition that held a tenant's incidents of all times."""
    return f"{tenant}#INCIDENTS"


def directory_of_version_1(tenant: str, incident_id: str) -> Key:
    """Return the key that told the scope of an incident id."""
    return Key(f"{tenant}#DIRECTORY", incident_id)


def refused_of_version_1(tenant: str) -> str:
    """Return the partition that held the refused bodies of all days."""
    return f"{tenant}#REFUSED"
