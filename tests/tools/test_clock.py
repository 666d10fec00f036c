import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from socketserver import ThreadingMixIn

import pytest

from memory.clock import AtOneMoment
from tools.aws.clock import AccountClock, SystemClock
from tools.errors import Misconfigured, Transient

START = datetime(2026, 1, 1, tzinfo=UTC)


class SteppedClock(HTTPServer):
    """The account's clock protocol; `runs_ahead` is how far somebody else steps it before a POST."""

    now = START
    runs_ahead = timedelta()


class _Protocol(BaseHTTPRequestHandler):
    server: SteppedClock

    def do_GET(self) -> None:
        self._tell(200)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.now += self.server.runs_ahead
        until = datetime.fromisoformat(body["until"])
        if until < self.server.now:
            self._tell(400)
            return
        self.server.now = until
        self._tell(200)

    def _tell(self, status: int) -> None:
        text = json.dumps({"now": self.server.now.isoformat(), "pace": 0.0}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:
        return


@contextmanager
def served() -> Iterator[tuple[SteppedClock, AccountClock]]:
    server = SteppedClock(("127.0.0.1", 0), _Protocol)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server, AccountClock(f"http://127.0.0.1:{server.server_port}/clock", timeout_seconds=5)
    finally:
        server.shutdown()
        server.server_close()


def test_waiting_steps_the_account_to_the_moment() -> None:
    with served() as (_, clock):
        assert clock.now() == START
        later = START + timedelta(minutes=5)
        assert clock.wait_until(later) == later
        assert clock.now() == later


class _ManyAtOnce(ThreadingMixIn, SteppedClock):
    daemon_threads = True
    block_on_close = False


class _Forgetful(_Protocol):
    """Keeps a connection, and closes it when it is used again, as a server does whose patience has just ended."""

    protocol_version = "HTTP/1.1"
    answered = False

    def do_GET(self) -> None:
        if self.answered:
            self.close_connection = True
            return
        self.answered = True
        super().do_GET()


def test_a_connection_that_was_closed_meanwhile_is_no_failure_of_the_clock() -> None:
    server = _ManyAtOnce(("127.0.0.1", 0), _Forgetful)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        clock = AccountClock(f"http://127.0.0.1:{server.server_port}/clock", timeout_seconds=5)
        assert [clock.now() for _ in range(3)] == [START] * 3
    finally:
        server.shutdown()
        server.server_close()


def test_waiting_for_what_has_passed_moves_nothing() -> None:
    with served() as (_, clock):
        assert clock.wait_until(START - timedelta(hours=1)) == START


def test_a_clock_that_others_stepped_past_the_moment_has_reached_it() -> None:
    with served() as (server, clock):
        server.runs_ahead = timedelta(hours=1)
        assert clock.wait_until(START + timedelta(minutes=1)) == START + timedelta(hours=1)


@pytest.mark.parametrize(
    "url", ["http://example.com/clock", "http://127.0.0.1@example.com/", "http://10.0.0.1/"]
)
def test_only_a_clock_on_this_machine_is_believed(url: str) -> None:
    with pytest.raises(Misconfigured):
        AccountClock(url)


def test_a_clock_that_does_not_answer_is_transient() -> None:
    with pytest.raises(Transient):
        AccountClock("http://127.0.0.1:9/clock", timeout_seconds=1).now()


def test_wall_time_is_utc() -> None:
    assert SystemClock().now().tzinfo is UTC


def test_what_is_asked_as_of_one_moment_is_so_while_the_clock_goes_on() -> None:
    with served() as (_, clock):
        standing = AtOneMoment(clock.now(), clock)
        later = START + timedelta(minutes=5)
        assert standing.wait_until(later) == later
        assert (standing.now(), clock.now()) == (START, later)
