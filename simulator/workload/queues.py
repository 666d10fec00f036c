"""Queues as their consumers see them: messages in lanes, some of them held back, some of them dead.

A FIFO queue has one lane for each message group, in which a failed batch is tried again before anything behind
it. A standard queue's lanes are its pollers, and a failed batch comes back later beside the others. A message
that was received `max_receives` times goes to the dead-letter queue when it would be received again
(https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html).
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import md5
from itertools import chain
from uuid import UUID

from simulator.world import QueueWorld


@dataclass(slots=True)
class Message:
    """One message. `body` is given where it is not one of the usual ones."""

    number: int
    sent_at: float
    queue: str
    lane: int
    body: str | None = None
    is_poison: bool = False
    receives: int = 0
    origin: str = ""
    given_id: str | None = None

    @property
    def id(self) -> str:
        """The id that SQS gave it, which it keeps in every queue."""
        if self.given_id is None:
            name = f"{self.origin}/{self.number}".encode()
            self.given_id = str(UUID(bytes=md5(name, usedforsecurity=False).digest()))
        return self.given_id


@dataclass
class Lane:
    """Messages in their order. `held` was received and failed, and is hidden until `ready_at`."""

    waiting: deque[Message] = field(default_factory=deque)
    held: list[Message] = field(default_factory=list)
    ready_at: float = 0.0

    def next_at(self) -> float | None:
        """When something can be received from it, or None."""
        if self.held:
            return self.ready_at
        return max(self.ready_at, self.waiting[0].sent_at) if self.waiting else None


@dataclass(frozen=True)
class QueueSettings:
    """The attributes of a queue that decide what becomes of its messages."""

    visibility_seconds: int
    dead_letter: str | None = None
    max_receives: int = 0


@dataclass
class Counts:
    """What happened at a queue in a tick."""

    sent: int = 0
    received: int = 0
    deleted: int = 0


@dataclass
class Backlog:
    """One queue's messages."""

    world: QueueWorld
    settings: QueueSettings
    lanes: list[Lane] = field(default_factory=list)
    returning: list[tuple[float, list[Message]]] = field(default_factory=list)
    counts: Counts = field(default_factory=Counts)
    lost: int = 0
    _number: int = 0

    def __post_init__(self) -> None:
        self.lanes = [Lane() for _ in range(self.world.groups)]

    def send(self, at: float, body: str | None = None, *, is_poison: bool = False) -> Message:
        """A new message, at the end of the lane whose turn it is."""
        lane = self._number % len(self.lanes)
        self._number += 1
        name = self.world.name
        message = Message(self._number, at, name, lane, body, is_poison, origin=name)
        self.lanes[lane].waiting.append(message)
        self.counts.sent += 1
        return message

    def take_in(self, messages: Iterable[Message]) -> None:
        """Messages from another queue, with the ids and the times of sending they have."""
        for message in messages:
            message.receives, message.queue = 0, self.world.name
            message.lane %= len(self.lanes)
            self.lanes[message.lane].waiting.append(message)

    def receive(self, lane: Lane, batch_size: int, at: float) -> list[Message]:
        """The next batch of a lane."""
        if lane.held:
            batch, lane.held = lane.held, []
        else:
            batch = []
            while lane.waiting and len(batch) < batch_size and lane.waiting[0].sent_at <= at:
                batch.append(lane.waiting.popleft())
        return batch

    def dying(self, batch: list[Message]) -> list[Message]:
        """Those of a batch that were received too often already."""
        if self.settings.dead_letter is None:
            return []
        return [one for one in batch if one.receives >= self.settings.max_receives]

    def failed(self, lane: Lane, batch: list[Message], at: float) -> None:
        """A batch was received and not deleted: it is hidden until its visibility timeout is over."""
        back_at = at + self.settings.visibility_seconds
        if self.world.is_fifo:
            lane.held, lane.ready_at = batch, back_at
        else:
            self.returning.append((back_at, batch))

    def come_back(self, until: float) -> None:
        """Put what failed, and is visible again, at the head of its lane."""
        for back_at, batch in [one for one in self.returning if one[0] < until]:
            self.returning.remove((back_at, batch))
            self.lanes[batch[0].lane].waiting.extendleft(reversed(batch))

    def remove(self, message: Message) -> None:
        """Somebody deleted a message that nobody had handled."""
        lane = self.lanes[message.lane]
        for place in (lane.waiting, lane.held, *(batch for _, batch in self.returning)):
            if message in place:
                place.remove(message)
        self.returning = [one for one in self.returning if one[1]]

    def hidden(self) -> Iterator[Message]:
        """The messages that were received and are not visible now."""
        yield from chain.from_iterable(lane.held for lane in self.lanes)
        yield from chain.from_iterable(batch for _, batch in self.returning)

    def visible(self) -> Iterator[Message]:
        """The messages that could be received now."""
        yield from chain.from_iterable(lane.waiting for lane in self.lanes)

    def oldest(self) -> float | None:
        """When the oldest message that is not deleted was sent."""
        heads = [lane.waiting[0].sent_at for lane in self.lanes if lane.waiting]
        return min(chain(heads, (one.sent_at for one in self.hidden())), default=None)
