"""What a document on the list acts on, in the words by which the catalogue's other actions name the same targets."""

import re
from collections.abc import Iterable, Mapping

from tools.actions.base import IamStatement

_READS = re.compile(r"^[a-z0-9-]+:(?:Describe|Get|List|Head|BatchGet|Query|Scan)")


def document_targets(permissions: Iterable[IamStatement], values: Mapping[str, str]) -> tuple[str, ...]:
    """Name all that a document's steps change with these values, each once; nothing where that cannot be told.

    `permissions` are the templates of the list: what may only be read is no target.
    """
    templates = [
        resource
        for statement in permissions
        if not all(_READS.match(action) for action in statement.actions)
        for resource in statement.resources
    ]
    try:
        named = [name for one in templates for name in _targets_of(one, values)]
    except KeyError:
        return ()
    return tuple(dict.fromkeys(named))


def _targets_of(template: str, values: Mapping[str, str]) -> tuple[str, ...]:
    """Name the resource of one ARN, whose place is not looked at: it is the incident's own."""
    parts = template.split(":", 5)
    if len(parts) != 6:
        return ()
    service, resource = parts[2], parts[5].format_map(values)
    kind, _, name = resource.partition("/")
    if service == "dynamodb" and kind == "table":
        return (f"DynamoDB table {name.partition('/')[0]}",)
    if service == "ecs" and kind == "service":
        return (f"ECS service {name}",)
    if service == "ssm" and kind == "parameter":
        return (f"parameter {'/' if '/' in name else ''}{name}",)
    if service == "sqs":
        return (f"SQS queue {resource}",)
    if service == "lambda" and resource.startswith("function:"):
        return (f"Lambda function {resource.removeprefix('function:').partition(':')[0]}",)
    return (f"{service} {resource}",)
