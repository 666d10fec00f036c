"""ECS's API over the account's own state. What is not here is refused as an unknown operation."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from simulator.ecs.answers import (
    cluster_answer,
    service_answer,
    task_answer,
    task_arn,
)
from simulator.ecs.definitions import DefinitionOperations
from simulator.ecs.deployments import DeploymentQueries
from simulator.ecs.listing import listed
from simulator.ecs.records import Cluster, Service, Task, TaskDefinition, TaskStatus
from simulator.ecs.rollout import Scheduler, stop
from simulator.ecs.service_settings import adopt, check_service, rollout_settings
from simulator.ecs.state import EcsState
from simulator.wire.protocol import AwsError, Call

_MISSING = "MISSING"


@dataclass(frozen=True)
class EcsOverlay:
    """Answers ECS from `state`; `scheduler` begins the rollouts that time completes."""

    state: EcsState
    scheduler: Scheduler
    service: str = "ecs"
    exclusive: bool = True

    @property
    def operations(self) -> frozenset[str]:
        """The operations answered here."""
        return frozenset(self._table())

    async def answer(self, call: Call) -> Mapping[str, Any]:
        """The operation's result, or `AwsError`."""
        return self._table()[call.operation](call)

    def _table(self) -> dict[str, Callable[[Call], Mapping[str, Any]]]:
        deployments = DeploymentQueries(self.state)
        return {
            "CreateCluster": self._create_cluster,
            "DescribeClusters": self._describe_clusters,
            "ListClusters": self._list_clusters,
            **DefinitionOperations(self.state).answers(),
            "CreateService": self._create_service,
            "UpdateService": self._update_service,
            "DeleteService": self._delete_service,
            "DescribeServices": self._describe_services,
            "ListServices": self._list_services,
            "ListTasks": self._list_tasks,
            "DescribeTasks": self._describe_tasks,
            "StopTask": self._stop_task,
            "TagResource": self._tag_resource,
            "UntagResource": self._untag_resource,
            "ListTagsForResource": self._list_tags,
            "ListServiceDeployments": deployments.list_deployments,
            "DescribeServiceDeployments": deployments.describe_deployments,
            "StopServiceDeployment": deployments.stop_deployment,
            "DescribeServiceRevisions": deployments.describe_revisions,
        }

    def _create_cluster(self, call: Call) -> Mapping[str, Any]:
        name = call.parameters.get("clusterName", "default")
        cluster = self.state.clusters.setdefault(name, Cluster(name))
        self.state.tag(cluster.arn, call.parameters.get("tags", []))
        return {"cluster": cluster_answer(cluster)}

    def _describe_clusters(self, call: Call) -> Mapping[str, Any]:
        found, failures = [], []
        for named in call.parameters.get("clusters", ["default"]):
            cluster = self.state.clusters.get(named.rpartition("/")[2])
            if cluster is None:
                failures.append({"arn": named, "reason": _MISSING})
            else:
                tags = self.state.tags_of(cluster.arn) if "TAGS" in call.parameters.get("include", []) else []
                found.append(cluster_answer(cluster) | {"tags": tags})
        return {"clusters": found, "failures": failures}

    def _list_clusters(self, call: Call) -> Mapping[str, Any]:
        return listed(call, "clusterArns", [one.arn for one in self.state.clusters.values()], 100)

    def _create_service(self, call: Call) -> Mapping[str, Any]:
        parameters = call.parameters
        check_service(parameters)
        cluster = self.state.cluster(parameters.get("cluster"))
        name = parameters["serviceName"]
        if name in cluster.services and cluster.services[name].is_active:
            raise AwsError("InvalidParameterException", "Creation of service was not idempotent.")
        definition = self._definition_to_run(parameters.get("taskDefinition", ""))
        kept = {**parameters, "deploymentConfiguration": rollout_settings({}, parameters)}
        desired = parameters.get("desiredCount", 1)
        service = Service(name, cluster.name, kept, desired, call.at, call.caller_arn)
        cluster.services[name] = service
        self.state.tag(service.arn, parameters.get("tags", []))
        self.scheduler.begin(service, definition, call.at)
        self.scheduler.move(service, call.at)
        return {"service": service_answer(service, cluster)}

    def _update_service(self, call: Call) -> Mapping[str, Any]:
        parameters = call.parameters
        check_service(parameters)
        cluster = self.state.cluster(parameters.get("cluster"))
        service = self.state.service(cluster, parameters["service"])
        definition = service.definition
        if "taskDefinition" in parameters:
            definition = self._definition_to_run(parameters["taskDefinition"])
        current = service.parameters["deploymentConfiguration"]
        service.parameters["deploymentConfiguration"] = rollout_settings(current, parameters)
        service.desired = parameters.get("desiredCount", service.desired)
        is_changed = adopt(service.parameters, parameters) or definition != service.definition
        if is_changed or parameters.get("forceNewDeployment"):
            self.scheduler.begin(service, definition, call.at)
        self.scheduler.move(service, call.at)
        return {"service": service_answer(service, cluster)}

    def _definition_to_run(self, named: str) -> TaskDefinition:
        definition = self.state.definition(named, "TaskDefinition not found.")
        if definition.arn in self.state.deregistered:
            raise AwsError("ClientException", "TaskDefinition is inactive")
        return definition

    def _delete_service(self, call: Call) -> Mapping[str, Any]:
        cluster = self.state.cluster(call.parameters.get("cluster"))
        service = self.state.service(cluster, call.parameters["service"])
        if service.desired > 0 and not call.parameters.get("force"):
            raise AwsError(
                "InvalidParameterException",
                "The service cannot be stopped while it is scaled above 0.",
            )
        service.is_active = False
        for task in service.tasks:
            if task.status is not TaskStatus.STOPPED:
                stop(task, call.at, "ServiceSchedulerInitiated", "Service was deleted.")
        self.scheduler.announce(service)
        return {"service": service_answer(service, cluster)}

    def _describe_services(self, call: Call) -> Mapping[str, Any]:
        cluster = self.state.cluster(call.parameters.get("cluster"))
        named = call.parameters["services"]
        if not 1 <= len(named) <= 10:
            raise AwsError("InvalidParameterException", "Services must contain between 1 and 10 items.")
        found, failures = [], []
        for one in named:
            service = cluster.services.get(one.rpartition("/")[2])
            if service is None:
                missing = f"{cluster.arn.replace(':cluster/', ':service/')}/{one.rpartition('/')[2]}"
                failures.append({"arn": missing, "reason": _MISSING})
                continue
            answer = service_answer(service, cluster)
            if "TAGS" in call.parameters.get("include", []):
                answer["tags"] = self.state.tags_of(service.arn)
            found.append(answer)
        return {"services": found, "failures": failures}

    def _list_services(self, call: Call) -> Mapping[str, Any]:
        cluster = self.state.cluster(call.parameters.get("cluster"))
        arns = [one.arn for one in cluster.services.values() if one.is_active]
        return listed(call, "serviceArns", arns, 10)

    def _list_tasks(self, call: Call) -> Mapping[str, Any]:
        cluster = self.state.cluster(call.parameters.get("cluster"))
        named = call.parameters.get("serviceName")
        services = [self.state.service(cluster, named)] if named else list(cluster.services.values())
        if "containerInstance" in call.parameters:
            raise AwsError("InvalidParameterException", "The referenced container instance was not found.")
        arns = [
            task_arn(task, cluster)
            for service in services
            for task in service.tasks
            if _is_listed(service, task, call.parameters)
        ]
        return listed(call, "taskArns", arns, 100)

    def _describe_tasks(self, call: Call) -> Mapping[str, Any]:
        cluster = self.state.cluster(call.parameters.get("cluster"))
        found, failures = [], []
        if not 1 <= len(call.parameters["tasks"]) <= 100:
            raise AwsError("InvalidParameterException", "Tasks must contain between 1 and 100 items.")
        for named in call.parameters["tasks"]:
            held = _find_task(cluster, named)
            if held is None:
                failures.append({"arn": named, "reason": _MISSING})
            else:
                found.append(task_answer(held[1], held[0], cluster))
        return {"tasks": found, "failures": failures}

    def _stop_task(self, call: Call) -> Mapping[str, Any]:
        cluster = self.state.cluster(call.parameters.get("cluster"))
        held = _find_task(cluster, call.parameters["task"])
        if held is None:
            raise AwsError("InvalidParameterException", "The referenced task was not found.")
        service, task = held
        if task.status is not TaskStatus.STOPPED:
            stop(task, call.at, "UserInitiated", call.parameters.get("reason", "Task stopped by user"))
        return {"task": task_answer(task, service, cluster)}

    def _tag_resource(self, call: Call) -> Mapping[str, Any]:
        self.state.tag(call.parameters["resourceArn"], call.parameters["tags"])
        return {}

    def _untag_resource(self, call: Call) -> Mapping[str, Any]:
        for key in call.parameters["tagKeys"]:
            self.state.tags[call.parameters["resourceArn"]].pop(key, None)
        return {}

    def _list_tags(self, call: Call) -> Mapping[str, Any]:
        return {"tags": self.state.tags_of(call.parameters["resourceArn"])}


def _is_listed(service: Service, task: Task, wanted: Mapping[str, Any]) -> bool:
    """Whether ListTasks shows a task: it takes the running ones unless asked for those that are stopped."""
    return (
        (task.status is TaskStatus.STOPPED) == (wanted.get("desiredStatus", "RUNNING") == "STOPPED")
        and wanted.get("family") in (None, task.definition.family)
        and wanted.get("startedBy") in (None, task.deployment)
        and wanted.get("launchType") in (None, service.parameters.get("launchType", "FARGATE"))
    )


def _find_task(cluster: Cluster, named: str) -> tuple[Service, Task] | None:
    wanted = named.rpartition("/")[2]
    for service in cluster.services.values():
        for task in service.tasks:
            if task.id == wanted:
                return service, task
    return None
