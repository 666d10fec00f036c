"""What Lambda says of a function: how often it may run at once; and of a queue: which functions take from it."""

from botocore.exceptions import ClientError

from memory.records.evidence import Evidence, Gap
from tools.collectors.readable import facts_in
from tools.errors import error_code
from tools.evidence import Answer
from tools.observe.sources import Question, ReadTool, Sources


class Concurrency(Question):
    """Which function."""

    function: str


class Consumers(Question):
    """The ARN of which queue."""

    source: str


def look_at_concurrency(sources: Sources, function: str) -> Evidence:
    """Read a function's reserved concurrency; a service that is no function has none, which is no gap."""
    return sources.recorder.observe(
        f"concurrency of {function}",
        "lambda",
        "GetFunctionConcurrency",
        {"function": function, "at": sources.clock.now().isoformat()},
        lambda: _concurrency(sources, function),
        tool=CONCURRENCY.name,
    )


def _concurrency(sources: Sources, function: str) -> Answer:
    try:
        answer = sources.access.client("lambda").get_function_concurrency(FunctionName=function)
    except ClientError as error:
        if error_code(error) != "ResourceNotFoundException":
            raise
        told = {"function": function, "is_function": False}
        return Answer(told, gaps=(Gap.NO_DATA,), gap_detail="there is no such function")
    reserved = answer.get("ReservedConcurrentExecutions")
    return Answer({"function": function, "is_function": True, "reserved": reserved})


def look_at_consumers(sources: Sources, queue: str) -> Evidence:
    """Read which functions take from a queue, and whether they still do.

    https://docs.aws.amazon.com/lambda/latest/api/API_ListEventSourceMappings.html
    """
    scope = sources.scope
    arn = f"arn:{scope.partition}:sqs:{scope.region}:{scope.account}:{queue}"
    return sources.recorder.observe(
        f"consumers of {queue}",
        "lambda",
        "ListEventSourceMappings",
        {"source": arn, "at": sources.clock.now().isoformat()},
        lambda: _consumers(sources, arn),
        tool=CONSUMERS.name,
    )


def _consumers(sources: Sources, arn: str) -> Answer:
    found = sources.access.client("lambda").list_event_source_mappings(EventSourceArn=arn)
    consumers = [
        {"function": one["FunctionArn"].partition(":function:")[2], "state": one.get("State")}
        for one in found["EventSourceMappings"]
    ]
    told = {"queue": arn.rpartition(":")[2], "consumers": consumers}
    return Answer(told, gaps=() if consumers else (Gap.NO_DATA,))


def consumers_in(evidence: Evidence) -> tuple[str, ...]:
    """Return the names of the functions that take from a queue."""
    found = [one["function"].partition(":")[0] for one in facts_in(evidence).get("consumers", [])]
    return tuple(dict.fromkeys(found))


CONCURRENCY = ReadTool(
    "collected_concurrency",
    "Read a function's reserved concurrency.",
    Concurrency,
    lambda sources, question: look_at_concurrency(sources, question.function),
    lambda sources, question, window: _concurrency(sources, question.function),
)
CONSUMERS = ReadTool(
    "collected_consumers",
    "Read which functions take from a queue.",
    Consumers,
    lambda sources, question: look_at_consumers(sources, question.source.rpartition(":")[2]),
    lambda sources, question, window: _consumers(sources, question.source),
)
