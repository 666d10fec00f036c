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
from memory.records.plan import Direction, ExpectedSignal, Risk
from memory.records.scope import Scope
from tools.actions.base import BlastRadius, IamStatement, Parameters, Reversibility, State
from tools.aws.access import AwsAccess

_NAME = r"^[A-Za-z0-9_-]{1,255}$"
_HISTORY = 20
ROLLOUT_SECONDS = 600
"""A rollout that is not over by then is stuck; ECS's own waiter for stable services gives up then too."""


class EcsRollback(Parameters):
    """Which service goes back to which revision."""

    cluster: str = Field(pattern=_NAME, description="The ECS cluster's name.")
    service: str = Field(pattern=_NAME, description="The ECS service's name.")
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
        "ecs:DescribeServices",
        "ecs:DescribeClusters",
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

    def permissions(self, params: EcsRollback, scope: Scope) -> tuple[IamStatement, ...]:
        """Return what the caller must be allowed, and no more."""
        prefix = f"arn:{scope.partition}:ecs:{scope.region}:{scope.account}"
        path = f"{params.cluster}/{params.service}"
        reads = ("ecs:DescribeServices", "ecs:ListServiceDeployments")
        return (
            IamStatement(actions=("ecs:UpdateService", *reads), resources=(f"{prefix}:service/{path}",)),
            IamStatement(
                actions=("ecs:DescribeServiceDeployments", "ecs:DescribeServiceRevisions"),
                resources=(f"{prefix}:service-deployment/{path}/*", f"{prefix}:service-revision/{path}/*"),
            ),
            IamStatement(
                actions=("ecs:DescribeClusters",), resources=(f"{prefix}:cluster/{params.cluster}",)
            ),
            # DescribeTaskDefinition knows no resource-level permission.
            IamStatement(actions=("ecs:DescribeTaskDefinition",), resources=("*",)),
        )

    def target(self, params: EcsRollback) -> str:
        """Name what is acted on."""
        return f"ECS service {params.cluster}/{params.service}"

    def read_state(self, access: AwsAccess, params: EcsRollback) -> State:
        """Read the service, what it ran before, and the revision to return to."""
        state = read_service(access, params.cluster, params.service)
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
        if not state["found"]:
            return BlastRadius(text=f"no service {params.service} in {params.cluster}", share=1.0)
        mine, all_tasks = state["desired"], max(state["cluster_running"], state["desired"], 1)
        text = (
            f"{mine} of {all_tasks} running tasks of cluster {params.cluster} are replaced, at least "
            f"{state['minimum_healthy_percent']} % of the service's tasks stay up"
        )
        return BlastRadius(text=text, share=mine / all_tasks)

    def problems(self, params: EcsRollback, state: State, *, undoing: bool = False) -> tuple[str, ...]:
        """Return every reason not to do this to the service as it is."""
        if not state["found"]:
            return (f"cluster {params.cluster} has no service {params.service}",)
        wanted, current = state["wanted"], state["task_definition"]
        found = [
            (state["status"] != "ACTIVE", f"the service is {state['status']}"),
            (state["controller"] != "ECS", f"its deployments are made by {state['controller']}, not by ECS"),
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
        primary = _primary(service)
        return {
            "task_definition": _short(service["taskDefinition"]),
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


def rollout_completes(text: str) -> ExpectedSignal:
    """Expect that ECS ends the deployment that an action begins."""
    return ExpectedSignal(
        text=text,
        direction=Direction.BECOMES,
        within_seconds=ROLLOUT_SECONDS,
        state_key="rollout",
        level="COMPLETED",
    )


def read_service(access: AwsAccess, cluster: str, service: str) -> State:
    """Read a service with the task definitions it ran before, newest first."""
    ecs = access.client("ecs")
    listed = ecs.describe_services(cluster=cluster, services=[service])["services"]
    if not listed:
        return {"found": False}
    facts = listed[0]
    primary = _primary(facts)
    clusters = ecs.describe_clusters(clusters=[cluster])["clusters"]
    return {
        "found": True,
        "service_arn": facts["serviceArn"],
        "status": facts["status"],
        "controller": facts.get("deploymentController", {}).get("type", "ECS"),
        "task_definition": _short(facts["taskDefinition"]),
        "desired": facts["desiredCount"],
        "running": facts["runningCount"],
        "deployment": primary.get("id", ""),
        "rollout": primary.get("rolloutState", ""),
        "minimum_healthy_percent": facts.get("deploymentConfiguration", {}).get("minimumHealthyPercent", 100),
        "cluster_running": clusters[0]["runningTasksCount"] if clusters else 0,
        "ran_before": _ran_before(ecs, cluster, facts),
    }


def _ran_before(ecs: Any, cluster: str, facts: Mapping[str, Any]) -> list[str]:
    """List what was deployed in full, then what the present deployment replaced: ECS forgets the oldest."""
    listed = ecs.list_service_deployments(
        cluster=cluster, service=facts["serviceName"], status=["SUCCESSFUL"], maxResults=_HISTORY
    )["serviceDeployments"]
    newest = sorted(listed, key=lambda one: one["createdAt"], reverse=True)
    arns = [one["targetServiceRevisionArn"] for one in newest if "targetServiceRevisionArn" in one]
    present = facts.get("currentServiceDeployment")
    if present:
        described = ecs.describe_service_deployments(serviceDeploymentArns=[present])["serviceDeployments"]
        arns += [source["arn"] for one in described for source in one.get("sourceServiceRevisions", [])]
    wanted = list(dict.fromkeys(arns))[:_HISTORY]
    if not wanted:
        return []
    revisions = ecs.describe_service_revisions(serviceRevisionArns=wanted)["serviceRevisions"]
    ran = {one["serviceRevisionArn"]: _short(one["taskDefinition"]) for one in revisions}
    return list(dict.fromkeys(ran[arn] for arn in wanted if arn in ran))


def _definition(access: AwsAccess, named: str) -> State | None:
    try:
        answer = access.client("ecs").describe_task_definition(taskDefinition=named)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ClientException":
            return None
        raise
    definition = answer["taskDefinition"]
    return {
        "task_definition": _short(definition["taskDefinitionArn"]),
        "status": definition["status"],
        "containers_sha256": digest(definition["containerDefinitions"]),
    }


def _primary(service: Mapping[str, Any]) -> Mapping[str, Any]:
    deployments: list[Mapping[str, Any]] = service.get("deployments", [])
    return next((one for one in deployments if one["status"] == "PRIMARY"), {})


def _short(arn: str) -> str:
    return arn.rpartition("/")[2]


def _family(task_definition: str) -> str:
    return task_definition.rpartition(":")[0]


def _revision(task_definition: str) -> int:
    return int(task_definition.rpartition(":")[2])
