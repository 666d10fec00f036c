"""A LangSmith of our own on this machine: it takes everything and keeps what came."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TENANT = "00000000-0000-4000-8000-000000000001"


@dataclass(frozen=True)
class Arrived:
    """One request: how it came, where to, with which key and what in it."""

    method: str
    path: str
    api_key: str | None
    body: bytes

    @property
    def document(self) -> dict[str, Any]:
        """Return the body read as JSON."""
        found: dict[str, Any] = json.loads(self.body)
        return found


class LangSmithServer(ThreadingHTTPServer):
    """Counts every connection, also one that asks for nothing, or to be passed on."""

    daemon_threads = True

    def __init__(self, status: int) -> None:
        super().__init__(("127.0.0.1", 0), Taking)
        self.status = status
        self.connections = 0
        self.arrived: list[Arrived] = []

    @property
    def endpoint(self) -> str:
        """Return the address to name as LangSmith's."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection and count it."""
        accepted = super().get_request()
        self.connections += 1
        return accepted

    def posted(self, path: str) -> list[dict[str, Any]]:
        """Return the documents that were posted to a path."""
        return [one.document for one in self.arrived if (one.method, one.path) == ("POST", path)]


class Taking(BaseHTTPRequestHandler):
    """Answers as the server was told to, and keeps the request."""

    server: LangSmithServer

    def _take(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.arrived.append(Arrived(self.command, self.path, self.headers.get("x-api-key"), body))
        answer = self._answer(body)
        self.send_response(self.server.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def _answer(self, body: bytes) -> bytes:
        if self.path.startswith("/info"):
            return b'{"version": "0.13.0"}'
        if self.path.startswith("/sessions"):
            made = {"tenant_id": TENANT, "start_time": "2026-11-23T09:00:00Z", "reference_dataset_id": None}
            return json.dumps(json.loads(body) | made).encode()
        return b"{}"

    do_GET = do_POST = do_PATCH = do_CONNECT = _take

    def log_message(self, format: str, *args: Any) -> None:
        """Write nothing."""


@contextmanager
def langsmith_server(status: int = 200) -> Iterator[LangSmithServer]:
    """Serve until the block ends."""
    with LangSmithServer(status) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
