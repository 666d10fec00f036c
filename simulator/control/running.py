"""The account that is served now: opened, laid over with further scenarios, and opened anew."""

import asyncio
import gc
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from simulator.account import Account, Opening, open_account
from simulator.clock import iso
from simulator.emulator import Emulator
from simulator.principals import Credentials
from simulator.scenario import ScenarioError
from simulator.seeding import Seeding
from simulator.world import World

ReadScenario = Callable[[str, Path | None], World]
# What a running account cannot take in: each is built when an account opens.
_BUILT = (
    "cluster",
    "namespace",
    "traffic",
    "services",
    "functions",
    "applications",
    "deployment_configs",
    "queues",
    "quotas",
    "tables",
    "externals",
    "topics",
)


@dataclass(frozen=True)
class Injection:
    """A scenario that was laid over the account, and when."""

    scenario: str
    folder: Path | None
    at: datetime

    def as_json(self) -> dict[str, Any]:
        """The injection as the control plane shows it."""
        return {
            "scenario": self.scenario,
            "scenarios_dir": str(self.folder) if self.folder else None,
            "at": iso(self.at),
        }


@dataclass
class Running:
    """One account after the other at one address. `opened` is set while one can be called."""

    opening: Opening
    emulator: Emulator
    read: ReadScenario
    account: Account
    injections: list[Injection]
    opened: asyncio.Event

    async def reset(self) -> None:
        """Put an account in place that stands where this one stood when it opened, under the same keys."""
        credentials = self.account.credentials
        self.opened.clear()
        try:
            self.account.dispatch.faults.clear()
            self.emulator.forget()
            # What ends is let go before the next one is built, so that two accounts are never held at once.
            del self.account
            gc.collect()
            self.account = await opened_account(self.opening, self.emulator)
            self.injections.clear()
            self.keep_key(credentials)
        finally:
            self.opened.set()

    def keep_key(self, credentials: Credentials) -> None:
        """Let the operator's key be the one that people hold already."""
        made = self.account.credentials
        if made.access_key_id != credentials.access_key_id:
            self.emulator.rename_key(
                made.access_key_id, credentials.access_key_id, credentials.secret_access_key
            )
            self.account.credentials = credentials

    def inject(self, scenario: str, folder: Path | None) -> Injection:
        """Lay a scenario's events, releases, faults and alarms over the account, dated from now."""
        injection = Injection(scenario, folder, self.account.clock.now())
        self.lay_over(injection)
        self.seed_alarms(injection)
        return injection

    def lay_over(self, injection: Injection) -> None:
        """Let happen what a scenario dates, counted from when it was injected."""
        world, account = self.read(injection.scenario, injection.folder), self.account
        problems = list(_obstacles(account.world, world))
        if problems:
            raise ScenarioError(
                f"scenario {injection.scenario} cannot be laid over {account.world.name}: it also changes "
                f"{', '.join(problems)}"
            )
        shift = injection.at - account.workload.start
        events = [one.model_copy(update={"at": one.at + shift}) for one in world.events]
        known = {one.image for one in account.world.releases}
        account.workload.lay_over(events, [one for one in world.releases if one.image not in known])
        account.dispatch.faults.enforce([one.rule(injection.at) for one in world.faults])
        self.injections.append(injection)

    def seed_alarms(self, injection: Injection) -> None:
        """Create the alarms of an injected scenario that the account does not have."""
        world, book = self.read(injection.scenario, injection.folder), self.account.book
        missing = [one for one in world.alarms if one.name not in book.all()]
        here = world.model_copy(update={"alarms": missing})
        Seeding(here, injection.at, injection.at).alarms(book)


async def run_account(opening: Opening, emulator: Emulator, read: ReadScenario) -> Running:
    """Open the first account."""
    opened = asyncio.Event()
    account = await opened_account(opening, emulator)
    opened.set()
    return Running(opening, emulator, read, account, [], opened)


async def opened_account(opening: Opening, emulator: Emulator) -> Account:
    """An account at its start, its scenario's faults ordered."""
    # What is laid over an account extends its world; the opening's stays as it was read.
    own = replace(opening, world=opening.world.model_copy(deep=True))
    account = await open_account(own, emulator)
    account.dispatch.faults.enforce([one.rule(opening.start) for one in opening.world.faults])
    return account


def _obstacles(running: World, laid: World) -> Iterator[str]:
    """What a scenario says of the account that can be said only when an account opens."""
    for name in _BUILT:
        if getattr(running, name) != getattr(laid, name):
            yield name
    if {one.name for one in laid.parameters} - {one.name for one in running.parameters}:
        yield "parameters"
