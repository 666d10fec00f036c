"""The one gate in front of every route: ours and, under the LangGraph server, LangGraph's own as well.

LangGraph leaves `/info`, `/docs`, `/openapi.json`, `/metrics` and, in its development server, a route that
erases everything, without authentication; a middleware of the mounted app stands before all of them.
"""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from graphs.principals import UnauthenticatedError
from memory.records.scope import Principal
from web.doorkeeper import Doorkeeper
from web.errors import refused
from web.threads import Threads

OPEN = frozenset({"/healthz", "/ok"})
OPEN_WHEN_SIMULATED = frozenset({"/info"})
OURS = ("/alarms", "/incidents")
CLOSED = ("/internal",)


class Gate:
    """Lets a request in with a valid token; the principal goes along in the request's state."""

    def __init__(self, app: ASGIApp, doorkeeper: Doorkeeper, threads: Threads) -> None:
        self._app = app
        self._doorkeeper = doorkeeper
        self._threads = threads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 401 with the reason."""
        if scope["type"] == "lifespan" or scope["path"] in OPEN or scope.get("method") == "OPTIONS":
            return await self._app(scope, receive, send)
        if scope["path"].startswith(CLOSED):
            return await self._refuse(404, "not found", scope, receive, send)
        if await self._threads.call(self._passes_without_token, scope):
            return await self._app(scope, receive, send)
        try:
            caller = await self._threads.call(self._caller, scope)
        except UnauthenticatedError as error:
            return await self._refuse(401, str(error), scope, receive, send)
        scope.setdefault("state", {})["principal"] = caller
        return await self._app(scope, receive, send)

    def _passes_without_token(self, scope: Scope) -> bool:
        """Say whether LangGraph's own checks decide: Studio, and only while the account is simulated."""
        path: str = scope["path"]
        if path.startswith(OURS) or not self._doorkeeper.simulated:
            return False
        return path in OPEN_WHEN_SIMULATED or Headers(scope=scope).get("x-auth-scheme") == "langsmith"

    def _caller(self, scope: Scope) -> Principal:
        return self._doorkeeper.principal(Headers(scope=scope).get("authorization"))

    async def _refuse(self, status: int, reason: str, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": reason[:120]})
            return
        headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
        await refused(status, reason, headers)(scope, receive, send)
