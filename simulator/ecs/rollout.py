"""The service scheduler: starts tasks, replaces stopped ones, moves a service to its new revision.

A rolling update as the developer guide describes it: new tasks start beside the old ones up to
`maximumPercent`, old ones stop as long as `minimumHealthyPercent` stay running
(https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-type-ecs.html). An image that
cannot be pulled fails task after task; without a circuit breaker the rollout goes on trying.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from simulator.ecs.records import (
    Deployment,
    RolloutState,
    Service,
    Task,
    TaskDefinition,
    TaskStatus,
    hexadecimal,
)

STARTUP = timedelta(seconds=25)
PULL_FAILURE = timedelta(seconds=20)
DRAIN_AFTER = timedelta(seconds=30)
SETTLE = timedelta(seconds=65)
STOPPED_STAY = timedelta(hours=1)
OUT_OF_MEMORY = 137


@dataclass(frozen=True)
class Scheduler:
    """Moves services on. `can_pull` says whether the registry has an image; `notify` hears of rollouts."""

    can_pull: Callable[[str], bool]
    notify: Callable[[Service, Deployment, str], None]

    def move(self, service: Service, now: datetime) -> None:
        """Bring one service as far as it would be at `now`."""
        if _is_at_rest(service):
            return
        self._settle_pending(service, now)
        self._launch_missing(service, now)
        _retire(service, now)
        self._conclude(service, now)
        _forget_stopped(service, now)

    def _settle_pending(self, service: Service, now: datetime) -> None:
        for task in service.tasks_in(TaskStatus.PENDING):
            missing = [image for image in task.definition.images if not self.can_pull(image)]
            if missing and now - task.created_at >= PULL_FAILURE:
                self._fail_pull(service, task, missing[0], now)
            elif not missing and now - task.created_at >= STARTUP:
                task.status, task.started_at = TaskStatus.RUNNING, now

    def _fail_pull(self, service: Service, task: Task, image: str, now: datetime) -> None:
        reason = f"CannotPullContainerError: failed to resolve ref {image}: {image}: not found"
        stop(task, now, "TaskFailedToStart", reason)
        primary = service.primary
        if task.deployment == primary.id and primary.state is RolloutState.IN_PROGRESS:
            primary.failed_tasks += 1
            primary.updated_at = now
        message = f"(service {service.name}) was unable to start a task: (task {task.id}) {reason}"
        if not service.events or service.events[0]["message"] != message:
            service.say(now, message)

    def _launch_missing(self, service: Service, now: datetime) -> None:
        primary = service.primary
        if primary.state is RolloutState.FAILED:
            return
        alive = len(service.running(primary)) + len(service.tasks_in(TaskStatus.PENDING, primary))
        ceiling = math.floor(service.desired * maximum_percent(service) / 100)
        total = len(service.running()) + len(service.tasks_in(TaskStatus.PENDING))
        started = [
            launch(service, primary, now) for _ in range(min(service.desired - alive, ceiling - total))
        ]
        if started:
            names = " ".join(f"(task {one.id})" for one in started)
            service.say(now, f"(service {service.name}) has started {len(started)} tasks: {names}.")

    def _conclude(self, service: Service, now: datetime) -> None:
        primary = service.primary
        if primary.state is not RolloutState.IN_PROGRESS:
            return
        breaker = service.parameters["deploymentConfiguration"].get("deploymentCircuitBreaker", {})
        if breaker.get("enable") and primary.failed_tasks >= breaker_threshold(service.desired):
            self._fail(service, now, rollback=bool(breaker.get("rollback")))
        elif _is_settled(service, now):
            _finish(primary, RolloutState.COMPLETED, f"ECS deployment {primary.id} completed.", now)
            service.past.extend(service.deployments[1:])
            del service.deployments[1:]
            service.say(now, f"(service {service.name}) (deployment {primary.id}) deployment completed.")
            service.say(now, f"(service {service.name}) has reached a steady state.")
            self.notify(service, primary, "SERVICE_DEPLOYMENT_COMPLETED")

    def _fail(self, service: Service, now: datetime, *, rollback: bool) -> None:
        failed = service.primary
        reason = "ECS deployment circuit breaker: tasks failed to start."
        _finish(failed, RolloutState.FAILED, reason, now)
        for task in service.tasks_in(TaskStatus.PENDING, failed):
            stop(task, now, "ServiceSchedulerInitiated", _scaling(failed))
        subject = f"(service {service.name}) (deployment {failed.id})"
        service.say(now, f"{subject} deployment failed: tasks failed to start.")
        self.notify(service, failed, "SERVICE_DEPLOYMENT_FAILED")
        if rollback and failed.source is not None:
            message = f"rolling back to (deployment {failed.source.id})."
            service.say(now, f"(service {service.name}) {message}")
            replacement = self.begin(service, failed.source.definition, now)
            replacement.is_rollback, failed.rolled_back_to = True, replacement

    def begin(self, service: Service, definition: TaskDefinition, now: datetime) -> Deployment:
        """Start a rollout of `definition`. The scheduler does the rest as time passes."""
        source = service.deployments[0] if service.deployments else None
        if source is not None:
            source.is_primary = False
            if source.state is RolloutState.IN_PROGRESS:
                _finish(source, RolloutState.FAILED, "Deployment was replaced by a newer one.", now)
        number = len(service.past) + len(service.deployments) + 1
        deployment = Deployment(number, definition, service.desired, now, now, source=_settled_source(source))
        deployment.reason = f"ECS deployment {deployment.id} in progress."
        service.deployments.insert(0, deployment)
        self.notify(service, deployment, "SERVICE_DEPLOYMENT_IN_PROGRESS")
        return deployment


def launch(service: Service, deployment: Deployment, now: datetime) -> Task:
    """Start one task of a deployment."""
    service.sequence += 1
    task = Task(hexadecimal(service.arn, service.sequence), deployment.definition, deployment.id, now)
    service.tasks.append(task)
    return task


def stop(task: Task, now: datetime, code: str, reason: str) -> None:
    """Stop a task for a reason (API_Task, `stopCode` and `stoppedReason`)."""
    task.status, task.stopped_at, task.stop_code, task.stopped_reason = TaskStatus.STOPPED, now, code, reason


def run_out_of_memory(task: Task, now: datetime) -> None:
    """Stop a task whose container needed more memory than it has (stopped tasks error messages)."""
    stop(task, now, "EssentialContainerExited", "Essential container in task exited")
    task.exit_code = OUT_OF_MEMORY
    task.container_reason = "OutOfMemoryError: Container killed due to memory usage"


def maximum_percent(service: Service) -> int:
    """The ceiling on tasks during a rollout, 200 unless the service says otherwise."""
    return int(service.parameters["deploymentConfiguration"].get("maximumPercent", 200))


def minimum_healthy_percent(service: Service) -> int:
    """The floor on running tasks during a rollout, 100 unless the service says otherwise."""
    return int(service.parameters["deploymentConfiguration"].get("minimumHealthyPercent", 100))


def breaker_threshold(desired: int) -> int:
    """Half the desired count, between 3 and 200 (developer guide, deployment circuit breaker)."""
    return max(3, min(200, math.ceil(desired * 0.5)))


def _settled_source(source: Deployment | None) -> Deployment | None:
    """The last deployment that completed, which is what a rollback returns to."""
    while source is not None and source.state is not RolloutState.COMPLETED:
        source = source.source
    return source


def _retire(service: Service, now: datetime) -> None:
    primary = service.primary
    for task in service.tasks_in(TaskStatus.PENDING):
        if task.deployment != primary.id:
            stop(task, now, "ServiceSchedulerInitiated", _scaling(primary))
    fresh = service.running(primary)
    _stop_surplus(service, fresh, len(fresh) - service.desired, now)
    old = [one for one in service.running() if one.deployment != primary.id]
    if primary.state is RolloutState.FAILED or now - primary.created_at < DRAIN_AFTER:
        return
    floor = math.ceil(service.desired * minimum_healthy_percent(service) / 100)
    _stop_surplus(service, old, min(len(old), len(old) + len(fresh) - floor), now)


def _stop_surplus(service: Service, tasks: list[Task], surplus: int, now: datetime) -> None:
    if surplus <= 0:
        return
    for task in tasks[:surplus]:
        stop(task, now, "ServiceSchedulerInitiated", _scaling(service.primary))
    names = " ".join(f"(task {one.id})" for one in tasks[:surplus])
    service.say(now, f"(service {service.name}) has stopped {surplus} running tasks: {names}.")


def _scaling(deployment: Deployment) -> str:
    return f"Scaling activity initiated by (deployment {deployment.id})"


def _is_at_rest(service: Service) -> bool:
    return (
        service.primary.state is RolloutState.COMPLETED
        and len(service.deployments) == 1
        and len(service.tasks) == service.desired == len(service.running())
    )


def _is_settled(service: Service, now: datetime) -> bool:
    primary = service.primary
    return (
        now - primary.created_at >= SETTLE
        and len(service.running(primary)) == service.desired
        and len(service.running()) == service.desired
    )


def _finish(deployment: Deployment, state: RolloutState, reason: str, now: datetime) -> None:
    deployment.state, deployment.reason = state, reason
    deployment.updated_at = deployment.finished_at = now


def _forget_stopped(service: Service, now: datetime) -> None:
    """ECS shows stopped tasks for about an hour (API_DescribeTasks)."""
    if len(service.tasks) <= len(service.running()):
        return
    service.tasks = [
        one for one in service.tasks if one.stopped_at is None or now - one.stopped_at < STOPPED_STAY
    ]
