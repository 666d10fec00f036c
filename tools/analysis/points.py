"""Points of a metric, as evidence stores them. What only reads points loads no arrays for it."""

from collections.abc import Sequence
from datetime import datetime

Point = tuple[datetime, float]
# Sixteen digits say nothing more than six, and pass for a card number with whoever looks for such.
DECIMALS = 6


def points_of(raw: Sequence[Sequence[object]]) -> list[Point]:
    """Read `[time, value]` pairs as stored in evidence."""
    return [(datetime.fromisoformat(str(at)), float(str(value))) for at, value in raw]
