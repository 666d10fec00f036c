"""The sweeper beside the routes: what is due is woken by the server, not by a process that sleeps."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

from graphs.intake_queue import PASSING
from memory.stores.leases import IncidentBusyError
from web.desk import Desk

EVERY_SECONDS = 1.0
log = logging.getLogger(__name__)


@contextlib.asynccontextmanager
async def sweeping(desk: Desk) -> AsyncIterator["asyncio.Task[None]"]:
    """Sweep every second of wall time while the server runs; a sweep under way is let end."""
    stop = asyncio.Event()
    task = asyncio.create_task(_sweep_until(stop, desk), name="sweeper")
    try:
        yield task
    finally:
        stop.set()
        await task


async def _sweep_until(stop: asyncio.Event, desk: Desk) -> None:
    recovered = False
    while not stop.is_set():
        try:
            if not recovered:
                await desk.threads.call(wake_unfinished, desk)
                recovered = True
            await desk.threads.call(desk.sweep)
        except PASSING as error:
            log.warning("a sweep failed; the next one tries again", extra={"error": str(error)})
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), EVERY_SECONDS)


def wake_unfinished(desk: Desk) -> None:
    """Wake the incidents that are not at their end: a crash may have cut off the run that moved them.

    The records say which those are, so that it does not matter what the host of the runs has forgotten.
    """
    for incident_id in list(desk.records.incidents.unfinished()):
        try:
            desk.runs.wake(incident_id)
        except IncidentBusyError:
            log.info("another process works on the incident", extra={"incident_id": incident_id})
