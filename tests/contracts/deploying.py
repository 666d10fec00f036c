"""Contracts of what the copilot looks into and changes in CodeDeploy."""

from collections.abc import Callable
from typing import Any

from tests.contracts.contract import Asks, Contract
from tests.contracts.place import Place

NO_DEPLOYMENT = "d-000000000"


def _deployment(**more: Any) -> Asks:
    return lambda place: {"deploymentId": place.the("deployment"), **more}


def _of_one(operation: str, gives: str, more: Callable[[Place], dict[str, Any]] = lambda _: {}) -> Contract:
    return Contract(
        *("codedeploy", operation),
        lambda place: {**_deployment()(place), **more(place)},
        gives,
        lambda place: {"deploymentId": NO_DEPLOYMENT, **more(place)},
        "DeploymentDoesNotExistException",
    )


CONTRACTS = (
    Contract(
        *("codedeploy", "ListApplications", lambda _: {}, "applications"),
        *(lambda _: {"nextToken": "not a token"}, "InvalidNextTokenException"),
    ),
    Contract(
        *("codedeploy", "ListDeployments", lambda _: {"includeOnlyStatuses": ["InProgress"]}, "deployments"),
        *(lambda _: {"nextToken": "not a token"}, "InvalidNextTokenException"),
    ),
    Contract(
        *("codedeploy", "BatchGetDeployments"),
        lambda place: {"deploymentIds": [place.the("deployment")]},
        "deploymentsInfo",
        lambda _: {"deploymentIds": ["not an id"]},
        "InvalidDeploymentIdException",
    ),
    _of_one("GetDeployment", "deploymentInfo"),
    _of_one("ListDeploymentTargets", "targetIds"),
    _of_one("GetDeploymentTarget", "deploymentTarget", lambda place: {"targetId": place.target()}),
    _of_one("StopDeployment", "status"),
)
