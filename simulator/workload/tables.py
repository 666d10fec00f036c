"""A table's capacity: what it takes, what it saves up, what it throttles. Reads and writes are metered apart.

Unused capacity is kept for bursts, as DynamoDB keeps up to five minutes of it
(https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/burst-adaptive-capacity.html).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from simulator.world import TableWorld


@dataclass(frozen=True)
class Use:
    """What became of the units that were asked for."""

    asked: float = 0.0
    taken: float = 0.0

    @property
    def refused_share(self) -> float:
        """The share of the units that was throttled."""
        return 1 - self.taken / self.asked if self.asked else 0.0


def refused_share(uses: Mapping[str, Use]) -> float:
    """The share of requests that cannot be done since a table throttles them: of several tables the worst decides."""
    return max((one.refused_share for one in uses.values()), default=0.0)


@dataclass
class Meter:
    """One table's bucket of read or write units, shared by all who use it."""

    burst_seconds: int
    available: float = 0.0

    def refill(self, capacity: int, seconds: float) -> None:
        """Add `seconds` of `capacity` units a second to what was saved up."""
        self.available = min(self.available, float(capacity * self.burst_seconds)) + capacity * seconds

    def take(self, asked: float) -> Use:
        """Use `asked` units, as far as there are any."""
        taken = min(asked, self.available)
        self.available -= taken
        return Use(asked, taken)


class Units(NamedTuple):
    """A table's capacity, in units a second."""

    read: int
    write: int


@dataclass(frozen=True)
class Meters:
    """Both buckets of one table."""

    reads: Meter
    writes: Meter

    def refill(self, capacity: Units, seconds: float) -> None:
        """Add `seconds` of the capacity to both."""
        self.reads.refill(capacity.read, seconds)
        self.writes.refill(capacity.write, seconds)


def meters_of(tables: Iterable[TableWorld]) -> dict[str, Meters]:
    """The meters of a world's tables, with all that bursts may save up."""
    return {one.name: Meters(_full(one, one.read_capacity), _full(one, one.write_capacity)) for one in tables}


def _full(table: TableWorld, capacity: int) -> Meter:
    return Meter(table.burst_seconds, float(capacity * table.burst_seconds))
