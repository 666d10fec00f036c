"""Accounts in this process, without a server: opened, played and called directly."""

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from evals.truth import AcceptableCall, ForbiddenChange, Harm
from simulator.account import Account, Opening, open_account
from simulator.deeds import Deeds
from simulator.emulator import Emulator
from simulator.scenario import read_scenario
from simulator.trail.callers import assumed_role

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ENDPOINT = "http://127.0.0.1:9"


@dataclass
class Played:
    """One account, with the few moves that proofs make."""

    account: Account
    loop: asyncio.AbstractEventLoop

    def advance(self, minutes: float) -> None:
        self.loop.run_until_complete(self.account.advance_by(timedelta(minutes=minutes)))

    @property
    def minutes(self) -> float:
        return (self.account.clock.now() - START) / timedelta(minutes=1)

    def state(self, alarm: str) -> str:
        return self.account.book.alarms[alarm].standing.state.value

    def until(self, alarm: str, state: str, span: timedelta) -> float:
        """Advance until the alarm is in the state; the minute of the account at which it is."""
        end = self.minutes + span / timedelta(minutes=1)
        while self.state(alarm) != state:
            assert self.minutes < end, f"{alarm} is {self.state(alarm)} at +{self.minutes:g}m, not {state}"
            self.advance(1)
        return self.minutes

    def make(self, change: AcceptableCall | ForbiddenChange) -> dict[str, Any]:
        """Carry out a change as somebody on call does."""
        service, _, operation = change.api.partition(":")
        asked = {**change.parameters, **change.also}
        if operation == "StopTask":
            # A truth cannot name a task: whoever is on call finds it by its log.
            (asked["task"],) = self.account.workload.ill
        return self.call(service, operation, asked)

    def call(self, service: str, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        account = self.account
        deeds = Deeds(account.world, account.dispatch, account.emulator, account.log)
        caller = assumed_role("on-call", "somebody")
        return dict(self.loop.run_until_complete(deeds.call(caller, service, operation, parameters)))

    def series(self, metric: Harm, since: float) -> list[float]:
        """The metric's values, minute by minute, from a minute of the account on."""
        begin = START + timedelta(minutes=since)
        return self.values(metric.namespace, metric.metric, metric.dimensions, begin, metric.stat)

    def values(
        self, namespace: str, metric: str, dimensions: dict[str, str], begin: datetime, stat: str = "Sum"
    ) -> list[float]:
        store = self.account.workload.held.metrics
        found = store.series(namespace, metric, dimensions, begin, self.account.clock.now(), 60, stat)
        return [value for _, value in found]

    def fingerprint(self) -> dict[str, str]:
        """Metrics, logs and alarm histories, each as a digest of all of it."""
        held, now = self.account.workload.held, self.account.clock.now()
        ages = START - timedelta(days=2)
        metrics = [
            (name, stat, held.metrics.series(*_named(name), ages, now, 60, stat))
            for name in held.metrics.list()
            for stat in ("Sum", "SampleCount", "Minimum", "Maximum", "p99")
        ]
        logs = [
            (one.group, one.stream, one.at, one.message)
            for one in held.logs.events(held.logs.groups, ages, now)
        ]
        alarms = [(one.name, one.history) for one in self.account.book.alarms.values()]
        parts = {"metrics": metrics, "logs": logs, "alarms": alarms}
        return {key: sha256(repr(value).encode()).hexdigest() for key, value in parts.items()}


def _named(name: Any) -> tuple[str, str, dict[str, str]]:
    return name.namespace, name.name, dict(name.dimensions)


@dataclass(frozen=True)
class Stage:
    """Opens accounts one after the other in this process. Each ends the one before it."""

    emulator: Emulator
    loop: asyncio.AbstractEventLoop

    def play(
        self,
        scenario: str,
        *,
        seed: int = 1,
        history: timedelta = timedelta(minutes=12),
        folder: Path | None = None,
    ) -> Played:
        self.emulator.forget()
        world = read_scenario(scenario, folder, seed)
        opening = Opening(world, START, history, seed, ENDPOINT)
        return Played(self.loop.run_until_complete(open_account(opening, self.emulator)), self.loop)


@contextmanager
def stage() -> Iterator[Stage]:
    """The one stage of this process: the emulator below it exists once."""
    loop = asyncio.new_event_loop()
    with tempfile.TemporaryDirectory() as folder:
        try:
            yield Stage(Emulator(9, folder), loop)
        finally:
            loop.close()
