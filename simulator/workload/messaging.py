"""Queues and functions of a world, tick by tick: what services send, what functions make of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from string import Template

from simulator.wire.protocol import ACCOUNT, REGION
from simulator.workload.chance import rounded
from simulator.workload.concurrency import AtOnce, SharedConcurrency, Shift
from simulator.workload.flow import Flow
from simulator.workload.function_logs import FunctionLogWriter
from simulator.workload.function_measures import FunctionMeasures
from simulator.workload.functions import Consumer, Work
from simulator.workload.holdings import Holdings
from simulator.workload.queues import Backlog, Message, QueueSettings
from simulator.workload.readings import Readings
from simulator.world import Backfill, FunctionWorld, Poison, Release, World


@dataclass
class Messaging:
    """Plays the world's queues and functions. It has chance of its own, beside the services'."""

    world: World
    held: Holdings
    releases: Mapping[str, Release]
    start: datetime
    seed: int

    def __post_init__(self) -> None:
        self._random = Random(f"{self.seed}/messaging")
        self._backlogs = {
            one.name: Backlog(one, QueueSettings(one.visibility_seconds, one.dead_letter, one.max_receives))
            for one in self.world.queues
        }
        self._consumers = {
            one.name: Consumer(one, self._backlogs[one.consumes], self._backlogs, self.releases, self._random)
            for one in self.world.functions
        }
        self._measures = FunctionMeasures(self.held.metrics, self.world)
        self._writer = FunctionLogWriter(self.held.logs, self._random)
        self._poisons: set[str] = set()

    def poison(self, event: Poison, at: datetime) -> None:
        """A message on which every consumer fails comes into its queue."""
        self._poisons.add(event.body)
        self._backlogs[event.queue].send(at.timestamp(), event.body, is_poison=True)

    def play(self, at: datetime, seconds: int, flows: Mapping[str, Flow], said: Readings) -> None:
        """One tick: others' interference, new messages, then the functions at work."""
        for name, backlog in self._backlogs.items():
            backlog.settings = said.queues.get(name, backlog.settings)
        if at >= self.start:
            self._heed(at)
        for flow in flows.values():
            self._send(flow, at, seconds)
        self._fill(at, seconds)
        done, at_once = self._work(at, seconds)
        for work in done:
            self._measures.publish(work)
            self._writer.write(work)
        self._measures.publish_account(done, at_once, self.held.functions, at)
        for backlog in self._backlogs.values():
            self._measures.publish_queue(backlog, at, seconds)
            if at >= self.start:
                self.held.mirror.show(backlog, self._usual(backlog))

    def _send(self, flow: Flow, at: datetime, seconds: int) -> None:
        begin = at.timestamp()
        for sends in flow.service.sends:
            backlog = self._backlogs[sends.queue]
            count = rounded(self._random, (flow.requests - flow.errors) * sends.per_request)
            for moment in sorted(self._random.uniform(0, seconds) for _ in range(count)):
                backlog.send(begin + moment)

    def _fill(self, at: datetime, seconds: int) -> None:
        """What jobs put into queues in this tick, one message as long after the other."""
        begin = at - self.start
        for event in self.world.events:
            if isinstance(event, Backfill):
                count = event.due(begin, begin + timedelta(seconds=seconds))
                for number in range(count):
                    self._backlogs[event.queue].send(at.timestamp() + seconds * number / count)

    def _work(self, at: datetime, seconds: int) -> tuple[list[Work], AtOnce]:
        """Let the functions that take from their queues work; what each function of the world did."""
        shifts = [shift for world in self.world.functions if (shift := self._shift(world, at.timestamp()))]
        shared = SharedConcurrency(self.held.functions, tuple(self._consumers.values()))
        done, at_once = shared.play(shifts, at, seconds)
        worked = {work.function.name: work for work in done}
        return [worked.get(one.name) or self._idle(one, at, seconds) for one in self.world.functions], at_once

    def _shift(self, world: FunctionWorld, begin: float) -> Shift | None:
        function = self.held.functions.functions.get(world.name)
        arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{world.consumes}"
        mappings = [one for one in self.held.functions.feeding(arn) if one.function == world.name]
        if function is None or not mappings:
            return None
        return Shift(self._consumers[world.name], function, mappings[0], begin)

    def _idle(self, world: FunctionWorld, at: datetime, seconds: int) -> Work:
        backlog = self._consumers[world.name].backlog
        lost, backlog.lost = backlog.lost, 0
        return Work(world, at, seconds, lost=lost)

    def _heed(self, at: datetime) -> None:
        """Take note of messages that others deleted, moved or sent through the API."""
        found = self.held.mirror.interference(self._backlogs)
        if not found.is_any:
            return
        gone = {one.id: one for one in found.gone}
        for one in found.gone:
            self._backlogs[one.queue].remove(one)
        for name, id_, body in found.arrived:
            moved = gone.pop(id_, None)
            if moved is not None:
                self._backlogs[name].take_in([moved])
            else:
                is_poison = body in self._poisons
                sent = self._backlogs[name].send(at.timestamp(), body, is_poison=is_poison)
                sent.given_id = id_
        for one in gone.values():
            if not one.is_poison:
                self._source(one).lost += 1

    def _source(self, message: Message) -> Backlog:
        """The queue whose consumer misses a message: its own, or the one that it died in."""
        for backlog in self._backlogs.values():
            if backlog.settings.dead_letter == message.queue:
                return backlog
        return self._backlogs[message.queue]

    def _usual(self, backlog: Backlog) -> str:
        return Template(backlog.world.body).safe_substitute(order_id=f"ord-{self.seed:07x}")
