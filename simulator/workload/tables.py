"""A table's write capacity: what it takes, what it saves up, what it throttles.

Unused capacity is kept for bursts, as DynamoDB keeps up to five minutes of it
(https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/burst-adaptive-capacity.html).
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Writing:
    """What became of the write units that were asked for."""

    asked: float = 0.0
    taken: float = 0.0

    @property
    def refused_share(self) -> float:
        """The share of the units that was throttled."""
        return 1 - self.taken / self.asked if self.asked else 0.0


@dataclass
class WriteMeter:
    """One table's bucket of write units, shared by all who write to it."""

    burst_seconds: int
    available: float = 0.0

    def refill(self, capacity: int, seconds: float) -> None:
        """Add `seconds` of `capacity` units a second to what was saved up."""
        self.available = min(self.available, float(capacity * self.burst_seconds)) + capacity * seconds

    def take(self, asked: float) -> Writing:
        """Write `asked` units, as far as there are any."""
        taken = min(asked, self.available)
        self.available -= taken
        return Writing(asked, taken)
