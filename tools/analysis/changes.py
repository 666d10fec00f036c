"""Changes of an account: which part of the topology each one names."""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from tools.analysis.findings import AccountChange, Rollout

_PARTS = re.compile(r"[/:,\s]+")


def rollouts_in(changes: Iterable[dict[str, Any]], services: set[str], evidence_id: str) -> Iterator[Rollout]:
    """Yield the deployments among the changes: a known service got a task definition, or an alias a version."""
    for change in _first_of_each(changes):
        part, brought, is_version = _brought(change)
        if part in services:
            at = datetime.fromisoformat(change["at"])
            yield Rollout(part, at, brought, evidence_id, is_version, caller_of(change))


def _first_of_each(changes: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the deployments among changes that are told newest first, as they are told.

    Of changes of an alias that bring one version again and again, a share more each time, it is the earliest.
    """
    kept: list[dict[str, Any]] = []
    newer: dict[str, int] = {}
    for change in changes:
        part, brought, is_version = _brought(change)
        if not brought or not _done(change):
            continue
        place = newer.get(part)
        if is_version and place is not None and _brought(kept[place])[1] == brought:
            kept[place] = change
        else:
            newer[part] = len(kept)
            kept.append(change)
    yield from kept


def changes_of(
    changes: Iterable[dict[str, Any]], components: set[str], evidence_id: str
) -> Iterator[AccountChange]:
    """Yield the other changes that name a service or table, as a whole segment of a name, path or ARN."""
    told = list(changes)
    deployed = {
        part for change in told for part, brought, _ in [_brought(change)] if brought and _done(change)
    }
    for change in told:
        parameters, event = change.get("parameters") or {}, operation_of(change)
        deploys = parameters.get("taskDefinition") or _brought(change)[1]
        if not _done(change) or deploys or event in _HARMLESS or change.get("service") == "codedeploy":
            continue
        # New code of a function runs where an alias points to it, and that is the deployment.
        if event == "UpdateFunctionCode" and _function(parameters) in deployed:
            continue
        for component in sorted(components & set(_segments(parameters))):
            at = datetime.fromisoformat(change["at"])
            setting = _setting(event, parameters)
            yield AccountChange(component, at, event, evidence_id, setting, caller_of(change))


def caller_of(change: dict[str, Any]) -> str:
    """Return who made a change: the session's or the user's own name, without the account's."""
    return str(change.get("by") or "").rpartition("/")[2]


def operation_of(change: dict[str, Any]) -> str:
    """Return the operation's name; some services date it, as in UpdateAlias20150331."""
    return _DATED.sub("", str(change.get("event")))


def _brought(change: dict[str, Any]) -> tuple[str, str, bool]:
    """Return what was deployed to, what it got, and whether that is a function's version; empty where nothing."""
    parameters = change.get("parameters") or {}
    match operation_of(change):
        case "UpdateService":
            return _last(parameters.get("service")), _last(parameters.get("taskDefinition")), False
        case "UpdateAlias" if parameters.get("functionVersion"):
            function = _function(parameters)
            return function, f"{function}:{_newest(parameters)}", True
    return "", "", False


def _newest(parameters: dict[str, Any]) -> str:
    """Return the version that an alias is moved to: one that gets a share beside the one it names, if that is newer."""
    named = str(parameters["functionVersion"])
    weights = (parameters.get("routingConfig") or {}).get("additionalVersionWeights") or {}
    return max((named, *map(str, weights)), key=lambda version: int(version) if version.isdecimal() else -1)


def _function(parameters: dict[str, Any]) -> str:
    """Return a function's own name, which may be given with an alias or as an ARN."""
    named = str(parameters.get("functionName") or "")
    return named.rpartition("function:")[2].partition(":")[0]


def _setting(event: str, parameters: dict[str, Any]) -> str | None:
    """Return the full name of the setting that was changed, where the change names a part by its path alone."""
    return str(parameters["name"]) if event in _OF_SETTINGS and parameters.get("name") else None


_DATED = re.compile(r"20\d{6}(?:v\d+)?$")
_OF_SETTINGS = {"PutParameter", "DeleteParameter"}
# What names a part without changing how it works.
_HARMLESS = {
    "RegisterTaskDefinition",
    "PublishVersion",
    "TagResource",
    "UntagResource",
    "PutMetricAlarm",
    "SetAlarmState",
}


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
