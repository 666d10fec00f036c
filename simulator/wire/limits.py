"""Limits on requests that AWS documents and that nobody behind this would keep.

Each is of the operation's page in the API reference, under its parameters or its errors.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from simulator.wire.protocol import AwsError

Parameters = Mapping[str, Any]
Limit = Callable[[Parameters], AwsError | None]
_INFERENCE_TYPES = ("ON_DEMAND", "PROVISIONED")


def keep_limits(service: str, operation: str, parameters: Parameters) -> None:
    """Raise AWS's own error for a request that it would not take."""
    limit = _LIMITS.get((service, operation))
    error = limit(parameters) if limit is not None else None
    if error is not None:
        raise error


def _named(member: str, pattern: str, code: str, message: str) -> Limit:
    """The member is like the pattern; without the member nobody minds."""

    def limit(parameters: Parameters) -> AwsError | None:
        value = parameters.get(member)
        fits = value is None or re.fullmatch(pattern, str(value)) is not None
        return None if fits else AwsError(code, message)

    return limit


def _counted(member: str, least: int, most: int, message: str) -> Limit:
    """The list, where it is given, has so many items."""

    def limit(parameters: Parameters) -> AwsError | None:
        value = parameters.get(member)
        fits = value is None or (isinstance(value, list) and least <= len(value) <= most)
        return None if fits else AwsError("InvalidParameterException", message)

    return limit


def _tables(parameters: Parameters) -> AwsError | None:
    limit = parameters.get("Limit")
    if limit is None or (isinstance(limit, int) and 1 <= limit <= 100):
        return None
    bound = "greater than or equal to 1" if limit < 1 else "less than or equal to 100"
    text = f"Value '{limit}' at 'limit' failed to satisfy constraint: Member must have value {bound}"
    return AwsError("ValidationException", f"1 validation error detected: {text}")


_LIMITS: Mapping[tuple[str, str], Limit] = {
    ("bedrock", "ListFoundationModels"): _named(
        *("byInferenceType", "|".join(_INFERENCE_TYPES), "ValidationException"),
        "Value at 'byInferenceType' failed to satisfy constraint: Member must satisfy enum value set",
    ),
    ("dynamodb", "ListTables"): _tables,
    ("ecs", "DescribeClusters"): _counted("clusters", 0, 100, "clusters can have at most 100 items."),
    ("ecs", "DescribeServiceDeployments"): _counted(
        "serviceDeploymentArns", 1, 20, "serviceDeploymentArns must have between 1 and 20 items."
    ),
    ("ecs", "DescribeServiceRevisions"): _counted(
        "serviceRevisionArns", 1, 20, "serviceRevisionArns must have between 1 and 20 items."
    ),
    ("iam", "SimulatePrincipalPolicy"): _named(
        *("PolicySourceArn", r"arn:aws[\w-]*:iam::\d{12}:(user|group|role)/.+", "InvalidInput"),
        "PolicySourceArn must be the ARN of a user, group or role.",
    ),
    ("sns", "CreateTopic"): _named(
        *("Name", r"[\w-]{1,256}(\.fifo)?", "InvalidParameter", "Invalid parameter: Topic Name")
    ),
    ("sqs", "CreateQueue"): _named(
        *("QueueName", r"[\w-]{1,80}(\.fifo)?", "InvalidParameterValue"),
        "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length",
    ),
}
