"""The queue of alarm events beside the routes: an alarm that fires becomes an incident without a further process."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

from graphs.intake_queue import PASSING, QueueIntake
from tools.aws.queue import IncidentQueue
from web.desk import Desk

# A poll cannot be cut off without losing what it may just have received, so it is as long as a stop may wait.
POLL_SECONDS = 2
REST_SECONDS = 5.0
log = logging.getLogger(__name__)


@contextlib.asynccontextmanager
async def consuming(desk: Desk) -> AsyncIterator["asyncio.Task[None] | None"]:
    """Consume the queue while the server runs, unless settings leave it to others; a message in hand is let end."""
    if not desk.records.settings.consumes_queue:
        yield None
        return
    stop = asyncio.Event()
    task = asyncio.create_task(_consume_until(stop, desk), name="queue")
    try:
        yield task
    finally:
        stop.set()
        await task


async def _consume_until(stop: asyncio.Event, desk: Desk) -> None:
    queue = IncidentQueue(desk.records.access, desk.records.backend.queue_url)
    intake = QueueIntake(desk.records, desk.runs, queue)
    while not stop.is_set():
        try:
            if desk.has_room():
                said = await desk.threads.call(intake.take_next, POLL_SECONDS)
                if said:
                    log.info(said)
                continue
        except PASSING as error:
            log.warning("the queue did not answer; it is asked again", extra={"error": str(error)})
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), REST_SECONDS)
