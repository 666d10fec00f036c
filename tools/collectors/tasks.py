"""Why tasks of an ECS service stopped, as far as ECS remembers."""

from datetime import datetime
from typing import Any

from memory.records.evidence import Evidence
from tools.analysis.stops import Stop, reason_of
from tools.collectors.readable import facts_in


def stops_in(evidence: Evidence) -> tuple[Stop, ...]:
    """Return the stops of an observation of stopped tasks, each with its reason."""
    return tuple(_stop(task) for task in facts_in(evidence).get("tasks", []))


def _stop(task: dict[str, Any]) -> Stop:
    told = " ".join([task["reason"], *(one["reason"] for one in task["containers"])])
    codes = [one["exit_code"] for one in task["containers"] if one["exit_code"]]
    at = datetime.fromisoformat(task["stopped_at"]) if task["stopped_at"] else None
    return Stop(at, reason_of(told, codes[0] if codes else None), told.strip(), task["task_definition"])
