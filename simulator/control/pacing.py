"""Lets account time run along with the wall's, at a pace, for a demonstration that nobody steps."""

import asyncio
from datetime import timedelta

from simulator.account import Account

STEP_SECONDS = 0.25


class Pacer:
    """Moves an account's clock by `pace` account seconds each second of the wall, 0 to stand still."""

    def __init__(self, account: Account, pace: float) -> None:
        self._account = account
        self.pace = pace

    async def run(self) -> None:
        """Move on until cancelled."""
        loop = asyncio.get_running_loop()
        before = loop.time()
        while True:
            await asyncio.sleep(STEP_SECONDS)
            passed, before = loop.time() - before, loop.time()
            if self.pace > 0:
                await self._account.advance_by(timedelta(seconds=passed * self.pace))
