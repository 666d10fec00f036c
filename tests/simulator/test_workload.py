from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from simulator.cloudwatch.metrics import MetricStore
from simulator.ecs.records import Service
from simulator.logs.store import LogStore
from simulator.scenario import read_scenario
from simulator.workload.chance import counted
from simulator.workload.flow import Flow, Moment, Running, Streams, callers_first, queueing
from simulator.workload.load import Load
from simulator.workload.logwriting import LogWriter
from simulator.workload.measures import Measures
from simulator.workload.tables import Meter, Units, meters_of
from simulator.world import (
    Batch,
    LogOccasion,
    LogTemplate,
    Reads,
    Release,
    Slowdown,
    TableWorld,
    TrafficChange,
    World,
    offset,
)

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
TICK = timedelta(seconds=10)


@pytest.fixture(scope="module")
def world() -> World:
    return read_scenario("bad-deployment")


def streams(world: World, *, capacity: int = 1000) -> Streams:
    load = Load(world.traffic, [], START)
    meters = meters_of(world.tables)
    return Streams(world, load, Random(5), meters)


def running(world: World, service: str, *releases: Release) -> dict[str, Running]:
    """Every service runs as it should, but `service` runs one task of each of `releases`."""
    known = {one.image: one for one in world.releases}
    usual = {
        one.name: Running(
            tuple((f"{one.name}-{task}", known[one.revisions[-1].image]) for task in range(one.desired))
        )
        for one in world.services
    }
    special = Running(tuple((f"task-{number}", release) for number, release in enumerate(releases)))
    return {**usual, service: special}


def minutes_of(
    world: World, tasks: dict[str, Running], *, units: int = 1000, minutes: int = 10
) -> Iterator[dict[str, Flow]]:
    flowing = streams(world)
    for tick in range(minutes * 6):
        yield flowing.tick(
            Moment(START + tick * TICK), tasks, {one.name: Units(units, units) for one in world.tables}
        )


def share_of_errors(world: World, tasks: dict[str, Running], service: str, *, units: int = 1000) -> float:
    flows = [one[service] for one in minutes_of(world, tasks, units=units)]
    return sum(one.errors for one in flows) / sum(one.requests for one in flows)


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("+4m", timedelta(minutes=4)),
        ("-1h30m", timedelta(hours=-1, minutes=-30)),
        ("45s", timedelta(seconds=45)),
        ("-75d", timedelta(days=-75)),
    ],
)
def test_offsets_are_read(text: str, span: timedelta) -> None:
    assert offset(text) == span


@pytest.mark.parametrize("text", ["", "+", "4", "m4", "1.5h", 4, None])
def test_what_is_no_offset_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="not an offset"):
        offset(text)


def test_traffic_climbs_over_its_ramp_and_falls_again(world: World) -> None:
    change = TrafficChange(
        at=timedelta(minutes=10),
        kind="traffic",
        factor=3,
        ramp=timedelta(minutes=4),
        lasts=timedelta(minutes=20),
    )
    calm, busy = Load(world.traffic, [], START), Load(world.traffic, [change], START)

    def factor(minute: int) -> float:
        at = START + timedelta(minutes=minute)
        return round(busy.requests_per_minute(at) / calm.requests_per_minute(at), 3)

    assert [factor(minute) for minute in (10, 12, 14, 30, 32, 34, 90)] == [1, 2, 3, 3, 2, 1, 1]


def test_traffic_has_a_daily_wave(world: World) -> None:
    load = Load(world.traffic, [], START)
    hourly = [load.requests_per_minute(START + timedelta(hours=hour)) for hour in range(24)]

    assert hourly.index(max(hourly)) == 5
    assert max(hourly) / min(hourly) == pytest.approx(1.15 / 0.85)


def test_a_batch_comes_again(world: World) -> None:
    batch = Batch(
        at=timedelta(hours=-2, minutes=4),
        kind="batch",
        service="web",
        cpu_percent=40,
        lasts=timedelta(minutes=3),
        every=timedelta(hours=1),
    )
    load = Load(world.traffic, [batch], START)
    busy = [minute for minute in range(-180, 120) if load.batch_cpu("web", START + timedelta(minutes=minute))]

    assert busy == [*(-116, -115, -114), *(-56, -55, -54), *(4, 5, 6), *(64, 65, 66)]
    assert load.batch_cpu("payments", START + timedelta(minutes=4)) == 0


def test_a_slowdown_lasts_as_long_as_it_says(world: World) -> None:
    slow = Slowdown(
        at=timedelta(minutes=1),
        kind="slowdown",
        service="web",
        latency_factor=4,
        error_share=0.1,
        lasts=timedelta(minutes=2),
    )
    load = Load(world.traffic, [slow], START)

    assert load.slowdown("web", START) == (1.0, 0.0)
    assert load.slowdown("web", START + timedelta(minutes=2)) == pytest.approx((4.0, 0.1))
    assert load.slowdown("web", START + timedelta(minutes=3)) == (1.0, 0.0)


def test_a_table_saves_unused_capacity_for_a_burst_and_then_throttles() -> None:
    meter = Meter(burst_seconds=30)
    refused = []
    for asked in [10] * 10 + [100] * 5:
        meter.refill(5, 10)
        refused.append(round(meter.take(asked).refused_share, 2))

    assert refused[:12] == [0] * 12
    assert refused[-1] == 0.5


def test_callers_come_before_those_they_call(world: World) -> None:
    order = [one.name for one in callers_first(world.services)]

    assert order.index("web") < order.index("checkout") < order.index("payments")
    assert order.index("checkout") < order.index("inventory")


def test_what_runs_decides_what_fails(world: World) -> None:
    good, bad = Release(image="good", error_share=0.0), Release(image="bad", error_share=0.5)

    assert share_of_errors(world, running(world, "checkout", *[good] * 5), "checkout") < 0.02
    half = share_of_errors(world, running(world, "checkout", *[good] * 3, *[bad] * 3), "checkout")
    assert half == pytest.approx(0.25, abs=0.05)
    whole = share_of_errors(world, running(world, "checkout", *[bad] * 5), "checkout")
    assert whole == pytest.approx(0.5, abs=0.05)


def test_too_few_tasks_turn_requests_away_and_slow_the_rest(world: World) -> None:
    good = Release(image="good", error_share=0.0)
    flows = [one["checkout"] for one in minutes_of(world, running(world, "checkout", good))]

    assert sum(one.overloaded for one in flows) > 0.4 * sum(one.requests for one in flows)
    assert flows[-1].latency_ms > 3 * 70
    assert queueing(0.5) == 1


def test_without_a_task_everything_fails(world: World) -> None:
    assert share_of_errors(world, running(world, "checkout"), "checkout") == 1


def test_a_table_that_takes_half_fails_half(world: World) -> None:
    asked_a_second = 600 * 0.25 * 1.2 / 60

    share = share_of_errors(
        world, running(world, "web", *[world.releases[1]] * 4), "checkout", units=int(asked_a_second / 2)
    )

    assert share == pytest.approx(1 - 1 / asked_a_second, abs=0.1)


def test_a_throttle_has_points_only_when_there_is_one(world: World) -> None:
    metrics = MetricStore()
    measures = Measures(metrics, world)
    tasks = running(world, "web", *[world.releases[1]] * 4)
    flowing = streams(world)
    for tick in range(60):
        units = Units(10, 1000 if tick < 30 else 1)
        at = START + tick * TICK
        flows = flowing.tick(Moment(at), tasks, {"orders": units})
        for flow in flows.values():
            measures.publish(flow, {})
        measures.publish_tables(at, flows, {"orders": units})
        writes = flowing.meters["orders"].writes
        writes.available = min(writes.available, 50)

    end = START + timedelta(minutes=10)
    throttled = metrics.series(
        "AWS/DynamoDB", "WriteThrottleEvents", {"TableName": "orders"}, START, end, 60, "Sum"
    )
    provisioned = metrics.series(
        "AWS/DynamoDB", "ProvisionedWriteCapacityUnits", {"TableName": "orders"}, START, end, 60, "Average"
    )
    failed = metrics.series("Storefront", "OrdersFailed", {"Service": "checkout"}, START, end, 60, "Sum")
    assert 4 <= len(throttled) <= 5
    assert len(failed) == 10
    assert [at.minute for at, _ in provisioned] == [0, 5]


def test_log_lines_are_filled_in_and_go_to_their_tasks_stream(world: World) -> None:
    logs = LogStore()
    template = LogTemplate(
        on=LogOccasion.ERROR,
        text='{"request_id":"$request_id","took":$duration_ms,"why":"$why","left":"$nobody"}',
        fields={"why": ["rain"]},
    )
    bad = Release(image="bad", error_share=0.5, logs=[template])
    writer = LogWriter(logs, Random(1))
    (flow,) = [one["checkout"] for one in minutes_of(world, running(world, "checkout", bad), minutes=1)][:1]

    writer.write(flow)

    events = [
        one for one in logs.events([flow.service.log_group], START, START + TICK) if "rain" in one.message
    ]
    assert events
    assert '"left":"$nobody"' in events[0].message
    assert {one.stream for one in events} == {"checkout/checkout/task-0"}
    assert all(START <= one.at < START + TICK for one in events)


def test_errors_are_worded_by_the_release_that_makes_them(world: World) -> None:
    logs = LogStore()
    words = LogTemplate(on=LogOccasion.ERROR, text="RELEASE ERROR")
    good, bad = Release(image="good", error_share=0.0), Release(image="bad", error_share=0.6, logs=[words])
    writer = LogWriter(logs, Random(1))
    for flows in minutes_of(world, running(world, "checkout", *[good] * 4, bad)):
        writer.write(flows["checkout"])

    group = world.service("checkout").log_group
    messages = [
        (one.stream.rpartition("/")[2], one.message)
        for one in logs.events([group], START, START + timedelta(hours=1))
    ]
    assert {task for task, message in messages if message == "RELEASE ERROR"} == {"task-4"}
    assert not [message for _, message in messages if "card declined" in message]


@pytest.mark.parametrize(("trials", "share"), [(40, 0.05), (1000, 0.35), (5, 0.0), (7, 1.0)])
def test_counts_vary_around_their_mean(trials: int, share: float) -> None:
    random = Random(2)
    counts = [counted(random, trials, share) for _ in range(2000)]

    assert sum(counts) / len(counts) == pytest.approx(trials * share, rel=0.05)
    assert 0 <= min(counts) <= max(counts) <= trials


def test_a_seed_makes_the_same_account_again(world: World) -> None:
    tasks = running(world, "web", *[world.releases[1]] * 4)
    first, second = (
        [flow.errors for flows in minutes_of(world, tasks) for flow in flows.values()] for _ in range(2)
    )

    assert first == second


def test_a_service_keeps_its_last_hundred_events() -> None:
    service = Service("web", "c", {}, 1, START, "me")
    for number in range(150):
        service.say(START, f"event {number}")

    assert len(service.events) == 100
    assert service.events[0]["message"] == "event 149"


def test_a_table_that_is_read_too_often_fails_reads_and_counts_them(world: World) -> None:
    stock = TableWorld(name="stock", key="sku", read_capacity=2, write_capacity=2)
    inventory = world.service("inventory").model_copy(
        update={"reads": [Reads(table="stock", per_request=1.0)]}
    )
    services = [inventory if one.name == "inventory" else one for one in world.services]
    reading = world.model_copy(update={"services": services, "tables": [*world.tables, stock]})
    flowing, metrics = streams(reading), MetricStore()
    measures = Measures(metrics, reading)
    capacity = {"orders": Units(10, 1000), "stock": Units(2, 2)}
    for tick in range(60):
        at = START + tick * TICK
        flows = flowing.tick(Moment(at), running(reading, "web", *[reading.releases[1]] * 4), capacity)
        measures.publish_tables(at, flows, capacity)

    ended = flows["inventory"]
    assert 0.5 < ended.failed_reads / ended.requests < 0.9
    assert ended.failed_writes == 0
    span = (START, START + timedelta(minutes=10), 60, "Sum")
    table = {"TableName": "stock"}
    consumed = metrics.series("AWS/DynamoDB", "ConsumedReadCapacityUnits", table, *span)
    assert round(consumed[-1][1]) == 2 * 60
    assert metrics.series("AWS/DynamoDB", "ReadThrottleEvents", table, *span)
    assert not metrics.series("AWS/DynamoDB", "WriteThrottleEvents", table, *span)
    assert metrics.series("AWS/DynamoDB", "ProvisionedReadCapacityUnits", table, *span)[0][1] == 2
