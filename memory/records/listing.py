"""One line of a list of incidents."""

from memory.records.base import Record, UtcTime
from memory.records.incident import ERASED, Incident, Severity, Status
from memory.records.incident_record import IncidentRecord
from memory.records.scope import Scope

UNKNOWN_SERVICE = "unknown"
REASON_CHARACTERS = 300
# The dimensions by which AWS's services, and those of a team, name what a metric is of; the first that is there counts.
NAMED_BY = (
    "Service",
    "ServiceName",
    "FunctionName",
    "TableName",
    "QueueName",
    "ApiName",
    "DBInstanceIdentifier",
    "DBClusterIdentifier",
    "StateMachineArn",
    "LoadBalancer",
    "ClusterName",
)


class Listing(Record):
    """What a list shows of an incident, and what it can be found by."""

    incident_id: str
    thread_id: str
    scope: Scope
    alarm: str
    service: str
    status: Status
    severity: Severity | None = None
    reason: str = ""
    opened_at: UtcTime
    closed_at: UtcTime | None = None


def opened(incident: Incident) -> Listing:
    """Return the line of an incident that was just opened."""
    return Listing(
        incident_id=incident.incident_id,
        thread_id=incident.thread_id,
        scope=incident.scope,
        alarm=incident.alarm.name,
        service=alarms_service(incident),
        status=Status.OPEN,
        opened_at=incident.opened_at,
    )


def listing_of(record: IncidentRecord) -> Listing:
    """Return the line of an incident as its record has it."""
    return opened(record.incident).model_copy(
        update={
            "service": _service(record),
            "status": record.status,
            "severity": record.severity,
            "reason": record.reason[:REASON_CHARACTERS],
            "closed_at": record.closed_at,
        }
    )


def emptied(line: Listing) -> Listing:
    """Return the line of an incident that was erased: that it was, when and where."""
    return line.model_copy(update={"alarm": ERASED, "service": ERASED, "reason": ""})


def alarms_service(incident: Incident) -> str:
    """Return the service that the alarm's own metric names."""
    for metric in incident.alarm.metrics:
        for name in NAMED_BY:
            if metric.dimensions.get(name):
                return metric.dimensions[name]
    return UNKNOWN_SERVICE


def _service(record: IncidentRecord) -> str:
    """Return the alarm's service, unless others were found affected and it was not."""
    own = alarms_service(record.incident)
    affected = record.first_look.affected if record.first_look else ()
    return own if not affected or own in affected else affected[0]
