"""Blocking work of the door, in threads of a stated number."""

from collections.abc import Callable
from typing import TypeVar

import anyio
from anyio import to_thread

DOOR_THREADS = 16
T = TypeVar("T")


class Threads:
    """Runs blocking calls of one event loop; a call beyond the limit waits for its turn."""

    def __init__(self, most: int = DOOR_THREADS) -> None:
        self._most = most
        self._limiter: anyio.CapacityLimiter | None = None

    async def call(self, work: Callable[..., T], *args: object) -> T:
        """Run a call in a thread and return what it returns."""
        if self._limiter is None:
            self._limiter = anyio.CapacityLimiter(self._most)
        return await to_thread.run_sync(work, *args, limiter=self._limiter)
