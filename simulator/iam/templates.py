"""Resource templates: from the parameters of a call to the ARNs it is decided on."""

import re
from collections.abc import Mapping
from typing import Any

from simulator.wire.protocol import ACCOUNT, REGION

# What services call themselves in actions and ARNs, where botocore calls them otherwise.
PREFIXES = {
    "bedrock-runtime": "bedrock",
    "cloudwatch": "cloudwatch",
    "elbv2": "elasticloadbalancing",
    "monitoring": "cloudwatch",
    "resourcegroupstaggingapi": "tag",
    "service-quotas": "servicequotas",
    "stepfunctions": "states",
}
_FIELD = re.compile(r"\{([^}=]+)(?:=([^}]*))?\}")
_PLACES = {"region": REGION, "account": ACCOUNT}


def prefix_of(service: str) -> str:
    """How actions and ARNs of a service begin."""
    return PREFIXES.get(service, service)


def resources_of(service: str, template: str, parameters: Mapping[str, Any]) -> list[str]:
    """The ARNs that a template gives for a call; `*` where it gives none."""
    if template == "*":
        return ["*"]
    found = [""]
    position = 0
    last = template.rstrip().endswith("}")
    fields = list(_FIELD.finditer(template))
    for number, one in enumerate(fields):
        fixed = template[position : one.start()]
        values = _values(one[1], one[2], parameters)
        is_end = last and number == len(fields) - 1
        found = [_joined(service, text + fixed, value, one[1], is_end) for text in found for value in values]
        position = one.end()
    return [_whole(service, text + template[position:]) for text in found]


def _joined(service: str, text: str, value: str, member: str, is_end: bool) -> str:
    if is_end and value.startswith(f"arn:aws:{prefix_of(service)}:"):
        return value
    if is_end and value.startswith("arn:") and not text:
        return value
    if member.endswith("!"):
        if value.startswith("arn:"):
            value = value.split(":", 6)[-1].removesuffix(":*")
        return text + value.removeprefix("/") if text.endswith("parameter/") else text + value
    return text + value.rstrip("/").rpartition("/")[2].rpartition(":function:")[2]


def _whole(service: str, text: str) -> str:
    if text.startswith("arn:"):
        return text
    return f"arn:aws:{prefix_of(service)}:{REGION}:{ACCOUNT}:{text}"


def _values(members: str, absent: str | None, parameters: Mapping[str, Any]) -> list[str]:
    for member in members.removesuffix("!").split("|"):
        if member in _PLACES:
            return [_PLACES[member]]
        value = parameters.get(member)
        if isinstance(value, list) and value:
            return [str(one) for one in value]
        if value not in (None, "", []):
            return [str(value)]
    return [absent or ""]
