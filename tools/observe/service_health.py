"""Read the state of an ECS service: its deployments, counts and events."""

from typing import Any

from pydantic import Field

from memory.records.evidence import Evidence, Gap
from tools.evidence import Answer
from tools.observe.moments import utc_text
from tools.observe.sources import Question, ReadTool, Sources

NAME = "service_health"
EVENTS = 10
ROLLOUTS = 10


class ServiceHealth(Question):
    """Which ECS service."""

    cluster: str = Field(description="The ECS cluster's name.", min_length=1, max_length=255)
    service: str = Field(description="The ECS service's name.", min_length=1, max_length=255)


def service_health(sources: Sources, question: ServiceHealth) -> Evidence:
    """Return desired and running counts, the deployments in flight and lately done, and the latest events."""
    now = sources.clock.now()
    return sources.recorder.observe(
        f"ECS service {question.service}",
        "ecs",
        "DescribeServices",
        {**question.model_dump(), "at": now.isoformat()},
        lambda: _read(sources, question),
        untrusted=True,
        tool=NAME,
    )


def _read(sources: Sources, question: ServiceHealth) -> Answer:
    client = sources.access.client("ecs")
    answer = client.describe_services(cluster=question.cluster, services=[question.service])
    if not answer["services"]:
        return Answer(
            {"service": question.service}, gaps=(Gap.NO_DATA,), gap_detail="there is no such service"
        )
    service = answer["services"][0]
    images, calls = _images(client, service)
    rollouts = client.list_service_deployments(
        cluster=question.cluster, service=question.service, maxResults=ROLLOUTS
    ).get("serviceDeployments", [])
    return Answer(
        {
            "service": service["serviceName"],
            "cluster": question.cluster,
            "status": service["status"],
            "desired": service["desiredCount"],
            "running": service["runningCount"],
            "pending": service["pendingCount"],
            "task_definition": revision(service["taskDefinition"]),
            "deployments": [_deployment(d, images) for d in service.get("deployments", [])],
            "rollouts": [
                {"at": _iso(r.get("startedAt") or r.get("createdAt")), "status": r.get("status")}
                for r in rollouts
            ],
            "events": [
                {"at": utc_text(event["createdAt"]), "message": event["message"]}
                for event in service.get("events", [])[:EVENTS]
            ],
        },
        calls + 2,
    )


def _images(client: Any, service: dict[str, Any]) -> tuple[dict[str, list[str]], int]:
    arns = {d["taskDefinition"] for d in service.get("deployments", [])}
    images = {}
    for arn in arns:
        definition = client.describe_task_definition(taskDefinition=arn)["taskDefinition"]
        images[arn] = [container["image"] for container in definition["containerDefinitions"]]
    return images, len(arns)


def _deployment(deployment: dict[str, Any], images: dict[str, list[str]]) -> dict[str, Any]:
    return {
        "status": deployment["status"],
        "task_definition": revision(deployment["taskDefinition"]),
        "images": images.get(deployment["taskDefinition"], []),
        "created_at": _iso(deployment["createdAt"]),
        "rollout": deployment.get("rolloutState"),
        "desired": deployment["desiredCount"],
        "running": deployment["runningCount"],
        "failed_tasks": deployment.get("failedTasks", 0),
    }


def revision(arn: str) -> str:
    """Return `family:revision` of a task definition's ARN."""
    return arn.rsplit("/", 1)[-1]


def _iso(moment: Any) -> str | None:
    return utc_text(moment) if moment else None


TOOL = ReadTool(
    NAME,
    "Read an ECS service: desired and running tasks, its deployments with their images and the time each began, "
    "and its latest events. Fewer running than desired tasks means that tasks fail or wait.",
    ServiceHealth,
    service_health,
    lambda sources, question, window: _read(sources, question),
)
