"""What actions on Lambda functions share: names, ARNs, and what is not there."""

from typing import Any

from botocore.exceptions import ClientError

from memory.records.alarm import Metric
from memory.records.scope import Scope

FUNCTION = r"^[A-Za-z0-9_-]{1,64}$"
SETTLING_SECONDS = 300


def function_arn(scope: Scope, function: str) -> str:
    """Return a function's ARN, on which Lambda also decides about its aliases and its concurrency."""
    return f"arn:{scope.partition}:lambda:{scope.region}:{scope.account}:function:{function}"


def one_function(function: str) -> str:
    """Name a function as what an action changes, whichever part of it that is."""
    return f"Lambda function {function}"


def function_metric(function: str, name: str) -> Metric:
    """Return one of Lambda's counts by minute; it has points only while the function is invoked."""
    return Metric(
        namespace="AWS/Lambda",
        name=name,
        dimensions={"FunctionName": function},
        stat="Sum",
        period_seconds=60,
    )


def found(ask: Any, **given: Any) -> dict[str, Any] | None:
    """Return an answer of Lambda, or None where what was asked for is not there."""
    try:
        answer: dict[str, Any] = ask(**given)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return None
        raise
    return answer
