"""What can be done about messages that were put aside while their consumer was ill, once it is well."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import chain

from memory.records.plan import Considered, PlannedAction
from tools.actions.sqs_queue import read_queue
from tools.actions.sqs_redrive import SqsRedrive, SqsRedriveDeadLetters
from tools.aws.access import AwsAccess
from tools.remedies.place import Measured, Place, read_minutes

WELL_FOR = timedelta(minutes=5)
"""For how long a consumer must have worked without an error: more than one batch of each kind is seen by then."""
Found = Iterator[PlannedAction | Considered]


def put_back(place: Place, function: str) -> Found:
    """Offer to move the dead letters of a function's queues back, if the function works now.

    Yields nothing where no dead letter waits. It is for causes that are gone: what failed would fail again.
    """
    for queue, dead, waiting in _dead_letters(place.access, function):
        why_not = _not_well(place, function)
        if why_not:
            why = f"{waiting} messages wait in {dead}; {why_not}"
            yield Considered(action=SqsRedriveDeadLetters.name, why_not=why)
            continue
        asked = SqsRedrive(dead_letter_queue=dead, queue=queue, after=0)
        newest = SqsRedriveDeadLetters().read_state(place.access, asked).get("newest_task", 0)
        yield PlannedAction(
            action=SqsRedriveDeadLetters.name,
            parameters=asked.model_copy(update={"after": newest}).model_dump(),
            why=f"{waiting} messages of {queue} wait in {dead}, and {function} works without errors again",
        )


def _dead_letters(access: AwsAccess, function: str) -> Iterator[tuple[str, str, int]]:
    """Yield each queue that feeds the function and has dead letters: its name, theirs, and how many wait."""
    client = access.client("lambda")
    aliases = client.list_aliases(FunctionName=function)["Aliases"]
    # Lambda lists what feeds an alias under the alias's name only.
    names = (function, *(f"{function}:{one['Name']}" for one in aliases))
    listed = [client.list_event_source_mappings(FunctionName=name)["EventSourceMappings"] for name in names]
    arns = [one.get("EventSourceArn", "") for one in chain.from_iterable(listed)]
    sources = dict.fromkeys(arn for arn in arns if ":sqs:" in arn)
    for queue in (arn.rpartition(":")[2] for arn in sources):
        dead = read_queue(access, queue).get("dead_letter_queue")
        waiting = read_queue(access, dead).get("waiting", 0) if dead else 0
        if waiting:
            yield queue, str(dead), waiting


def _not_well(place: Place, function: str) -> str:
    """Say why the function cannot be called well, or nothing: it has to have worked, and not failed, by its metrics."""
    dimensions = {"FunctionName": function}
    metrics = {
        "invocations": Measured("AWS/Lambda", "Invocations", dimensions),
        "errors": Measured("AWS/Lambda", "Errors", dimensions),
    }
    read = read_minutes(place, metrics, WELL_FOR)
    minutes = int(WELL_FOR.total_seconds() // 60)
    if not sum(read["invocations"].values()):
        return f"whether {function} works is not known: it was not invoked in {minutes} minutes"
    failed = sum(read["errors"].values())
    return (
        f"{function} failed {failed:.0f} times in {minutes} minutes, and would fail them again"
        if failed
        else ""
    )
