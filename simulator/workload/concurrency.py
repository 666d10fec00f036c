"""Functions at work side by side: what runs of one takes from what the account lets run of all.

A function with a reservation has that for itself. The others share what the reservations leave of the account's quota,
first come, first served (https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from simulator.functions.records import Function, LambdaState
from simulator.functions.records import Mapping as SourceMapping
from simulator.workload.functions import Consumer, Invocation, Work
from simulator.workload.queues import Lane


@dataclass
class Shift:
    """One function's work in a tick."""

    consumer: Consumer
    function: Function
    mapping: SourceMapping
    begin: float
    invocations: list[Invocation] = field(default_factory=list)
    throttles: int = 0
    most: int = 0

    def next_batch(self) -> tuple[float, Lane] | None:
        """When the function could next be invoked, and over which lane's batch."""
        return self.consumer.next_batch(self.begin)

    def try_at(self, moment: float, lane: Lane, beside: Sequence[Consumer], limit: int) -> None:
        """Invoke the function, unless as many of those beside it run as may."""
        if sum(one.running_at(moment) for one in beside) >= limit:
            self.throttles += 1
            # A poller tries again when an invocation of its function may have ended; of others it knows nothing.
            own_end = self.consumer.first_end if len(beside) == 1 else 0.0
            lane.ready_at = max(moment + self.consumer.world.poll_seconds, own_end)
            return
        done = self.consumer.invoke(lane, moment, self.function, self.mapping)
        if done is not None:
            self.most = max(self.most, self.consumer.running_at(moment))
            self.invocations.append(done)


@dataclass(frozen=True)
class AtOnce:
    """What the account runs at once: the most in a tick, of all functions and of those without a reservation."""

    most: int = 0
    unreserved: int = 0


@dataclass(frozen=True)
class SharedConcurrency:
    """Plays a tick of all functions in the order of their invocations."""

    state: LambdaState
    consumers: Sequence[Consumer]

    def play(self, shifts: Sequence[Shift], at: datetime, seconds: int) -> tuple[list[Work], AtOnce]:
        """Let functions work for a tick; what each did, and what ran at once."""
        begin = at.timestamp()
        for shift in shifts:
            shift.consumer.backlog.come_back(begin + seconds)
        pool = self._pool()
        running = [one.running_at(begin) for one in self.consumers]
        most, unreserved = sum(running), sum(one.running_at(begin) for one in pool)
        for shift in shifts:
            shift.most = shift.consumer.running_at(begin)
        while (found := _earliest(shifts)) is not None and found[0] < begin + seconds:
            moment, lane, shift = found
            reserved = shift.function.reserved
            beside = pool if reserved is None else (shift.consumer,)
            shift.try_at(moment, lane, beside, self.state.unreserved if reserved is None else reserved)
            most = max(most, sum(one.running_at(moment) for one in self.consumers))
            unreserved = max(unreserved, sum(one.running_at(moment) for one in pool))
        self.state.in_use = sum(one.running_at(begin + seconds) for one in pool)
        return [_done(shift, at, seconds) for shift in shifts], AtOnce(most, unreserved)

    def _pool(self) -> tuple[Consumer, ...]:
        """Those who share what the reservations leave."""
        functions = self.state.functions
        return tuple(
            one
            for one in self.consumers
            if one.world.name not in functions or functions[one.world.name].reserved is None
        )


def _earliest(shifts: Sequence[Shift]) -> tuple[float, Lane, Shift] | None:
    """The next invocation of any function; of several at the same moment, the first named function's."""
    found: tuple[float, Lane, Shift] | None = None
    for shift in shifts:
        ready = shift.next_batch()
        if ready is not None and (found is None or ready[0] < found[0]):
            found = (*ready, shift)
    return found


def _done(shift: Shift, at: datetime, seconds: int) -> Work:
    backlog = shift.consumer.backlog
    lost, backlog.lost = backlog.lost, 0
    return Work(shift.consumer.world, at, seconds, shift.invocations, shift.throttles, shift.most, lost)
