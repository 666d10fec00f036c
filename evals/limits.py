"""How long things may take: one trial, and a whole run."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

import httpx
from botocore.exceptions import BotoCoreError, ClientError

from tools.errors import CopilotError


class TrialTooLong(BaseException):
    """A trial took longer than it may. Like Ctrl-C it passes through whatever swallows mere errors."""


# What ends one trial and not the others: ours, and what AWS's clients or the account itself may raise.
BROKEN = (CopilotError, ClientError, BotoCoreError, httpx.HTTPError, TrialTooLong)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Break the block off with TrialTooLong after so many seconds, whatever it waits for.

    Only the main thread can be broken off so; what the block opened it still closes, such as its account.
    """

    def ring(number: int, frame: FrameType | None) -> None:
        raise TrialTooLong(f"broken off after {seconds:g} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@dataclass(frozen=True)
class Deadline:
    """When a run begins no further trial; without minutes it has no end."""

    minutes: float | None = None
    began: float = field(default_factory=time.monotonic)

    @property
    def passed(self) -> bool:
        """Say whether the minutes are over."""
        return self.minutes is not None and time.monotonic() - self.began >= self.minutes * 60
