"""GET /incidents and /incidents/{id}, and the decision door over HTTP."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, StrictBool, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from graphs.decision import Decided, DecisionRefusedError, NotAllowedError, decide
from memory.records.approval import MOST_REASON, NAMED_BY
from memory.records.incident import Status
from memory.records.incident_record import IncidentRecord
from memory.records.listing import Listing
from memory.records.scope import Principal, Role
from memory.stores.listings import Wanted
from web.alarms import body_upto
from web.desk import Desk, caller_with, desk_of
from web.errors import DoorError

LISTED, LISTED_MOST = 50, 200
DECISION_BYTES = 16 * 1024
WANTED = (
    'send {"approved": true or false, "plan_hash": "<the record\'s approval.plan_hash>", "reason": "..."}'
)


class DecisionBody(BaseModel):
    """What the decision door takes; `plan_hash` is of the plan that was seen, whole or its first digits."""

    model_config = ConfigDict(extra="forbid")

    approved: StrictBool
    plan_hash: str = Field(pattern=rf"^[0-9a-f]{{{NAMED_BY},64}}$")
    reason: str = Field(default="", max_length=MOST_REASON)
    break_glass: StrictBool = False


async def list_incidents(request: Request) -> JSONResponse:
    """List the newest incidents first; `status` and `limit` narrow it."""
    caller_with(request, Role.VIEWER)
    desk = desk_of(request)
    status, limit = _asked(request)
    return JSONResponse({"incidents": await desk.threads.call(newest, desk, status, limit)})


async def show_incident(request: Request) -> Response:
    """Return one incident's public record; the beginning of an id is enough."""
    caller_with(request, Role.VIEWER)
    desk = desk_of(request)
    record = await desk.threads.call(record_of, desk, request.path_params["incident_id"])
    return Response(record.model_dump_json(), media_type="application/json")


async def post_decision(request: Request) -> JSONResponse:
    """Decide on the pending request: the role is checked here, and again where decisions are made."""
    by = caller_with(request, Role.APPROVER, Role.BREAK_GLASS)
    desk = desk_of(request)
    body = await body_upto(request, DECISION_BYTES)
    if len(body) > DECISION_BYTES:
        raise DoorError(413, f"a decision has at most {DECISION_BYTES} bytes")
    try:
        asked = DecisionBody.model_validate_json(body)
    except ValidationError as error:
        said = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'body'}: {e['msg']}" for e in error.errors())
        raise DoorError(400, f"{WANTED} ({said})") from error
    prefix = request.path_params["incident_id"]
    return JSONResponse(await desk.threads.call(decided, desk, prefix, by, asked))


def newest(desk: Desk, status: Status | None, limit: int) -> list[dict[str, Any]]:
    """Return a line for each of the newest incidents. Blocks."""
    return [_line(line) for line in desk.records.incidents.page(Wanted(status=status), limit).lines]


def record_of(desk: Desk, prefix: str) -> IncidentRecord:
    """Return an incident's record, or answer 404 with the reason. Blocks."""
    incident_id = desk.full_id(prefix)
    record = desk.records.incidents.record(incident_id)
    if record is None:
        raise DoorError(404, f"{incident_id} is being taken in; ask again", {"Retry-After": "1"})
    return record


def decided(desk: Desk, prefix: str, by: Principal, asked: DecisionBody) -> dict[str, Any]:
    """Make the decision, or answer why it cannot be made. Blocks."""
    incident_id = desk.full_id(prefix)
    try:
        made: Decided = decide(
            desk.records,
            desk.runs,
            incident_id,
            by,
            plan=asked.plan_hash,
            approved=asked.approved,
            reason=asked.reason,
            door="http",
            break_glass=asked.break_glass,
        )
    except NotAllowedError as error:
        raise DoorError(403, str(error)) from error
    except DecisionRefusedError as error:
        raise DoorError(409, str(error)) from error
    facts = made.decision.model_dump(mode="json")
    return {
        **facts,
        "woken": made.woken,
        "held_up": made.held_up,
        "missing": made.missing,
        "missing_told": made.told,
    }


def _asked(request: Request) -> tuple[Status | None, int]:
    query = request.query_params
    try:
        status = Status(query["status"]) if query.get("status") else None
        limit = int(query.get("limit", LISTED))
    except ValueError as error:
        raise DoorError(400, f"{error}; a status is one of {', '.join(Status)}") from error
    if not 1 <= limit <= LISTED_MOST:
        raise DoorError(400, f"limit is from 1 to {LISTED_MOST}")
    return status, limit


def _line(line: Listing) -> dict[str, Any]:
    return {
        "incident_id": line.incident_id,
        "status": line.status.value,
        "severity": line.severity.value if line.severity else None,
        "alarm": line.alarm,
        "service": line.service,
        "account": line.scope.account,
        "region": line.scope.region,
        "opened_at": line.opened_at.isoformat(),
        "closed_at": line.closed_at.isoformat() if line.closed_at else None,
        "reason": line.reason,
    }
