"""Set how many tasks an ECS service runs.

UpdateService has no client token; asked twice for the same count, ECS does nothing the second time
(https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_UpdateService.html).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import Field

from memory.records.plan import Direction, ExpectedSignal, Risk
from memory.records.scope import Scope
from tools.actions.base import BlastRadius, IamStatement, Parameters, Reversibility, State
from tools.actions.ecs_service import (
    EXAMPLE_SERVICE,
    NAME,
    READS,
    read_service,
    service_permissions,
    service_target,
)
from tools.aws.access import AwsAccess

MOST_FACTOR = 3
"""A plan may multiply the tasks by no more than this; more is a decision about money."""
START_SECONDS = 300


class EcsDesiredCount(Parameters):
    """Which service gets how many tasks."""

    cluster: str = Field(pattern=NAME, description="The ECS cluster's name.")
    service: str = Field(pattern=NAME, description="The ECS service's name.")
    desired_count: int = Field(ge=1, le=1000, description="How many tasks to run.")


@dataclass(frozen=True)
class EcsSetDesiredCount:
    """Sets a service's desired count."""

    name: str = "ecs_set_desired_count"
    description: str = (
        "Run more tasks of an ECS service. Use it when legitimate load exceeds what its tasks can take."
    )
    effect: str = "ECS starts tasks until the count is reached; they cost while they run."
    risk: Risk = Risk.LOW
    repeatable: bool = True
    reads: tuple[str, ...] = READS
    preconditions: tuple[str, ...] = (
        "the service is active, counts its tasks, and no deployment of it is under way",
        f"the new count is more than the present one, and at most {MOST_FACTOR} times as much",
    )
    blast: str = "the share of the service's present tasks that is taken away"
    reversibility: Reversibility = Reversibility.INVERSE
    way_back: str = "the count is set to what it is now"
    parameters: type[EcsDesiredCount] = EcsDesiredCount
    example: dict[str, Any] = field(
        default_factory=lambda: {"cluster": "shop", "service": "basket", "desired_count": 8}
    )
    example_state: State = field(default_factory=lambda: dict(EXAMPLE_SERVICE))

    def permissions(self, params: EcsDesiredCount, scope: Scope) -> tuple[IamStatement, ...]:
        """Return what the caller must be allowed, and no more."""
        return service_permissions(scope, params.cluster, params.service, "ecs:UpdateService")

    def target(self, params: EcsDesiredCount) -> str:
        """Name what is acted on."""
        return service_target(params.cluster, params.service)

    def read_state(self, access: AwsAccess, params: EcsDesiredCount) -> State:
        """Read the service as it is now."""
        return read_service(access, params.cluster, params.service)

    def bound(self, state: State) -> State:
        """Bind the count and what runs."""
        keys = ("found", "service_arn", "status", "deployment", "task_definition", "desired")
        return {key: state.get(key) for key in keys}

    def expected(self, params: EcsDesiredCount, state: State) -> tuple[ExpectedSignal, ...]:
        """So many tasks run."""
        if not state["found"]:
            return ()
        more = params.desired_count >= state["desired"]
        return (
            ExpectedSignal(
                text=f"{params.desired_count} tasks of {params.service} run",
                direction=Direction.RISES if more else Direction.FALLS,
                within_seconds=START_SECONDS,
                state_key="running",
                level=params.desired_count,
            ),
        )

    def blast_radius(self, params: EcsDesiredCount, state: State) -> BlastRadius:
        """More tasks take nothing away; fewer take a share away."""
        if not state["found"]:
            return BlastRadius(text=f"no service {params.service} in {params.cluster}", share=1.0)
        now = max(state["desired"], 1)
        text = f"service {params.service}: {state['desired']} to {params.desired_count} tasks"
        return BlastRadius(text=text, share=max(0.0, (now - params.desired_count) / now))

    def problems(self, params: EcsDesiredCount, state: State, *, undoing: bool = False) -> tuple[str, ...]:
        """Return every reason not to do this to the service as it is."""
        if not state["found"]:
            return (f"cluster {params.cluster} has no service {params.service}",)
        wanted, now = params.desired_count, state["desired"]
        found = [
            (state["status"] != "ACTIVE", f"the service is {state['status']}"),
            (state["scheduling"] != "REPLICA", "it runs one task on each instance and counts none"),
            (not undoing and state["rollout"] == "IN_PROGRESS", "a deployment is under way"),
            (wanted == now, f"it already runs {now} tasks"),
            (not undoing and wanted < now, f"{wanted} tasks are fewer than the {now} it runs"),
            (not undoing and wanted > now * MOST_FACTOR, f"more than {MOST_FACTOR} times {now} tasks"),
        ]
        return tuple(text for stands, text in found if stands)

    def inverse(self, params: EcsDesiredCount, state: State) -> dict[str, Any] | None:
        """Return the parameters that bring the present count back."""
        if not state["found"] or state["desired"] < 1:
            return None
        return {**params.model_dump(), "desired_count": state["desired"]}

    def call(self, access: AwsAccess, params: EcsDesiredCount, state: State, token: str) -> dict[str, Any]:
        """Set the count."""
        answer = access.client("ecs").update_service(
            cluster=params.cluster, service=params.service, desiredCount=params.desired_count
        )
        return {"desired": answer["service"]["desiredCount"]}

    def holds(self, params: EcsDesiredCount, state: State) -> bool:
        """Say whether the service is to run so many tasks."""
        return bool(state["found"]) and state["desired"] == params.desired_count

    def settled(self, access: AwsAccess, params: EcsDesiredCount, answer: Mapping[str, Any]) -> bool | None:
        """Say whether so many tasks run."""
        state = self.read_state(access, params)
        if not self.holds(params, state):
            return False
        return True if state["running"] == params.desired_count else None
