"""The metrics that Lambda, SQS and the functions themselves publish about a tick.

Names and dimensions as the metric references of AWS/Lambda and AWS/SQS list them. Lambda has points only for
minutes with invocations or throttles; SQS's gauges have one each minute.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from simulator.cloudwatch.metrics import MetricStore
from simulator.functions.records import LambdaState
from simulator.workload.concurrency import AtOnce
from simulator.workload.functions import Work
from simulator.workload.queues import Backlog, Counts
from simulator.world import World


@dataclass(frozen=True)
class FunctionMeasures:
    """Writes metrics of functions and queues into the store."""

    metrics: MetricStore
    world: World

    def publish(self, work: Work) -> None:
        """All metrics of one function's tick."""
        name, alias = work.function.name, work.function.alias
        plain = {"FunctionName": name}
        for dimensions in (plain, {**plain, "Resource": f"{name}:{alias}"}):
            self._lambda(work, dimensions)
        self._application(work, {"Service": name})

    def _lambda(self, work: Work, dimensions: dict[str, str]) -> None:
        namespace, at = "AWS/Lambda", work.at
        if work.invocations:
            ran = len(work.invocations)
            self.metrics.put(namespace, "Invocations", dimensions, at, 1, ran)
            self.metrics.put(namespace, "Errors", dimensions, at, 1, work.errors)
            self.metrics.put(namespace, "Errors", dimensions, at, 0, ran - work.errors)
            durations = [(round(one.duration_ms, 2), 1.0) for one in work.invocations]
            self.metrics.put_values(namespace, "Duration", dimensions, at, durations)
            self.metrics.put(namespace, "ConcurrentExecutions", dimensions, at, work.concurrency)
        if work.invocations or work.throttles:
            self.metrics.put(namespace, "Throttles", dimensions, at, work.throttles)

    def publish_account(
        self, done: Sequence[Work], at_once: AtOnce, state: LambdaState, at: datetime
    ) -> None:
        """The metrics of all functions together, which have no dimensions; the first is the quota's usage metric."""
        if not any(work.invocations or work.throttles for work in done):
            return
        namespace = "AWS/Lambda"
        for name, value in (
            ("ConcurrentExecutions", at_once.most),
            ("UnreservedConcurrentExecutions", at_once.unreserved),
            ("ClaimedAccountConcurrency", at_once.unreserved + state.reserved),
            ("Throttles", sum(work.throttles for work in done)),
        ):
            self.metrics.put(namespace, name, {}, at, value)
        ran = sum(len(work.invocations) for work in done)
        if ran:
            self.metrics.put(namespace, "Invocations", {}, at, 1, ran)

    def _application(self, work: Work, dimensions: dict[str, str]) -> None:
        namespace, at = self.world.namespace, work.at
        self.metrics.put(namespace, "Requests", dimensions, at, len(work.invocations))
        self.metrics.put(namespace, "Errors", dimensions, at, work.errors)
        if work.invocations:
            durations = [(round(one.duration_ms, 1), 1.0) for one in work.invocations]
            self.metrics.put_values(namespace, "LatencyMs", dimensions, at, durations)
        for one in work.function.metrics:
            count = work.handled if one.counts == "handled" else work.lost
            self.metrics.put(namespace, one.name, dimensions, at, count)

    def publish_queue(self, backlog: Backlog, at: datetime, seconds: int) -> None:
        """The metrics of one queue at the end of a tick, and a new count for the next."""
        dimensions, namespace = {"QueueName": backlog.world.name}, "AWS/SQS"
        counts, backlog.counts = backlog.counts, Counts()
        for name, count in (
            ("NumberOfMessagesSent", counts.sent),
            ("NumberOfMessagesReceived", counts.received),
            ("NumberOfMessagesDeleted", counts.deleted),
        ):
            self.metrics.put(namespace, name, dimensions, at, count)
        oldest = backlog.oldest()
        age = 0 if oldest is None else max(0, round(at.timestamp() + seconds - oldest))
        visible, hidden = sum(1 for _ in backlog.visible()), sum(1 for _ in backlog.hidden())
        self.metrics.put(namespace, "ApproximateNumberOfMessagesVisible", dimensions, at, visible)
        self.metrics.put(namespace, "ApproximateNumberOfMessagesNotVisible", dimensions, at, hidden)
        self.metrics.put(namespace, "ApproximateAgeOfOldestMessage", dimensions, at, age)
