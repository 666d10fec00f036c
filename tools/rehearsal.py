"""Look ahead at a call: whether the role may make it and take it back, and what a dry run says."""

from dataclasses import replace
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import ValidationError

from memory.records.scope import Scope
from tools.actions.base import Action, IamStatement, Rehearsed
from tools.ahead import NOT_TAKEN_BACK, NOTHING_KNOWN, Ahead, permitted
from tools.aws.access import AwsAccess
from tools.aws.sessions import too_wide
from tools.errors import error_code
from tools.inspection import Inspection


def rehearsed(access: AwsAccess, role_arn: str | None, scope: Scope, found: Inspection) -> Inspection:
    """Return an inspection with what IAM and a dry run say; one that found problems is not asked about."""
    action, params = found.action, found.params
    if action is None or params is None or found.problems:
        return found
    ahead = both_ways(access, role_arn, scope, found)
    if not isinstance(action, Rehearsed):
        return replace(found, ahead=ahead)
    try:
        problems = action.rehearse(access, params, found.state)
    except (ClientError, BotoCoreError) as error:
        said = f"the dry run cannot be made: {error_code(error)}"
        return replace(found, ahead=replace(ahead, unanswered=(*ahead.unanswered, said)))
    return replace(found, ahead=ahead, problems=(*found.problems, *problems))


def both_ways(access: AwsAccess, role_arn: str | None, scope: Scope, found: Inspection) -> Ahead:
    """Ask IAM whether the role may do what was inspected, and take it back; not where there are problems.

    Where it takes more permissions than a session's policy can hold, there is no session to do it with.
    """
    action, params = found.action, found.params
    if action is None or params is None or found.problems:
        return NOTHING_KNOWN
    forth = action.permissions(params, scope)
    wide = too_wide(action.name, forth)
    if wide is not None:
        return Ahead(denied=(wide,))
    back, unfit = _way_back(action, action.target(params), found.inverse, scope)
    ahead = permitted(access, role_arn, forth, back)
    too_wide_back = too_wide(f"the undo of {action.name}", back)
    stuck = (f"{NOT_TAKEN_BACK}: {too_wide_back}",) if too_wide_back else ()
    return replace(ahead, no_way_back=(*ahead.no_way_back, *unfit, *stuck))


def _way_back(
    action: Action[Any], target: str, inverse: dict[str, Any] | None, scope: Scope
) -> tuple[tuple[IamStatement, ...], tuple[str, ...]]:
    """Return what the undo has to be allowed, and why there can be none where its parameters do not fit."""
    if inverse is None:
        return (), ()
    try:
        return action.permissions(action.parameters.model_validate(inverse), scope), ()
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        why = f"{action.name} cannot bring back what {target} has now: {where}: {first['msg']}"
        return (), (f"{NOT_TAKEN_BACK}: {why}",)
