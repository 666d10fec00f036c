"""A copilot in a process of its own, killed at a chosen call to AWS: right before it is passed on, or right after.

The calls go through a proxy that counts them, so nothing of the product is changed. Signatures are over the host that
the caller named, which is passed on as it came.
"""

import http.client
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

SECONDS = 180
_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}


@dataclass
class Cut:
    """Where to kill: at the call of this number, counted from 1; 0 kills nobody."""

    at: int = 0
    after: bool = False
    pid: int = 0
    calls: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, named: str) -> bool:
        """Count a call, and say whether it is the one."""
        with self.lock:
            self.calls.append(named)
            return len(self.calls) == self.at

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        # The caller must be gone before anybody could answer it.
        time.sleep(0.05)


def _proxy(endpoint: str, cut: Cut) -> type[BaseHTTPRequestHandler]:
    host = urlsplit(endpoint).netloc

    class Proxy(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: Any) -> None:
            return

        def _pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            is_it = not self.path.startswith("/_sim") and cut.count(self._named(body))
            if is_it and not cut.after:
                cut.kill()
                return
            there = http.client.HTTPConnection(host, timeout=120)
            there.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in _HOP:
                    there.putheader(name, value)
            there.putheader("Content-Length", str(len(body)))
            there.endheaders(body)
            answer = there.getresponse()
            said = answer.read()
            there.close()
            if is_it:
                cut.kill()
                return
            self.send_response_only(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in _HOP:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def _named(self, body: bytes) -> str:
            target = self.headers.get("X-Amz-Target", "")
            action = next(
                (p for p in body.decode("latin-1").split("&") if p.startswith("Action=")), self.path
            )
            return target.rpartition(".")[2] or action.removeprefix("Action=")

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _pass_on

    return Proxy


@contextmanager
def cut_off_at(endpoint: str, cut: Cut, work: Callable[[str], None]) -> Iterator[bool]:
    """Do some work in a forked process whose calls go through the proxy; yield whether it was killed.

    The process is forked before the proxy starts, since threads do not go along, and waits to be told where it is.
    """
    told, tell = os.pipe()
    cut.pid = os.fork()
    if cut.pid == 0:
        _work(told, work)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _proxy(endpoint, cut))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        os.write(tell, f"http://127.0.0.1:{server.server_port}\n".encode())
        yield _ended(cut.pid)
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
