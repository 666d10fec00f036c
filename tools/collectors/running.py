"""Run collectors side by side, each with a time and a number of its own, and name what did not come."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from memory.records.assessment import IN_PART
from tools.errors import CopilotError

COLLECTORS = 32
COLLECTOR_SECONDS = 12.0
# What one collector may raise on an answer that is not what it should be; the others are not stopped by it.
BROKEN = (ClientError, BotoCoreError, CopilotError, LookupError, TypeError, ValueError, ArithmeticError)
T = TypeVar("T")


@dataclass
class Collecting:
    """Starts collectors and takes what they bring; a collector has its own seconds, and all share a deadline.

    `missing` names what was not read or came late, `in_part` what was read in part.
    """

    deadline: float
    seconds: float = COLLECTOR_SECONDS
    missing: list[str] = field(default_factory=list)
    in_part: list[str] = field(default_factory=list)
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(COLLECTORS, "collector"))

    def start(
        self, call: Callable[[], T], what: str, partly: Callable[[], T | None] | None = None
    ) -> "Running[T]":
        """Start a collector at once; `partly` stops it and returns what it has brought by then, if anything."""
        return Running(self._pool.submit(call), what, time.monotonic() + self.seconds, partly)

    def take(self, running: "Running[T]") -> T | None:
        """Return what a collector brought; its name is among the missing when it is late or broken.

        Of one that is late that is what it has brought so far, and None where that is nothing.
        """
        left = max(0.0, min(running.until, self.deadline) - time.monotonic())
        try:
            return running.future.result(timeout=left)
        except FutureTimeoutError:
            brought = running.partly() if running.partly else None
            why = "no answer in time" if brought is None else "not all of it in time"
            self.missing.append(f"{running.what} ({why})")
            return brought
        except BROKEN as error:
            self.missing.append(f"{running.what} ({type(error).__name__})")
        return None

    def miss(self, what: str) -> None:
        """Name what was not read, unless it is named already."""
        if not self._is_missing(what):
            self.missing.append(what)

    def miss_rest(self, what: str) -> None:
        """Name what was read in part."""
        self.in_part.append(what)

    @property
    def not_checked(self) -> tuple[str, ...]:
        """Return what was not checked, each once: what was not read, and then what was read in part."""
        rest = (f"{what}{IN_PART}" for what in self.in_part if not self._is_missing(what))
        return tuple(dict.fromkeys((*self.missing, *rest)))

    def _is_missing(self, what: str) -> bool:
        return any(one == what or one.startswith(f"{what} (") for one in self.missing)

    def end(self) -> None:
        """Let go of whatever still runs."""
        self._pool.shutdown(wait=False, cancel_futures=True)


@dataclass(frozen=True)
class Running(Generic[T]):
    """A collector that runs."""

    future: Future[T]
    what: str
    until: float
    partly: Callable[[], T | None] | None = None
