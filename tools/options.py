"""What could be done about a cause, with exact parameters read from live state. A plan chooses among these."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from botocore.exceptions import BotoCoreError, ClientError

from memory.clock import Clock
from memory.records.assessment import Assessment, CauseKind, Hypothesis, Verdict
from memory.records.config import Topology
from memory.records.plan import PlannedAction
from tools.actions.capacity_document import find_document
from tools.actions.dynamodb_capacity import MOST_FACTOR, DynamoDbSetWriteCapacity, read_table
from tools.actions.ecs_rollback import EcsRollbackService
from tools.actions.ecs_service import read_service_history
from tools.actions.registry import ACTIONS, Catalogue
from tools.analysis.tables import PROPERTIES
from tools.aws.access import AwsAccess
from tools.errors import classify
from tools.inspection import inspect

HEADROOM = 1.3
LEAST_FACTOR = 1.5
_WINDOW = timedelta(minutes=15)
_PERIOD = 60


@dataclass(frozen=True)
class _Place:
    access: AwsAccess
    topology: Topology
    clock: Clock


def options(
    access: AwsAccess,
    assessment: Assessment,
    topology: Topology,
    clock: Clock,
    catalogue: Catalogue = ACTIONS,
) -> tuple[PlannedAction, ...]:
    """Return the catalogue actions that fit the leading hypothesis and whose preconditions hold now.

    Raises the copilot's own errors when AWS cannot be asked: not knowing is not the same as having no option.
    """
    leading = assessment.leading
    if assessment.verdict is not Verdict.CAUSE or leading is None or leading.kind not in _FINDERS:
        return ()
    try:
        found = _FINDERS[leading.kind](_Place(access, topology, clock), leading)
    except (ClientError, BotoCoreError) as error:
        raise classify(error, f"what can be done about {leading.component}") from error
    if found is None or inspect(access, found, catalogue).problems:
        return ()
    return (found,)


def _rollback(place: _Place, cause: Hypothesis) -> PlannedAction | None:
    """Offer the newest revision below the present one that ECS says the service ran."""
    service = place.topology.service(cause.component)
    if service is None or service.cluster is None:
        return None
    state = read_service_history(place.access, service.cluster, service.name)
    if not state["found"] or cause.change not in {None, state["task_definition"]}:
        return None
    family, _, revision = state["task_definition"].rpartition(":")
    earlier = [
        named
        for named in state["ran_before"]
        if named.rpartition(":")[0] == family and int(named.rpartition(":")[2]) < int(revision)
    ]
    if not earlier:
        return None
    parameters = {"cluster": service.cluster, "service": service.name, "task_definition": earlier[0]}
    why = f"{state['task_definition']} broke {service.name}; {earlier[0]} ran before it"
    return PlannedAction(action=EcsRollbackService.name, parameters=parameters, why=why)


def _capacity(place: _Place, cause: Hypothesis) -> PlannedAction | None:
    """Offer the write capacity that the demand of the last minutes needs, by a document that can set it.

    Where another property limits the table, more write capacity would help nobody.
    """
    if cause.change not in {None, PROPERTIES["write"]}:
        return None
    state = read_table(place.access, cause.component)
    document = find_document(place.access.client("ssm"))
    if not state["found"] or state["billing"] != "PROVISIONED" or document is None:
        return None
    demand = _write_demand(place, cause.component)
    now = state["write"]
    wanted = max(math.ceil(demand * HEADROOM), math.ceil(now * LEAST_FACTOR))
    units = min(wanted, now * MOST_FACTOR)
    parameters = {"table": cause.component, "write_capacity_units": units, "document": document.name}
    why = f"{cause.component} has {now} write units a second, and up to {demand:.0f} were asked of it"
    return PlannedAction(action=DynamoDbSetWriteCapacity.name, parameters=parameters, why=why)


def _write_demand(place: _Place, table: str) -> float:
    """Return the most write units a second that were consumed or throttled within one minute.

    A throttled write counts at least one unit; retries of it count again, so that the demand is rather
    overstated, and the catalogue's own limit on a step holds.
    """
    now = place.clock.now()
    names = {"consumed": "ConsumedWriteCapacityUnits", "throttled": "WriteThrottleEvents"}
    answer = place.access.client("cloudwatch").get_metric_data(
        MetricDataQueries=[
            {
                "Id": key,
                "MetricStat": {
                    "Metric": {
                        "Namespace": "AWS/DynamoDB",
                        "MetricName": name,
                        "Dimensions": [{"Name": "TableName", "Value": table}],
                    },
                    "Period": _PERIOD,
                    "Stat": "Sum",
                },
            }
            for key, name in names.items()
        ],
        StartTime=now - _WINDOW,
        EndTime=now,
    )
    by_minute: dict[object, float] = {}
    for series in answer["MetricDataResults"]:
        for at, units in zip(series["Timestamps"], series["Values"], strict=True):
            by_minute[at] = by_minute.get(at, 0.0) + units
    return max(by_minute.values(), default=0.0) / _PERIOD


_FINDERS: dict[CauseKind, Callable[[_Place, Hypothesis], PlannedAction | None]] = {
    CauseKind.DEPLOYMENT: _rollback,
    CauseKind.CAPACITY: _capacity,
}
