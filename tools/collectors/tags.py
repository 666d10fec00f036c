"""What the team has published of its services as tags of what runs them: ECS services and Lambda functions."""

from collections.abc import Iterable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from memory.records.config import Service
from memory.records.evidence import Evidence, Gap
from tools.analysis.tags import left_open, usable
from tools.collectors.readable import facts_in
from tools.errors import error_code
from tools.evidence import Answer
from tools.observe.sources import Question, ReadTool, Sources

# DescribeServices takes ten services at a time.
AT_ONCE = 10


class ServiceTags(Question):
    """Which ECS services, all of one cluster."""

    cluster: str
    services: tuple[str, ...]


class FunctionTags(Question):
    """Which function."""

    function: str


def look_at_service_tags(sources: Sources, cluster: str, services: tuple[str, ...]) -> Evidence:
    """Read the tags of up to ten ECS services; only those that say something of a service are kept.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeServices.html
    """
    question = ServiceTags(cluster=cluster, services=services)
    return sources.recorder.observe(
        f"tags of {', '.join(services)}",
        "ecs",
        "DescribeServices",
        {"cluster": cluster, "services": list(services), "at": sources.clock.now().isoformat()},
        lambda: _service_tags(sources, question),
        untrusted=True,
        tool=SERVICE_TAGS.name,
    )


def _service_tags(sources: Sources, question: ServiceTags) -> Answer:
    answer = sources.access.client("ecs").describe_services(
        cluster=question.cluster, services=list(question.services), include=["TAGS"]
    )
    told = {
        one["serviceName"]: {tag["key"]: tag.get("value", "") for tag in one.get("tags", [])}
        for one in answer["services"]
    }
    return _answer(told)


def look_at_function_tags(sources: Sources, function: str) -> Evidence:
    """Read the tags of a function; a service that is no function has none, which is no gap.

    https://docs.aws.amazon.com/lambda/latest/api/API_ListTags.html
    """
    return sources.recorder.observe(
        f"tags of {function}",
        "lambda",
        "ListTags",
        {"function": function, "at": sources.clock.now().isoformat()},
        lambda: _function_tags(sources, function),
        untrusted=True,
        tool=FUNCTION_TAGS.name,
    )


def _function_tags(sources: Sources, function: str) -> Answer:
    scope = sources.scope
    arn = f"arn:{scope.partition}:lambda:{scope.region}:{scope.account}:function:{function}"
    try:
        tags = sources.access.client("lambda").list_tags(Resource=arn).get("Tags", {})
    except ClientError as error:
        if error_code(error) != "ResourceNotFoundException":
            raise
        tags = {}
    return _answer({function: tags})


def _answer(tags: Mapping[str, Mapping[str, str]]) -> Answer:
    sorted_out = {name: usable(told) for name, told in sorted(tags.items())}
    services = {name: sound for name, (sound, _) in sorted_out.items() if sound}
    unusable = {name: list(keys) for name, (_, keys) in sorted_out.items() if keys}
    detail = "; ".join(
        f"{', '.join(keys)} of {name} is not what it should be" for name, keys in unusable.items()
    )
    gaps = () if services or unusable else (Gap.NO_DATA,)
    return Answer({"services": services, "unusable": unusable}, gaps=gaps, gap_detail=detail)


def tags_in(evidence: Evidence) -> dict[str, dict[str, str]]:
    """Return what usable tags say, by service."""
    told: dict[str, dict[str, str]] = facts_in(evidence).get("services", {})
    return told


def unusable_in(evidence: Evidence, services: Iterable[Service]) -> tuple[str, ...]:
    """Name the tags that cannot be used where settings say nothing either, each with its service."""
    told: dict[str, Any] = facts_in(evidence).get("unusable", {})
    lacking = [(one.name, key) for one in services for key in told.get(one.name, ()) if key in left_open(one)]
    return tuple(f"tag {key} of {name} (not usable)" for name, key in lacking)


SERVICE_TAGS = ReadTool(
    "collected_service_tags",
    "Read what tags of ECS services say of them.",
    ServiceTags,
    lambda sources, question: look_at_service_tags(sources, question.cluster, question.services),
    lambda sources, question, window: _service_tags(sources, question),
)
FUNCTION_TAGS = ReadTool(
    "collected_function_tags",
    "Read what tags of a function say of it.",
    FunctionTags,
    lambda sources, question: look_at_function_tags(sources, question.function),
    lambda sources, question, window: _function_tags(sources, question.function),
)
