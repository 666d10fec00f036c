"""The simulated account, put together: what it holds, what it plays, and how its time moves."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from simulator.bedrock.app import BedrockApp
from simulator.clock import AccountClock
from simulator.cloudwatch.alarm_book import AlarmBook
from simulator.cloudwatch.metric_data import MetricData
from simulator.cloudwatch.metrics import MetricStore
from simulator.cloudwatch.overlay import CloudWatchOverlay
from simulator.control.faults import Faults
from simulator.delivery import Delivery
from simulator.dispatch import Dispatch
from simulator.ecs.overlay import EcsOverlay
from simulator.ecs.rollout import Scheduler
from simulator.ecs.state import EcsState
from simulator.emulator import Emulator, RefusedError
from simulator.logs.overlay import LogsOverlay
from simulator.logs.store import LogStore
from simulator.seeding import (
    Credentials,
    Seeding,
    automation_credentials,
    operator_credentials,
    task_definition,
)
from simulator.ssm.overlay import AutomationOverlay
from simulator.trail.callers import assumed_role
from simulator.trail.calls import CallLog
from simulator.trail.overlay import CloudTrailOverlay
from simulator.wire.protocol import REGION
from simulator.workload.engine import TICK, Workload
from simulator.world import Deploy, World

ON_DEMAND_UNITS = 40_000


@dataclass
class Account:
    """A running account. `advance_to` is the only thing that moves its time."""

    world: World
    clock: AccountClock
    emulator: Emulator
    log: CallLog
    dispatch: Dispatch
    bedrock: BedrockApp
    book: AlarmBook
    delivery: Delivery
    automation: AutomationOverlay
    workload: Workload
    credentials: Credentials
    _next_tick: datetime
    _moving: asyncio.Lock

    async def advance_to(self, moment: datetime) -> None:
        """Play everything up to `moment`, tick by tick. One advance at a time."""
        async with self._moving:
            await self._play_to(moment)

    async def advance_by(self, span: timedelta) -> None:
        """Play a span of account time, counted from when the advances before it are done."""
        async with self._moving:
            await self._play_to(self.clock.now() + span)

    async def _play_to(self, moment: datetime) -> None:
        while self._next_tick + TICK <= moment:
            await self._tick()
            # Calls are answered between ticks, however long the way is.
            await asyncio.sleep(0)
        self.clock.move_to(moment)
        await self.automation.clock_moved()

    async def _tick(self) -> None:
        await self.workload.tick(self._next_tick)
        self._next_tick += TICK
        self.clock.move_to(self._next_tick)
        if self._next_tick.second == 0:
            for change in self.book.evaluate(self._next_tick):
                self.delivery.announce_alarm(change)
        await self.automation.clock_moved()


@dataclass(frozen=True)
class Opening:
    """How an account is opened: its world, its history, and where it is reached."""

    world: World
    start: datetime
    history: timedelta
    seed: int
    endpoint: str


@dataclass(frozen=True)
class Holdings:
    """What the account's services keep, empty at first."""

    metrics: MetricStore
    logs: LogStore
    ecs: EcsState
    registry: set[str]
    scheduler: Scheduler
    book: AlarmBook
    log: CallLog


async def open_account(opening: Opening, emulator: Emulator) -> Account:
    """An account that has lived through its history and stands at its start."""
    begin = opening.start - opening.history
    clock = AccountClock(begin)
    delivery = Delivery(emulator, clock)
    held = _holdings(opening.world, delivery)
    dispatch = Dispatch(emulator, clock, held.log, Faults())
    automation = AutomationOverlay(clock, _clients(opening.endpoint, await automation_credentials(emulator)))
    await _seed(Seeding(opening.world, begin, opening.start), emulator, held, automation)
    dispatch.install(
        [
            CloudWatchOverlay(MetricData(held.metrics, clock), held.book, {}, delivery.announce_alarm),
            LogsOverlay(held.logs, clock),
            EcsOverlay(held.ecs, held.scheduler),
            CloudTrailOverlay(held.log, clock),
            automation,
        ]
    )
    account = Account(
        opening.world,
        clock,
        emulator,
        held.log,
        dispatch,
        BedrockApp(clock, dispatch.note),
        held.book,
        delivery,
        automation,
        _workload(opening, held, emulator, dispatch),
        await operator_credentials(emulator),
        begin,
        asyncio.Lock(),
    )
    await account.advance_to(opening.start)
    return account


def _holdings(world: World, delivery: Delivery) -> Holdings:
    registry = {one.image for one in world.releases if one.can_be_pulled}
    scheduler = Scheduler(registry.__contains__, delivery.announce_deployment)
    metrics = MetricStore()
    return Holdings(metrics, LogStore(), EcsState(), registry, scheduler, AlarmBook(metrics), CallLog())


async def _seed(seeding: Seeding, emulator: Emulator, held: Holdings, automation: AutomationOverlay) -> None:
    await seeding.emulated(emulator)
    await seeding.documents(automation)
    seeding.alarms(held.book)
    seeding.logs(held.logs)
    seeding.ecs(held.ecs, held.scheduler)


def _workload(opening: Opening, held: Holdings, emulator: Emulator, dispatch: Dispatch) -> Workload:
    return Workload(
        opening.world,
        opening.start,
        held.ecs,
        held.registry,
        held.scheduler,
        held.metrics,
        held.logs,
        lambda: _write_capacities(emulator, opening.world),
        lambda event: _deploy(dispatch, opening.world, event),
        opening.seed,
    )


async def _write_capacities(emulator: Emulator, world: World) -> Mapping[str, int]:
    """What the tables can take now. A table that is gone takes nothing."""
    capacities = {}
    for table in world.tables:
        try:
            described = await emulator.call("dynamodb", "DescribeTable", {"TableName": table.name})
        except RefusedError:
            capacities[table.name] = 0
            continue
        on_demand = described["Table"].get("BillingModeSummary", {}).get("BillingMode") == "PAY_PER_REQUEST"
        units = described["Table"]["ProvisionedThroughput"]["WriteCapacityUnits"]
        capacities[table.name] = ON_DEMAND_UNITS if on_demand else int(units)
    return capacities


async def _deploy(dispatch: Dispatch, world: World, event: Deploy) -> None:
    """Register a revision that differs in its image, and roll it out, as a pipeline does."""
    service = world.service(event.service)
    caller = assumed_role(world.deployer.role, event.session or world.deployer.session)
    registered = await dispatch.perform(
        caller.arn, caller.access_key, "ecs", "RegisterTaskDefinition", task_definition(service, event.image)
    )
    definition = registered["taskDefinition"]
    update = {
        "cluster": world.cluster,
        "service": service.name,
        "taskDefinition": f"{definition['family']}:{definition['revision']}",
    }
    await dispatch.perform(caller.arn, caller.access_key, "ecs", "UpdateService", update)


def _clients(endpoint: str, credentials: Credentials) -> Callable[[str], Any]:
    """Clients for steps of Automation documents, which call the account as anybody would."""

    def client(service: str) -> Any:
        # Boto3 is slow to import, and most accounts never run a document.
        import boto3

        return boto3.client(
            service,  # type: ignore[call-overload]  # The stubs know literal names only.
            endpoint_url=endpoint,
            region_name=REGION,
            aws_access_key_id=credentials.access_key_id,
            aws_secret_access_key=credentials.secret_access_key,
            aws_session_token=credentials.session_token,
        )

    return client
