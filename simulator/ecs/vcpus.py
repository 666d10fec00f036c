"""How many vCPUs the account's Fargate tasks run on, and how many more they may.

Tasks that start count from the beginning, stopped ones no more:
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html
"""

import sys
from dataclasses import dataclass

from simulator.ecs.records import Service, TaskDefinition, TaskStatus
from simulator.ecs.state import EcsState
from simulator.quotas.applied import AppliedQuotas

UNITS = 1024.0


@dataclass(frozen=True)
class Vcpus:
    """The account's vCPUs of Fargate On-Demand."""

    state: EcsState
    applied: AppliedQuotas

    def used(self) -> float:
        """How many the tasks that run or start take."""
        return sum(
            vcpus_of(task.definition)
            for service in self.state.services()
            if is_fargate(service)
            for status in (TaskStatus.PENDING, TaskStatus.RUNNING)
            for task in service.tasks_in(status)
        )

    def room(self, service: Service, definition: TaskDefinition) -> int:
        """How many more tasks of a definition the quota lets a service start."""
        each = vcpus_of(definition)
        if not is_fargate(service) or not each:
            return sys.maxsize
        return max(0, int((self.applied.vcpus - self.used()) / each))


def is_fargate(service: Service) -> bool:
    """Whether a service's tasks run on Fargate On-Demand."""
    providers = {
        one.get("capacityProvider") for one in service.parameters.get("capacityProviderStrategy", [])
    }
    if providers:
        return providers == {"FARGATE"}
    return str(service.parameters.get("launchType", "FARGATE")) == "FARGATE"


def vcpus_of(definition: TaskDefinition) -> float:
    """What one task takes: `512` and `.5 vCPU` are both half a vCPU."""
    text = str(definition.parameters.get("cpu") or "0").lower()
    if text.endswith("vcpu"):
        return float(text.removesuffix("vcpu"))
    return float(text) / UNITS
