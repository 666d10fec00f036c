"""Serves an account over HTTP on this machine: its control plane, Bedrock, and all other services."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from hypercorn.asyncio import serve
from hypercorn.config import Config
from hypercorn.protocol.http_stream import ASGIHTTPState

from simulator.bedrock.faults import EXTENSION, Orders
from simulator.control.meeting import unanswered
from simulator.control.plane import PREFIX, Control, read_body
from simulator.control.running import Running
from simulator.iam.gate import arriving
from simulator.iam.signatures import Arrived
from simulator.wire.protocol import Answer
from simulator.wire.refusals import refused
from simulator.wire.requests import Form, read_request

HOST = "127.0.0.1"
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


@dataclass(frozen=True)
class Front:
    """The ASGI application: everything that comes in passes here."""

    running: Running
    control: Control
    ready: Callable[[], None]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or follow the server's life."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http" and scope["path"].startswith(PREFIX):
            await self.control(scope, receive, send)
        else:
            came = Arrived(scope)
            arriving.set(came)
            await self._aws(scope, came.hearing(receive), send)

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return
            self.running.emulator.runs_on(asyncio.get_running_loop())
            self.ready()

    async def _aws(self, scope: Scope, receive: Receive, send: Send) -> None:
        unanswered.set(False)

        async def answering(message: MutableMapping[str, Any]) -> None:
            if not unanswered.get():
                await send(message)

        # Who calls during a reset is answered by the account that comes.
        await self.running.opened.wait()
        path = scope.get("raw_path", b"").decode("latin-1")
        if scope["type"] == "http" and self.running.account.bedrock.serves(scope["method"], path):
            await self._bedrock(scope, path, receive, answering)
        else:
            await self.running.emulator.asgi(scope, receive, answering)
        if unanswered.get():
            _hang_up(send)

    async def _bedrock(self, scope: Scope, path: str, receive: Receive, send: Send) -> None:
        query = parse_qs(scope["query_string"].decode())
        headers = {key.decode().lower(): value.decode() for key, value in scope["headers"]}
        # The control plane is read with GET only, the runtime never is.
        api = "bedrock" if scope["method"] == "GET" else "bedrock-runtime"
        body = await read_body(receive)
        asked = read_request(api, scope["method"], path, headers, body, query)
        account, emulator = self.running.account, self.running.emulator
        key, dispatch = emulator.access_key(headers, query), account.dispatch
        call = dispatch.call_of(api, asked, key)
        if (kept_out := dispatch.kept_out(asked, call)) is not None:
            return await _send_answer(send, kept_out)
        suffered = await dispatch.meet(api, call.operation, call.caller_arn)
        if suffered.refusal is not None:
            dispatch.note(call.operation, call.parameters, key, suffered.refusal.code)
            await _send_answer(send, refused(api, Form.REST, suffered.refusal))
        elif not suffered.hung:
            orders = Orders(suffered.stream, suffered.guarded)
            extensions = {**scope.get("extensions", {}), EXTENSION: orders}
            await account.bedrock({**scope, "extensions": extensions}, _again(body), send)
        return None


def _again(body: bytes) -> Receive:
    """Receives a body that has been read already."""

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


async def _send_answer(send: Send, answer: Answer) -> None:
    named = {**answer.headers, "Content-Length": str(len(answer.body))}
    headers = [(name.lower().encode(), value.encode()) for name, value in named.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


def _hang_up(send: Any) -> None:
    """End the stream as if it had been answered: hypercorn then closes the connection in silence."""
    send.__self__.state = ASGIHTTPState.CLOSED


def listening_socket(port: int) -> socket.socket:
    """A socket on this machine's loopback, so that its port is known before the account opens."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((HOST, port))
    listener.listen(128)
    listener.setblocking(False)
    return listener


async def host(front: Front, listener: socket.socket, ended: asyncio.Event) -> None:
    """Serve until `ended`."""
    config = Config()
    # Hypercorn closes the descriptor it is given.
    config.bind = [f"fd://{listener.detach()}"]
    config.graceful_timeout = 0.1
    config.accesslog = None
    config.errorlog = "-"
    config.loglevel = "ERROR"
    await serve(front, config, shutdown_trigger=ended.wait)  # type: ignore[arg-type]
