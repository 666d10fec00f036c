"""Lambda functions at work on their queues, invocation by invocation.

An event source mapping polls each lane, at most every `poll_seconds` while it is idle. A batch that fails stays in
the queue. Invocations beyond the function's reservation, or beyond what the account has left for all functions without
one, are throttled, and their batches wait.
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
"""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from random import Random

from simulator.functions.records import Code, Function
from simulator.functions.records import Mapping as SourceMapping
from simulator.workload.queues import Backlog, Lane, Message
from simulator.world import FunctionWorld, Release

UNKNOWN = Release(image="", error_share=1.0)


@dataclass(frozen=True)
class Invocation:
    """One run of a function over one batch."""

    at: float
    code: Code
    release: Release
    duration_ms: float
    messages: int
    poison: Message | None
    is_failed: bool
    is_timed_out: bool
    lane: int = 0


@dataclass(frozen=True)
class Work:
    """What one function did in a tick."""

    function: FunctionWorld
    at: datetime
    seconds: int
    invocations: Sequence[Invocation] = ()
    throttles: int = 0
    concurrency: int = 0
    lost: int = 0

    @property
    def errors(self) -> int:
        """Invocations that failed."""
        return sum(one.is_failed for one in self.invocations)

    @property
    def handled(self) -> int:
        """Messages that were done."""
        return sum(one.messages for one in self.invocations if not one.is_failed)


@dataclass
class Consumer:
    """One function, its queue and the dead-letter queues that its batches may end in."""

    world: FunctionWorld
    backlog: Backlog
    backlogs: Mapping[str, Backlog]
    releases: Mapping[str, Release]
    random: Random
    _running: list[float] = field(default_factory=list)

    def running_at(self, moment: float) -> int:
        """How many invocations still run; those that have ended by then are forgotten."""
        while self._running and self._running[0] <= moment:
            heapq.heappop(self._running)
        return len(self._running)

    @property
    def first_end(self) -> float:
        """When the first of the invocations that run ends; 0 where none runs."""
        return self._running[0] if self._running else 0.0

    def invoke(self, lane: Lane, at: float, function: Function, mapping: SourceMapping) -> Invocation | None:
        """Run the function over the next batch of a lane; None where all of it was given up."""
        done = self._invoke(lane, at, function, mapping)
        if done is not None:
            heapq.heappush(self._running, done.at + done.duration_ms / 1000)
        return done

    def next_batch(self, begin: float) -> tuple[float, Lane] | None:
        """When the next batch can be received, and from which lane."""
        found: tuple[float, Lane] | None = None
        for lane in self.backlog.lanes:
            ready = lane.next_at()
            if ready is not None and (found is None or max(ready, begin) < found[0]):
                found = max(ready, begin), lane
        return found

    def _invoke(self, lane: Lane, at: float, function: Function, mapping: SourceMapping) -> Invocation | None:
        batch = self.backlog.receive(lane, mapping.batch_size, at)
        dead = self.backlog.dying(batch)
        if dead:
            target = self.backlogs.get(self.backlog.settings.dead_letter or "")
            if target is not None:
                target.take_in(dead)
            batch = [one for one in batch if one not in dead]
        if not batch:
            return None
        self.backlog.counts.received += len(batch)
        for message in batch:
            message.receives += 1
        code = function.invoked(mapping.qualifier, self.random)
        release = self.releases.get(code.image, UNKNOWN)
        poison = next((one for one in batch if one.is_poison), None)
        took = self._duration(len(batch), release)
        late = took > code.timeout_seconds * 1000
        failed = poison is not None or late or self.random.random() < release.error_share
        if failed:
            took = min(took, code.timeout_seconds * 1000.0)
            lane.ready_at = max(at + self.world.poll_seconds, at + took / 1000)
            self.backlog.failed(lane, batch, at)
        else:
            self.backlog.counts.deleted += len(batch)
            lane.ready_at = at + max(self.world.poll_seconds * self._idle(lane, at), took / 1000)
        return Invocation(at, code, release, took, len(batch), poison, failed, late, batch[0].lane)

    def _idle(self, lane: Lane, at: float) -> bool:
        """Whether a poller would find less than a batch, and so leaves messages time to come."""
        size = self.world.batch_size
        return len(lane.waiting) < size or lane.waiting[size - 1].sent_at > at

    def _duration(self, messages: int, release: Release) -> float:
        usual = self.world.base_duration_ms + messages * self.world.message_duration_ms
        return usual * release.latency_factor * max(0.5, self.random.gauss(1.0, 0.08))
