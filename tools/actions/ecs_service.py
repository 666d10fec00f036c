"""What actions on ECS services read, and the signal that they wait for."""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from memory.records.plan import Direction, ExpectedSignal
from memory.records.scope import Scope
from tools.actions.base import BlastRadius, IamStatement, State
from tools.aws.access import AwsAccess

NAME = r"^[A-Za-z0-9_-]{1,255}$"
READS = ("ecs:DescribeServices", "ecs:DescribeClusters")
ROLLOUT_SECONDS = 600
"""A rollout that is not over by then is stuck; ECS's own waiter for stable services gives up then too."""
_HISTORY = 20
EXAMPLE_SERVICE: State = {
    "found": True,
    "service_arn": "arn:aws:ecs:eu-west-1:111122223333:service/shop/basket",
    "status": "ACTIVE",
    "scheduling": "REPLICA",
    "controller": "ECS",
    "task_definition": "basket:8",
    "desired": 4,
    "running": 4,
    "deployment": "ecs-svc/9223370516993131848",
    "rollout": "COMPLETED",
    "minimum_healthy_percent": 100,
    "cluster_running": 12,
}
"""A service as it is read, for the examples of the catalogue."""


def service_target(cluster: str, service: str) -> str:
    """Name a service as what an action changes."""
    return f"ECS service {cluster}/{service}"


def service_permissions(scope: Scope, cluster: str, service: str, *more: str) -> tuple[IamStatement, ...]:
    """Return what reading a service needs, and `more` on the service itself."""
    place = ecs_arns(scope)
    return (
        IamStatement(
            actions=("ecs:DescribeServices", *more), resources=(f"{place}:service/{cluster}/{service}",)
        ),
        IamStatement(actions=("ecs:DescribeClusters",), resources=(f"{place}:cluster/{cluster}",)),
    )


def ecs_arns(scope: Scope) -> str:
    """Return how the ARNs of a scope's ECS resources begin."""
    return f"arn:{scope.partition}:ecs:{scope.region}:{scope.account}"


def replaced_tasks(state: State, cluster: str, service: str) -> BlastRadius:
    """Count the tasks of a rollout among those the cluster runs."""
    if not state["found"]:
        return BlastRadius(text=f"no service {service} in {cluster}", share=1.0)
    mine, all_tasks = state["desired"], max(state["cluster_running"], state["desired"], 1)
    text = (
        f"{mine} of {all_tasks} running tasks of cluster {cluster} are replaced, at least "
        f"{state['minimum_healthy_percent']} % of the service's tasks stay up"
    )
    return BlastRadius(text=text, share=mine / all_tasks)


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
    """Read a service as it stands."""
    facts = _facts(access, cluster, service)
    return {"found": False} if facts is None else _state(access, cluster, facts)


def read_service_history(access: AwsAccess, cluster: str, service: str) -> State:
    """Read a service with the task definitions it ran before, newest first."""
    facts = _facts(access, cluster, service)
    if facts is None:
        return {"found": False}
    ran = _ran_before(access.client("ecs"), cluster, facts)
    return {**_state(access, cluster, facts), "ran_before": ran}


def _facts(access: AwsAccess, cluster: str, service: str) -> Mapping[str, Any] | None:
    try:
        listed = access.client("ecs").describe_services(cluster=cluster, services=[service])["services"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ClusterNotFoundException":
            return None
        raise
    return listed[0] if listed else None


def _state(access: AwsAccess, cluster: str, facts: Mapping[str, Any]) -> State:
    ecs = access.client("ecs")
    primary = primary_deployment(facts)
    clusters = ecs.describe_clusters(clusters=[cluster])["clusters"]
    return {
        "found": True,
        "service_arn": facts["serviceArn"],
        "status": facts["status"],
        "scheduling": facts.get("schedulingStrategy", "REPLICA"),
        "controller": facts.get("deploymentController", {}).get("type", "ECS"),
        # A service whose deployments somebody else makes has none of its own: its task sets have.
        "task_definition": short_name(facts.get("taskDefinition", "")),
        "desired": facts["desiredCount"],
        "running": facts["runningCount"],
        "deployment": primary.get("id", ""),
        "rollout": primary.get("rolloutState", ""),
        "minimum_healthy_percent": facts.get("deploymentConfiguration", {}).get("minimumHealthyPercent", 100),
        "cluster_running": clusters[0]["runningTasksCount"] if clusters else 0,
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
    ran = {one["serviceRevisionArn"]: short_name(one["taskDefinition"]) for one in revisions}
    return list(dict.fromkeys(ran[arn] for arn in wanted if arn in ran))


def primary_deployment(service: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the deployment that a service is on or on its way to."""
    deployments: list[Mapping[str, Any]] = service.get("deployments", [])
    return next((one for one in deployments if one["status"] == "PRIMARY"), {})


def short_name(arn: str) -> str:
    """Return what stands behind the last slash of an ARN."""
    return arn.rpartition("/")[2]
