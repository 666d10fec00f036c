"""The deployment circuit breaker: which failures count, and how many are too many.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentCircuitBreaker.html
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ThresholdConfiguration.html
"""

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from simulator.ecs.records import Deployment, RolloutState, Service, Task

LEAST, MOST = 3, 200


def count_failure(service: Service, now: datetime) -> None:
    """One more task of the rollout has failed to start, unless failures are no longer looked at."""
    primary = service.primary
    if primary.state is RolloutState.IN_PROGRESS and not primary.has_run:
        primary.failed_tasks += 1
        primary.updated_at = now


def count_running(service: Service, tasks: list[Task]) -> None:
    """A task that runs sets the count back, and ends the counting where the service does not say otherwise."""
    primary = service.primary
    if _settings(service).get("resetOnHealthyTask", True) and any(
        one.deployment == primary.id for one in tasks
    ):
        primary.failed_tasks, primary.has_run = 0, True


def is_tripped(service: Service) -> bool:
    """Whether the breaker is on and as many tasks have failed as it takes."""
    return bool(_settings(service).get("enable")) and service.primary.failed_tasks >= threshold(service)


def rolls_back(service: Service) -> bool:
    """Whether a failed rollout returns to the last one that completed."""
    return bool(_settings(service).get("rollback"))


def threshold(service: Service) -> int:
    """How many failed tasks are too many: half the desired count, from 3 to 200, unless the service says else."""
    given = _settings(service).get("thresholdConfiguration", {})
    kind, value = given.get("type", "BOUNDED_PERCENT"), given.get("value", 50)
    if kind == "COUNT":
        return int(value)
    share = math.ceil(service.desired * int(value) / 100)
    return max(1, share) if kind == "UNBOUNDED_PERCENT" else max(LEAST, min(MOST, share))


def breaker_answer(service: Service, deployment: Deployment) -> dict[str, Any]:
    """API_ServiceDeploymentCircuitBreaker."""
    if not _settings(service).get("enable"):
        status = "DISABLED"
    elif deployment.state is RolloutState.IN_PROGRESS:
        status = "MONITORING"
    elif deployment.failed_tasks >= threshold(service):
        status = "TRIGGERED"
    else:
        status = "MONITORING_COMPLETE"
    return {"status": status, "failureCount": deployment.failed_tasks, "threshold": threshold(service)}


def _settings(service: Service) -> Mapping[str, Any]:
    found: Mapping[str, Any] = service.parameters["deploymentConfiguration"].get(
        "deploymentCircuitBreaker", {}
    )
    return found
