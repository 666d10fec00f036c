"""Every action there is. An action that is not listed here does not exist."""

from typing import Any

from tools.actions.base import Action
from tools.actions.dynamodb_capacity import DynamoDbSetWriteCapacity
from tools.actions.ecs_rollback import EcsRollbackService

Catalogue = tuple[Action[Any], ...]

ACTIONS: Catalogue = (
    EcsRollbackService(),
    DynamoDbSetWriteCapacity(),
)


def named(catalogue: Catalogue, name: str) -> Action[Any] | None:
    """Return an action by its name."""
    return next((action for action in catalogue if action.name == name), None)
