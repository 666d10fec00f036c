"""The sweeper beside the routes: what is due is woken by the server, not by a process that sleeps."""

import contextlib
from collections.abc import AsyncIterator

from graphs.stranded import StrandedWatch
from graphs.sweeper import DueWatch
from graphs.tracing import TraceWatch
from graphs.transient import PASSING
from tools.bulkhead import bulkhead
from web.desk import Desk
from web.rounds import Going, Rounds, going

EVERY_SECONDS = 1.0


@contextlib.asynccontextmanager
async def sweeping(desk: Desk) -> AsyncIterator[Going]:
    """Sweep every second of wall time while the server runs; a sweep under way is let end.

    Timers, messages, stranded runs and events of CloudTrail have rounds of their own: a channel that does not answer
    holds up no timer.
    """
    stranded, due = StrandedWatch(desk.records, desk.runs), DueWatch(desk.records, desk.runs)
    traces = TraceWatch(desk.records)

    async def timers() -> bool:
        return not (await desk.threads.call(due.look)).failed

    async def messages() -> bool:
        return not (await desk.threads.call(desk.copilot.flush)).waiting

    async def look() -> bool:
        return not (await desk.threads.call(stranded.look)).failed

    async def trace() -> bool:
        return not (await desk.threads.call(traces.look)).failed

    rounds = [
        Rounds("timers", timers, EVERY_SECONDS),
        Rounds("messages", messages, EVERY_SECONDS),
        Rounds("stranded", look, EVERY_SECONDS),
        Rounds("traces", trace, EVERY_SECONDS),
    ]
    try:
        async with going(rounds) as sweeper:
            yield sweeper
    finally:
        # Where it cannot be given back, the duty lapses.
        with bulkhead("leaving the duty to look for stranded runs", PASSING):
            await desk.threads.call(stranded.end)
        with bulkhead("leaving the duty to look for CloudTrail's events", PASSING):
            await desk.threads.call(traces.end)
