"""Runs beside the requests: nothing is lost, nothing is done twice at once, and too much is refused."""

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from graphs.bootstrap import open_copilot, open_records, open_runs, set_up
from graphs.run_port import Started, StartOutcome
from graphs.runs import InProcessRuns
from memory.records.alarm import Route
from memory.records.scope import Role
from memory.records.timeline import TimelineEntry
from memory.stores.leases import IncidentBusyError
from tests.web.door import alarm_event, served, settings_of, until
from web.background_runs import BackgroundRuns, TooBusyError


class Runs:
    """A host that records its wakes; each lasts until it is let go."""

    def __init__(self) -> None:
        self.woken: list[str] = []
        self.later: list[str] = []
        self.go = threading.Event()
        self.raising: Exception | None = None

    def start(self, event: dict[str, Any], *, only_intake: bool = False) -> Started:
        assert only_intake
        return Started(StartOutcome.OPENED, Route.OPEN_OR_UPDATE_INCIDENT, event["id"])

    def wake(self, incident_id: str) -> None:
        self.woken.append(incident_id)
        assert self.go.wait(10)
        if self.raising:
            raise self.raising

    def wake_later(self, incident_id: str) -> None:
        self.later.append(incident_id)

    def stream(self, incident_id: str, after: int = 0) -> Iterator[TimelineEntry]:
        return iter(())


@pytest.fixture
def background() -> Iterator[Callable[..., tuple[Any, Runs]]]:
    made: list[tuple[BackgroundRuns, Runs]] = []

    def make(**options: int) -> tuple[Any, Runs]:
        runs: Any = Runs()
        made.append((BackgroundRuns(runs, **options), runs))
        return made[-1]

    yield make
    for port, runs in made:
        runs.go.set()
        port.close()


def test_a_start_answers_before_the_run_ends(background: Any) -> None:
    port, runs = background()
    assert port.start({"id": "a"}).incident_id == "a"
    until(lambda: runs.woken == ["a"], 5)


def test_a_wake_during_a_run_is_done_after_it_and_once(background: Any) -> None:
    port, runs = background()
    port.wake("a")
    until(lambda: runs.woken == ["a"], 5)
    for _ in range(5):
        port.wake("a")
    runs.go.set()
    port.close()
    assert runs.woken == ["a", "a"]


def test_more_than_it_takes_on_is_refused(background: Any) -> None:
    port, _ = background(threads=1, most=2)
    port.start({"id": "a"})
    port.start({"id": "b"})
    with pytest.raises(TooBusyError):
        port.start({"id": "c"})


def test_an_incident_that_another_process_holds_is_left_to_it_and_looked_at_again(background: Any) -> None:
    port, runs = background()
    runs.raising = IncidentBusyError("held")
    runs.go.set()
    port.wake("a")
    until(lambda: runs.woken == ["a"], 5)
    until(lambda: not port._under_way, 5)
    assert runs.later == ["a"]
    port.wake("a")
    until(lambda: runs.woken == ["a", "a"], 5)


def test_a_server_continues_what_another_took_in(simulated_account: Any) -> None:
    account = simulated_account("bad-deployment")
    settings = settings_of(account)
    set_up(settings)
    records = open_records(settings)
    died = open_runs(records, open_copilot(records))
    assert isinstance(died, InProcessRuns)
    started = died.start(alarm_event("cut-off", "2026-11-23T09:01:00Z"), only_intake=True)
    assert started.outcome is StartOutcome.OPENED
    with served(account) as door:
        record = door.wait_for_end(str(started.incident_id))
        assert record["closed_at"]
        joined = door.post_alarm(json.dumps(alarm_event("cut-off", "2026-11-23T09:01:00Z")))
        assert joined.json()["outcome"] == "joined"
        listed = door.client.get("/incidents", headers=door.headers(Role.VIEWER)).json()["incidents"]
        assert [one["incident_id"] for one in listed] == [started.incident_id]
