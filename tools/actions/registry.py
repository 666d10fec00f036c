"""Every action there is. An action that is not listed here does not exist."""

from typing import Any

from tools.actions.base import Action
from tools.actions.codedeploy_stop import CodeDeployStop
from tools.actions.dynamodb_capacity import DynamoDbSetWriteCapacity
from tools.actions.dynamodb_read_capacity import DynamoDbSetReadCapacity
from tools.actions.ecs_desired_count import EcsSetDesiredCount
from tools.actions.ecs_force_deployment import EcsForceNewDeployment
from tools.actions.ecs_rollback import EcsRollbackService
from tools.actions.ecs_stop_task import EcsStopOneTask
from tools.actions.lambda_alias import LambdaShiftAlias
from tools.actions.lambda_concurrency import LambdaSetReservedConcurrency
from tools.actions.sqs_quarantine import SqsQuarantinePoison
from tools.actions.sqs_redrive import SqsRedriveDeadLetters
from tools.actions.ssm_allowed_value import SsmSetAllowedValue
from tools.actions.ssm_document import SsmRunDocument
from tools.actions.ssm_parameter import SsmRevertParameter

Catalogue = tuple[Action[Any], ...]

ACTIONS: Catalogue = (
    EcsRollbackService(),
    EcsForceNewDeployment(),
    EcsSetDesiredCount(),
    EcsStopOneTask(),
    CodeDeployStop(),
    LambdaShiftAlias(),
    LambdaSetReservedConcurrency(),
    DynamoDbSetWriteCapacity(),
    DynamoDbSetReadCapacity(),
    SqsQuarantinePoison(),
    SqsRedriveDeadLetters(),
    SsmRevertParameter(),
    SsmSetAllowedValue(),
    SsmRunDocument(),
)


def named(catalogue: Catalogue, name: str) -> Action[Any] | None:
    """Return an action by its name."""
    return next((action for action in catalogue if action.name == name), None)
