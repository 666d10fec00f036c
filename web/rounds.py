"""What a server does over and over beside its routes: it ends with the server, and with nothing else."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from graphs.rest import Rest
from graphs.transient import PASSING
from tools.bulkhead import bulkhead

# So many rounds that failed in a row are more than a passing fault.
STANDING = 3


@dataclass
class Rounds:
    """One round after the other. A round that raises is a fault, and the next comes after a longer rest.

    `once` says whether all of the round went well. What it could not do by itself is no fault of the round, and is
    shown as `unfinished`: an incident that could not be woken, a message that waits.
    """

    name: str
    once: Callable[[], Awaitable[bool]]
    every_seconds: float
    is_whole: bool = True
    failures: int = 0
    error: str = ""
    since: datetime | None = None

    async def until(self, stop: asyncio.Event) -> None:
        """Go on until told to stop. A cancellation ends it at once."""
        rest = Rest(self.every_seconds)
        while not stop.is_set():
            with bulkhead(f"a round of {self.name}", PASSING) as met:
                self.is_whole = await self.once()
            self._note(met.error)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), rest.seconds(failed=met.error is not None))

    def _note(self, error: Exception | None) -> None:
        if error is None:
            self.failures, self.error, self.since = 0, "", None
            return
        self.failures += 1
        self.error = type(error).__name__
        self.since = self.since or datetime.now(UTC)

    @property
    def fault(self) -> dict[str, Any] | None:
        """Return what is wrong, in words without anybody's data, or None: `/healthz` asks for no token."""
        if self.since is not None:
            since = self.since.isoformat(timespec="seconds")
            return {"part": self.name, "error": self.error, "times": self.failures, "since": since}
        return None if self.is_whole else {"part": self.name, "error": "unfinished"}


@dataclass(frozen=True)
class Going:
    """The rounds that go on, and the tasks that do them."""

    rounds: Sequence[Rounds] = ()
    tasks: Sequence["asyncio.Task[None]"] = field(default=())

    @property
    def is_well(self) -> bool:
        """Say whether all of them go on, and none has failed some times in a row."""
        ended = any(task.done() for task in self.tasks)
        return not ended and all(one.failures < STANDING for one in self.rounds)

    @property
    def faults(self) -> list[dict[str, Any]]:
        """Return what is wrong now."""
        return [fault for one in self.rounds if (fault := one.fault) is not None]


@contextlib.asynccontextmanager
async def going(rounds: Sequence[Rounds]) -> AsyncIterator[Going]:
    """Do rounds while the block runs; a round under way is let end."""
    stop = asyncio.Event()
    tasks = [asyncio.create_task(one.until(stop), name=one.name) for one in rounds]
    try:
        yield Going(rounds, tasks)
    finally:
        stop.set()
        await asyncio.wait(tasks)
