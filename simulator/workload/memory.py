"""The memory of tasks: what a service needs, what a leak adds, and when the container is killed."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from simulator.workload.chance import steady
from simulator.workload.flow import Flow, Running
from simulator.world import ServiceWorld

PRESSURE_FROM = 85.0
MOST_PRESSURE = 4.0


@dataclass
class TaskMemory:
    """What each task has kept of the requests it served. A new task begins with nothing."""

    _leaked_mb: dict[str, float] = field(default_factory=dict)

    def serve(self, flow: Flow) -> None:
        """Let the tasks keep what their release keeps of each request."""
        tasks = flow.running.tasks
        for task, release in tasks:
            if release.leak_kb_per_request:
                served = flow.requests / len(tasks) * steady(task, 0.85, 1.15)
                kept = served * release.leak_kb_per_request / 1024
                self._leaked_mb[task] = self._leaked_mb.get(task, 0.0) + kept

    def percent(self, service: ServiceWorld, running: Running) -> Mapping[str, float]:
        """The share of its limit that each task uses."""
        usual = float(service.memory_mb)
        used = {}
        for task, _ in running.tasks:
            limit = running.limits_mb.get(task, usual)
            used[task] = service.memory * (usual / limit) + 100 * self._leaked_mb.get(task, 0.0) / limit
        return used

    def forget(self, task: str) -> None:
        """A task is gone."""
        self._leaked_mb.pop(task, None)


def pressure(percents: Mapping[str, float]) -> float:
    """How much longer requests take when tasks are short of memory, on average over the tasks."""
    if not percents:
        return 1.0
    shortage = [
        max(0.0, min(one, 100.0) - PRESSURE_FROM) / (100 - PRESSURE_FROM) for one in percents.values()
    ]
    return 1 + (MOST_PRESSURE - 1) * sum(one**2 for one in shortage) / len(shortage)
