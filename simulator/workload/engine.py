"""The account's own life: each tick, what runs meets the load, and leaves metrics and logs."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from simulator.ecs.records import Service, Task
from simulator.ecs.rollout import run_out_of_memory
from simulator.workload.flow import TICK_SECONDS, Moment, Running, Streams
from simulator.workload.holdings import Holdings
from simulator.workload.load import Load
from simulator.workload.logwriting import LogWriter
from simulator.workload.measures import Measures
from simulator.workload.memory import TaskMemory, pressure
from simulator.workload.messaging import Messaging
from simulator.workload.readings import Readings
from simulator.workload.tables import meters_of
from simulator.world import (
    ApiCall,
    Deploy,
    Event,
    FunctionDeploy,
    Illness,
    ImageExpiry,
    Poison,
    Release,
    ServiceWorld,
    World,
)

TICK = timedelta(seconds=TICK_SECONDS)
# History older than this is played in whole minutes: the resolution of its metrics stays what it is.
FINE_HISTORY = timedelta(hours=3)
COARSE_TICK = timedelta(minutes=1)
UNKNOWN = Release(image="", error_share=0.0)

Deed = Deploy | FunctionDeploy | ApiCall
Acting = Callable[[Deed], Awaitable[None]]
Reading = Callable[[], Awaitable[Readings]]


@dataclass
class Workload:
    """Plays a world. `read` says what the account's other services hold; `act` calls the account's API."""

    world: World
    start: datetime
    held: Holdings
    read: Reading
    act: Acting
    seed: int = 0
    _done: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._releases = {one.image: one for one in self.world.releases}
        self._worn: dict[str, Release] = {}
        self._ill: dict[str, Illness] = {}
        self._ill_releases: dict[tuple[str, str], Release] = {}
        random = Random(self.seed)
        self._load = Load(self.world.traffic, self.world.events, self.start)
        self._streams = Streams(self.world, self._load, random, meters_of(self.world.tables))
        self._measures = Measures(self.held.metrics, self.world)
        self._writer = LogWriter(self.held.logs, random)
        self._memory = TaskMemory()
        self._messaging = Messaging(self.world, self.held, self._releases, self.start, self.seed)

    def step(self, at: datetime) -> timedelta:
        """How long the tick is that begins at `at`."""
        return COARSE_TICK if at + COARSE_TICK <= self.start - FINE_HISTORY else TICK

    async def tick(self, at: datetime) -> None:
        """Play the tick that begins at `at`: what was due happens first, then traffic runs."""
        seconds = int(self.step(at).total_seconds())
        await self._happen(at)
        for service in self.held.ecs.services():
            self.held.scheduler.move(service, at)
        self._measures.publish_usage(self.held.scheduler.vcpus.used(), at)
        said = await self.read()
        running = {one.name: self._running(one, at) for one in self.world.services}
        flows = self._streams.tick(Moment(at, seconds, said.parameters), running, said.capacities)
        for name, flow in flows.items():
            self._memory.serve(flow)
            no_metrics, no_logs = self._load.silence(name, at)
            memory = self._memory.percent(flow.service, running[name])
            self._measures.publish(flow, memory, silent=no_metrics)
            if not no_logs:
                self._writer.write(flow)
        self._measures.publish_tables(at, flows, said.capacities)
        self._messaging.play(at, seconds, flows, said)

    def lay_over(self, events: Sequence[Event], releases: Sequence[Release]) -> None:
        """Take in what else will happen, dated like the world's own, and what may be rolled out by it."""
        # Load, streams and messaging read the world's own list, so what is added there reaches them all.
        self.world.events.extend(events)
        self.world.releases.extend(releases)
        self._releases.update({one.image: one for one in releases})
        self.held.registry.update(one.image for one in releases if one.can_be_pulled)

    async def _happen(self, at: datetime) -> None:
        """What the world's files date at this tick or before it."""
        for number, event in enumerate(self.world.events):
            if number in self._done or self.start + event.at > at:
                continue
            self._done.add(number)
            if isinstance(event, Deploy | FunctionDeploy | ApiCall):
                await self.act(event)
            elif isinstance(event, ImageExpiry):
                self.held.registry.discard(event.image)
            elif isinstance(event, Illness):
                self._fall_ill(event, number)
            elif isinstance(event, Poison):
                self._messaging.poison(event, at)

    @property
    def ill(self) -> tuple[str, ...]:
        """The tasks that went wrong, whether or not they run on."""
        return tuple(self._ill)

    def _fall_ill(self, event: Illness, number: int) -> None:
        """One of the service's tasks goes wrong: which one, the seed decides."""
        service = self.held.ecs.clusters[self.world.cluster].services.get(event.service)
        running = service.running() if service is not None and service.is_active else []
        if running:
            self._ill[Random(f"{self.seed}-{number}").choice(running).id] = event

    def _running(self, world: ServiceWorld, at: datetime) -> Running:
        """What runs of a service. What was deleted runs nowhere, and what is out of memory no longer."""
        service = self.held.ecs.clusters[self.world.cluster].services.get(world.name)
        if service is None or not service.is_active:
            return Running()
        tasks = self._of_tasks(world, service.running(), at)
        used = self._memory.percent(world, tasks)
        if max(used.values(), default=0.0) >= 100:
            self._kill(service, [one for one, percent in used.items() if percent >= 100], at)
            tasks = self._of_tasks(world, service.running(), at)
            used = self._memory.percent(world, tasks)
        return Running(tasks.tasks, tasks.limits_mb, tasks.strengths, pressure(used))

    def _of_tasks(self, world: ServiceWorld, tasks: list[Task], at: datetime) -> Running:
        limits, strengths = {}, {}
        for task in tasks:
            given = task.definition.parameters
            if given.get("memory") not in (None, world.memory_mb):
                limits[task.id] = float(given["memory"])
            if given.get("cpu") not in (None, world.cpu_units):
                strengths[task.id] = float(given["cpu"]) / float(world.cpu_units)
        running = tuple((task.id, self._as_old(task, at)) for task in tasks)
        return Running(running, limits, strengths)

    def _kill(self, service: Service, tasks: list[str], at: datetime) -> None:
        for task in service.running():
            if task.id in tasks:
                run_out_of_memory(task, at)
                self._memory.forget(task.id)
        self.held.scheduler.move(service, at)

    def _as_old(self, task: Task, at: datetime) -> Release:
        """The release that a task runs, as it behaves at the task's age."""
        release = self._as_well(task, self._release(task.definition.images))
        wears, started = release.wears, task.started_at
        if wears is None or started is None or at - started < wears.after:
            return release
        if task.id in self._ill:
            return release
        if release.image not in self._worn:
            worn = {"error_share": wears.error_share, "logs": [*release.logs, *wears.logs], "wears": None}
            self._worn[release.image] = release.model_copy(update=worn)
        return self._worn[release.image]

    def _as_well(self, task: Task, release: Release) -> Release:
        """The release as one task runs it, which may have gone wrong by itself."""
        illness, key = self._ill.get(task.id), (task.id, release.image)
        if illness is None:
            return release
        if key not in self._ill_releases:
            ill = {"error_share": illness.error_share, "logs": [*release.logs, *illness.logs]}
            self._ill_releases[key] = release.model_copy(update=ill)
        return self._ill_releases[key]

    def _release(self, images: tuple[str, ...]) -> Release:
        return next((self._releases[one] for one in images if one in self._releases), UNKNOWN)
