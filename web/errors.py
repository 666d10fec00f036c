"""What the door answers when it cannot do as asked."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response


class DoorError(Exception):
    """An answer with a 4xx or 5xx status and the reason."""

    def __init__(self, status: int, reason: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.headers = dict(headers or {})


def refused(status: int, reason: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Return a reason in the form that LangGraph's own routes use."""
    return JSONResponse({"detail": reason}, status_code=status, headers=dict(headers or {}))


async def on_door_error(_request: Request, error: Exception) -> Response:
    """Answer with what the error carries."""
    if not isinstance(error, DoorError):
        raise error
    return refused(error.status, error.reason, error.headers)


async def on_account_error(_request: Request, error: Exception) -> Response:
    """Say that the account does not answer as needed; the caller may come again."""
    return refused(503, f"the account did not answer: {error}", {"Retry-After": "5"})
