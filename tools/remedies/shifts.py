"""What can be done about a version that CodeDeploy is still moving an alias to: stop it, and nothing beside it."""

from collections.abc import Generator
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from memory.records.plan import Considered, PlannedAction
from tools.actions.codedeploy_stop import CodeDeployStop
from tools.actions.lambda_alias import LambdaShiftAlias
from tools.code_deployment import ROLLBACK, UNDER_WAY, function_target
from tools.errors import is_denied
from tools.remedies.place import Place

A_BATCH = 25
T = TypeVar("T")
Offering = Generator[PlannedAction | Considered, None, T]


def stopped_shift(
    place: Place, function: str, blamed: str, shared: frozenset[str]
) -> Offering[frozenset[str]]:
    """Offer to stop the deployment that moves an alias to the version to blame.

    `shared` are the function's aliases that send invocations to two versions. Returns those that are to be left alone:
    a deployment is moving them, and its next step would take a shift by hand back; or whether one is may not be read.
    """
    client = place.access.client("codedeploy")
    try:
        deployments = _in_progress(client)
        targets = [function_target(client, one) for one in deployments]
    except ClientError as error:
        if not is_denied(error):
            raise
        why = (
            f"CodeDeploy may not be read, so it is not known whether it is moving {', '.join(sorted(shared))}"
        )
        yield Considered(action=CodeDeployStop.name, why_not=why)
        yield Considered(action=LambdaShiftAlias.name, why_not=why)
        return shared
    moving: set[str] = set()
    for deployment, target in zip(deployments, targets, strict=True):
        if target is None or target["functionName"] != function:
            continue
        identity, alias = deployment["deploymentId"], target["functionAlias"]
        moving.add(alias)
        yield _answer(deployment, target, blamed)
        why = f"CodeDeploy deployment {identity} is moving {alias}: its next step would take a shift back"
        yield Considered(action=LambdaShiftAlias.name, why_not=why)
    return frozenset(moving)


def _answer(deployment: dict[str, Any], target: dict[str, Any], blamed: str) -> PlannedAction | Considered:
    identity, wanted = deployment["deploymentId"], target["targetVersion"]
    if deployment.get("creator") == ROLLBACK:
        why = f"{identity} is a rollback that is under way already"
        return Considered(action=CodeDeployStop.name, why_not=why)
    if blamed and wanted != blamed:
        why = f"{identity} moves {target['functionAlias']} to version {wanted}, not to {blamed}"
        return Considered(action=CodeDeployStop.name, why_not=why)
    return PlannedAction(
        action=CodeDeployStop.name,
        parameters={
            "application": deployment["applicationName"],
            "group": deployment["deploymentGroupName"],
            "deployment": identity,
            "function": target["functionName"],
        },
        why=f"version {wanted} broke {target['functionName']}, and CodeDeploy is still moving traffic to it",
    )


def _in_progress(client: Any) -> list[dict[str, Any]]:
    """Return the deployments in progress of all groups; one page, since few go on at once."""
    ids = client.list_deployments(includeOnlyStatuses=sorted(UNDER_WAY)).get("deployments", [])
    return [
        one
        for first in range(0, len(ids), A_BATCH)
        for one in client.batch_get_deployments(deploymentIds=ids[first : first + A_BATCH])["deploymentsInfo"]
    ]
