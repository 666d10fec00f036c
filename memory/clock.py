"""The one way to know and to wait for the account's time."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Time as the account sees it; on AWS this is wall time."""

    def now(self) -> datetime:
        """Return the account's time, aware, in UTC."""
        ...

    def wait_until(self, moment: datetime) -> datetime:
        """Block until the account's time has reached a moment, and return the time then."""
        ...


@dataclass(frozen=True)
class AtOneMoment:
    """A clock by which everything that is asked for one purpose is asked as of the same moment."""

    moment: datetime
    clock: Clock

    def now(self) -> datetime:
        """Return the moment."""
        return self.moment

    def wait_until(self, moment: datetime) -> datetime:
        """Wait by the clock that goes on."""
        return self.clock.wait_until(moment)
