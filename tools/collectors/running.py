"""Run collectors side by side, each with a time and a number of its own, and name what did not come."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from tools.errors import CopilotError

COLLECTORS = 32
COLLECTOR_SECONDS = 12.0
# What one collector may raise on an answer that is not what it should be; the others are not stopped by it.
BROKEN = (ClientError, BotoCoreError, CopilotError, LookupError, TypeError, ValueError, ArithmeticError)
T = TypeVar("T")


@dataclass
class Collecting:
    """Starts collectors and takes what they bring; a collector has its own seconds, and all share a deadline."""

    deadline: float
    seconds: float = COLLECTOR_SECONDS
    missing: list[str] = field(default_factory=list)
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(COLLECTORS, "collector"))

    def start(self, call: Callable[[], T], what: str) -> "Running[T]":
        """Start a collector at once."""
        return Running(self._pool.submit(call), what, time.monotonic() + self.seconds)

    def take(self, running: "Running[T]") -> T | None:
        """Return what a collector brought; None, and its name among the missing, when it is late or broken."""
        left = max(0.0, min(running.until, self.deadline) - time.monotonic())
        try:
            return running.future.result(timeout=left)
        except FutureTimeoutError:
            self.missing.append(f"{running.what} (no answer in time)")
        except BROKEN as error:
            self.missing.append(f"{running.what} ({type(error).__name__})")
        return None

    def end(self) -> None:
        """Let go of whatever still runs."""
        self._pool.shutdown(wait=False, cancel_futures=True)


@dataclass(frozen=True)
class Running(Generic[T]):
    """A collector that runs."""

    future: Future[T]
    what: str
    until: float
