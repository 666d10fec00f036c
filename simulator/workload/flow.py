"""One tick of traffic through the services: who is asked how often, and how that goes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import inf
from random import Random

from simulator.workload.calls import Calls, timed_out_share
from simulator.workload.chance import counted, rounded
from simulator.workload.load import Load
from simulator.workload.tables import Meters, Units, Use, refused_share
from simulator.world import Flag, Release, ServiceWorld, World

TICK_SECONDS = 10


@dataclass(frozen=True)
class Running:
    """The tasks of a service that run, and the release each one runs.

    `limits_mb` and `strengths` are for tasks whose definition gives other memory or CPU than the world does;
    `pressure` is how much longer requests take because memory is short.
    """

    tasks: tuple[tuple[str, Release], ...] = ()
    limits_mb: Mapping[str, float] = field(default_factory=dict)
    strengths: Mapping[str, float] = field(default_factory=dict)
    pressure: float = 1.0

    @property
    def releases(self) -> list[Release]:
        """The releases, once for each task."""
        return [release for _, release in self.tasks]

    @property
    def strength(self) -> float:
        """How many tasks of the usual size these are."""
        return sum(self.strengths.get(task, 1.0) for task, _ in self.tasks)


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
    writing: Mapping[str, Use]
    latency_ms: float
    cpu_percent: float
    batch_cpu: float
    timeouts: int = 0
    external_errors: int = 0
    failing_external: str = ""
    flags: tuple[Flag, ...] = ()
    seconds: int = TICK_SECONDS
    failed_reads: int = 0
    reading: Mapping[str, Use] = field(default_factory=dict)

    @property
    def errors(self) -> int:
        """All requests that failed."""
        through = self.dependency_errors + self.timeouts + self.external_errors
        return self.overloaded + self.own_errors + through + self.failed_reads + self.failed_writes

    @property
    def error_share(self) -> float:
        """The share of requests that failed."""
        return self.errors / self.requests if self.requests else 0.0


@dataclass(frozen=True)
class Moment:
    """What a tick knows before traffic runs: when it is, and what the account's settings say."""

    at: datetime
    seconds: int = TICK_SECONDS
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Streams:
    """The services of a world in the order in which requests run through them."""

    world: World
    load: Load
    random: Random
    meters: dict[str, Meters]

    def __post_init__(self) -> None:
        self._callers_first = callers_first(self.world.services)
        # Calls made again in the last tick, as a factor on the calls of each caller to each service.
        self._again: dict[tuple[str, str], float] = {}

    def tick(
        self, moment: Moment, running: Mapping[str, Running], capacity: Mapping[str, Units]
    ) -> dict[str, Flow]:
        """The flows of all services in the tick that begins at `moment`; `capacity` is each table's."""
        for table, units in capacity.items():
            self.meters[table].refill(units, moment.seconds)
        requests = self._requests(moment)
        flows: dict[str, Flow] = {}
        for service in reversed(self._callers_first):
            asked, tasks = requests[service.name], running[service.name]
            flows[service.name] = self._flow(service, moment, asked, tasks, flows)
        return flows

    def _requests(self, moment: Moment) -> dict[str, int]:
        noise = max(0.0, self.random.gauss(1.0, self.load.traffic.noise))
        front = self.load.requests_per_minute(moment.at) * noise * moment.seconds / 60
        expected = {one.name: front * one.entry_share for one in self._callers_first}
        for service in self._callers_first:
            for call in service.calls:
                again = self._again.get((service.name, call.service), 1.0)
                expected[call.service] += expected[service.name] * call.per_request * again
        return {name: rounded(self.random, value) for name, value in expected.items()}

    def _flow(
        self,
        service: ServiceWorld,
        moment: Moment,
        asked: int,
        tasks: Running,
        callees: Mapping[str, Flow],
    ) -> Flow:
        flags = tuple(one for one in service.flags if moment.parameters.get(one.parameter) == one.value)
        outside = Calls.outside(service, moment.parameters, self.load, moment.at)
        able = tasks.strength * service.capacity_per_task * moment.seconds / 60
        able *= outside.free_share(service) * _product(flags, "capacity_factor")
        use = asked / able if able else (inf if asked else 0.0)
        slower, hidden = self.load.slowdown(service.name, moment.at)
        # Each request fails for one reason at most: turned away, by itself, below, or at a table.
        left = asked - (overloaded := counted(self.random, asked, max(0.0, 1 - 1 / use) if use else 0.0))
        own_share = 1 - (1 - _mean(tasks, "error_share")) * (1 - hidden) * _unflagged(flags)
        left -= (own := counted(self.random, left, own_share))
        below = sum(one.per_request * callees[one.service].error_share for one in service.calls)
        left -= (through := counted(self.random, left, min(1.0, below)))
        left -= (late := counted(self.random, left, self._given_up(service, moment, callees)))
        left -= (external := counted(self.random, left, outside.error_share))
        unread = refused_share(reading := self._read(service, left))
        left -= (failed_reads := counted(self.random, left, unread))
        refused = refused_share(writing := self._write(service, left))
        slower *= queueing(use) * (1 + refused) * (1 + unread) * _product(flags, "latency_factor")
        slower *= max(0.5, self.random.gauss(1.0, 0.04)) * tasks.pressure
        batch = self.load.batch_cpu(service.name, moment.at)
        return Flow(
            service=service,
            at=moment.at,
            running=tasks,
            requests=asked,
            overloaded=overloaded,
            own_errors=own,
            dependency_errors=through,
            failed_writes=counted(self.random, left, refused),
            writing=writing,
            latency_ms=_latency(service, tasks, slower, callees) + outside.latency_ms,
            cpu_percent=self._cpu(service, tasks, use * _product(flags, "cpu_factor"), batch),
            batch_cpu=batch,
            timeouts=late,
            external_errors=external,
            failing_external=outside.failing,
            flags=flags,
            seconds=moment.seconds,
            failed_reads=failed_reads,
            reading=reading,
        )

    def _given_up(self, service: ServiceWorld, moment: Moment, callees: Mapping[str, Flow]) -> float:
        """The share of requests that fail since a call took too long at every attempt."""
        failing = 0.0
        for call in service.calls:
            late = timed_out_share(call, moment.parameters, callees[call.service].latency_ms)
            self._again[service.name, call.service] = sum(late**attempt for attempt in range(call.attempts))
            failing += call.per_request * late**call.attempts
        return min(1.0, failing)

    def _cpu(self, service: ServiceWorld, tasks: Running, use: float, batch: float) -> float:
        busy = service.full_cpu * min(use, 1.6) * _mean(tasks, "cpu_factor")
        return max(0.5, min(100.0, service.idle_cpu + busy + batch + self.random.gauss(0, 1.2)))

    def _write(self, service: ServiceWorld, requests: int) -> dict[str, Use]:
        meters = self.meters
        return {
            one.table: meters[one.table].writes.take(requests * one.per_request) for one in service.writes
        }

    def _read(self, service: ServiceWorld, requests: int) -> dict[str, Use]:
        meters = self.meters
        return {one.table: meters[one.table].reads.take(requests * one.per_request) for one in service.reads}


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


def _product(flags: Sequence[Flag], quality: str) -> float:
    product = 1.0
    for one in flags:
        product *= float(getattr(one, quality))
    return product


def _unflagged(flags: Sequence[Flag]) -> float:
    right = 1.0
    for one in flags:
        right *= 1 - one.error_share
    return right
