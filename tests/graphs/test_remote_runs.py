"""A LangGraph server that does not take a run: whoever decides is told, and nothing is lost."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace
from typing import Any, cast

import pytest

from graphs.copilot import Records
from graphs.remote_runs import LangGraphServerRuns
from graphs.run_port import RunHostError
from memory.records.timeline import TimerKind
from tests.graphs.test_decision import Door
from tests.tools.dials import APPROVER, incident
from tests.tools.stand_ins import SCOPE

RECORDS = cast(Records, SimpleNamespace(incidents=SimpleNamespace(get=lambda _: incident())))


class Refusing(BaseHTTPRequestHandler):
    """Answers each call with the status that its server was given."""

    def do_POST(self) -> None:
        self.send_error(cast(Any, self.server).status)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def server(status: int) -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Refusing) as one:
        cast(Any, one).status = status
        threading.Thread(target=one.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{one.server_port}"
        one.shutdown()


def gone() -> str:
    """The address of a server that has ended."""
    with server(500) as url:
        return url


def runs_at(url: str) -> LangGraphServerRuns:
    return LangGraphServerRuns(RECORDS, url, lambda: "signed")


@pytest.mark.parametrize("status", [401, 403, 422, 500])
def test_a_server_that_refuses_is_named(status: int) -> None:
    with server(status) as url, pytest.raises(RunHostError, match=f"{url} does not take it"):
        runs_at(url).wake(incident().incident_id)


def test_a_server_that_is_gone_is_named() -> None:
    url = gone()

    with pytest.raises(RunHostError, match=f"{url} does not take it"):
        runs_at(url).wake(incident().incident_id)


def test_a_decision_stands_whose_host_is_gone_and_the_next_sweep_has_it() -> None:
    at = Door()
    at.runs.raising = RunHostError("the LangGraph server does not take it")

    decided = at.knock(APPROVER)

    assert (decided.woken, decided.missing) == (False, 0)
    assert decided.held_up == (
        "the next sweep lets the incident go on, since the LangGraph server does not take it"
    )
    assert at.status.value == "approved"
    due = at.records.timers.get(SCOPE, incident().incident_id, TimerKind.CADENCE)
    assert due is not None and due.wake_at <= at.records.clock.now()
