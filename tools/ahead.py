"""What can be known of a call before anybody is asked: whether IAM lets the role make it, and what a dry run says.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html,
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_StartExecutionPreview.html.
What cannot be answered is neither a yes nor a no: it is said, and a person decides.
"""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tools.actions.base import IamStatement, State
from tools.aws.access import AwsAccess
from tools.errors import error_code

# Systems Manager makes a preview in the background, which takes seconds: so long is waited before each look.
_PREVIEW_LOOKS = (0.0, 0.5, 1.0, 1.5, 2.0, 2.0, 3.0)
# An action of the catalogue names at most this many resources, with few exceptions.
ASKED_AT_ONCE = 6
NOT_TAKEN_BACK = "it could not be taken back"

_Call = tuple[str, str]
"""An IAM action, and the resource that it is on."""


@dataclass(frozen=True)
class Ahead:
    """What was found out beforehand: calls that IAM denies, and what could not be found out.

    `no_way_back` is why what is done could not be taken back, though the action has an inverse.
    """

    denied: tuple[str, ...] = ()
    unanswered: tuple[str, ...] = ()
    no_way_back: tuple[str, ...] = ()


NOTHING_KNOWN = Ahead()


def permitted(
    access: AwsAccess,
    role_arn: str | None,
    statements: tuple[IamStatement, ...],
    back: tuple[IamStatement, ...] = (),
) -> Ahead:
    """Ask IAM whether a role may make each call on each resource, and each call of the way `back`.

    What is asked for both is asked once: a request holds all calls of one service on one resource.
    """
    if not role_arn:
        return Ahead(denied=("this account has no role to act with: settings/autonomy.toml, [roles]",))
    forth, returning = _calls(statements), _calls(back)
    requests: dict[_Call, list[str]] = {}
    for action, resource in dict.fromkeys((*forth, *returning)):
        requests.setdefault((action.partition(":")[0], resource), []).append(action)
    try:
        # People wait for the call that they approved, and IAM answers from one region for all of them.
        with ThreadPoolExecutor(ASKED_AT_ONCE, "iam") as threads:
            asked = [(actions, resource) for (_, resource), actions in requests.items()]
            answers = list(threads.map(lambda one: _refused(access, role_arn, *one), asked))
    except (ClientError, BotoCoreError) as error:
        return Ahead(unanswered=(f"iam:SimulatePrincipalPolicy cannot be asked: {error_code(error)}",))
    refused = {call: keys for answer in answers for call, keys in answer.items()}
    denied = {call for call, keys in refused.items() if not keys}
    # Without a permission that both need nothing is done, and nothing is to be taken back.
    only_back = (one for one in returning if one in denied and one not in forth)
    return Ahead(
        denied=tuple(_told(one) for one in forth if one in denied),
        unanswered=tuple(_open(call, keys) for call, keys in refused.items() if keys),
        no_way_back=tuple(f"{NOT_TAKEN_BACK}: {_told(one)}" for one in only_back),
    )


def _calls(statements: tuple[IamStatement, ...]) -> tuple[_Call, ...]:
    """Return each action on each resource once."""
    found = ((action, to) for one in statements for to in one.resources for action in one.actions)
    return tuple(dict.fromkeys(found))


def _told(call: _Call) -> str:
    return f"the role may not {call[0]} on {call[1]}"


def _open(call: _Call, keys: tuple[str, ...]) -> str:
    return (
        f"whether the role may {call[0]} on {call[1]} depends on {', '.join(keys)}, which only the call has"
    )


def _refused(
    access: AwsAccess, role_arn: str, actions: list[str], resource: str
) -> dict[_Call, tuple[str, ...]]:
    """Return each call that IAM does not allow as it was asked, with the condition keys that it lacked to say so.

    The call itself has them, such as the cluster of a service: where one was lacking, IAM has answered nothing
    (https://docs.aws.amazon.com/IAM/latest/APIReference/API_EvaluationResult.html).
    """
    request: dict[str, Any] = {
        "PolicySourceArn": role_arn,
        "ActionNames": actions,
        "ResourceArns": [resource],
    }
    allowed: set[str] = set()
    lacking: dict[str, tuple[str, ...]] = {}
    while True:
        page = access.client("iam").simulate_principal_policy(**request)
        results: list[Mapping[str, Any]] = page["EvaluationResults"]
        allowed |= {one["EvalActionName"] for one in results if one["EvalDecision"] == "allowed"}
        lacking |= {one["EvalActionName"]: _lacking(one) for one in results}
        if not page.get("IsTruncated"):
            break
        request["Marker"] = page["Marker"]
    return {(action, resource): lacking.get(action, ()) for action in actions if action not in allowed}


def _lacking(result: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the condition keys that IAM missed, which it tells of the whole or of the one resource."""
    told = [result, *result.get("ResourceSpecificResults", [])]
    return tuple(dict.fromkeys(key for one in told for key in one.get("MissingContextValues", [])))


def previewed(
    access: AwsAccess,
    document: str,
    version: str,
    values: Mapping[str, list[str]],
    wait: Callable[[float], None] = time.sleep,
) -> tuple[str, ...]:
    """Preview an Automation document's execution; return what speaks against starting it, ten seconds later at most.

    Raises botocore's errors where Systems Manager cannot be asked.
    """
    ssm: Any = access.client("ssm")
    started = ssm.start_execution_preview(
        DocumentName=document,
        DocumentVersion=version,
        ExecutionInputs={"Automation": {"Parameters": dict(values)}},
    )
    for seconds in _PREVIEW_LOOKS:
        wait(seconds)
        preview: State = ssm.get_execution_preview(ExecutionPreviewId=started["ExecutionPreviewId"])
        if preview["Status"] == "Success":
            return ()
        if preview["Status"] == "Failed":
            return (f"the preview of {document} failed: {preview.get('StatusMessage', 'no reason given')}",)
    return (f"the preview of {document} does not end",)
