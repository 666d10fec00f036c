"""Roll an ECS service back to a named revision of its task definition."""

from typing import Any

from pydantic import Field

from memory.records.base import digest
from memory.records.plan import Risk
from memory.records.scope import Scope
from tools.actions.base import BlastRadius, IamStatement, Parameters, State
from tools.aws.access import AwsAccess


class EcsRollback(Parameters):
    """Which service goes back to which revision."""

    cluster: str = Field(description="The ECS cluster's name.", min_length=1, max_length=255)
    service: str = Field(description="The ECS service's name.", min_length=1, max_length=255)
    task_definition: str = Field(
        description="The revision to run, as family:revision.", pattern=r"^[A-Za-z0-9_-]{1,255}:[0-9]{1,9}$"
    )


class EcsRollbackService:
    """`ecs:UpdateService` with another revision of the same family."""

    name = "ecs_rollback_service"
    description = "Roll an ECS service back to a named earlier revision of its task definition."
    risk = Risk.MEDIUM
    effect = "New tasks start from the named revision and replace the running ones within minutes."
    parameters = EcsRollback

    def permissions(self, asked: EcsRollback, scope: Scope) -> tuple[IamStatement, ...]:
        """Return UpdateService on this one service; the task's roles are passed by ECS as before."""
        place = f"arn:{scope.partition}:ecs:{scope.region}:{scope.account}"
        service = f"{place}:service/{asked.cluster}/{asked.service}"
        return (IamStatement(actions=("ecs:UpdateService",), resources=(service,)),)

    def read_state(self, access: AwsAccess, asked: EcsRollback) -> dict[str, Any]:
        """Read what the service runs, and whether the named revision stands."""
        client = access.client("ecs")
        services = client.describe_services(cluster=asked.cluster, services=[asked.service])["services"]
        if not services:
            return {"exists": False}
        service = services[0]
        target = client.describe_task_definition(taskDefinition=asked.task_definition)["taskDefinition"]
        return {
            "exists": service["status"] == "ACTIVE",
            "running_definition": service["taskDefinition"].rsplit("/", 1)[-1],
            "desired": service["desiredCount"],
            "running": service["runningCount"],
            "target_status": target["status"],
        }

    def fingerprint(self, state: State) -> str:
        """Bind to what runs and what it would become; task counts may move meanwhile."""
        return digest([state.get(part) for part in ("exists", "running_definition", "target_status")])

    def blast_radius(self, state: State) -> BlastRadius:
        """Return the whole service: every task is replaced."""
        return BlastRadius(share=1.0, text=f"all {state.get('desired', 0)} tasks of one service are replaced")

    def problems(self, asked: EcsRollback, state: State) -> tuple[str, ...]:
        """Refuse a service or revision that does not stand, another family, and a step that changes nothing."""
        if not state.get("exists"):
            return (f"there is no active service {asked.service} in {asked.cluster}",)
        found = []
        running = str(state["running_definition"])
        if running.split(":")[0] != asked.task_definition.split(":")[0]:
            found.append(f"{asked.task_definition} is of another family than the running {running}")
        if running == asked.task_definition:
            found.append(f"{asked.task_definition} is what runs already")
        if state["target_status"] != "ACTIVE":
            found.append(f"{asked.task_definition} is {state['target_status']}")
        return tuple(found)

    def inverse(self, asked: EcsRollback, state: State) -> dict[str, Any] | None:
        """Return to the revision that ran before."""
        return {**asked.model_dump(), "task_definition": state["running_definition"]}

    def call(self, access: AwsAccess, asked: EcsRollback, token: str) -> dict[str, Any]:
        """Update the service. ECS takes no client token; naming the same revision twice changes nothing more."""
        service = access.client("ecs").update_service(
            cluster=asked.cluster, service=asked.service, taskDefinition=asked.task_definition
        )["service"]
        primary: dict[str, Any] = next((d for d in service["deployments"] if d["status"] == "PRIMARY"), {})
        return {"deployment": primary.get("id"), "task_definition": asked.task_definition}

    def happened(self, access: AwsAccess, asked: EcsRollback, before: State, token: str) -> bool | None:
        """Look what the service is to run now."""
        now = self.read_state(access, asked).get("running_definition")
        if now == asked.task_definition:
            return True
        return False if now == before.get("running_definition") else None
