"""Return an ECS service to a task definition that it ran before.

UpdateService has no client token; asked twice for the task definition a service already has, ECS starts no
second deployment (https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_UpdateService.html).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError
from pydantic import Field

from memory.records.base import digest
from memory.records.plan import ExpectedSignal, Risk
from memory.records.scope import Scope
from tools.actions.base import BlastRadius, IamStatement, Parameters, Reversibility, State
from tools.actions.ecs_service import (
    EXAMPLE_SERVICE,
    NAME,
    READS,
    ecs_arns,
    primary_deployment,
    read_service,
    read_service_history,
    replaced_tasks,
    rollout_completes,
    service_permissions,
    service_target,
    short_name,
)
from tools.aws.access import AwsAccess


class EcsRollback(Parameters):
    """Which service goes back to which revision."""

    cluster: str = Field(pattern=NAME, description="The ECS cluster's name.")
    service: str = Field(pattern=NAME, description="The ECS service's name.")
    task_definition: str = Field(
        pattern=r"^[A-Za-z0-9_-]{1,255}:[1-9][0-9]{0,8}$",
        description="The task definition to return to, as family:revision.",
    )


@dataclass(frozen=True)
class EcsRollbackService:
    """Rolls a service back to an earlier revision of its task definition."""

    name: str = "ecs_rollback_service"
    description: str = (
        "Return an ECS service to the task definition it ran before. Use it when a deployment of that service "
        "caused the symptom."
    )
    effect: str = "ECS replaces the service's tasks, a few at a time, with tasks of the named revision."
    risk: Risk = Risk.MEDIUM
    repeatable: bool = True
    reads: tuple[str, ...] = (
        *READS,
        "ecs:ListServiceDeployments",
        "ecs:DescribeServiceDeployments",
        "ecs:DescribeServiceRevisions",
        "ecs:DescribeTaskDefinition",
    )
    preconditions: tuple[str, ...] = (
        "the service is active and ECS makes its deployments",
        "the named revision is active, of the same family, older than the present one, and ECS has a record that "
        "the service ran it",
    )
    blast: str = "the service's tasks among all that the cluster runs"
    reversibility: Reversibility = Reversibility.INVERSE
    way_back: str = "the service is pointed to the revision it runs now"
    parameters: type[EcsRollback] = EcsRollback
    example: dict[str, Any] = field(
        default_factory=lambda: {"cluster": "shop", "service": "basket", "task_definition": "basket:7"}
    )
    example_state: State = field(
        default_factory=lambda: {
            **EXAMPLE_SERVICE,
            "ran_before": ["basket:7"],
            "wanted": {"task_definition": "basket:7", "status": "ACTIVE", "containers_sha256": digest([])},
        }
    )

    def permissions(self, params: EcsRollback, scope: Scope) -> tuple[IamStatement, ...]:
        """Return what the caller must be allowed, and no more."""
        place, path = ecs_arns(scope), f"{params.cluster}/{params.service}"
        return (
            *service_permissions(
                scope, params.cluster, params.service, "ecs:UpdateService", "ecs:ListServiceDeployments"
            ),
            IamStatement(
                actions=("ecs:DescribeServiceDeployments",),
                resources=(f"{place}:service-deployment/{path}/*",),
            ),
            IamStatement(
                actions=("ecs:DescribeServiceRevisions",), resources=(f"{place}:service-revision/{path}/*",)
            ),
            # DescribeTaskDefinition knows no resource-level permission.
            IamStatement(actions=("ecs:DescribeTaskDefinition",), resources=("*",)),
        )

    def target(self, params: EcsRollback) -> str:
        """Name what is acted on."""
        return service_target(params.cluster, params.service)

    def read_state(self, access: AwsAccess, params: EcsRollback) -> State:
        """Read the service, what it ran before, and the revision to return to."""
        state = read_service_history(access, params.cluster, params.service)
        return {**state, "wanted": _definition(access, params.task_definition)} if state["found"] else state

    def bound(self, state: State) -> State:
        """Bind the deployment in place, the size of the service and the content of the wanted revision."""
        keys = ("found", "service_arn", "status", "deployment", "task_definition", "desired", "wanted")
        return {key: state.get(key) for key in keys}

    def expected(self, params: EcsRollback, state: State) -> tuple[ExpectedSignal, ...]:
        """The rollout ends, and the service runs the revision."""
        text = f"the rollout of {params.task_definition} completes"
        return (rollout_completes(text),) if state["found"] else ()

    def blast_radius(self, params: EcsRollback, state: State) -> BlastRadius:
        """Count the tasks that are replaced among those the cluster runs."""
        return replaced_tasks(state, params.cluster, params.service)

    def problems(self, params: EcsRollback, state: State, *, undoing: bool = False) -> tuple[str, ...]:
        """Return every reason not to do this to the service as it is."""
        if not state["found"]:
            return (f"cluster {params.cluster} has no service {params.service}",)
        if state["controller"] != "ECS":
            return (f"its deployments are made by {state['controller']}, not by ECS",)
        wanted, current = state["wanted"], state["task_definition"]
        found = [
            (state["status"] != "ACTIVE", f"the service is {state['status']}"),
            (params.task_definition == current, f"the service already runs {current}"),
            (wanted is None, f"there is no task definition {params.task_definition}"),
            (
                wanted is not None and wanted["status"] != "ACTIVE",
                f"{params.task_definition} is no longer active",
            ),
            (
                _family(params.task_definition) != _family(current),
                f"{params.task_definition} is of another family than {current}",
            ),
            (
                not undoing and _revision(params.task_definition) > _revision(current),
                f"{params.task_definition} is newer than {current}: that is no rollback",
            ),
            (
                params.task_definition not in state["ran_before"] and params.task_definition != current,
                f"ECS has no record that the service ran {params.task_definition}",
            ),
        ]
        return tuple(text for stands, text in found if stands)

    def inverse(self, params: EcsRollback, state: State) -> dict[str, Any] | None:
        """Return the parameters that bring the present revision back."""
        if not state["found"]:
            return None
        return {**params.model_dump(), "task_definition": state["task_definition"]}

    def call(self, access: AwsAccess, params: EcsRollback, state: State, token: str) -> dict[str, Any]:
        """Point the service to the revision."""
        answer = access.client("ecs").update_service(
            cluster=params.cluster, service=params.service, taskDefinition=params.task_definition
        )
        service = answer["service"]
        primary = primary_deployment(service)
        return {
            "task_definition": short_name(service["taskDefinition"]),
            "deployment": primary.get("id", ""),
            "rollout": primary.get("rolloutState", ""),
        }

    def holds(self, params: EcsRollback, state: State) -> bool:
        """Say whether the service is set to the revision."""
        return bool(state["found"]) and state["task_definition"] == params.task_definition

    def settled(self, access: AwsAccess, params: EcsRollback, answer: Mapping[str, Any]) -> bool | None:
        """Say how the rollout went."""
        state = read_service(access, params.cluster, params.service)
        if not self.holds(params, state) or state["rollout"] == "FAILED":
            return False
        return True if state["rollout"] == "COMPLETED" else None


def _definition(access: AwsAccess, named: str) -> State | None:
    try:
        answer = access.client("ecs").describe_task_definition(taskDefinition=named)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ClientException":
            return None
        raise
    definition = answer["taskDefinition"]
    return {
        "task_definition": short_name(definition["taskDefinitionArn"]),
        "status": definition["status"],
        "containers_sha256": digest(definition["containerDefinitions"]),
    }


def _family(task_definition: str) -> str:
    return task_definition.rpartition(":")[0]


def _revision(task_definition: str) -> int:
    return int(task_definition.rpartition(":")[2])
