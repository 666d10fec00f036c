"""POST /alarms: an event in whichever envelope it comes."""

import hashlib
import json
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

from graphs.joining import noted_on
from graphs.run_port import Started, StartOutcome
from memory.records.alarm import Route
from memory.records.scope import Role
from tools.event_body import LIMIT_BYTES, RefusedEvent
from tools.intake import parse_event
from web.background_runs import TooBusyError
from web.desk import Desk, caller_with, desk_of
from web.errors import DoorError

SAYS: dict[Route, str] = {
    Route.NOT_AN_ALARM: "not an alarm",
    Route.DECODE_LOGS: "not an alarm: log events were decoded, nothing was started",
    Route.AUDIT_ONLY: "an alarm's configuration changed, nothing was started",
    Route.NOTE_RECOVERY: "the alarm is not in ALARM, nothing was started",
    Route.SUPPRESSED_NO_PAGE: "the alarm is suppressed, nothing was started",
}
NO_ALARM = frozenset({Route.NOT_AN_ALARM, Route.DECODE_LOGS})


async def post_alarm(request: Request) -> JSONResponse:
    """Take one event in: 202 with what became of it, or 4xx with the reason."""
    caller_with(request, Role.OPERATOR)
    desk = desk_of(request)
    body = await body_upto(request, LIMIT_BYTES)
    return JSONResponse(await desk.threads.call(receive, desk, body), status_code=202)


async def body_upto(request: Request, most: int) -> bytes:
    """Read a body, and stop reading once it is longer than allowed."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            break
    return bytes(body)


def receive(desk: Desk, body: bytes) -> dict[str, Any]:
    """Parse an event and start its run; what starts nothing is kept for inspection and counted."""
    records = desk.records
    now = records.clock.now()
    try:
        envelope = parse_event(body, now, records.settings.tenant)
    except RefusedEvent as refused:
        records.refusals.keep(now, hashlib.sha256(body).hexdigest(), refused.reason, body)
        raise DoorError(refused.status, refused.reason) from refused
    if envelope.route is Route.OPEN_OR_UPDATE_INCIDENT:
        return _answer(_start(desk, json.loads(body)))
    if envelope.route in NO_ALARM:
        records.refusals.keep(now, envelope.raw_sha256, SAYS[envelope.route], body)
    noted = noted_on(records, envelope)
    return _answer(Started(StartOutcome.NOT_STARTED, envelope.route, noted))


def _start(desk: Desk, event: dict[str, Any]) -> Started:
    try:
        return desk.runs.start(event)
    except TooBusyError as error:
        raise DoorError(503, f"{error}; deliver the event again", {"Retry-After": "10"}) from error


def _answer(started: Started) -> dict[str, Any]:
    answer = {
        "incident_id": started.incident_id,
        "outcome": started.outcome.value,
        "route": started.route.value,
    }
    if started.outcome is not StartOutcome.NOT_STARTED:
        return answer
    noted = "; noted on the alarm's open incident" if started.incident_id else ""
    return {**answer, "detail": SAYS.get(started.route, "") + noted}
