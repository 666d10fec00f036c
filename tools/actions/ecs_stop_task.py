"""Stop one task of an ECS service; its scheduler starts another in its place.

Stopping a task that is stopped already changes nothing
(https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_StopTask.html).
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
    ecs_arns,
    read_service,
    service_permissions,
    service_target,
    short_name,
)
from tools.aws.access import AwsAccess

REPLACED_SECONDS = 300


class EcsStopTask(Parameters):
    """Which task of which service."""

    cluster: str = Field(pattern=NAME, description="The ECS cluster's name.")
    service: str = Field(pattern=NAME, description="The ECS service's name.")
    task: str = Field(pattern=r"^[0-9a-f]{32}$|^[0-9a-f-]{36}$", description="The task's id.")


@dataclass(frozen=True)
class EcsStopOneTask:
    """Stops one task of a service."""

    name: str = "ecs_stop_task"
    description: str = (
        "Stop one task of an ECS service, so that a fresh one takes its place. Use it when one task alone is ill and "
        "the others of the same revision are well."
    )
    effect: str = "The task gets SIGTERM, then SIGKILL; the service's scheduler starts another task."
    risk: Risk = Risk.LOW
    repeatable: bool = True
    reads: tuple[str, ...] = (*READS, "ecs:DescribeTasks")
    preconditions: tuple[str, ...] = (
        "the service is active and runs as many tasks as it is to run, more than one",
        "the task runs and belongs to the service",
    )
    blast: str = "one task among those of the service"
    reversibility: Reversibility = Reversibility.SELF_RESTORING
    way_back: str = "none is needed: the scheduler starts another task of the same revision"
    parameters: type[EcsStopTask] = EcsStopTask
    example: dict[str, Any] = field(
        default_factory=lambda: {
            "cluster": "shop",
            "service": "basket",
            "task": "0f9de17a6465404e8b1b2356dc13c2f8",
        }
    )
    example_state: State = field(
        default_factory=lambda: {
            **EXAMPLE_SERVICE,
            "task": {
                "group": "service:basket",
                "task_definition": "basket:8",
                "wanted": "RUNNING",
                "status": "RUNNING",
            },
        }
    )

    def permissions(self, params: EcsStopTask, scope: Scope) -> tuple[IamStatement, ...]:
        """Return what the caller must be allowed, and no more."""
        task = f"{ecs_arns(scope)}:task/{params.cluster}/{params.task}"
        return (
            *service_permissions(scope, params.cluster, params.service),
            IamStatement(actions=("ecs:DescribeTasks", "ecs:StopTask"), resources=(task,)),
        )

    def target(self, params: EcsStopTask) -> str:
        """Name what is acted on."""
        return f"task {params.task} of ECS service {params.cluster}/{params.service}"

    def targets(self, params: EcsStopTask) -> tuple[str, ...]:
        """Name the service: whatever else changes it, or stops another of its tasks, meets this."""
        return (service_target(params.cluster, params.service),)

    def read_state(self, access: AwsAccess, params: EcsStopTask) -> State:
        """Read the service, and the task if ECS still knows it."""
        service = read_service(access, params.cluster, params.service)
        if not service["found"]:
            return service
        tasks = access.client("ecs").describe_tasks(cluster=params.cluster, tasks=[params.task])["tasks"]
        return {**service, "task": _task(tasks[0]) if tasks else None}

    def bound(self, state: State) -> State:
        """Bind the service's size and what the task is; how far it has come changes by itself."""
        keys = ("found", "service_arn", "status", "task_definition", "desired")
        task = {key: value for key, value in (state.get("task") or {}).items() if key != "status"}
        return {**{key: state.get(key) for key in keys}, "task": task}

    def expected(self, params: EcsStopTask, state: State) -> tuple[ExpectedSignal, ...]:
        """Another task runs in its place."""
        if not state["found"]:
            return ()
        return (
            ExpectedSignal(
                text=f"{params.service} runs {state['desired']} tasks again",
                direction=Direction.RISES,
                within_seconds=REPLACED_SECONDS,
                state_key="running",
                level=state["desired"],
            ),
        )

    def blast_radius(self, params: EcsStopTask, state: State) -> BlastRadius:
        """Say which share of the service one task is."""
        if not state["found"]:
            return BlastRadius(text=f"no service {params.service} in {params.cluster}", share=1.0)
        running = max(state["running"], 1)
        return BlastRadius(text=f"1 of {running} tasks of {params.service}", share=1 / running)

    def problems(self, params: EcsStopTask, state: State, *, undoing: bool = False) -> tuple[str, ...]:
        """Return every reason not to do this to the task as it is."""
        if not state["found"]:
            return (f"cluster {params.cluster} has no service {params.service}",)
        task = state["task"]
        if task is None:
            return (f"ECS knows no task {params.task}",)
        found = [
            (state["status"] != "ACTIVE", f"the service is {state['status']}"),
            (task["group"] != f"service:{params.service}", f"the task belongs to {task['group']}"),
            (task["wanted"] == "STOPPED", "the task is stopped already"),
            (state["running"] < 2, "it is the service's only task"),
            (
                state["running"] < state["desired"],
                f"{state['running']} of {state['desired']} tasks run: another would be missing",
            ),
        ]
        return tuple(text for stands, text in found if stands)

    def inverse(self, params: EcsStopTask, state: State) -> dict[str, Any] | None:
        """Return nothing: the scheduler replaces the task."""
        return None

    def call(self, access: AwsAccess, params: EcsStopTask, state: State, token: str) -> dict[str, Any]:
        """Stop the task, with a reason that people find in ECS."""
        answer = access.client("ecs").stop_task(
            cluster=params.cluster, task=params.task, reason=f"cloudops {token}"
        )
        return {"task": short_name(answer["task"]["taskArn"]), "wanted": answer["task"]["desiredStatus"]}

    def holds(self, params: EcsStopTask, state: State) -> bool:
        """Say whether the task is to stop."""
        return bool(state["found"]) and bool(state["task"]) and state["task"]["wanted"] == "STOPPED"

    def settled(self, access: AwsAccess, params: EcsStopTask, answer: Mapping[str, Any]) -> bool | None:
        """Say whether the task is gone."""
        state = self.read_state(access, params)
        if not state["found"]:
            return False
        return True if state["task"] is None or state["task"]["status"] == "STOPPED" else None


def _task(task: Mapping[str, Any]) -> State:
    return {
        "group": task.get("group", ""),
        "task_definition": short_name(task["taskDefinitionArn"]),
        "wanted": task["desiredStatus"],
        "status": task["lastStatus"],
    }
