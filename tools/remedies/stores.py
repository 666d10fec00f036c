"""What can be done about tables, queues and parameters."""

import math
from collections.abc import Iterator
from datetime import timedelta

from botocore.exceptions import ClientError

from memory.records.assessment import Hypothesis
from memory.records.plan import Considered, PlannedAction
from tools.actions.capacity_document import find_document
from tools.actions.dynamodb_capacity import DynamoDbSetWriteCapacity
from tools.actions.dynamodb_read_capacity import DynamoDbSetReadCapacity
from tools.actions.dynamodb_units import MOST_FACTOR, read_table
from tools.actions.sqs_quarantine import FEWEST_RECEIVES, SqsQuarantinePoison
from tools.actions.sqs_queue import read_queue
from tools.actions.ssm_parameter import SsmRevertParameter
from tools.analysis.tables import PROPERTIES
from tools.remedies.documents import listed_documents
from tools.remedies.place import PERIOD, Measured, Place, read_minutes

HEADROOM = 1.3
LEAST_FACTOR = 1.5
LATELY = timedelta(hours=1)
Found = Iterator[PlannedAction | Considered]


def more_capacity(place: Place, cause: Hypothesis) -> Found:
    """Offer the capacity that the demand of the last minutes needs, of the kind that limits the table.

    Where it took more before than may be set at once, the team's own documents come first.
    """
    table = cause.component
    state = read_table(place.access, table)
    if not state["found"]:
        yield Considered(action=DynamoDbSetWriteCapacity.name, why_not=f"there is no table {table}")
        return
    kind = "Read" if cause.change == PROPERTIES["read"] else "Write"
    now = state[kind.lower()]
    needed = math.ceil(_used_before(place, table, kind) * HEADROOM)
    if needed > now * MOST_FACTOR:
        yield from _documents(place, cause, kind, needed, now)
    if cause.change in {None, PROPERTIES["write"]}:
        yield _writes(place, table, now)
    if cause.change == PROPERTIES["read"]:
        units, demand = _units(place, table, "Read", now)
        why = f"{table} has {now} read units a second, and up to {demand:.0f} were asked of it"
        parameters = {"table": table, "read_capacity_units": units}
        yield PlannedAction(action=DynamoDbSetReadCapacity.name, parameters=parameters, why=why)


def put_aside(place: Place, queue: str) -> Found:
    """Offer to let SQS move what fails again and again to the queue's dead-letter queue."""
    state = read_queue(place.access, queue)
    if not state["found"] or not state["dead_letter_queue"]:
        what = "has no dead-letter queue" if state["found"] else "is not there"
        why = f"queue {queue} {what}: a message put aside would have no place to be kept"
        yield Considered(action=SqsQuarantinePoison.name, why_not=why)
        return
    yield PlannedAction(
        action=SqsQuarantinePoison.name,
        parameters={
            "queue": queue,
            "dead_letter_queue": state["dead_letter_queue"],
            "max_receives": FEWEST_RECEIVES,
        },
        why=(
            f"a message of {queue} is tried {state['max_receives']} times before it is put aside; after "
            f"{FEWEST_RECEIVES} it goes to {state['dead_letter_queue']} and is kept there"
        ),
    )


def earlier_value(place: Place, cause: Hypothesis) -> Found:
    """Offer the newest earlier version of a parameter that has another value."""
    name = cause.component
    ssm = place.access.client("ssm")
    try:
        history = ssm.get_parameter_history(Name=name, MaxResults=50)["Parameters"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ParameterNotFound":
            raise
        yield Considered(action=SsmRevertParameter.name, why_not=f"there is no parameter {name}")
        return
    newest = max(history, key=lambda one: int(one["Version"]))
    earlier = [one for one in history if one["Value"] != newest["Value"]]
    if not earlier:
        why = f"{name} had no other value before"
        yield Considered(action=SsmRevertParameter.name, why_not=why)
        return
    version = max(int(one["Version"]) for one in earlier)
    yield PlannedAction(
        action=SsmRevertParameter.name,
        parameters={"name": name, "version": version},
        why=f"{name} was changed in version {newest['Version']}; version {version} held before",
    )


def _documents(place: Place, cause: Hypothesis, kind: str, needed: int, now: int) -> Found:
    """Yield documents of the team's where a plan may not set enough."""
    why = (
        f"{needed} {kind.lower()} units a second are needed of {cause.component}, more than {MOST_FACTOR} times "
        f"the {now} it has"
    )
    yield from listed_documents(place, cause, why)


def _used_before(place: Place, table: str, kind: str) -> float:
    """Return the most units a second that were consumed within one minute of the last hour.

    What was consumed was needed for certain; what was refused may be the same request many times.
    """
    consumed = Measured("AWS/DynamoDB", f"Consumed{kind}CapacityUnits", {"TableName": table})
    read = read_minutes(place, {"consumed": consumed}, LATELY)
    return max(read["consumed"].values(), default=0.0) / PERIOD


def _writes(place: Place, table: str, now: int) -> PlannedAction | Considered:
    document = find_document(place.access.client("ssm"))
    if document is None:
        why = "the account has no Automation document that sets a table's write capacity and nothing else"
        return Considered(action=DynamoDbSetWriteCapacity.name, why_not=why)
    units, demand = _units(place, table, "Write", now)
    parameters = {"table": table, "write_capacity_units": units, "document": document.name}
    why = f"{table} has {now} write units a second, and up to {demand:.0f} were asked of it"
    return PlannedAction(action=DynamoDbSetWriteCapacity.name, parameters=parameters, why=why)


def _units(place: Place, table: str, kind: str, now: int) -> tuple[int, float]:
    """Return the units to provision, and the demand a second that they answer."""
    demand = _demand(place, table, kind)
    wanted = max(math.ceil(demand * HEADROOM), math.ceil(now * LEAST_FACTOR))
    return min(wanted, now * MOST_FACTOR), demand


def _demand(place: Place, table: str, kind: str) -> float:
    """Return the most units a second that were consumed or throttled within one minute.

    A throttled request counts at least one unit; retries of it count again, so that the demand is rather
    overstated, and the catalogue's own limit on a step holds.
    """
    dimensions = {"TableName": table}
    read = read_minutes(
        place,
        {
            "consumed": Measured("AWS/DynamoDB", f"Consumed{kind}CapacityUnits", dimensions),
            "throttled": Measured("AWS/DynamoDB", f"{kind}ThrottleEvents", dimensions),
        },
    )
    by_minute: dict[object, float] = {}
    for series in read.values():
        for at, units in series.items():
            by_minute[at] = by_minute.get(at, 0.0) + units
    return max(by_minute.values(), default=0.0) / PERIOD
