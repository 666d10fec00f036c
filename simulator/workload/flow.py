"""One tick of traffic through the services: who is asked how often, and how that goes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import inf
from random import Random

from simulator.workload.chance import counted, rounded
from simulator.workload.load import Load
from simulator.workload.tables import WriteMeter, Writing
from simulator.world import Release, ServiceWorld, World

TICK_SECONDS = 10


@dataclass(frozen=True)
class Running:
    """The tasks of a service that run, and the release each one runs."""

    tasks: tuple[tuple[str, Release], ...] = ()

    @property
    def releases(self) -> list[Release]:
        """The releases, once for each task."""
        return [release for _, release in self.tasks]


@dataclass(frozen=True)
class Flow:
    """What one service did in one tick."""

    service: ServiceWorld
    at: datetime
    running: Running
    requests: int
    overloaded: int
    own_errors: int
    dependency_errors: int
    failed_writes: int
    writing: Mapping[str, Writing]
    latency_ms: float
    cpu_percent: float
    batch_cpu: float

    @property
    def errors(self) -> int:
        """All requests that failed."""
        return self.overloaded + self.own_errors + self.dependency_errors + self.failed_writes

    @property
    def error_share(self) -> float:
        """The share of requests that failed."""
        return self.errors / self.requests if self.requests else 0.0


@dataclass
class Streams:
    """The services of a world in the order in which requests run through them."""

    world: World
    load: Load
    random: Random
    meters: dict[str, WriteMeter]

    def __post_init__(self) -> None:
        self._callers_first = callers_first(self.world.services)

    def tick(
        self, at: datetime, running: Mapping[str, Running], capacity: Mapping[str, int]
    ) -> dict[str, Flow]:
        """The flows of all services in the tick that begins at `at`; `capacity` is each table's."""
        for table, units in capacity.items():
            self.meters[table].refill(units, TICK_SECONDS)
        requests = self._requests(at)
        flows: dict[str, Flow] = {}
        for service in reversed(self._callers_first):
            flows[service.name] = self._flow(
                service, at, requests[service.name], running[service.name], flows
            )
        return flows

    def _requests(self, at: datetime) -> dict[str, int]:
        noise = max(0.0, self.random.gauss(1.0, self.load.traffic.noise))
        front = self.load.requests_per_minute(at) * noise * TICK_SECONDS / 60
        expected = {one.name: front * one.entry_share for one in self._callers_first}
        for service in self._callers_first:
            for call in service.calls:
                expected[call.service] += expected[service.name] * call.per_request
        return {name: rounded(self.random, value) for name, value in expected.items()}

    def _flow(
        self,
        service: ServiceWorld,
        at: datetime,
        asked: int,
        tasks: Running,
        callees: Mapping[str, Flow],
    ) -> Flow:
        able = len(tasks.tasks) * service.capacity_per_task * TICK_SECONDS / 60
        use = asked / able if able else (inf if asked else 0.0)
        slower, hidden = self.load.slowdown(service.name, at)
        # Each request fails for one reason at most: turned away, by itself, below, or at a table.
        left = asked - (overloaded := counted(self.random, asked, max(0.0, 1 - 1 / use) if use else 0.0))
        own_share = 1 - (1 - _mean(tasks, "error_share")) * (1 - hidden)
        left -= (own := counted(self.random, left, own_share))
        below = sum(one.per_request * callees[one.service].error_share for one in service.calls)
        left -= (through := counted(self.random, left, min(1.0, below)))
        writing = self._write(service, left)
        refused = max((one.refused_share for one in writing.values()), default=0.0)
        slower *= queueing(use) * (1 + refused) * max(0.5, self.random.gauss(1.0, 0.04))
        batch = self.load.batch_cpu(service.name, at)
        return Flow(
            service=service,
            at=at,
            running=tasks,
            requests=asked,
            overloaded=overloaded,
            own_errors=own,
            dependency_errors=through,
            failed_writes=counted(self.random, left, refused),
            writing=writing,
            latency_ms=_latency(service, tasks, slower, callees),
            cpu_percent=self._cpu(service, tasks, use, batch),
            batch_cpu=batch,
        )

    def _cpu(self, service: ServiceWorld, tasks: Running, use: float, batch: float) -> float:
        busy = service.full_cpu * min(use, 1.6) * _mean(tasks, "cpu_factor")
        return max(0.5, min(100.0, service.idle_cpu + busy + batch + self.random.gauss(0, 1.2)))

    def _write(self, service: ServiceWorld, requests: int) -> dict[str, Writing]:
        return {one.table: self.meters[one.table].take(requests * one.per_request) for one in service.writes}


def _latency(service: ServiceWorld, tasks: Running, slower: float, callees: Mapping[str, Flow]) -> float:
    """The median: the service's own time and that of the calls it waits for."""
    own = service.base_latency_ms * _mean(tasks, "latency_factor") * slower
    return own + sum(one.per_request * callees[one.service].latency_ms for one in service.calls)


def queueing(use: float) -> float:
    """How much longer a request takes when a share `use` of the capacity is used."""
    return 1 + 20 * max(0.0, min(use, 1.5) - 0.7) ** 2


def callers_first(services: Sequence[ServiceWorld]) -> list[ServiceWorld]:
    """The services ordered so that each comes before those it calls."""
    ordered: list[ServiceWorld] = []
    waiting = list(services)
    while waiting:
        called = {call.service for one in waiting for call in one.calls}
        ready = [one for one in waiting if one.name not in called]
        ordered += ready
        waiting = [one for one in waiting if one.name in called]
    return ordered


def _mean(running: Running, quality: str) -> float:
    values = [float(getattr(one, quality)) for one in running.releases]
    return sum(values) / len(values) if values else (0.0 if quality == "error_share" else 1.0)
