"""Replace all tasks of an ECS service with fresh ones of the same task definition.

UpdateService with forceNewDeployment has no client token, and each call begins another deployment; so the deployment
that is to be replaced is a parameter (https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_UpdateService.html).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import Field

from memory.records.plan import ExpectedSignal, Risk
from memory.records.scope import Scope
from tools.actions.base import BlastRadius, IamStatement, Parameters, Reversibility, State
from tools.actions.ecs_service import (
    EXAMPLE_SERVICE,
    NAME,
    READS,
    primary_deployment,
    read_service,
    replaced_tasks,
    rollout_completes,
    service_permissions,
    service_target,
)
from tools.aws.access import AwsAccess


class EcsForceDeployment(Parameters):
    """Which service gets fresh tasks in place of which deployment."""

    cluster: str = Field(pattern=NAME, description="The ECS cluster's name.")
    service: str = Field(pattern=NAME, description="The ECS service's name.")
    deployment: str = Field(
        pattern=r"^[A-Za-z0-9/_-]{1,255}$", description="The id of the deployment whose tasks are replaced."
    )


@dataclass(frozen=True)
class EcsForceNewDeployment:
    """Gives a service fresh tasks of what it runs already."""

    name: str = "ecs_force_new_deployment"
    description: str = (
        "Replace the tasks of an ECS service with fresh ones of the same revision. Use it as a stop-gap when tasks "
        "have gone bad over time, by a leak or a lost connection, and no release is to blame that could be rolled back."
    )
    effect: str = (
        "ECS replaces the service's tasks, a few at a time, with tasks of the same revision; they read the secrets, "
        "parameters and image that it names anew."
    )
    risk: Risk = Risk.MEDIUM
    repeatable: bool = False
    reads: tuple[str, ...] = READS
    preconditions: tuple[str, ...] = (
        "the service is active, ECS makes its deployments, and none of them is under way",
        "the deployment in place is the named one",
    )
    blast: str = "the service's tasks among all that the cluster runs"
    reversibility: Reversibility = Reversibility.NONE
    way_back: str = (
        "none: the tasks that ran before are gone, and fresh ones start with the secrets, parameters and image as they "
        "are now"
    )
    parameters: type[EcsForceDeployment] = EcsForceDeployment
    example: dict[str, Any] = field(
        default_factory=lambda: {
            "cluster": "shop",
            "service": "basket",
            "deployment": "ecs-svc/9223370516993131848",
        }
    )
    example_state: State = field(default_factory=lambda: dict(EXAMPLE_SERVICE))

    def permissions(self, params: EcsForceDeployment, scope: Scope) -> tuple[IamStatement, ...]:
        """Return what the caller must be allowed, and no more."""
        return service_permissions(scope, params.cluster, params.service, "ecs:UpdateService")

    def target(self, params: EcsForceDeployment) -> str:
        """Name what is acted on."""
        return service_target(params.cluster, params.service)

    def read_state(self, access: AwsAccess, params: EcsForceDeployment) -> State:
        """Read the service as it is now."""
        return read_service(access, params.cluster, params.service)

    def bound(self, state: State) -> State:
        """Bind the deployment in place and the size of the service."""
        keys = ("found", "service_arn", "status", "deployment", "task_definition", "desired")
        return {key: state.get(key) for key in keys}

    def expected(self, params: EcsForceDeployment, state: State) -> tuple[ExpectedSignal, ...]:
        """The rollout ends."""
        if not state["found"]:
            return ()
        return (rollout_completes(f"all tasks of {params.service} are replaced"),)

    def blast_radius(self, params: EcsForceDeployment, state: State) -> BlastRadius:
        """Count the tasks that are replaced among those the cluster runs."""
        return replaced_tasks(state, params.cluster, params.service)

    def problems(self, params: EcsForceDeployment, state: State, *, undoing: bool = False) -> tuple[str, ...]:
        """Return every reason not to do this to the service as it is."""
        if not state["found"]:
            return (f"cluster {params.cluster} has no service {params.service}",)
        found = [
            (state["status"] != "ACTIVE", f"the service is {state['status']}"),
            (state["controller"] != "ECS", f"its deployments are made by {state['controller']}, not by ECS"),
            (state["desired"] < 1, "it is to run no tasks"),
            (
                params.deployment != state["deployment"],
                f"the deployment in place is {state['deployment']}, not {params.deployment}",
            ),
            (state["rollout"] == "IN_PROGRESS", "a deployment is under way"),
        ]
        return tuple(text for stands, text in found if stands)

    def inverse(self, params: EcsForceDeployment, state: State) -> dict[str, Any] | None:
        """Return nothing: the tasks that ran before do not come back."""
        return None

    def call(self, access: AwsAccess, params: EcsForceDeployment, state: State, token: str) -> dict[str, Any]:
        """Begin a deployment of what the service runs already."""
        answer = access.client("ecs").update_service(
            cluster=params.cluster, service=params.service, forceNewDeployment=True
        )
        primary = primary_deployment(answer["service"])
        return {"deployment": primary.get("id", ""), "rollout": primary.get("rolloutState", "")}

    def holds(self, params: EcsForceDeployment, state: State) -> bool:
        """Say whether another deployment is in place of the named one."""
        return bool(state["found"]) and state["deployment"] != params.deployment

    def is_trace(self, before: State, now: State) -> bool:
        """Say whether the service is to run what it ran: another revision or number of tasks is another's doing."""
        return all(before.get(key) == now.get(key) for key in ("task_definition", "desired"))

    def settled(
        self, access: AwsAccess, params: EcsForceDeployment, answer: Mapping[str, Any]
    ) -> bool | None:
        """Say how the rollout went."""
        state = self.read_state(access, params)
        if not self.holds(params, state) or state["rollout"] == "FAILED":
            return False
        return True if state["rollout"] == "COMPLETED" else None
