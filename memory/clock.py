"""The one way to know and to wait for the account's time."""

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
