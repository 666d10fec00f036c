"""The service scheduler: starts tasks, replaces stopped ones, moves a service to its new revision.

A rolling update as the developer guide describes it: new tasks start beside the old ones up to
`maximumPercent`, old ones stop as long as `minimumHealthyPercent` stay running
(https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-type-ecs.html). Tasks that fail to start
are tried again, after ever longer pauses
(https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-throttle-logic.html); a circuit breaker ends that.
"""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from simulator.ecs import breaker, wording
from simulator.ecs.containers import EXITED, OUT_OF_MEMORY, STARTUP, Machines
from simulator.ecs.records import (
    Deployment,
    Ending,
    RolloutState,
    Service,
    Task,
    TaskDefinition,
    TaskStatus,
    hexadecimal,
)
from simulator.ecs.vcpus import Vcpus

__all__ = ["SETTLE", "STARTUP", "Announcer", "Scheduler", "launch", "run_out_of_memory", "stop"]

DRAIN_AFTER = timedelta(seconds=30)
SETTLE = timedelta(seconds=65)
STOPPED_STAY = timedelta(hours=1)
# AWS names only the longest pause between attempts to start tasks. How it grows is not documented.
UNPAUSED_ROUNDS = 5
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(minutes=27)


class Announcer(Protocol):
    """Tells the account's bus what becomes of services and tasks."""

    def announce_deployment(self, service: Service, deployment: Deployment, name: str) -> None:
        """An `ECS Deployment State Change` event."""
        ...

    def announce_service(self, service: Service, name: str) -> None:
        """An `ECS Service Action` event."""
        ...

    def announce_task(self, service: Service, task: Task) -> None:
        """An `ECS Task State Change` event."""
        ...


@dataclass(frozen=True)
class Scheduler:
    """Moves services on. `machines` say how tasks end by themselves, `vcpus` how many more may run; `announcer` hears
    of what happens.
    """

    machines: Machines
    announcer: Announcer
    vcpus: Vcpus

    def move(self, service: Service, now: datetime) -> None:
        """Bring one service as far as it would be at `now`."""
        if _is_at_rest(service):
            return
        failed = self._settle(service, now)
        if failed:
            self._pause(service, now)
        self._launch_missing(service, now)
        _retire(service, now)
        self._conclude(service, now)
        self.announce(service)
        _forget_stopped(service, now)

    def announce(self, service: Service) -> None:
        """Tell the bus of every task whose state it has not heard of."""
        for task in service.tasks:
            if task.announced is not task.status:
                task.announced = task.status
                task.versions += 1
                self.announcer.announce_task(service, task)

    def _settle(self, service: Service, now: datetime) -> bool:
        """Let tasks come up, or end by themselves; whether one failed to start."""
        failed = False
        came_up = []
        for task in service.tasks_in(TaskStatus.PENDING):
            ending = self.machines.ending(task.definition)
            if ending is not None and ending.after <= STARTUP:
                if now - task.created_at >= ending.after:
                    self._fail_start(service, task, ending, now)
                    failed = True
            elif now - task.created_at >= STARTUP:
                task.status, task.started_at, task.ending = TaskStatus.RUNNING, now, ending
                came_up.append(task)
        if came_up:
            service.failed_rounds, service.next_start = 0, None
            wording.registered(service, len(came_up), now)
            breaker.count_running(service, came_up)
        for task in service.running():
            if task.ending is not None and now - task.created_at >= task.ending.after:
                end(task, task.ending, now)
        return failed

    def _fail_start(self, service: Service, task: Task, ending: Ending, now: datetime) -> None:
        end(task, ending, now)
        primary = service.primary
        if task.deployment == primary.id:
            breaker.count_failure(service, now)
        if ending.exit_code is None:
            wording.unable_to_start(service, task, now)

    def _pause(self, service: Service, now: datetime) -> None:
        """Wait longer before each further attempt, once several in a row have failed."""
        service.failed_rounds += 1
        beyond = service.failed_rounds - UNPAUSED_ROUNDS
        if beyond < 0:
            return
        service.next_start = now + min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(beyond, 10))
        if beyond == 0:
            wording.impaired(service, now)
            self.announcer.announce_service(service, "SERVICE_TASK_START_IMPAIRED")

    def _launch_missing(self, service: Service, now: datetime) -> None:
        primary = service.primary
        if primary.state is RolloutState.FAILED or primary.stop_requested_at is not None:
            return
        if service.next_start is not None and now < service.next_start:
            return
        alive = len(service.running(primary)) + len(service.tasks_in(TaskStatus.PENDING, primary))
        ceiling = math.floor(service.desired * maximum_percent(service) / 100)
        total = len(service.running()) + len(service.tasks_in(TaskStatus.PENDING))
        wanted = min(service.desired - alive, ceiling - total)
        if wanted <= 0:
            return
        room = self.vcpus.room(service, primary.definition)
        started = [launch(service, primary, now) for _ in range(min(wanted, room))]
        if started:
            wording.started(service, started, now)
        if room < wanted:
            service.is_steady = False
            wording.no_vcpus(service, now)

    def _conclude(self, service: Service, now: datetime) -> None:
        primary = service.primary
        if primary.state is RolloutState.IN_PROGRESS:
            self._conclude_rollout(service, now)
        elif primary.state is RolloutState.COMPLETED and _is_complete(service) and not service.is_steady:
            self._settle_down(service, now)

    def _conclude_rollout(self, service: Service, now: datetime) -> None:
        primary = service.primary
        if primary.stop_requested_at is not None and now > primary.stop_requested_at:
            self._fail(service, now, wording.STOPPED_BY_USER, rollback=True)
        elif breaker.is_tripped(service):
            self._fail(service, now, wording.BREAKER, rollback=breaker.rolls_back(service))
        elif (
            primary.stop_requested_at is None and now - primary.created_at >= SETTLE and _is_complete(service)
        ):
            _finish(primary, RolloutState.COMPLETED, f"ECS deployment {primary.id} completed.", now)
            service.past.extend(service.deployments[1:])
            del service.deployments[1:]
            wording.completed(service, now)
            self._settle_down(service, now)
            self.announcer.announce_deployment(service, primary, "SERVICE_DEPLOYMENT_COMPLETED")

    def _settle_down(self, service: Service, now: datetime) -> None:
        service.is_steady = True
        wording.steady(service, now)
        self.announcer.announce_service(service, "SERVICE_STEADY_STATE")

    def _fail(self, service: Service, now: datetime, reason: str, *, rollback: bool) -> None:
        failed = service.primary
        _finish(failed, RolloutState.FAILED, reason, now)
        for task in service.tasks_in(TaskStatus.PENDING, failed):
            stop(task, now, "ServiceSchedulerInitiated", wording.scaling(failed))
        if failed.stop_requested_at is None:
            wording.failed(service, failed, now)
        self.announcer.announce_deployment(service, failed, "SERVICE_DEPLOYMENT_FAILED")
        if rollback and failed.source is not None and not failed.is_rollback:
            wording.rolling_back(service, failed.source, now)
            replacement = self.begin(service, failed.source.definition, now)
            replacement.is_rollback, failed.rolled_back_to = True, replacement

    def begin(self, service: Service, definition: TaskDefinition, now: datetime) -> Deployment:
        """Start a rollout of `definition`. The scheduler does the rest as time passes."""
        source = service.deployments[0] if service.deployments else None
        if source is not None:
            source.is_primary = False
            if source.state is RolloutState.IN_PROGRESS:
                _finish(source, RolloutState.FAILED, "Deployment was replaced by a newer one.", now)
        service.failed_rounds, service.next_start, service.is_steady = 0, None, False
        number = len(service.past) + len(service.deployments) + 1
        deployment = Deployment(number, definition, service.desired, now, now, source=_settled_source(source))
        deployment.reason = f"ECS deployment {deployment.id} in progress."
        service.deployments.insert(0, deployment)
        self.announcer.announce_deployment(service, deployment, "SERVICE_DEPLOYMENT_IN_PROGRESS")
        return deployment


def launch(service: Service, deployment: Deployment, now: datetime) -> Task:
    """Start one task of a deployment."""
    service.sequence += 1
    service.is_steady = False
    task = Task(hexadecimal(service.arn, service.sequence), deployment.definition, deployment.id, now)
    service.tasks.append(task)
    return task


def stop(task: Task, now: datetime, code: str, reason: str) -> None:
    """Stop a task for a reason (API_Task, `stopCode` and `stoppedReason`)."""
    task.status, task.stopped_at, task.stop_code, task.stopped_reason = TaskStatus.STOPPED, now, code, reason


def end(task: Task, ending: Ending, now: datetime) -> None:
    """Let a task end by itself."""
    stop(task, now, ending.code, ending.reason)
    task.exit_code, task.container_reason = ending.exit_code, ending.container_reason
    task.ended_container = ending.container


def run_out_of_memory(task: Task, now: datetime) -> None:
    """Stop a task whose container needed more memory than it has (stopped tasks error messages)."""
    stop(task, now, "EssentialContainerExited", EXITED)
    task.exit_code = OUT_OF_MEMORY
    task.container_reason = "OutOfMemoryError: Container killed due to memory usage"


def maximum_percent(service: Service) -> int:
    """The ceiling on tasks during a rollout, 200 unless the service says otherwise."""
    return int(service.parameters["deploymentConfiguration"].get("maximumPercent", 200))


def minimum_healthy_percent(service: Service) -> int:
    """The floor on running tasks during a rollout, 100 unless the service says otherwise."""
    return int(service.parameters["deploymentConfiguration"].get("minimumHealthyPercent", 100))


def _settled_source(source: Deployment | None) -> Deployment | None:
    """The last deployment that completed, which is what a rollback returns to."""
    while source is not None and source.state is not RolloutState.COMPLETED:
        source = source.source
    return source


def _retire(service: Service, now: datetime) -> None:
    primary = service.primary
    for task in service.tasks_in(TaskStatus.PENDING):
        if task.deployment != primary.id:
            stop(task, now, "ServiceSchedulerInitiated", wording.scaling(primary))
    fresh = service.running(primary)
    _stop_surplus(service, fresh, len(fresh) - service.desired, now)
    old = [one for one in service.running() if one.deployment != primary.id]
    if primary.state is RolloutState.FAILED or primary.stop_requested_at is not None:
        return
    if now - primary.created_at < DRAIN_AFTER:
        return
    floor = math.ceil(service.desired * minimum_healthy_percent(service) / 100)
    _stop_surplus(service, old, min(len(old), len(old) + len(fresh) - floor), now)


def _stop_surplus(service: Service, tasks: list[Task], surplus: int, now: datetime) -> None:
    if surplus <= 0:
        return
    service.is_steady = False
    for task in tasks[:surplus]:
        stop(task, now, "ServiceSchedulerInitiated", wording.scaling(service.primary))
    wording.stopped(service, tasks[:surplus], now)


def _is_at_rest(service: Service) -> bool:
    return (
        service.primary.state is RolloutState.COMPLETED
        and service.is_steady
        and len(service.deployments) == 1
        and len(service.tasks) == service.desired == len(service.running())
        and all(one.ending is None for one in service.tasks)
    )


def _is_complete(service: Service) -> bool:
    """Whether as many tasks run as wanted, all of them of the newest deployment."""
    return len(service.running(service.primary)) == service.desired == len(service.running())


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
