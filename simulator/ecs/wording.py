"""What ECS says: the messages of service events and the reasons of deployments.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-event-messages-list.html
"""

from collections.abc import Sequence
from datetime import datetime

from simulator.ecs.records import Deployment, Service, Task

BREAKER = "ECS deployment circuit breaker: tasks failed to start."
STOPPED_BY_USER = "Service deployment stopped by user."
NO_VCPUS = "You’ve reached the limit on the number of vCPUs you can run concurrently"


def started(service: Service, tasks: Sequence[Task], now: datetime) -> None:
    """Tasks have been started."""
    service.say(now, f"{_named(service)} has started {len(tasks)} tasks: {_names(tasks)}.")


def stopped(service: Service, tasks: Sequence[Task], now: datetime) -> None:
    """Running tasks have been stopped, behind a load balancer after they were taken from it."""
    for group in _target_groups(service):
        service.say(now, f"{_named(service)} deregistered {len(tasks)} targets in (target-group {group})")
    if _target_groups(service):
        service.say(now, f"{_named(service)} has begun draining connections on {len(tasks)} tasks.")
    service.say(now, f"{_named(service)} has stopped {len(tasks)} running tasks: {_names(tasks)}.")


def registered(service: Service, count: int, now: datetime) -> None:
    """Tasks that run take requests from the service's load balancer."""
    for group in _target_groups(service):
        service.say(now, f"{_named(service)} registered {count} targets in (target-group {group})")


def unable_to_start(service: Service, task: Task, now: datetime) -> None:
    """A task could not be started."""
    message = f"{_named(service)} was unable to start a task: (task {task.id}) {task.stopped_reason}"
    if not service.events or service.events[0]["message"] != message:
        service.say(now, message)


def no_vcpus(service: Service, now: datetime) -> None:
    """A task could not be placed since the account has no vCPUs left."""
    message = f"{_named(service)} was unable to place a task. Reason: {NO_VCPUS}."
    if not service.events or service.events[0]["message"] != message:
        service.say(now, message)


def impaired(service: Service, now: datetime) -> None:
    """Tasks fail to start again and again, so attempts become rarer."""
    service.say(now, f"{_named(service)} is unable to consistently start tasks successfully.")


def completed(service: Service, now: datetime) -> None:
    """The rollout has ended well."""
    service.say(now, f"{_named(service)} (deployment {service.primary.id}) deployment completed.")


def steady(service: Service, now: datetime) -> None:
    """As many tasks run as wanted."""
    service.say(now, f"{_named(service)} has reached a steady state.")


def failed(service: Service, deployment: Deployment, now: datetime) -> None:
    """The circuit breaker gave the rollout up."""
    subject = f"{_named(service)} (deployment {deployment.id})"
    service.say(now, f"{subject} deployment failed: tasks failed to start.")


def rolling_back(service: Service, source: Deployment, now: datetime) -> None:
    """The service returns to an earlier deployment."""
    service.say(now, f"{_named(service)} rolling back to (deployment {source.id}).")


def scaling(deployment: Deployment) -> str:
    """Why the scheduler stops a task."""
    return f"Scaling activity initiated by (deployment {deployment.id})"


def _named(service: Service) -> str:
    return f"(service {service.name})"


def _names(tasks: Sequence[Task]) -> str:
    return " ".join(f"(task {one.id})" for one in tasks)


def _target_groups(service: Service) -> list[str]:
    groups = (one.get("targetGroupArn") for one in service.parameters.get("loadBalancers", []))
    return [str(one) for one in groups if one]
