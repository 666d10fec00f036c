"""Lets account time run along with the wall's, at a pace, for a demonstration that nobody steps."""

import asyncio
from datetime import timedelta

from simulator.control.running import Running

STEP_SECONDS = 0.25


class Pacer:
    """Moves the running account's clock by `pace` account seconds each second of the wall, 0 to stand still."""

    def __init__(self, running: Running, pace: float) -> None:
        self._running = running
        self.pace = pace

    async def run(self) -> None:
        """Move on until cancelled."""
        loop = asyncio.get_running_loop()
        before = loop.time()
        while True:
            await asyncio.sleep(STEP_SECONDS)
            passed, before = loop.time() - before, loop.time()
            if self.pace > 0:
                await self._running.opened.wait()
                await self._running.account.advance_by(timedelta(seconds=passed * self.pace))
