"""A copilot in a process of its own, killed at a chosen write: right before it is passed on, or right after.

Its calls go through a proxy that tells them apart by the step that makes them and by what they write, so nothing of the
product is changed. Signatures are over the host that the caller named, which is passed on as it came.
"""

import base64
import http.client
import json
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from memory.bodies import unpacked

SECONDS = 170
_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}
_READS = (
    "BatchGet",
    "Describe",
    "Filter",
    "Get",
    "Head",
    "List",
    "Lookup",
    "Query",
    "Select",
    "Simulate",
    "Start",
)
_MODELS = ("ApplyGuardrail", "Converse", "InvokeGuardrailChecks", "InvokeModel")


@dataclass(frozen=True)
class Point:
    """Where to kill: at the so-many-th write of its kind in a step, counted from 1, before or after it is done."""

    step: str
    write: str
    number: int
    after: bool

    def __str__(self) -> str:
        return f"{self.step}: {'after' if self.after else 'before'} {self.write} {self.number}"


@dataclass
class Seen:
    """What a play has written so far, by the step that did; `groups` names steps that run side by side together."""

    groups: Mapping[str, str]
    step: str
    kill_at: Point | None = None
    writes: list[tuple[str, str]] = field(default_factory=list)
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    pid: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def is_the_one(self, write: str) -> bool:
        """Count a write, and say whether it is the one to be killed at."""
        with self.lock:
            where = (self.step, write)
            self.writes.append(where)
            self.counts[where] += 1
            at = self.kill_at
            return at is not None and where == (at.step, at.write) and self.counts[where] == at.number

    def goes_on(self, step: str) -> None:
        with self.lock:
            self.step = self.groups.get(step, step)

    @property
    def kills_before(self) -> bool:
        return self.kill_at is not None and not self.kill_at.after

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        # The caller must be gone before anybody could answer it.
        time.sleep(0.05)


def _named(headers: Any, path: str, method: str, body: bytes) -> tuple[str, str]:
    """Name what a call writes, nothing for one that only reads; the second is the step that it says has begun."""
    operation = headers.get("X-Amz-Target", "").rpartition(".")[2]
    if not operation:
        form = next((p for p in body.decode("latin-1").split("&") if p.startswith("Action=")), "")
        operation = form.removeprefix("Action=") or f"{method} {path.split('?')[0].split('/')[1]}"
    if operation in {"PutItem", "DeleteItem", "TransactWriteItems", "BatchWriteItem", "UpdateItem"}:
        return _stored(operation, json.loads(body))
    starts = {"StartAutomationExecution", "StartMessageMoveTask"}
    reads = operation.startswith(_READS) and operation not in starts
    if (
        reads
        or operation.startswith("GET ")
        or any(f"/{name}" in path.lower() for name in ("converse", "guardrail"))
    ):
        return "", ""
    return operation, ""


def _stored(operation: str, asked: Mapping[str, Any]) -> tuple[str, str]:
    if operation in {"BatchWriteItem", "UpdateItem"}:
        return "checkpoint", ""
    if operation == "TransactWriteItems":
        kinds = [_kind(one["Put"]["Item"])[0] for one in asked["TransactItems"]]
        return "+".join(kind for kind in kinds if not kind.startswith("AUDIT")), ""
    kind, step = _kind(asked.get("Item") or asked["Key"])
    return (f"no {kind}" if operation == "DeleteItem" else kind), step


def _kind(item: Mapping[str, Any]) -> tuple[str, str]:
    kind = str(item["sk"]["S"]).split("#")[0]
    if kind != "TIMELINE":
        return ("EVENT" if "#EVENT#" in item["pk"]["S"] else kind), ""
    body = item["body"]
    entry = unpacked({"B": base64.b64decode(body["B"])} if "B" in body else body)
    return f"told {entry['kind']}", entry["step"] if entry["kind"] == "step_started" else ""


def _end_to_end(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in headers if name.lower() not in _HOP]


def _proxy(endpoint: str, seen: Seen) -> type[BaseHTTPRequestHandler]:
    host = urlsplit(endpoint).netloc

    class Proxy(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Headers and body are written one after the other: the second must not wait until the first is acknowledged.
        disable_nagle_algorithm = True

        def log_message(self, format: str, *args: Any) -> None:
            return

        def _pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            own = self.path.startswith("/_sim")
            write, begun = ("", "") if own else _named(self.headers, self.path, self.command, body)
            if begun:
                seen.goes_on(begun)
            is_it = bool(write) and seen.is_the_one(write)
            if is_it and seen.kills_before:
                return seen.kill()
            answer, said = self._asked(body)
            return seen.kill() if is_it else self._answer(answer, said)

        def _answer(self, answer: http.client.HTTPResponse, said: bytes) -> None:
            self.send_response_only(answer.status)
            for name, value in _end_to_end(answer.getheaders()):
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def _asked(self, body: bytes) -> tuple[http.client.HTTPResponse, bytes]:
            there = http.client.HTTPConnection(host, timeout=120)
            there.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in _end_to_end(self.headers.items()):
                there.putheader(name, value)
            there.putheader("Content-Length", str(len(body)))
            there.endheaders(body)
            answer = there.getresponse()
            said = answer.read()
            there.close()
            return answer, said

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _pass_on

    return Proxy


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever called was killed: nothing is to be said of it."""


@contextmanager
def cut_off(endpoint: str, seen: Seen, work: Callable[[str], None]) -> Iterator[bool]:
    """Do some work in a forked process whose calls go through the proxy; yield whether it was killed.

    The process is forked before the proxy starts, since threads do not go along, and waits to be told where it is.
    """
    told, tell = os.pipe()
    seen.pid = os.fork()
    if seen.pid == 0:
        _work(told, work)
    server = _Server(("127.0.0.1", 0), _proxy(endpoint, seen))
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        os.write(tell, f"http://127.0.0.1:{server.server_port}\n".encode())
        yield _ended(seen.pid)
    finally:
        server.shutdown()
        server.server_close()
        os.close(told)
        os.close(tell)


def _work(told: int, work: Callable[[str], None]) -> None:
    code = 70
    try:
        work(os.read(told, 200).decode().strip())
        code = 0
    finally:
        os._exit(code)


def _ended(pid: int) -> bool:
    """Wait until a process has ended, and say whether it was killed; one that fails by itself is an error."""
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            code = os.waitstatus_to_exitcode(status)
            assert code in {0, -signal.SIGKILL}, f"the process ended with {code}"
            return code != 0
        time.sleep(0.02)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    raise AssertionError("the process did not end")
