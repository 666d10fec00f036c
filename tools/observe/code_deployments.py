"""Read the deployments of CodeDeploy: which version goes out to which function's alias, how far, and since when.

Of a deployment to another compute platform the targets are not read; it is listed with what it is.
https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_ListDeployments.html
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import Field

from memory.records.evidence import Evidence, Gap
from tools.code_deployment import UNDER_WAY, WAITING, function_target
from tools.evidence import Answer, Window
from tools.observe.moments import utc_text
from tools.observe.sources import Question, ReadTool, Sources

NAME = "code_deployments"
PAGES = 2
A_BATCH = 25
MOST = 100
TARGETS = 10
"""Of so many deployments, those in progress and then the newest, it is read what they deploy to."""


class CodeDeployments(Question):
    """How far back to look."""

    minutes: int = Field(default=180, ge=5, le=1440, description="How many minutes back from now.")


def code_deployments(sources: Sources, question: CodeDeployments) -> Evidence:
    """Return the deployments of a window, and those that were made before it and are still in progress."""
    window = sources.last(question.minutes)
    return sources.recorder.observe(
        f"CodeDeploy deployments of the last {question.minutes} minutes",
        "codedeploy",
        "ListDeployments",
        {**question.model_dump(), "from": window[0].isoformat(), "to": window[1].isoformat()},
        lambda: _read(sources, window),
        window=window,
        untrusted=True,
        tool=NAME,
    )


def _read(sources: Sources, window: Window) -> Answer:
    client = sources.access.client("codedeploy")
    if not client.list_applications().get("applications"):
        return Answer({"applications": False, "deployments": []})
    recent, pages, more = _listed(client, createTimeRange={"start": window[0], "end": window[1]})
    ongoing, others, even_more = _listed(client, includeOnlyStatuses=sorted(WAITING | UNDER_WAY))
    ids = list(dict.fromkeys((*ongoing, *recent)))
    told = [one for first in range(0, len(ids[:MOST]), A_BATCH) for one in _batch(client, ids[:MOST], first)]
    told.sort(key=lambda one: (one["status"] in UNDER_WAY, one["createTime"]), reverse=True)
    found = [_told(one, function_target(client, one)) for one in told[:TARGETS]]
    found += [_told(one, None) for one in told[TARGETS:]]
    left = [
        *(["not all deployments were listed"] if more or even_more or len(ids) > MOST else []),
        *([f"targets of the newest {TARGETS} deployments only were read"] if len(told) > TARGETS else []),
    ]
    return Answer(
        {"applications": True, "deployments": found},
        calls=1 + pages + others + -(-len(ids[:MOST]) // A_BATCH) + 2 * min(len(told), TARGETS),
        gaps=(Gap.TRUNCATED,) if left else (),
        gap_detail="; ".join(left),
    )


def _listed(client: Any, **filters: Any) -> tuple[list[str], int, bool]:
    """Return ids of deployments in all groups, how many pages that took, and whether there are more."""
    request = dict(filters)
    found: list[str] = []
    for page_number in range(1, PAGES + 1):
        page = client.list_deployments(**request)
        found += page.get("deployments", [])
        if not page.get("nextToken"):
            return found, page_number, False
        request["nextToken"] = page["nextToken"]
    return found, PAGES, True


def _batch(client: Any, ids: Sequence[str], first: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.batch_get_deployments(deploymentIds=ids[first : first + A_BATCH])[
        "deploymentsInfo"
    ]
    return found


def _told(one: Mapping[str, Any], target: Mapping[str, Any] | None) -> dict[str, Any]:
    rolled, problem = one.get("rollbackInfo") or {}, one.get("errorInformation") or {}
    told = {
        "id": one["deploymentId"],
        "application": one["applicationName"],
        "group": one.get("deploymentGroupName"),
        "config": one.get("deploymentConfigName"),
        "platform": one.get("computePlatform"),
        "status": one["status"],
        "in_progress": one["status"] in UNDER_WAY,
        "created_at": utc_text(one["createTime"]),
        "started_at": _moment(one.get("startTime")),
        "ended_at": _moment(one.get("completeTime")),
        "creator": one.get("creator"),
        "description": one.get("description"),
        "rolled_back_by": rolled.get("rollbackDeploymentId"),
        "takes_back": rolled.get("rollbackTriggeringDeploymentId"),
        "error": problem.get("message"),
    }
    if target is not None:
        told |= {
            "function": target.get("functionName"),
            "alias": target.get("functionAlias"),
            "from_version": target.get("currentVersion"),
            "to_version": target.get("targetVersion"),
            "percent": target.get("targetVersionWeight"),
        }
    return {key: value for key, value in told.items() if value not in (None, "")}


def _moment(at: datetime | None) -> str | None:
    return utc_text(at) if at is not None else None


TOOL = ReadTool(
    NAME,
    "List the deployments of AWS CodeDeploy, newest first, also older ones that are still in progress: who deploys "
    "which version to which function's alias, by which configuration, and how many percent of the traffic it has. An "
    "empty list means that nothing was deployed through CodeDeploy.",
    CodeDeployments,
    code_deployments,
    lambda sources, question, window: _read(sources, window),
)
