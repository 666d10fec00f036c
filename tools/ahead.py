"""What can be known of a call before anybody is asked: whether IAM lets the role make it, and what a dry run says.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html,
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_StartExecutionPreview.html.
What cannot be answered is neither a yes nor a no: it is said, and a person decides.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tools.actions.base import IamStatement, State
from tools.aws.access import AwsAccess
from tools.errors import error_code

_PREVIEW_LOOKS = 3
# An action of the catalogue names at most this many resources, with few exceptions.
ASKED_AT_ONCE = 6


@dataclass(frozen=True)
class Ahead:
    """What was found out beforehand: calls that IAM denies, and what could not be found out."""

    denied: tuple[str, ...] = ()
    unanswered: tuple[str, ...] = ()


NOTHING_KNOWN = Ahead()


def permitted(access: AwsAccess, role_arn: str | None, statements: tuple[IamStatement, ...]) -> Ahead:
    """Ask IAM whether a role may make each call on each resource."""
    if not role_arn:
        return Ahead(denied=("this account has no role to act with: settings/autonomy.toml, [roles]",))
    pairs = [(one.actions, resource) for one in statements for resource in one.resources]
    try:
        # People wait for the call that they approved, and IAM answers from one region for all of them.
        with ThreadPoolExecutor(ASKED_AT_ONCE, "iam") as threads:
            found = list(threads.map(lambda pair: _denied(access, role_arn, *pair), pairs))
    except (ClientError, BotoCoreError) as error:
        return Ahead(unanswered=(f"iam:SimulatePrincipalPolicy cannot be asked: {error_code(error)}",))
    return Ahead(denied=tuple(dict.fromkeys(denied for each in found for denied in each)))


def _denied(access: AwsAccess, role_arn: str, actions: tuple[str, ...], resource: str) -> list[str]:
    request: dict[str, Any] = {
        "PolicySourceArn": role_arn,
        "ActionNames": list(actions),
        "ResourceArns": [resource],
    }
    allowed: set[str] = set()
    while True:
        page = access.client("iam").simulate_principal_policy(**request)
        results: list[Mapping[str, Any]] = page["EvaluationResults"]
        allowed |= {one["EvalActionName"] for one in results if one["EvalDecision"] == "allowed"}
        if not page.get("IsTruncated"):
            break
        request["Marker"] = page["Marker"]
    return [f"the role may not {action} on {resource}" for action in actions if action not in allowed]


def previewed(
    access: AwsAccess, document: str, version: str, values: Mapping[str, list[str]]
) -> tuple[str, ...]:
    """Preview an Automation document's execution; return what speaks against starting it.

    Raises botocore's errors where Systems Manager cannot be asked.
    """
    ssm: Any = access.client("ssm")
    started = ssm.start_execution_preview(
        DocumentName=document,
        DocumentVersion=version,
        ExecutionInputs={"Automation": {"Parameters": dict(values)}},
    )
    for _ in range(_PREVIEW_LOOKS):
        preview: State = ssm.get_execution_preview(ExecutionPreviewId=started["ExecutionPreviewId"])
        if preview["Status"] == "Success":
            return ()
        if preview["Status"] == "Failed":
            return (f"the preview of {document} failed: {preview.get('StatusMessage', 'no reason given')}",)
    return (f"the preview of {document} does not end",)
