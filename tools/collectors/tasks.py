"""Why tasks of an ECS service stopped, as far as ECS remembers."""

import re
from datetime import datetime
from typing import Any

from memory.records.evidence import Evidence
from tools.analysis.stops import Stop, reason_of
from tools.collectors.readable import facts_in

_NO_VCPUS = re.compile(r"unable to place a task.*limit on the number of vCPUs", re.DOTALL)


def stops_in(evidence: Evidence) -> tuple[Stop, ...]:
    """Return the stops of an observation of stopped tasks, each with its reason."""
    return tuple(_stop(task) for task in facts_in(evidence).get("tasks", []))


def _stop(task: dict[str, Any]) -> Stop:
    told = " ".join([task["reason"], *(one["reason"] for one in task["containers"])])
    codes = [one["exit_code"] for one in task["containers"] if one["exit_code"]]
    at = datetime.fromisoformat(task["stopped_at"]) if task["stopped_at"] else None
    return Stop(at, reason_of(told, codes[0] if codes else None), told.strip(), task["task_definition"])


def unplaced_in(evidence: Evidence, since: datetime) -> datetime | None:
    """Return when ECS first said, in what it has kept since a moment, that no vCPUs are left to place a task on.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-event-messages-list.html
    """
    told = facts_in(evidence).get("events", [])
    times = [datetime.fromisoformat(one["at"]) for one in told if _NO_VCPUS.search(one["message"])]
    return min((at for at in times if at >= since), default=None)
