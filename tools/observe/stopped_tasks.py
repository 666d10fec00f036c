"""Read why an ECS service's tasks ended."""

from collections import Counter
from typing import Any

from pydantic import Field

from memory.records.evidence import Evidence, Gap
from tools.evidence import Answer
from tools.observe.moments import utc_text
from tools.observe.sources import Question, ReadTool, Sources

NAME = "stopped_tasks"
# DescribeTasks takes a hundred tasks at a time.
MOST_TASKS = 100


class StoppedTasks(Question):
    """Which ECS service."""

    cluster: str = Field(description="The ECS cluster's name.", min_length=1, max_length=255)
    service: str = Field(description="The ECS service's name.", min_length=1, max_length=255)


def stopped_tasks(sources: Sources, question: StoppedTasks) -> Evidence:
    """Return the service's stopped tasks, the latest first, with how often each reason was given."""
    now = sources.clock.now()
    return sources.recorder.observe(
        f"stopped tasks of {question.service}",
        "ecs",
        "DescribeTasks",
        {**question.model_dump(), "at": now.isoformat()},
        lambda: _read(sources, question),
        untrusted=True,
        tool=NAME,
    )


def _read(sources: Sources, question: StoppedTasks) -> Answer:
    client = sources.access.client("ecs")
    listed = client.list_tasks(
        cluster=question.cluster,
        serviceName=question.service,
        desiredStatus="STOPPED",
        maxResults=MOST_TASKS,
    )
    arns = listed["taskArns"]
    if not arns:
        return Answer({"tasks": [], "reasons": {}})
    told = client.describe_tasks(cluster=question.cluster, tasks=arns)
    tasks = sorted((_task(task) for task in told["tasks"]), key=lambda task: task["stopped_at"] or "")[::-1]
    reasons = Counter(task["reason"] for task in tasks)
    left = bool(listed.get("nextToken")) or len(tasks) < len(arns)
    return Answer(
        {"reasons": dict(reasons.most_common()), "tasks": tasks},
        calls=2,
        gaps=(Gap.TRUNCATED,) if left else (),
        gap_detail=f"there are more than these {len(tasks)} stopped tasks" if left else "",
    )


def _task(task: dict[str, Any]) -> dict[str, Any]:
    return {
        "task": task["taskArn"].rsplit("/", 1)[-1],
        "task_definition": task["taskDefinitionArn"].rsplit("/", 1)[-1],
        "started_at": _iso(task.get("startedAt")),
        "stopped_at": _iso(task.get("stoppedAt") or task.get("stoppingAt")),
        "code": task.get("stopCode"),
        "reason": task.get("stoppedReason", ""),
        "containers": [
            {"name": one["name"], "exit_code": one.get("exitCode"), "reason": one.get("reason", "")}
            for one in task.get("containers", [])
        ],
    }


def _iso(moment: Any) -> str | None:
    return utc_text(moment) if moment else None


TOOL = ReadTool(
    NAME,
    "Read why tasks of an ECS service ended: stop code, reason, and each container's exit code; 137 with "
    "OutOfMemoryError means that memory ran out. ECS forgets a stopped task after about an hour: an empty list says "
    "nothing about earlier.",
    StoppedTasks,
    stopped_tasks,
    lambda sources, question, window: _read(sources, question),
)
