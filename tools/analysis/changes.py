"""Changes of an account: which part of the topology each one names."""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from tools.analysis.findings import AccountChange, Rollout

_PARTS = re.compile(r"[/:,\s]+")


def rollouts_in(changes: Iterable[dict[str, Any]], services: set[str], evidence_id: str) -> Iterator[Rollout]:
    """Yield the deployments among the changes: updates of a known service that brought a task definition."""
    for change in changes:
        parameters = change.get("parameters") or {}
        definition, service = parameters.get("taskDefinition"), _last(parameters.get("service"))
        if change.get("event") == "UpdateService" and definition and service in services and _done(change):
            at = datetime.fromisoformat(change["at"])
            yield Rollout(service, at, _last(definition), evidence_id)


def changes_of(
    changes: Iterable[dict[str, Any]], components: set[str], evidence_id: str
) -> Iterator[AccountChange]:
    """Yield the other changes that name a service or table, as a whole segment of a name, path or ARN."""
    for change in changes:
        parameters = change.get("parameters") or {}
        if not _done(change) or parameters.get("taskDefinition") or change.get("event") in _HARMLESS:
            continue
        for component in sorted(components & set(_segments(parameters))):
            at = datetime.fromisoformat(change["at"])
            yield AccountChange(component, at, str(change.get("event")), evidence_id)


# What names a part without changing how it works.
_HARMLESS = {"RegisterTaskDefinition", "TagResource", "UntagResource", "PutMetricAlarm", "SetAlarmState"}


def _done(change: dict[str, Any]) -> bool:
    return not change.get("failed")


def _last(name: Any) -> str:
    return str(name or "").rsplit("/", 1)[-1]


def _segments(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield from _PARTS.split(value)
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _segments(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _segments(inner)
