"""How long the first look takes when every call of its collectors is slow, beside its slowest chain of calls.

A call depends on another when it needs its answer: a log query the onset, which the alarm's metric shows, and the size
of its group; a query's rows its id; a task definition and a stopped task their names; a parameter's values the change
that names it; a page the page before. Calls that need nothing of each other may run side by side, and then the first
look takes no longer than its slowest chain. What is counted is what the account was really asked.
"""

import argparse
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import httpx

from console.account import Account, Play, playing
from console.drive import PATIENCE, await_event
from console.session import Session, open_session
from console.text import screen
from evals.bench.machine import machine
from evals.bench.page import replaced
from evals.bench.run import PAGE
from graphs.bootstrap import set_up
from graphs.settings import World, from_environment
from memory.records.incident import Incident, incident_of
from tools.aws.access import AwsAccess
from tools.first_look import take_first_look
from tools.intake import parse_event
from tools.observe.sources import Sources

NAME = "first-look"
SECONDS = 0.5
MOST = 1.2
SCENARIOS = ("bad-deployment", "wrong-parameter", "red-herring")
ROUNDS = 3
# What a collector asks; the record's own writes are not the collectors'.
SERVICES = (
    "cloudwatch",
    "logs",
    "ecs",
    "lambda",
    "ssm",
    "sqs",
    "cloudtrail",
    "codedeploy",
    "service-quotas",
)
SLOWED = (*((service, "*") for service in SERVICES), ("dynamodb", "DescribeTable"))
# For each operation those whose answers it needs, within one part's collector or from the alarm's.
NEEDS: Mapping[str, tuple[str, ...]] = {
    "StartQuery": ("GetMetricData", "DescribeLogGroups"),
    "GetQueryResults": ("StartQuery",),
    "DescribeTaskDefinition": ("DescribeServices",),
    "DescribeTasks": ("ListTasks",),
    "GetParameterHistory": ("LookupEvents",),
    "GetQueueAttributes": ("GetQueueUrl",),
    "ListDeployments": ("ListApplications",),
    "BatchGetDeployments": ("ListDeployments",),
    "GetAWSDefaultServiceQuota": ("GetServiceQuota",),
}


@dataclass
class Calls:
    """What was asked of the account: the seconds of each call by operation, and how often one query was polled."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    polls: Counter[str] = field(default_factory=Counter)
    pages: Counter[str] = field(default_factory=Counter)
    _began: threading.local = field(default_factory=threading.local)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, params: Mapping[str, Any], **_: Any) -> None:
        """Note when this thread asked."""
        self._began.at = time.monotonic()

    def end(self, model: Any, **_: Any) -> None:
        """Note how long the answer took."""
        took = time.monotonic() - self._began.at
        with self._lock:
            self.seconds.setdefault(model.name, []).append(took)

    def asked(self, params: Mapping[str, Any], model: Any, **_: Any) -> None:
        """Count the questions that only go on with another: polls of a query, pages of the trail."""
        with self._lock:
            if model.name == "GetQueryResults":
                self.polls[params["queryId"]] += 1
            if model.name == "LookupEvents":
                self.pages[model.name] += 1

    @property
    def count(self) -> int:
        """Return how many calls were made."""
        return sum(len(found) for found in self.seconds.values())

    def chain(self, operation: str) -> float:
        """Return the seconds of the slowest chain of calls that ends with an operation, by median calls."""
        own = median(self.seconds.get(operation, [0.0])) * self._times(operation)
        before = [self.chain(one) for one in NEEDS.get(operation, ())]
        return own + max(before, default=0.0)

    def _times(self, operation: str) -> int:
        often = {
            "GetQueryResults": max(self.polls.values(), default=1),
            "LookupEvents": self.pages["LookupEvents"],
        }
        return max(often.get(operation, 1), 1)

    def slowest(self) -> float:
        """Return the seconds of the slowest chain of all."""
        return max(self.chain(operation) for operation in self.seconds)


@dataclass(frozen=True)
class MeteredAccess(AwsAccess):
    """An access whose calls are measured."""

    calls: Calls = field(default_factory=Calls)
    metered: set[str] = field(default_factory=set)

    def client(self, service: str) -> Any:
        """Return a client that notes what it asks."""
        client = super().client(service)
        if service not in self.metered:
            self.metered.add(service)
            events = client.meta.events
            events.register("provide-client-params.*.*", self.calls.asked)
            events.register("before-call.*.*", self.calls.begin)
            events.register("after-call.*.*", self.calls.end)
        return client


@dataclass(frozen=True)
class Timed:
    """One first look: what it took, its slowest chain, its calls, and what one takes with none delayed."""

    scenario: str
    seconds: float
    chain: float
    calls: int
    own: float


def bench(rounds: int, delay: float) -> list[Timed]:
    """Take first looks in each scenario with every call of the collectors delayed."""
    return [one for scenario in SCENARIOS for one in _looks(scenario, rounds, delay)]


def _looks(scenario: str, rounds: int, delay: float) -> Iterator[Timed]:
    with _alarmed(scenario) as (account, session, incident):
        # The first one also loads AWS's models of its services.
        own = min([_look(session, incident)[0] for _ in range(rounds + 1)][1:])
        _slow(account, delay)
        for _ in range(rounds):
            took, calls = _look(session, incident)
            yield Timed(scenario, took, calls.slowest(), calls.count, own)


def _look(session: Session, incident: Incident) -> tuple[float, Calls]:
    sources = _metered(session, incident)
    began = time.monotonic()
    take_first_look(sources, incident, session.records.settings.rubric)
    return time.monotonic() - began, sources.access.calls  # type: ignore[attr-defined]


@contextmanager
def _alarmed(scenario: str) -> Iterator[tuple[Account, Session, Incident]]:
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        playing(Play(scenario, seed=1), Path(folder), keep=False) as account,
    ):
        settings = from_environment(World.SIMULATED, Path(folder))
        set_up(settings)
        session = open_session(settings)
        records = session.records
        event = await_event(records, PATIENCE)
        envelope = parse_event(event, records.clock.now(), records.settings.tenant)
        if envelope.alarm is None:
            raise SystemExit(f"the event of {scenario} names no alarm")
        yield account, session, incident_of(envelope, envelope.alarm, "bench")


def _metered(session: Session, incident: Incident) -> Sources:
    """Return sources with warm clients of their own, so that each look is measured by itself."""
    sources = session.copilot.sources(incident, None)
    own = sources.access
    access = MeteredAccess(
        own.region, own.endpoint_url, own.access_key_id, own.secret_access_key, own.session_token
    )
    for service in (*SERVICES, "dynamodb"):
        access.client(service)
    return replace(sources, access=access)


def _slow(account: Account, delay: float) -> None:
    faults = [
        {"service": service, "operation": operation, "kind": "slow", "seconds": delay, "times": -1}
        for service, operation in SLOWED
    ]
    httpx.post(f"{account.endpoint}/_sim/faults", json=faults, trust_env=False).raise_for_status()


def table(timed: Sequence[Timed], delay: float, here: Mapping[str, str]) -> str:
    """Return the results in Markdown."""
    lines = [
        "| scenario | calls | slowest chain, s | first look, s | least, s | least, times the chain "
        "| least with no delay, s | least without that, times the chain | one after another, s |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for scenario in dict.fromkeys(one.scenario for one in timed):
        own = [one for one in timed if one.scenario == scenario]
        chain, least = median(one.chain for one in own), min(one.seconds for one in own)
        calls, work = own[0].calls, own[0].own
        lines.append(
            f"| {scenario} | {calls} | {chain:.2f} | {median(one.seconds for one in own):.2f} | {least:.2f} | "
            f"{least / chain:.2f} | {work:.2f} | {(least - work) / chain:.2f} | {calls * delay:.1f} |"
        )
    facts = "; ".join(f"{name}: {value}" for name, value in here.items())
    rounds = len(timed) // len({one.scenario for one in timed})
    day = datetime.now(UTC).date()
    return "\n".join(
        [*lines, "", f"{day}, medians of {rounds}, each call {delay * 1000:.0f} ms slower. {facts}."]
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, write the table, and return 1 when a first look takes longer than it may."""
    parser = argparse.ArgumentParser(prog="python -m evals.bench.first_look", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"first looks of each scenario; {ROUNDS}")
    parser.add_argument("--page", type=Path, default=PAGE, help="the page to write; docs/benchmarks.md")
    asked = parser.parse_args(arguments)
    here = machine()
    timed = bench(asked.rounds, SECONDS)
    text = table(timed, SECONDS, here)
    screen().print(text)
    asked.page.write_text(replaced(asked.page.read_text(encoding="utf-8"), NAME, text), encoding="utf-8")
    worst = max(min(one.seconds / one.chain for one in timed if one.scenario == name) for name in SCENARIOS)
    return 0 if worst <= MOST else 1


if __name__ == "__main__":
    raise SystemExit(main())
