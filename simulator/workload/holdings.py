"""What the workload lives on."""

from dataclasses import dataclass

from simulator.cloudwatch.metrics import MetricStore
from simulator.ecs.rollout import Scheduler
from simulator.ecs.state import EcsState
from simulator.functions.records import LambdaState
from simulator.logs.store import LogStore
from simulator.sqs.mirror import QueueMirror


@dataclass(frozen=True)
class Holdings:
    """What the workload lives on: what runs, what can be pulled, and where its traces go."""

    ecs: EcsState
    functions: LambdaState
    registry: set[str]
    scheduler: Scheduler
    metrics: MetricStore
    logs: LogStore
    mirror: QueueMirror
