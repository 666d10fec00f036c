"""What can be done about an ECS service: an earlier revision, more tasks, fresh tasks, one task less."""

import math
from collections.abc import Iterator
from datetime import timedelta

from memory.records.assessment import Hypothesis
from memory.records.config import Service
from memory.records.plan import Considered, PlannedAction
from tools.actions.base import State
from tools.actions.ecs_desired_count import MOST_FACTOR, EcsSetDesiredCount
from tools.actions.ecs_force_deployment import EcsForceNewDeployment
from tools.actions.ecs_rollback import EcsRollbackService
from tools.actions.ecs_service import read_service, read_service_history
from tools.actions.ecs_stop_task import EcsStopOneTask
from tools.remedies.place import Measured, Place, read_minutes

AIMED_CPU = 60.0
"""The share of their CPU, in percent, that tasks should use: below where requests begin to wait for each other."""
_LATELY = timedelta(minutes=5)
Found = Iterator[PlannedAction | Considered]


def earlier_revision(place: Place, service: Service, cause: Hypothesis) -> Found:
    """Offer the newest revision below the present one that ECS says the service ran; else fresh tasks."""
    state = read_service_history(place.access, str(service.cluster), service.name)
    if not state["found"]:
        yield _no_service(service)
        return
    now = state["task_definition"]
    if cause.change not in {None, now}:
        why = f"{service.name} runs {now} by now, not {cause.change}"
        yield Considered(action=EcsRollbackService.name, why_not=why)
        return
    family, _, revision = now.rpartition(":")
    earlier = [
        one
        for one in state["ran_before"]
        if one.rpartition(":")[0] == family and int(one.rpartition(":")[2]) < int(revision)
    ]
    if not earlier:
        why = f"ECS has no record of an earlier revision that {service.name} ran"
        yield Considered(action=EcsRollbackService.name, why_not=why)
        yield _fresh(service, state, f"no earlier revision of {service.name} is known; fresh tasks buy time")
        return
    yield PlannedAction(
        action=EcsRollbackService.name,
        parameters={
            "cluster": service.cluster,
            "service": service.name,
            "task_definition": earlier[0],
        },
        why=f"{now} broke {service.name}; {earlier[0]} ran before it",
    )


def more_tasks(place: Place, service: Service) -> Found:
    """Offer as many tasks as bring their CPU down to what is aimed at, within the catalogue's own limit.

    The formula is that of target tracking: tasks times what is used, by what is aimed at
    (https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-target-tracking.html).
    """
    state = read_service(place.access, str(service.cluster), service.name)
    if not state["found"]:
        yield _no_service(service)
        return
    cpu = _cpu(place, service)
    now = state["desired"]
    wanted = min(math.ceil(now * cpu / AIMED_CPU), now * MOST_FACTOR) if cpu is not None else 0
    if wanted <= now:
        used = "is not known" if cpu is None else f"is {cpu:.0f} %"
        why = f"the CPU of {service.name} {used}: more tasks would not help"
        yield Considered(action=EcsSetDesiredCount.name, why_not=why)
        return
    yield PlannedAction(
        action=EcsSetDesiredCount.name,
        parameters={"cluster": service.cluster, "service": service.name, "desired_count": wanted},
        why=f"{now} tasks of {service.name} use {cpu:.0f} % of their CPU; {wanted} would use {AIMED_CPU:.0f} %",
    )


def fresh_tasks(place: Place, service: Service) -> Found:
    """Offer fresh tasks of the same revision: a stop-gap where something fills up over time."""
    state = read_service(place.access, str(service.cluster), service.name)
    if not state["found"]:
        yield _no_service(service)
        return
    yield _fresh(service, state, f"tasks of {service.name} fill their memory; fresh ones begin empty")


def _fresh(service: Service, state: State, why: str) -> PlannedAction:
    return PlannedAction(
        action=EcsForceNewDeployment.name,
        parameters={
            "cluster": service.cluster,
            "service": service.name,
            "deployment": state["deployment"],
        },
        why=why,
    )


def _no_service(service: Service) -> Considered:
    why = f"cluster {service.cluster} has no service {service.name}"
    return Considered(action=EcsRollbackService.name, why_not=why)


def _cpu(place: Place, service: Service) -> float | None:
    """Return the most that the service's tasks used on average within one of the last minutes, in percent."""
    dimensions = {"ClusterName": str(service.cluster), "ServiceName": service.name}
    metric = Measured("AWS/ECS", "CPUUtilization", dimensions, "Average")
    return max(read_minutes(place, {"cpu": metric}, _LATELY)["cpu"].values(), default=None)


def another_task(place: Place, service: Service, cause: Hypothesis) -> Found:
    """Offer to stop the one task that is ill; fresh tasks in place of all are more than is needed, and come second."""
    state = read_service(place.access, str(service.cluster), service.name)
    if not state["found"]:
        yield _no_service(service)
        return
    task = cause.change
    if task is None:
        why = f"which task of {service.name} is ill is not known"
        yield Considered(action=EcsStopOneTask.name, why_not=why)
    else:
        yield PlannedAction(
            action=EcsStopOneTask.name,
            parameters={"cluster": service.cluster, "service": service.name, "task": task},
            why=f"task {task} of {service.name} is ill and the others are well; the scheduler replaces it",
        )
    yield _fresh(service, state, f"a task of {service.name} is ill; fresh tasks take the place of all")
