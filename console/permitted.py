"""What each action of the catalogue needs of IAM, and whether IAM would give it to the caller."""

from collections.abc import Iterator
from types import NoneType
from typing import Any, get_args

from botocore.exceptions import BotoCoreError, ClientError

from console.findings import Finding, Line
from memory.records.scope import Scope
from tools.actions.base import Action
from tools.actions.registry import Catalogue
from tools.aws.access import AwsAccess
from tools.errors import error_code, is_denied


def declared_calls(action: Action[Any], home: Scope) -> tuple[str, ...]:
    """Return the IAM actions that an action of the catalogue declares, whatever it will be done to."""
    statements = [one for given in _examples(action) for one in action.permissions(given, home)]
    return tuple(sorted({call for statement in statements for call in statement.actions}))


def _examples(action: Action[Any]) -> Iterator[Any]:
    """Yield the action's example, and the same without each parameter that may be left out."""
    whole = action.parameters.model_validate(action.example)
    yield whole
    for name, one in action.parameters.model_fields.items():
        if NoneType in get_args(one.annotation):
            yield whole.model_copy(update={name: None})


def policy_source(arn: str) -> str:
    """Return the principal whose policies IAM reads: for a session of a role, the role."""
    parts = arn.split(":", 5)
    kind, _, name = parts[5].partition("/") if len(parts) == 6 else ("", "", "")
    if kind != "assumed-role":
        return arn
    return f"arn:{parts[1]}:iam::{parts[4]}:role/{name.partition('/')[0]}"


def look_at_actions(access: AwsAccess, arn: str, home: Scope, catalogue: Catalogue) -> Iterator[Line]:
    """Ask IAM, for each action, whether its calls would be allowed; where IAM cannot be asked, nothing is claimed."""
    for action in catalogue:
        yield _look(access, policy_source(arn), action.name, declared_calls(action, home))


def _look(access: AwsAccess, source: str, name: str, calls: tuple[str, ...]) -> Line:
    try:
        answer = access.client("iam").simulate_principal_policy(
            PolicySourceArn=source, ActionNames=list(calls)
        )
    except (ClientError, BotoCoreError) as error:
        why = "not permitted" if is_denied(error) else error_code(error)
        remedy = f"see that this caller may call {', '.join(calls)}"
        return Line("permitted", f"action {name}: iam:SimulatePrincipalPolicy is {why}", Finding.NOTE, remedy)
    decisions = {one["EvalActionName"]: one["EvalDecision"] for one in answer["EvaluationResults"]}
    refused = [call for call in calls if decisions.get(call) == "explicitDeny"]
    if refused:
        remedy = f"a policy denies {', '.join(refused)} to this caller: take that out"
        return Line("permitted", f"action {name}: denied", Finding.BAD, remedy)
    absent = [call for call in calls if decisions.get(call) != "allowed"]
    if absent:
        remedy = f"allow {', '.join(absent)} to this caller, unless a policy does so on the resources it is to change"
        return Line("permitted", f"action {name}: not on every resource", Finding.NOTE, remedy)
    return Line("permitted", f"action {name}: {', '.join(calls)}")
