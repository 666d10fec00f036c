"""Moments in text, each later than every one this process has made or read.

Which of two writes was first must not rest on two hosts' clocks: LangGraph reads a checkpoint before it writes to
it, so what it then writes is stamped later than all that stood there.
"""

import random
import threading
from collections.abc import Callable

DIGITS = 20


class Stamps:
    """Makes stamps."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._last = 0
        # Seeded by the system, and asked without a system call: those let other threads go first.
        self._chance = random.Random()
        self._lock = threading.Lock()

    def next(self) -> str:
        """Return a stamp of its own, later than all before it."""
        with self._lock:
            self._last = max(self._last + 1, int(self._now() * 1_000_000_000))
            return f"{self._last:0{DIGITS}d}{self._chance.getrandbits(24):06x}"

    def seen(self, stamp: str) -> None:
        """Take note of a stamp that was read."""
        with self._lock:
            self._last = max(self._last, int(stamp[:DIGITS]))
