"""The account's log events: time-ordered per group, cheap to append to, read by time range."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from heapq import merge
from itertools import count

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
SEQUENCES = 10**9


class UnknownGroupError(LookupError):
    """No log group of that name exists."""


def milliseconds(moment: datetime) -> int:
    """An aware time as CloudWatch Logs counts it: milliseconds since 1970 UTC."""
    return (moment - EPOCH) // MILLISECOND


def moment_of(stamp: int) -> datetime:
    """The aware UTC time of a millisecond count."""
    return EPOCH + timedelta(milliseconds=stamp)


@dataclass(frozen=True, slots=True)
class LogEvent:
    """One log event. `order` sorts events by time, then by arrival, and is unique in the account."""

    group: str
    stream: str
    at: datetime
    ingested_at: datetime
    message: str
    order: int

    @property
    def stamp(self) -> int:
        """The event's time in milliseconds since 1970."""
        return self.order // SEQUENCES

    @property
    def event_id(self) -> str:
        """56 digits, as CloudWatch Logs names an event."""
        return f"{self.order:056d}"


@dataclass
class LogStream:
    """One stream's own facts; its events live in the group."""

    name: str
    created_at: datetime
    first_at: datetime | None = None
    last_at: datetime | None = None
    last_ingested_at: datetime | None = None

    def saw(self, at: datetime, ingested_at: datetime) -> None:
        """Widen the stream's time span by one event."""
        self.first_at = at if self.first_at is None else min(self.first_at, at)
        self.last_at = at if self.last_at is None else max(self.last_at, at)
        self.last_ingested_at = ingested_at


@dataclass(frozen=True)
class Bulk:
    """Bytes that come evenly into a group and are never read: a query has to scan them beside its events."""

    bytes_a_second: float
    since: datetime

    def between(self, start: datetime, end: datetime) -> int:
        """How many came from one time to another."""
        return round(self.bytes_a_second * max(0.0, (end - max(start, self.since)).total_seconds()))


@dataclass
class LogGroup:
    """One group: its settings, its streams and its events in time order."""

    name: str
    created_at: datetime | None = None
    retention_days: int | None = None
    log_class: str = "STANDARD"
    tags: dict[str, str] = field(default_factory=dict)
    streams: dict[str, LogStream] = field(default_factory=dict)
    stored_bytes: int = 0
    bulk: Bulk | None = None
    _events: list[LogEvent] = field(default_factory=list)
    _orders: list[int] = field(default_factory=list)
    _sorted: bool = True

    def append(self, event: LogEvent) -> None:
        """Add an event. One that comes late is put in its place at the next read."""
        if self._orders and event.order < self._orders[-1]:
            self._sorted = False
        self._events.append(event)
        self._orders.append(event.order)
        self.stored_bytes += len(event.message) + 26

    def between(self, first: int, last: int) -> list[LogEvent]:
        """Events whose time in milliseconds is in [first, last], oldest first."""
        self._settle()
        low = bisect_left(self._orders, first * SEQUENCES)
        high = bisect_right(self._orders, (last + 1) * SEQUENCES - 1)
        return self._events[low:high]

    def holds_at(self, now: datetime) -> int:
        """How many bytes the group holds: its events, and of its bulk what its retention has left."""
        if self.bulk is None:
            return self.stored_bytes
        kept = timedelta(days=self.retention_days) if self.retention_days else now - self.bulk.since
        return self.stored_bytes + self.bulk.between(now - kept, now)

    def earliest(self) -> datetime | None:
        """When the group began: its creation, or its first event where that is older or all we know."""
        self._settle()
        first = self._events[0].at if self._events else None
        begun = self.bulk.since if self.bulk else None
        known = [moment for moment in (self.created_at, first, begun) if moment is not None]
        return min(known) if known else None

    def _settle(self) -> None:
        if not self._sorted:
            self._events.sort(key=lambda event: event.order)
            self._orders = [event.order for event in self._events]
            self._sorted = True


class LogStore:
    """All log groups of the account."""

    def __init__(self) -> None:
        self.groups: dict[str, LogGroup] = {}
        self._sequence = count(1)

    def create_group(self, name: str, created_at: datetime | None = None) -> LogGroup:
        """The group of that name, made if it does not exist yet."""
        if name not in self.groups:
            self.groups[name] = LogGroup(name, created_at)
        return self.groups[name]

    def create_stream(self, group: str, name: str, created_at: datetime) -> LogStream:
        """The stream of that name in an existing group, made if it does not exist yet."""
        return self.group(group).streams.setdefault(name, LogStream(name, created_at))

    def group(self, name: str) -> LogGroup:
        """An existing group, or UnknownGroupError."""
        try:
            return self.groups[name]
        except KeyError:
            raise UnknownGroupError(name) from None

    def append(
        self, group: str, stream: str, at: datetime, message: str, ingested_at: datetime | None = None
    ) -> LogEvent:
        """Add one event; its group and stream come into being with it."""
        order = milliseconds(at) * SEQUENCES + next(self._sequence)
        event = LogEvent(group, stream, at, ingested_at or at, message, order)
        log_group = self.groups.get(group) or self.create_group(group)
        known = log_group.streams.get(stream) or self.create_stream(group, stream, at)
        known.saw(at, event.ingested_at)
        log_group.append(event)
        return event

    def events(self, groups: Iterable[str], start: datetime, end: datetime) -> Iterator[LogEvent]:
        """Events of the groups with start <= time <= end, oldest first across groups."""
        first, last = milliseconds(start), milliseconds(end)
        slices = [self.group(name).between(first, last) for name in groups]
        return iter(slices[0]) if len(slices) == 1 else merge(*slices, key=lambda event: event.order)
