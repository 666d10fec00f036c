"""How long to rest between two rounds: longer each time that one fails, and never as long as another."""

import random
from collections.abc import Callable
from dataclasses import dataclass

FIRST_SECONDS, MOST_SECONDS = 1.0, 60.0


@dataclass
class Rest:
    """Doubles the rest with each round that failed in a row, with jitter, so that servers do not ask all at once.

    Full jitter above half: https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
    """

    usual_seconds: float = 0.0
    chance: Callable[[], float] = random.random
    failures: int = 0

    def seconds(self, *, failed: bool) -> float:
        """Return how long to rest after a round."""
        if not failed:
            self.failures = 0
            return self.usual_seconds
        longest = min(max(self.usual_seconds, FIRST_SECONDS) * 2.0**self.failures, MOST_SECONDS)
        self.failures = min(self.failures + 1, 16)
        return longest * (0.5 + self.chance() / 2)
