"""The catalogue of actions: what stands here can be proposed, and nothing else can be done."""

from typing import Any

from pydantic import ValidationError

from memory.records.plan import PlannedAction
from tools.actions.base import Action, Parameters
from tools.actions.dynamodb_capacity import DynamoDbSetWriteCapacity
from tools.actions.ecs_rollback import EcsRollbackService

ACTIONS: tuple[Action, ...] = (EcsRollbackService(), DynamoDbSetWriteCapacity())


class NotInCatalogueError(LookupError):
    """An action, or parameters, that the catalogue does not have."""


def find_action(name: str) -> Action:
    """Return the action of a name, or raise `NotInCatalogueError`."""
    action = next((action for action in ACTIONS if action.name == name), None)
    if action is None:
        raise NotInCatalogueError(f"the catalogue has no action {name!r}")
    return action


def read_parameters(planned: PlannedAction) -> tuple[Action, Parameters]:
    """Return a planned action's entry and its checked parameters, or raise `NotInCatalogueError`."""
    action = find_action(planned.action)
    return action, _checked(action, planned.parameters)


def _checked(action: Action, parameters: dict[str, Any]) -> Parameters:
    try:
        return action.parameters.model_validate(parameters, strict=True)
    except ValidationError as error:
        raise NotInCatalogueError(f"these are no parameters of {action.name}: {error}") from error
