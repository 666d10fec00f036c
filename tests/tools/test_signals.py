"""Verification beside the alarm: the service's level and what the action promised, against the state before."""

import math
from datetime import datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from memory.records.alarm import Metric
from memory.records.config import Service, ServiceMetrics
from memory.records.outcome import Execution, ExecutionState, Signal, SignalState
from memory.records.plan import Direction, ExpectedSignal
from tests.tools.dials import Dials, SetDialAction
from tests.tools.stand_ins import NOW, sources
from tools.analysis.chance import SURE, may_be_chance
from tools.signals import Moment, is_well, promised_signals, service_signals

ACTED = NOW - timedelta(minutes=8)
DONE = Execution(
    incident_id="i",
    action_id="a-0",
    action="set_dial",
    parameters={"dial": "main", "value": 9},
    state=ExecutionState.DONE,
    claimed_at=ACTED,
    done_at=ACTED,
    before={"found": True, "value": 7, "by_others": 0},
)
WEB = Service(
    name="web",
    metrics=ServiceMetrics(
        namespace="Shop",
        dimensions={"Service": "web"},
        requests="Requests",
        errors="Errors",
        latency="Latency",
    ),
)


class Metrics:
    """CloudWatch with points a minute, given as what was before the action and what came after it."""

    def __init__(self, **series: tuple[float, float | None]) -> None:
        self.series = series

    def get_metric_data(self, MetricDataQueries: list[Any], **_: Any) -> Any:
        results = []
        for query in MetricDataQueries:
            before, after = self.series.get(query["MetricStat"]["Metric"]["MetricName"], (None, None))
            points = [(at, before if at < ACTED else after) for at in _minutes()]
            kept = [(at, value) for at, value in points if value is not None]
            results.append(
                {
                    "Id": query["Id"],
                    "Timestamps": [at for at, _ in kept],
                    "Values": [value for _, value in kept],
                    "StatusCode": "Complete",
                }
            )
        return {"MetricDataResults": results}


def _minutes() -> list[datetime]:
    return [NOW - timedelta(minutes=30 - n) for n in range(30)]


def test_one_failure_of_few_requests_is_chance_and_undoes_nothing() -> None:
    (share, *_) = service_signals(
        sources({"cloudwatch": Metrics(Requests=(20, 19), Errors=(0, 0.5), Latency=(9, 9))}),
        WEB,
        Moment(ACTED, NOW),
    )
    assert share.state is SignalState.UNKNOWN and share.now and is_well(share)
    assert _states(Requests=(20, 19), Errors=(0, 3), Latency=(9, 9))[0] is SignalState.WORSE


@given(st.integers(1, 400), st.sampled_from([0.001, 0.01, 0.05, 0.2]), st.data())
def test_what_is_surely_no_chance_is_never_more_likely_than_one_in_twenty(
    of: int, limit: float, data: st.DataObject
) -> None:
    failed = data.draw(st.integers(0, of))
    tail = sum(math.comb(of, n) * limit**n * (1 - limit) ** (of - n) for n in range(failed, of + 1))
    assert may_be_chance(failed, of, limit) or tail <= SURE
    if failed > 0:
        assert may_be_chance(failed - 1, of, limit) or not may_be_chance(failed, of, limit)


def test_where_nothing_may_fail_one_failure_is_no_chance() -> None:
    assert not may_be_chance(1, 1_000, 0.0) and may_be_chance(0, 1_000, 0.0)


def _states(**series: tuple[float, float | None]) -> list[SignalState]:
    given = sources({"cloudwatch": Metrics(**series)})
    return [one.state for one in service_signals(given, WEB, Moment(ACTED, NOW))]


MET, NOT_MET, WORSE, UNKNOWN = SignalState.MET, SignalState.NOT_MET, SignalState.WORSE, SignalState.UNKNOWN


@pytest.mark.parametrize(
    ("requests", "errors", "latency", "states"),
    [
        ((600.0, 600.0), (300.0, 0.0), (900.0, 300.0), [MET, MET, MET]),
        ((600.0, 600.0), (300.0, 280.0), (900.0, 300.0), [NOT_MET, MET, MET]),
        ((600.0, 600.0), (60.0, 300.0), (900.0, 300.0), [WORSE, MET, MET]),
        ((600.0, 600.0), (0.0, 0.0), (1100.0, 5000.0), [MET, WORSE, MET]),
        # A service that is gone fails no request.
        ((600.0, 6.0), (0.0, 0.0), (300.0, 300.0), [MET, MET, WORSE]),
        ((600.0, None), (0.0, None), (300.0, None), [UNKNOWN, UNKNOWN, WORSE]),
        # Errors whose points have not come are not none.
        ((600.0, 600.0), (300.0, None), (900.0, 300.0), [UNKNOWN, MET, MET]),
    ],
)
def test_a_service_is_held_against_its_level_and_what_it_was(
    requests: Any, errors: Any, latency: Any, states: list[SignalState]
) -> None:
    assert _states(Requests=requests, Errors=errors, Latency=latency) == states


@pytest.mark.parametrize(
    ("minutes", "state"), [(5, SignalState.AWAITED), (7, SignalState.AWAITED), (8, WORSE)]
)
def test_requests_whose_points_may_only_be_late_are_not_said_to_have_stopped(
    minutes: int, state: SignalState
) -> None:
    given = sources({"cloudwatch": Metrics(Requests=(600.0, None))})

    *_, coming = service_signals(given, WEB, Moment(ACTED, ACTED + timedelta(minutes=minutes)))

    assert coming.state is state


@pytest.mark.parametrize(
    ("minutes", "state"), [(4, SignalState.AWAITED), (7, SignalState.AWAITED), (8, UNKNOWN)]
)
def test_errors_that_may_only_be_late_are_awaited_beside_requests_that_come(
    minutes: int, state: SignalState
) -> None:
    given = sources({"cloudwatch": Metrics(Requests=(600.0, 600.0), Errors=(300.0, None))})

    share, *_ = service_signals(given, WEB, Moment(ACTED, ACTED + timedelta(minutes=minutes)))

    assert share.state is state


def test_a_service_that_publishes_no_requests_is_not_waited_for() -> None:
    given = sources({"cloudwatch": Metrics()})

    assert {one.state for one in service_signals(given, WEB, Moment(ACTED, ACTED))} == {UNKNOWN}


def test_a_service_without_metrics_says_nothing() -> None:
    assert not list(service_signals(sources({}), Service(name="dark"), Moment(ACTED, NOW)))


class Promising(SetDialAction):
    """Promises what a test wants."""

    promised: ExpectedSignal

    def expected(self, params: Any, state: Any) -> tuple[ExpectedSignal, ...]:
        return (self.promised,)


def _promised(signal: ExpectedSignal, dials: Dials, **series: tuple[float, float | None]) -> SignalState:
    return _promise(signal, dials, Metrics(**series)).state


def _promise(signal: ExpectedSignal, dials: Dials, cloudwatch: Any, minutes: int = 8) -> Signal:
    action = type("One", (Promising,), {"promised": signal})(dials)
    now = ACTED + timedelta(minutes=minutes)
    given = sources({"cloudwatch": cloudwatch}, at=now)
    (found,) = promised_signals(given, (action,), DONE, Moment(ACTED, now))
    return found


@pytest.mark.parametrize(
    ("value", "within", "state"), [(9, 60, MET), (7, 60, NOT_MET), (7, 3600, SignalState.AWAITED)]
)
def test_what_an_action_promised_of_its_target_is_looked_for(
    value: int, within: int, state: SignalState
) -> None:
    signal = ExpectedSignal(
        text="the dial is at 9",
        direction=Direction.BECOMES,
        within_seconds=within,
        state_key="value",
        level=9,
    )
    assert _promised(signal, Dials(values={"main": value})) is state


@pytest.mark.parametrize(
    ("series", "state"),
    [((50.0, 5.0), MET), ((50.0, 60.0), NOT_MET), ((50.0, None), MET)],
)
def test_what_an_action_promised_of_a_metric_is_looked_for(series: Any, state: SignalState) -> None:
    metric = Metric(namespace="Shop", name="Throttled", stat="Sum", period_seconds=60)
    signal = ExpectedSignal(
        text="less is throttled", direction=Direction.FALLS, within_seconds=60, metric=metric, no_points=0.0
    )
    assert _promised(signal, Dials(), Throttled=series) is state


def test_a_promise_of_a_metric_that_cannot_be_read_or_may_be_late_is_not_kept() -> None:
    metric = Metric(namespace="Shop", name="Throttled", stat="Sum", period_seconds=60)
    signal = ExpectedSignal(
        text="less is throttled", direction=Direction.FALLS, within_seconds=60, metric=metric, no_points=0.0
    )

    class Denied:
        def get_metric_data(self, **_: Any) -> Any:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetMetricData")

    found = _promise(signal, Dials(), Denied())
    assert (found.state, found.now, found.unread) == (UNKNOWN, None, "denied")
    late = _promise(signal, Dials(), Metrics(Throttled=(50.0, None)), minutes=5)
    assert late.state is SignalState.AWAITED
