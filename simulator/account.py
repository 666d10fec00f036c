"""The simulated account, put together: what it holds, what it plays, and how its time moves."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from simulator.bedrock.app import BedrockApp
from simulator.clock import AccountClock
from simulator.cloudwatch.alarm_book import AlarmBook
from simulator.cloudwatch.metric_data import MetricData
from simulator.cloudwatch.metrics import MetricStore
from simulator.cloudwatch.overlay import CloudWatchOverlay
from simulator.codedeploy.overlay import CodeDeployOverlay
from simulator.codedeploy.records import CodeDeployState
from simulator.codedeploy.shifting import Shifter
from simulator.control.faults import Faults
from simulator.deeds import Deeds
from simulator.delivery import Delivery
from simulator.dispatch import Dispatch
from simulator.dynamodb.overlay import TableOverlay
from simulator.ecs.containers import Machines
from simulator.ecs.overlay import EcsOverlay
from simulator.ecs.rollout import Scheduler
from simulator.ecs.state import EcsState
from simulator.ecs.vcpus import Vcpus
from simulator.emulator import Emulator
from simulator.functions.invoking import Invoking
from simulator.functions.overlay import LambdaOverlay
from simulator.functions.records import LambdaState
from simulator.iam.gate import Gate
from simulator.iam.resources import Resources
from simulator.iam.simulation import SimulationOverlay
from simulator.iam.store import IdentityStore, RootKey, new_root_key
from simulator.logs.overlay import LogsOverlay
from simulator.logs.store import LogStore
from simulator.principals import Credentials, automation_credentials, operator_credentials
from simulator.quotas.applied import AppliedQuotas, applied
from simulator.quotas.overlay import QuotasOverlay
from simulator.seeding import Seeding
from simulator.sqs.mirror import QueueMirror
from simulator.sqs.overlay import RedriveOverlay
from simulator.ssm.acting import Identities, acting
from simulator.ssm.overlay import AutomationOverlay
from simulator.ssm.settings import Settings
from simulator.trail.calls import CallLog
from simulator.trail.overlay import CloudTrailOverlay
from simulator.wire.protocol import REGION
from simulator.workload.engine import Workload
from simulator.workload.holdings import Holdings
from simulator.workload.readings import AccountReader
from simulator.world import World


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
    codedeploy: CodeDeployOverlay
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

    def between_ticks(self) -> asyncio.Lock:
        """Held, the account stands between two ticks and stays there."""
        return self._moving

    async def _play_to(self, moment: datetime) -> None:
        while self._next_tick + (step := self.workload.step(self._next_tick)) <= moment:
            await self._tick(step)
            # Calls are answered between ticks, however long the way is.
            await asyncio.sleep(0)
        self.clock.move_to(moment)
        await self.codedeploy.clock_moved(moment)
        await self.automation.clock_moved()

    async def _tick(self, step: timedelta) -> None:
        await self.workload.tick(self._next_tick)
        self._next_tick += step
        self.clock.move_to(self._next_tick)
        for change in self.book.evaluate(self._next_tick):
            self.delivery.announce_alarm(change)
        await self.codedeploy.clock_moved(self._next_tick)
        await self.automation.clock_moved()


@dataclass(frozen=True)
class Opening:
    """How an account is opened: its world, its history, and where it is reached."""

    world: World
    start: datetime
    history: timedelta
    seed: int
    endpoint: str
    root: RootKey = field(default_factory=new_root_key)


async def open_account(opening: Opening, emulator: Emulator) -> Account:
    """An account that has lived through its history and stands at its start."""
    begin = opening.start - opening.history
    clock = AccountClock(begin)
    delivery = Delivery(emulator, clock)
    quotas = applied(opening.world.quotas)
    held = _holdings(opening.world, delivery, emulator, quotas)
    book, log = AlarmBook(held.metrics), CallLog()
    deploying = CodeDeployState()
    gate = Gate(IdentityStore(opening.root), clock, Resources(_tags_of(held), deploying.group_arn))
    dispatch = Dispatch(emulator, clock, log, Faults(), gate)
    automation = await _automation(opening, clock, emulator, gate)
    shifter = Shifter(deploying, held.functions, dispatch.perform, book.is_alarming)
    codedeploy = CodeDeployOverlay(deploying, shifter)
    await _seed(Seeding(opening.world, begin, opening.start), emulator, held, book, (automation, codedeploy))
    dispatch.install(
        [
            CloudWatchOverlay(MetricData(held.metrics, clock), book, {}, delivery.announce_alarm),
            LogsOverlay(held.logs, clock),
            EcsOverlay(held.ecs, held.scheduler),
            LambdaOverlay(held.functions, held.registry.__contains__, _invoking(opening.world, held)),
            codedeploy,
            RedriveOverlay(emulator),
            TableOverlay(emulator, quotas),
            QuotasOverlay(quotas),
            SimulationOverlay(gate.store),
            CloudTrailOverlay(log, clock, gate.store.source_identities),
            automation,
        ]
    )
    deeds = Deeds(opening.world, dispatch, emulator, log)
    reader = AccountReader(emulator, held.mirror, opening.world, log)
    account = Account(
        opening.world,
        clock,
        emulator,
        log,
        dispatch,
        BedrockApp(clock, dispatch.note),
        book,
        delivery,
        automation,
        codedeploy,
        Workload(opening.world, opening.start, held, reader, deeds, opening.seed),
        await operator_credentials(emulator),
        begin,
        asyncio.Lock(),
    )
    await account.advance_to(opening.start)
    return account


async def _automation(
    opening: Opening, clock: AccountClock, emulator: Emulator, gate: Gate
) -> AutomationOverlay:
    own = await automation_credentials(emulator)
    identities = Identities(gate.store, emulator, own)
    return AutomationOverlay(clock, _clients(opening.endpoint, own), Settings(emulator), identities)


def _holdings(world: World, delivery: Delivery, emulator: Emulator, quotas: AppliedQuotas) -> Holdings:
    registry = {one.image for one in world.releases if one.can_be_pulled}
    ecs, functions = EcsState(), LambdaState(concurrency=quotas.concurrency)
    machines = Machines(registry.__contains__, _memory_needs(world))
    scheduler = Scheduler(machines, delivery, Vcpus(ecs, quotas))
    mirror = QueueMirror(emulator)
    return Holdings(ecs, functions, registry, scheduler, MetricStore(), LogStore(), mirror)


def _invoking(world: World, held: Holdings) -> Invoking:
    """What Invoke needs: how often images fail, and where invocations are counted."""
    fails = {one.image: one.error_share for one in world.releases}

    def count(metric: str, function: str, at: datetime) -> None:
        held.metrics.put("AWS/Lambda", metric, {"FunctionName": function}, at, 1)

    return Invoking(held.functions, lambda image: fails.get(image, 0.0), count)


def _memory_needs(world: World) -> Callable[[str], float]:
    """The memory in MiB that an image takes before it has served anything: its repository's service knows."""
    needs = {
        revision.image.rpartition(":")[0]: service.memory / 100 * float(service.memory_mb)
        for service in world.services
        for revision in service.revisions
    }
    return lambda image: needs.get(image.rpartition(":")[0], 0.0)


async def _seed(
    seeding: Seeding,
    emulator: Emulator,
    held: Holdings,
    book: AlarmBook,
    told: tuple[AutomationOverlay, CodeDeployOverlay],
) -> None:
    """Put the world into the account, what is `told` to Systems Manager and CodeDeploy by their own calls."""
    await seeding.emulated(emulator)
    await seeding.documents(told[0])
    await seeding.applications(told[1])
    seeding.alarms(book)
    seeding.logs(held.logs)
    seeding.ecs(held.ecs, held.scheduler)
    seeding.functions(held.functions)


def _tags_of(held: Holdings) -> Callable[[str], Mapping[str, str]]:
    """Finds the tags of what overlays keep, by ARN."""

    def tags(arn: str) -> Mapping[str, str]:
        function = held.functions.functions.get(arn.partition(":function:")[2])
        return function.tags if function is not None else held.ecs.tags.get(arn, {})

    return tags


def _clients(endpoint: str, own: Credentials) -> Callable[[str], Any]:
    """Clients for steps of Automation documents, which call the account as anybody would, and as whom they act."""

    def client(service: str) -> Any:
        # Boto3 is slow to import, and most accounts never run a document.
        import boto3

        credentials = acting.get() or own
        return boto3.client(
            service,  # type: ignore[call-overload]  # The stubs know literal names only.
            endpoint_url=endpoint,
            region_name=REGION,
            aws_access_key_id=credentials.access_key_id,
            aws_secret_access_key=credentials.secret_access_key,
            aws_session_token=credentials.session_token,
        )

    return client
