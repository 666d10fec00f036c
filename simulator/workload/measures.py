"""The metrics that the services, ECS, the load balancer and DynamoDB publish about a tick.

AWS's namespaces: AWS/ECS, AWS/ApplicationELB and AWS/DynamoDB as their metric references list them. A
throttle metric has points only when throttling happens, and a 5XX count only when there is one.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from simulator.cloudwatch.metrics import MetricStore
from simulator.quotas.catalogue import FARGATE_VCPUS
from simulator.workload.flow import Flow
from simulator.workload.spread import SPREAD
from simulator.workload.tables import Units
from simulator.world import ExtraMetric, World


@dataclass(frozen=True)
class Measures:
    """Writes metrics of flows into the store."""

    metrics: MetricStore
    world: World

    def publish(self, flow: Flow, memory: Mapping[str, float], *, silent: bool = False) -> None:
        """All metrics of one service's tick; `memory` is what each task uses of its own, in percent.

        A silent service publishes nothing itself; what AWS measures of it is there all the same.
        """
        if not silent:
            self._application(flow)
        self._containers(flow, memory)
        if flow.service.target_group is not None:
            self._target_group(flow, flow.service.target_group)

    def _application(self, flow: Flow) -> None:
        namespace, dimensions = self.world.namespace, {"Service": flow.service.name}
        self.metrics.put(namespace, "Requests", dimensions, flow.at, flow.requests)
        self.metrics.put(namespace, "Errors", dimensions, flow.at, flow.errors)
        for one in flow.service.metrics:
            self.metrics.put(namespace, one.name, dimensions, flow.at, _count(flow, one))
        self.metrics.put_values(namespace, "LatencyMs", dimensions, flow.at, _latencies(flow, 1.0, 1))

    def _containers(self, flow: Flow, memory: Mapping[str, float]) -> None:
        dimensions = {"ClusterName": self.world.cluster, "ServiceName": flow.service.name}
        tasks = len(flow.running.tasks)
        self.metrics.put("AWS/ECS", "CPUUtilization", dimensions, flow.at, round(flow.cpu_percent, 2), tasks)
        busy = flow.cpu_percent / 20
        used = Counter(round(min(100.0, one + busy), 2) for one in memory.values())
        self.metrics.put_values("AWS/ECS", "MemoryUtilization", dimensions, flow.at, used.items())

    def _target_group(self, flow: Flow, target_group: str) -> None:
        namespace = "AWS/ApplicationELB"
        balancer = {"LoadBalancer": self.world.load_balancer}
        for dimensions in ({**balancer, "TargetGroup": target_group}, balancer):
            self.metrics.put(namespace, "RequestCount", dimensions, flow.at, 1, flow.requests)
            self.metrics.put(namespace, "HTTPCode_Target_5XX_Count", dimensions, flow.at, 1, flow.errors)
            seconds = _latencies(flow, 0.001, 4)
            self.metrics.put_values(namespace, "TargetResponseTime", dimensions, flow.at, seconds)
        healthy = {**balancer, "TargetGroup": target_group}
        self.metrics.put(namespace, "HealthyHostCount", healthy, flow.at, len(flow.running.tasks))

    def publish_usage(self, vcpus: float, at: datetime) -> None:
        """How much of the quota of Fargate's vCPUs is used, under the quota's usage metric."""
        usage = FARGATE_VCPUS.usage
        assert usage is not None
        self.metrics.put(usage.namespace, usage.name, usage.dimensions, at, vcpus)

    def publish_tables(self, at: datetime, flows: Mapping[str, Flow], capacity: Mapping[str, Units]) -> None:
        """The metrics of the tables that the flows wrote to and read."""
        for flow in flows.values():
            for writes in flow.service.writes:
                writing = flow.writing[writes.table]
                dimensions = {"TableName": writes.table}
                units = round(writing.taken, 2)
                self.metrics.put("AWS/DynamoDB", "ConsumedWriteCapacityUnits", dimensions, at, units)
                refused = round((writing.asked - writing.taken) / writes.per_request * writes.attempts)
                if refused:
                    self._throttled(writes.table, at, refused, "Write", "PutItem")
            for reads in flow.service.reads:
                reading, dimensions = flow.reading[reads.table], {"TableName": reads.table}
                units = round(reading.taken, 2)
                self.metrics.put("AWS/DynamoDB", "ConsumedReadCapacityUnits", dimensions, at, units)
                refused = round((reading.asked - reading.taken) / reads.per_request * reads.attempts)
                if refused:
                    self._throttled(reads.table, at, refused, "Read", "GetItem")
        if at.minute % 5 == 0 and at.second == 0:
            for table, a_second in capacity.items():
                named = {"TableName": table}
                for metric, given in (
                    ("ProvisionedWriteCapacityUnits", a_second.write),
                    ("ProvisionedReadCapacityUnits", a_second.read),
                ):
                    self.metrics.put("AWS/DynamoDB", metric, named, at, given)

    def _throttled(self, table: str, at: datetime, refused: int, kind: str, operation: str) -> None:
        dimensions = {"TableName": table}
        self.metrics.put("AWS/DynamoDB", f"{kind}ThrottleEvents", dimensions, at, 1, refused)
        dimensions = {"TableName": table, "Operation": operation}
        self.metrics.put("AWS/DynamoDB", "ThrottledRequests", dimensions, at, 1, refused)


def _latencies(flow: Flow, unit: float, places: int) -> list[tuple[float, float]]:
    """Latencies of a tick's requests with their counts, in a unit of so many milliseconds."""
    if not flow.requests:
        return []
    return [
        (round(flow.latency_ms * factor * unit, places), flow.requests * share) for factor, share in SPREAD
    ]


def _count(flow: Flow, metric: ExtraMetric) -> int:
    match metric.counts:
        case "failed_writes":
            return flow.failed_writes
        case "failed_reads":
            return flow.failed_reads
        case "dependency_errors":
            return flow.dependency_errors + flow.timeouts
        case "external_errors":
            return flow.external_errors
        case "timeouts":
            return flow.timeouts
        case "writes":
            return flow.requests - flow.errors
