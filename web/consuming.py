"""The queue of alarm events beside the routes: an alarm that fires becomes an incident without a further process."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

from graphs.intake_queue import QueueIntake
from tools.aws.queue import open_queue
from web.desk import Desk
from web.rounds import Going, Rounds, going

# A poll cannot be cut off without losing what it may just have received, so it is as long as a stop may wait.
POLL_SECONDS = 2
log = logging.getLogger(__name__)


@contextlib.asynccontextmanager
async def consuming(desk: Desk) -> AsyncIterator[Going]:
    """Consume the queue while the server runs, unless settings leave it to others; a message in hand is let end."""
    if not desk.records.settings.consumes_queue:
        yield Going()
        return
    queue = await desk.threads.call(open_queue, desk.records.access, desk.records.backend.queue)
    intake = QueueIntake(desk.records, desk.runs, queue)

    async def take() -> bool:
        if not desk.has_room():
            await asyncio.sleep(POLL_SECONDS)
            return True
        said = await desk.threads.call(intake.take_next, POLL_SECONDS)
        if said:
            log.info(said)
        return True

    async with going([Rounds("queue", take, 0.0)]) as consumer:
        yield consumer
