"""Limits on requests that AWS documents and that nobody behind this would keep.

Each is of the operation's page in the API reference, under its parameters or its errors.
"""

import re
from base64 import b64decode
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


def _counted(
    member: str, least: int, most: int, message: str, code: str = "InvalidParameterException"
) -> Limit:
    """The list, where it is given, has so many items."""

    def limit(parameters: Parameters) -> AwsError | None:
        value = parameters.get(member)
        fits = value is None or (isinstance(value, list) and least <= len(value) <= most)
        return None if fits else AwsError(code, message)

    return limit


def _page_of_parameters(parameters: Parameters) -> AwsError | None:
    """A token is one that the Parameter Store's lists give out: a position, encoded."""
    token = parameters.get("NextToken")
    try:
        fits = token is None or b64decode(str(token), validate=True).isdigit()
    except ValueError:
        fits = False
    return None if fits else AwsError("InvalidNextToken", "The specified token isn't valid.")


def _session(parameters: Parameters) -> AwsError | None:
    """A session lasts a quarter of an hour at least and half a day at most."""
    seconds = int(parameters.get("DurationSeconds", 3600))
    if 900 <= seconds <= 43_200:
        return None
    bound = "greater than or equal to 900" if seconds < 900 else "less than or equal to 43200"
    text = (
        f"Value '{seconds}' at 'durationSeconds' failed to satisfy constraint: Member must have value {bound}"
    )
    return AwsError("ValidationError", f"1 validation error detected: {text}")


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
    ("ecs", "ListTagsForResource"): _named(
        *("resourceArn", r"arn:aws[\w-]*:ecs:.+", "InvalidParameterException"),
        "The specified resourceArn is not valid.",
    ),
    ("iam", "SimulatePrincipalPolicy"): _named(
        *("PolicySourceArn", r"arn:aws[\w-]*:iam::\d{12}:(user|group|role)/.+", "InvalidInput"),
        "PolicySourceArn must be the ARN of a user, group or role.",
    ),
    ("logs", "DescribeQueries"): _named(
        "status",
        "Scheduled|Running|Complete|Failed|Cancelled|Timeout|Unknown",
        "InvalidParameterException",
        "Value at 'status' failed to satisfy constraint: Member must satisfy enum value set",
    ),
    ("sns", "CreateTopic"): _named(
        *("Name", r"[\w-]{1,256}(\.fifo)?", "InvalidParameter", "Invalid parameter: Topic Name")
    ),
    ("ssm", "DescribeParameters"): _page_of_parameters,
    ("ssm", "GetParameterHistory"): _page_of_parameters,
    ("ssm", "GetParameters"): _counted(
        *("Names", 1, 10, "Member must have length less than or equal to 10", "ValidationException"),
    ),
    ("ssm", "GetParametersByPath"): _page_of_parameters,
    ("sts", "AssumeRole"): _session,
    ("sqs", "CreateQueue"): _named(
        *("QueueName", r"[\w-]{1,80}(\.fifo)?", "InvalidParameterValue"),
        "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length",
    ),
}
