"""Look ahead at a call: whether the role may make it, and what a dry run says."""

from dataclasses import replace

from botocore.exceptions import BotoCoreError, ClientError

from memory.records.scope import Scope
from tools.actions.base import Rehearsed
from tools.ahead import permitted
from tools.aws.access import AwsAccess
from tools.errors import error_code
from tools.inspection import Inspection


def rehearsed(access: AwsAccess, role_arn: str | None, scope: Scope, found: Inspection) -> Inspection:
    """Return an inspection with what IAM and a dry run say; one that found problems is not asked about."""
    action, params = found.action, found.params
    if action is None or params is None or found.problems:
        return found
    ahead = permitted(access, role_arn, action.permissions(params, scope))
    if not isinstance(action, Rehearsed):
        return replace(found, ahead=ahead)
    try:
        problems = action.rehearse(access, params, found.state)
    except (ClientError, BotoCoreError) as error:
        said = f"the dry run cannot be made: {error_code(error)}"
        return replace(found, ahead=replace(ahead, unanswered=(*ahead.unanswered, said)))
    return replace(found, ahead=ahead, problems=(*found.problems, *problems))
