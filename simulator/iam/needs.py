"""What each operation needs to be allowed: its actions, the resources they are decided on, and their context."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from simulator.iam.particular import PARTICULAR
from simulator.iam.policies import Need
from simulator.iam.templates import prefix_of, resources_of

FILE = Path(__file__).with_name("authorization.toml")
_TAGS = ("Tags", "tags")
_TAG_KEYS = ("TagKeys", "tagKeys")
# Members that services offer to conditions under names of their own.
_KEYS = {
    "cloudwatch": {"Namespace": "cloudwatch:namespace"},
    "sts": {
        "ExternalId": "sts:externalid",
        "RoleSessionName": "sts:rolesessionname",
        "SourceIdentity": "sts:sourceidentity",
    },
}


class UnmappedOperationError(LookupError):
    """An operation that nobody has said the needs of."""


@cache
def _table() -> Mapping[str, Mapping[str, Any]]:
    return tomllib.loads(FILE.read_text(encoding="utf-8"))


def mapped_operations() -> list[tuple[str, str]]:
    """Every operation whose needs are known, by service."""
    listed = [(service, operation) for service, given in _table().items() for operation in given]
    return sorted({*listed, *PARTICULAR, ("sts", "AssumeRole")})


def needs_of(service: str, operation: str, parameters: Mapping[str, Any]) -> list[Need]:
    """What a call needs; `UnmappedOperationError` where nobody has said."""
    particular = PARTICULAR.get((service, operation))
    if particular is not None:
        found = list(particular(parameters))
    elif (service, operation) == ("sts", "AssumeRole"):
        found = [Need("sts:AssumeRole", str(parameters.get("RoleArn", "")))]
    else:
        found = _listed(service, operation, parameters)
    asked = context(service, parameters)
    return [Need(one.action, one.resource, {**asked, **one.keys}) for one in found]


def _listed(service: str, operation: str, parameters: Mapping[str, Any]) -> list[Need]:
    given = _table().get(service, {}).get(operation)
    if given is None:
        raise UnmappedOperationError(f"{prefix_of(service)}:{operation}")
    if isinstance(given, str):
        action, template = f"{prefix_of(service)}:{operation}", given
    else:
        action, template = given["action"], given["resource"]
    return [Need(action, resource) for resource in resources_of(service, template, parameters)]


def context(service: str, parameters: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """The condition keys that the request itself carries."""
    keys: dict[str, tuple[str, ...]] = {}
    for member, key in _KEYS.get(service, {}).items():
        if isinstance(value := parameters.get(member), str):
            keys[key] = (value,)
    tags = next((_pairs(parameters[name]) for name in _TAGS if parameters.get(name)), {})
    names = next((tuple(parameters[name]) for name in _TAG_KEYS if parameters.get(name)), tuple(tags))
    for name, value in tags.items():
        keys[f"aws:requesttag/{name.lower()}"] = (value,)
    if names:
        keys["aws:tagkeys"] = names
    if service == "ecs" and parameters.get("cluster"):
        keys["ecs:cluster"] = tuple(resources_of("ecs", "cluster/{cluster}", parameters))
    if service == "dynamodb":
        keys |= _leading_keys(parameters)
    return keys


def _pairs(given: Any) -> dict[str, str]:
    if isinstance(given, dict):
        return {str(key): str(value) for key, value in given.items()}
    return {
        str(one.get("Key", one.get("key", ""))): str(one.get("Value", one.get("value", ""))) for one in given
    }


def _leading_keys(parameters: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """The partition keys of a call by key, whose name is taken to be the first of the key's members."""
    key = parameters.get("Key")
    if not isinstance(key, dict) or not key:
        return {}
    value = next(iter(key.values()))
    return {"dynamodb:leadingkeys": (str(next(iter(value.values()))),)} if value else {}
