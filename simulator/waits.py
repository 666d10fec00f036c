"""Waiting for the account's clock, for work that goes on inside the account.

Nobody sleeps: a wait ends when the clock is moved to its moment or past it. Whoever moved the clock can
wait until all work that became due has come to rest again, so that a stepped account is deterministic.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime

from simulator.clock import AccountClock


@dataclass(frozen=True, eq=False)
class _Wait:
    until: datetime
    ended: "asyncio.Future[None]"
    key: str | None = None


class AccountWaits:
    """The waits of one account. Used on one event loop."""

    def __init__(self, clock: AccountClock) -> None:
        self._clock = clock
        self._waits: set[_Wait] = set()
        self._working = 0
        self._at_rest = asyncio.Event()
        self._at_rest.set()

    def begin(self) -> None:
        """A piece of work begins, or wakes."""
        self._working += 1
        self._at_rest.clear()

    def end(self) -> None:
        """A piece of work ends, or rests."""
        self._working -= 1
        if self._working == 0:
            self._at_rest.set()

    async def until(self, moment: datetime, key: str | None = None) -> None:
        """Rest until the account's clock stands at the moment or past it, or until `key` is woken."""
        if self._clock.now() >= moment:
            return
        wait = _Wait(moment, asyncio.get_running_loop().create_future(), key)
        self._waits.add(wait)
        self.end()
        try:
            await wait.ended
        except asyncio.CancelledError:
            if wait in self._waits:
                self._waits.discard(wait)
                self.begin()
            raise

    def clock_moved(self) -> None:
        """Wake every wait that is due."""
        now = self._clock.now()
        self._end([wait for wait in self._waits if wait.until <= now])

    def wake(self, key: str) -> None:
        """Wake the waits of a key before their time."""
        self._end([wait for wait in self._waits if wait.key == key])

    def _end(self, waits: list[_Wait]) -> None:
        for wait in waits:
            self._waits.discard(wait)
            self.begin()
            wait.ended.set_result(None)

    async def rest(self, at_most: float) -> None:
        """Return when no work is under way, or after `at_most` seconds of the wall's time."""
        try:
            await asyncio.wait_for(self._at_rest.wait(), at_most)
        except TimeoutError:
            return
