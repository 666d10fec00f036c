"""GET /incidents/{id}/events: the timeline as server-sent events.

The id of an event is its sequence number, so a reader who comes back with `Last-Event-ID` misses nothing and
sees nothing twice (WHATWG HTML, "Server-sent events"; a 204 tells an EventSource not to come back).
"""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from memory.records.scope import Role
from memory.records.timeline import EntryKind, TimelineEntry
from web.desk import Desk, caller_with, desk_of
from web.errors import DoorError

LOOK_EVERY_SECONDS = 0.5
HEARTBEAT_SECONDS = 15.0
MOST_READERS = 100
HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}


@dataclass
class Readers:
    """How many follow a timeline now."""

    now: int = 0


async def get_events(request: Request) -> Response:
    """Stream the timeline from the beginning or from `Last-Event-ID`, until the incident has ended."""
    caller_with(request, Role.VIEWER)
    desk, readers = desk_of(request), request.app.state.readers
    after = _last_seen(request)
    incident_id = await desk.threads.call(desk.full_id, request.path_params["incident_id"])
    so_far = await desk.threads.call(timeline, desk, incident_id, 0)
    if is_closed(so_far) and so_far[-1].sequence <= after:
        return Response(status_code=204)
    if readers.now >= MOST_READERS:
        raise DoorError(503, f"{MOST_READERS} readers follow timelines here", {"Retry-After": "10"})
    stream = follow(desk, incident_id, so_far, after, readers)
    return StreamingResponse(stream, media_type="text/event-stream", headers=HEADERS)


async def follow(
    desk: Desk, incident_id: str, so_far: list[TimelineEntry], after: int, readers: Readers
) -> AsyncIterator[str]:
    """Yield entries as they come, a comment when none came for a while, and `end` at the end."""
    readers.now += 1
    try:
        fresh = [entry for entry in so_far if entry.sequence > after]
        closed, quiet_since = is_closed(so_far), time.monotonic()
        while fresh or not closed:
            for entry in fresh:
                yield as_event(entry)
            closed = closed or is_closed(fresh)
            if fresh:
                after, quiet_since = fresh[-1].sequence, time.monotonic()
            elif time.monotonic() - quiet_since >= HEARTBEAT_SECONDS:
                quiet_since = time.monotonic()
                yield ": alive\n\n"
            await asyncio.sleep(LOOK_EVERY_SECONDS)
            fresh = await desk.threads.call(timeline, desk, incident_id, after)
        yield f"event: end\ndata: {incident_id}\n\n"
    finally:
        readers.now -= 1


def timeline(desk: Desk, incident_id: str, after: int) -> list[TimelineEntry]:
    """Return the entries numbered above `after`. Blocks."""
    return list(desk.runs.stream(incident_id, after))


def is_closed(entries: list[TimelineEntry]) -> bool:
    """Say whether the incident was closed within these entries."""
    return any(entry.kind is EntryKind.CLOSED for entry in entries)


def as_event(entry: TimelineEntry) -> str:
    """Write an entry in the form of the standard; its JSON holds no line break."""
    return f"id: {entry.sequence}\nevent: {entry.kind.value}\ndata: {entry.model_dump_json()}\n\n"


def _last_seen(request: Request) -> int:
    text = request.headers.get("last-event-id") or request.query_params.get("after") or "0"
    if not text.isascii() or not text.isdigit():
        raise DoorError(400, f"Last-Event-ID is a sequence number, not {text[:40]!r}")
    return int(text)
