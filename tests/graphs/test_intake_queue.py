"""One message of the queue: dealt with and taken off, or left to come again later and later."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from graphs.bootstrap import open_records, set_up
from graphs.copilot import Records
from graphs.intake_queue import MOST_SECONDS, QueueIntake
from graphs.run_port import Started, StartOutcome
from graphs.settings import World, load
from memory.records.alarm import Route
from memory.records.base import canonical_json
from memory.records.incident import incident_of
from memory.stores.leases import IncidentBusyError
from tests.simulated import ROOT
from tests.web.door import alarm_event
from tools.aws.queue import Delivery
from tools.errors import Transient
from tools.intake import parse_event


@dataclass
class Queue:
    """A queue that notes what becomes of its messages."""

    waiting: list[Delivery] = field(default_factory=list)
    taken_off: list[str] = field(default_factory=list)
    put_aside: list[int] = field(default_factory=list)

    def receive(self, wait_seconds: int, most: int) -> list[Delivery]:
        return [self.waiting.pop(0)] if self.waiting else []

    def done(self, delivery: Delivery) -> None:
        self.taken_off.append(delivery.receipt)

    def put_back(self, delivery: Delivery, seconds: int) -> None:
        self.put_aside.append(seconds)


@dataclass
class Runs:
    """A host that claims the incident of an event, only says that it will, or fails."""

    records: Records
    claims: bool = True
    failing: Exception | None = None
    started: int = 0

    def start(self, event: dict[str, Any]) -> Started:
        self.started += 1
        if self.failing:
            raise self.failing
        envelope = parse_event(event, self.records.clock.now())
        if envelope.route is not Route.OPEN_OR_UPDATE_INCIDENT or envelope.alarm is None:
            return Started(StartOutcome.NOT_STARTED, envelope.route)
        incident = incident_of(envelope, envelope.alarm)
        if self.claims:
            self.records.incidents.claim(incident)
        return Started(StartOutcome.OPENED, envelope.route, incident.incident_id)


@dataclass
class Bench:
    queue: Queue
    runs: Runs
    intake: QueueIntake

    def take(self, body: str, receives: int = 1) -> str:
        self.queue.waiting.append(Delivery(body, "r-1", receives))
        said = self.intake.take_next(0)
        assert said is not None
        return said

    def kept(self) -> list[Any]:
        return [one["body"] for one in self.intake.records.refusals.all()]


@pytest.fixture(scope="module")
def records(shared_accounts: Any) -> Iterator[Records]:
    state_dir = str(shared_accounts("bad-deployment").state_dir)
    settings = load(
        {"CLOUDOPS_STATE_DIR": state_dir, "CLOUDOPS_PREFIX": "intake-queue"}, ROOT, World.SIMULATED
    )
    set_up(settings)
    yield open_records(settings)


@pytest.fixture
def bench(records: Records) -> Bench:
    queue: Any = Queue()
    runs: Any = Runs(records)
    return Bench(queue, runs, QueueIntake(records, runs, queue))


def event(name: str) -> str:
    return json.dumps(alarm_event(name, "2026-11-23T09:01:00Z"))


def test_an_event_is_taken_off_once_its_incident_stands(bench: Bench) -> None:
    assert bench.take(event("stands")).startswith("opened")
    assert (bench.queue.taken_off, bench.queue.put_aside) == (["r-1"], [])


def test_an_event_comes_again_until_the_host_has_claimed_its_incident(bench: Bench) -> None:
    bench.runs.claims = False
    assert "comes again in 30 s" in bench.take(event("slow-host"))
    assert bench.queue.taken_off == []
    bench.runs.claims = True
    bench.take(event("slow-host"), receives=2)
    assert (bench.queue.taken_off, bench.queue.put_aside) == (["r-1"], [30])


@pytest.mark.parametrize("body", ["", "{", "[]", "{}", '{"n": ' + "9" * 5000 + "}"], ids=range(5))
def test_a_refused_body_is_kept_and_taken_off(bench: Bench, body: str) -> None:
    assert bench.take(body).startswith("refused: ")
    assert bench.queue.taken_off == ["r-1"]
    assert bench.runs.started == 0
    assert body in bench.kept()


def test_what_is_no_alarm_is_kept_and_taken_off(bench: Bench) -> None:
    body = json.dumps({"source": "aws.ec2", "detail-type": "Something", "id": "no-alarm", "detail": {}})
    assert "not_an_alarm" in bench.take(body)
    assert bench.queue.taken_off == ["r-1"]
    assert canonical_json(json.loads(body)) in bench.kept()


@pytest.mark.parametrize("failure", [Transient("throttled"), IncidentBusyError("held"), KeyError("a defect")])
def test_what_fails_comes_again_later_each_time_and_ends_nobody(bench: Bench, failure: Exception) -> None:
    bench.runs.failing = failure
    for receives in range(1, 9):
        assert bench.take(event("poison"), receives).startswith("comes again in ")
    assert bench.queue.taken_off == []
    assert bench.queue.put_aside == [5, 10, 20, 40, 80, 160, MOST_SECONDS, MOST_SECONDS]


def test_an_empty_queue_says_nothing(bench: Bench) -> None:
    assert bench.intake.take_next(0) is None
