"""The account's own life: each tick, what runs meets the load, and leaves metrics and logs."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from simulator.cloudwatch.metrics import MetricStore
from simulator.ecs.rollout import Scheduler
from simulator.ecs.state import EcsState
from simulator.logs.store import LogStore
from simulator.workload.flow import TICK_SECONDS, Running, Streams
from simulator.workload.load import Load
from simulator.workload.logwriting import LogWriter
from simulator.workload.measures import Measures
from simulator.workload.tables import WriteMeter
from simulator.world import Deploy, ImageExpiry, Release, World

TICK = timedelta(seconds=TICK_SECONDS)
UNKNOWN = Release(image="", error_share=0.0)

Deploying = Callable[[Deploy], Awaitable[None]]
Capacities = Callable[[], Awaitable[Mapping[str, int]]]


@dataclass
class Workload:
    """Plays a world. `capacities` reads the tables' write capacity, `deploy` carries out a deploy.

    `registry` holds the images that can be pulled.
    """

    world: World
    start: datetime
    ecs: EcsState
    registry: set[str]
    scheduler: Scheduler
    metrics: MetricStore
    logs: LogStore
    capacities: Capacities
    deploy: Deploying
    seed: int = 0
    _done: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._releases = {one.image: one for one in self.world.releases}
        random = Random(self.seed)
        load = Load(self.world.traffic, self.world.events, self.start)
        meters = {
            one.name: WriteMeter(one.burst_seconds, float(one.write_capacity * one.burst_seconds))
            for one in self.world.tables
        }
        self._streams = Streams(self.world, load, random, meters)
        self._measures = Measures(self.metrics, self.world)
        self._writer = LogWriter(self.logs, random)

    async def tick(self, at: datetime) -> None:
        """Play the tick that begins at `at`: what was due happens first, then traffic runs."""
        for number, event in enumerate(self.world.events):
            if number in self._done or self.start + event.at > at:
                continue
            self._done.add(number)
            if isinstance(event, Deploy):
                await self.deploy(event)
            elif isinstance(event, ImageExpiry):
                self.registry.discard(event.image)
        for service in self.ecs.services():
            self.scheduler.move(service, at)
        capacity = await self.capacities()
        flows = self._streams.tick(at, self._running(), capacity)
        for flow in flows.values():
            self._measures.publish(flow)
            self._writer.write(flow)
        self._measures.publish_tables(at, flows, capacity)

    def _running(self) -> dict[str, Running]:
        """What runs of each service of the world. What was deleted runs nowhere."""
        cluster = self.ecs.clusters[self.world.cluster]
        running = {}
        for one in self.world.services:
            service = cluster.services.get(one.name)
            tasks = service.running() if service is not None and service.is_active else []
            running[one.name] = Running(
                tuple((task.id, self._release(task.definition.images)) for task in tasks)
            )
        return running

    def _release(self, images: tuple[str, ...]) -> Release:
        return next((self._releases[one] for one in images if one in self._releases), UNKNOWN)
