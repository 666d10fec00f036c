"""Tells an event loop what other threads have finished, many things with one wake-up.

Each wake-up of a loop is a system call, after which the thread that made it waits for its turn again. A batch that
is durable finishes many calls at once.
"""

import asyncio
import threading
from concurrent.futures import Future
from weakref import WeakKeyDictionary


class Arrivals:
    """Lets coroutines of any loop wait for futures of threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # What has arrived for each loop since it was woken last.
        self._arrived: WeakKeyDictionary[asyncio.AbstractEventLoop, list[Arrival]] = WeakKeyDictionary()

    async def of(self, done: "Future[None]") -> None:
        """Wait until a future is done, and raise what it raises.

        A caller who is cancelled stops waiting; what it waited for goes on all the same.
        """
        loop = asyncio.get_running_loop()
        waiting: asyncio.Future[None] = loop.create_future()
        done.add_done_callback(lambda one: self._arrive(loop, waiting, one))
        await waiting

    def _arrive(
        self, loop: asyncio.AbstractEventLoop, waiting: "asyncio.Future[None]", done: "Future[None]"
    ) -> None:
        with self._lock:
            arrived = self._arrived.setdefault(loop, [])
            arrived.append((waiting, done))
            is_woken = len(arrived) > 1
        if is_woken:
            return
        try:
            loop.call_soon_threadsafe(self._hand_over, loop)
        except RuntimeError:
            # The loop has ended, and nobody waits any more.
            with self._lock:
                self._arrived.pop(loop, None)

    def _hand_over(self, loop: asyncio.AbstractEventLoop) -> None:
        with self._lock:
            arrived = self._arrived.pop(loop, [])
        for waiting, done in arrived:
            if waiting.done():
                continue
            error = done.exception()
            if error is None:
                waiting.set_result(None)
            else:
                waiting.set_exception(error)


Arrival = tuple["asyncio.Future[None]", "Future[None]"]
