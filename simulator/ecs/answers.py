"""ECS records in the shapes of the API reference."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from simulator.ecs.breaker import breaker_answer
from simulator.ecs.records import (
    Cluster,
    Deployment,
    RolloutState,
    Service,
    Task,
    TaskDefinition,
    TaskStatus,
    arn,
    digits,
    hexadecimal,
    identifier,
)

_OUTCOME = {
    RolloutState.IN_PROGRESS: "IN_PROGRESS",
    RolloutState.COMPLETED: "SUCCESSFUL",
    RolloutState.FAILED: "STOPPED",
}
_CARRIED = (
    "loadBalancers",
    "networkConfiguration",
    "launchType",
    "platformVersion",
    "roleArn",
    "healthCheckGracePeriodSeconds",
    "enableECSManagedTags",
    "enableExecuteCommand",
    "propagateTags",
    "availabilityZoneRebalancing",
)


def cluster_answer(cluster: Cluster) -> dict[str, Any]:
    """API_Cluster."""
    active = [one for one in cluster.services.values() if one.is_active]
    return {
        "clusterArn": cluster.arn,
        "clusterName": cluster.name,
        "status": "ACTIVE",
        "registeredContainerInstancesCount": 0,
        "runningTasksCount": sum(len(one.running()) for one in active),
        "pendingTasksCount": sum(len(one.tasks_in(TaskStatus.PENDING)) for one in active),
        "activeServicesCount": len(active),
        "statistics": [],
        "tags": [],
        "settings": [],
        "capacityProviders": [],
        "defaultCapacityProviderStrategy": [],
    }


def service_answer(service: Service, cluster: Cluster) -> dict[str, Any]:
    """API_Service, with its deployments and newest events."""
    carried = {key: service.parameters[key] for key in _CARRIED if key in service.parameters}
    return {
        "serviceArn": service.arn,
        "serviceName": service.name,
        "clusterArn": cluster.arn,
        "status": "ACTIVE" if service.is_active else "INACTIVE",
        "desiredCount": service.desired,
        "runningCount": len(service.running()),
        "pendingCount": len(service.tasks_in(TaskStatus.PENDING)),
        "taskDefinition": service.definition.arn,
        "deploymentConfiguration": service.parameters["deploymentConfiguration"],
        "deployments": [_deployment_answer(service, one) for one in service.deployments],
        "currentServiceDeployment": deployment_arn(service, service.primary),
        "currentServiceRevisions": [_revision_summary(service, one) for one in service.deployments],
        "events": [dict(one) for one in service.events],
        "createdAt": service.created_at,
        "createdBy": service.created_by,
        "placementConstraints": [],
        "placementStrategy": [],
        "schedulingStrategy": "REPLICA",
        "deploymentController": {"type": "ECS"},
        "enableECSManagedTags": False,
        "enableExecuteCommand": False,
        "propagateTags": "NONE",
        **carried,
    }


def _deployment_answer(service: Service, deployment: Deployment) -> dict[str, Any]:
    return {
        "id": deployment.id,
        "status": "PRIMARY" if deployment.is_primary else "ACTIVE",
        "taskDefinition": deployment.definition.arn,
        "desiredCount": service.desired if deployment.is_primary else 0,
        "pendingCount": len(service.tasks_in(TaskStatus.PENDING, deployment)),
        "runningCount": len(service.running(deployment)),
        "failedTasks": deployment.failed_tasks,
        "createdAt": deployment.created_at,
        "updatedAt": deployment.updated_at,
        "launchType": service.parameters.get("launchType", "FARGATE"),
        "rolloutState": deployment.state.value,
        "rolloutStateReason": deployment.reason,
    }


def task_definition_answer(
    definition: TaskDefinition, deregistered_at: datetime | None = None
) -> dict[str, Any]:
    """API_TaskDefinition, with the defaults ECS fills in."""
    parameters = {key: value for key, value in definition.parameters.items() if key != "tags"}
    containers = [
        {"cpu": 0, "essential": True, "environment": [], "mountPoints": [], "volumesFrom": [], **one}
        for one in parameters["containerDefinitions"]
    ]
    return {
        "volumes": [],
        "placementConstraints": [],
        "compatibilities": ["EC2", "FARGATE"],
        **parameters,
        "taskDefinitionArn": definition.arn,
        "containerDefinitions": containers,
        "revision": definition.revision,
        "status": "ACTIVE" if deregistered_at is None else "INACTIVE",
        "deregisteredAt": deregistered_at,
        "registeredAt": definition.registered_at,
        "registeredBy": definition.registered_by,
    }


def task_answer(task: Task, service: Service, cluster: Cluster) -> dict[str, Any]:
    """API_Task."""
    stopped = task.status is TaskStatus.STOPPED
    answer: dict[str, Any] = {
        "taskArn": task_arn(task, cluster),
        "clusterArn": cluster.arn,
        "taskDefinitionArn": task.definition.arn,
        "lastStatus": task.status.value,
        "desiredStatus": "STOPPED" if stopped else "RUNNING",
        "createdAt": task.created_at,
        "group": f"service:{service.name}",
        "startedBy": task.deployment,
        "launchType": service.parameters.get("launchType", "FARGATE"),
        "containers": [_container_answer(task, one, cluster) for one in _containers(task)],
        "version": max(task.versions, 1),
    }
    answer.update({key: task.definition.parameters.get(key) for key in ("cpu", "memory")})
    if task.started_at is not None:
        answer |= {"startedAt": task.started_at, "connectivity": "CONNECTED", "healthStatus": "UNKNOWN"}
    if stopped:
        answer |= {"stoppedAt": task.stopped_at, "stoppingAt": task.stopped_at}
        answer |= {"stopCode": task.stop_code, "stoppedReason": task.stopped_reason}
    return answer


def _containers(task: Task) -> Iterable[dict[str, Any]]:
    containers: list[dict[str, Any]] = task.definition.parameters["containerDefinitions"]
    return containers


def _container_answer(task: Task, container: dict[str, Any], cluster: Cluster) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "containerArn": arn(f"container/{cluster.name}/{task.id}/{identifier(task.id, container['name'])}"),
        "taskArn": task_arn(task, cluster),
        "name": container["name"],
        "image": container["image"],
        "lastStatus": task.status.value,
    }
    if task.ended_container in ("", container["name"]):
        if task.exit_code is not None:
            answer["exitCode"] = task.exit_code
        if task.container_reason:
            answer["reason"] = task.container_reason
    return answer


def task_arn(task: Task, cluster: Cluster) -> str:
    """The task's long ARN."""
    return arn(f"task/{cluster.name}/{task.id}")


def deployment_arn(service: Service, deployment: Deployment) -> str:
    """The ARN of a service deployment (API_ServiceDeployment)."""
    return arn(f"service-deployment/{service.cluster}/{service.name}/{_token(service, deployment)}")


def _token(service: Service, deployment: Deployment) -> str:
    return hexadecimal(service.arn, "deployment", deployment.number)[:21]


def revision_arn(service: Service, deployment: Deployment) -> str:
    """The ARN of the service revision a deployment targets (API_ServiceRevision)."""
    number = digits(service.arn, "revision", deployment.number)
    return arn(f"service-revision/{service.cluster}/{service.name}/{number}")


def service_deployment_brief(service: Service, deployment: Deployment, cluster: Cluster) -> dict[str, Any]:
    """API_ServiceDeploymentBrief."""
    return {
        "serviceDeploymentArn": deployment_arn(service, deployment),
        "serviceArn": service.arn,
        "clusterArn": cluster.arn,
        "createdAt": deployment.created_at,
        "startedAt": deployment.created_at,
        "finishedAt": deployment.finished_at,
        "targetServiceRevisionArn": revision_arn(service, deployment),
        "status": outcome(deployment),
        "statusReason": None if deployment.state is RolloutState.COMPLETED else deployment.reason,
    }


def service_deployment_answer(service: Service, deployment: Deployment, cluster: Cluster) -> dict[str, Any]:
    """API_ServiceDeployment, with its source and target revisions."""
    brief = service_deployment_brief(service, deployment, cluster)
    brief.pop("targetServiceRevisionArn")
    source = deployment.source
    answer = {
        **brief,
        "updatedAt": deployment.updated_at,
        "sourceServiceRevisions": [] if source is None else [_revision_summary(service, source)],
        "targetServiceRevision": _revision_summary(service, deployment),
        "stoppedAt": None if deployment.stop_requested_at is None else deployment.finished_at,
        "deploymentConfiguration": service.parameters["deploymentConfiguration"],
        "deploymentCircuitBreaker": breaker_answer(service, deployment),
    }
    replacement = deployment.rolled_back_to
    if replacement is not None:
        answer["rollback"] = {
            "reason": deployment.reason,
            "startedAt": replacement.created_at,
            "serviceRevisionArn": revision_arn(service, replacement),
        }
    return answer


def outcome(deployment: Deployment) -> str:
    """The status of a service deployment (API_ServiceDeployment)."""
    replacement = deployment.rolled_back_to
    if deployment.stop_requested_at is not None and deployment.state is RolloutState.IN_PROGRESS:
        return "ROLLBACK_REQUESTED"
    if replacement is None:
        return _OUTCOME[deployment.state]
    if replacement.state is RolloutState.COMPLETED:
        return "ROLLBACK_SUCCESSFUL"
    return "ROLLBACK_IN_PROGRESS" if replacement.state is RolloutState.IN_PROGRESS else "ROLLBACK_FAILED"


def _revision_summary(service: Service, deployment: Deployment) -> dict[str, Any]:
    return {
        "arn": revision_arn(service, deployment),
        "requestedTaskCount": service.desired if deployment.is_primary else 0,
        "runningTaskCount": len(service.running(deployment)),
        "pendingTaskCount": len(service.tasks_in(TaskStatus.PENDING, deployment)),
    }


def service_revision_answer(service: Service, deployment: Deployment, cluster: Cluster) -> dict[str, Any]:
    """API_ServiceRevision."""
    containers: list[dict[str, Any]] = deployment.definition.parameters["containerDefinitions"]
    return {
        "serviceRevisionArn": revision_arn(service, deployment),
        "serviceArn": service.arn,
        "clusterArn": cluster.arn,
        "taskDefinition": deployment.definition.arn,
        "launchType": service.parameters.get("launchType", "FARGATE"),
        "containerImages": [
            {
                "containerName": one["name"],
                "image": one["image"],
                "imageDigest": f"sha256:{hexadecimal(one['image'])}{hexadecimal(one['image'], 'digest')}",
            }
            for one in containers
        ],
        "createdAt": deployment.created_at,
    }
