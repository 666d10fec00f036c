"""What an alarm shows by itself, read from an account whose answers a test wrote."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from memory.records.alarm import Alarm, AlarmState, Metric
from memory.records.incident import Incident, incident_id
from tests.tools.stand_ins import NOW, SCOPE, sources
from tools.collectors.alarm import AlarmReading, AlarmView, read_alarm
from tools.collectors.running import Collecting

MINUTE = timedelta(minutes=1)
WATCHED = Metric(
    namespace="Shop", name="Errors", dimensions={"Service": "till"}, stat="Sum", period_seconds=60
)
RULE = {
    "AlarmName": "till-errors",
    "StateValue": "OK",
    "Namespace": "Shop",
    "MetricName": "Errors",
    "Dimensions": [{"Name": "Service", "Value": "till"}],
    "Statistic": "Sum",
    "Period": 60,
    "Threshold": 1.0,
    "ComparisonOperator": "GreaterThanThreshold",
    "EvaluationPeriods": 3,
}


class Watching:
    """CloudWatch with one alarm and the newest minutes of its metric."""

    def __init__(self, values: list[float], **rule: Any) -> None:
        self.values, self.rule = values, {**RULE, **rule}
        self.asked: list[str] = []

    def describe_alarms(self, **_: Any) -> Any:
        return {"MetricAlarms": [self.rule]}

    def describe_alarm_history(self, **_: Any) -> Any:
        return {"AlarmHistoryItems": []}

    def get_metric_data(self, MetricDataQueries: list[Any], **_: Any) -> Any:
        (query,) = MetricDataQueries
        self.asked.append(query["MetricStat"]["Metric"]["MetricName"])
        at = [NOW - (len(self.values) - n) * MINUTE for n in range(len(self.values))]
        return {"MetricDataResults": [{"Id": query["Id"], "Timestamps": at, "Values": self.values}]}


def incident(*metrics: Metric) -> Incident:
    alarm = Alarm(
        name="till-errors",
        arn="arn:aws:cloudwatch:us-east-1:123456789012:alarm:till-errors",
        scope=SCOPE,
        state=AlarmState.ALARM,
        changed_at=NOW,
        metrics=metrics,
        threshold=1.0,
    )
    identity = incident_id(SCOPE, alarm.arn, NOW)
    return Incident(
        incident_id=identity,
        thread_id=identity,
        scope=SCOPE,
        alarm=alarm,
        event_id="e",
        episode_started_at=NOW,
        opened_at=NOW,
    )


@contextmanager
def reading(account: Any, *metrics: Metric) -> Iterator[tuple[AlarmReading, Collecting]]:
    collecting = Collecting(time.monotonic() + 30)
    try:
        yield read_alarm(sources({"cloudwatch": account}), incident(*metrics), collecting), collecting
    finally:
        collecting.end()


def seen(account: Any) -> AlarmView:
    with reading(account, WATCHED) as (alarm, _):
        return alarm.view()


AT_IT = [0.0] * 20 + [3.0, 3.0] + [1.0] * 8


def test_a_metric_that_stays_where_its_alarm_fires_has_not_recovered() -> None:
    assert seen(Watching(AT_IT)).recovered_at == NOW - 8 * MINUTE
    assert seen(Watching(AT_IT, ComparisonOperator="GreaterThanOrEqualToThreshold")).recovered_at is None


@pytest.mark.parametrize("state", ["ALARM", "INSUFFICIENT_DATA"])
def test_what_its_alarm_does_not_call_ok_has_not_recovered(state: str) -> None:
    assert seen(Watching(AT_IT, StateValue=state)).recovered_at is None


def test_without_the_rule_neither_a_recovery_nor_an_earlier_spike_is_told() -> None:
    class Unknown(Watching):
        def describe_alarms(self, **_: Any) -> Any:
            return {"MetricAlarms": []}

    spikes = [0.0] * 20 + [3.0] + [0.0] * 60 + [3.0, 3.0] + [0.0] * 8
    assert seen(Watching(spikes)).earlier_spikes >= 1
    view = seen(Unknown(spikes))
    assert (view.recovered_at, view.earlier_spikes) == (None, 0)


OTHER = WATCHED.model_copy(update={"name": "Faults"})


@pytest.mark.parametrize("named", [(), (OTHER,)])
def test_a_metric_that_only_the_rule_names_is_read_once_and_on_earlier_days(
    named: tuple[Metric, ...],
) -> None:
    account = Watching(AT_IT)
    with reading(account, *named) as (alarm, collecting):
        alarm.onset()
        views = [alarm.view() for _ in range(3)]
        assert collecting.missing == []
    # Once its newest minutes, once its days.
    assert account.asked.count("Errors") == 2
    assert len({view.onset for view in views}) == 1
    # The rule, the metric and its days.
    assert len(views[0].seen) == 3


@pytest.mark.parametrize("named", [(), (OTHER,)])
def test_a_metric_of_the_rule_that_cannot_be_read_is_named_and_ends_nothing(
    named: tuple[Metric, ...],
) -> None:
    class Broken(Watching):
        def get_metric_data(self, MetricDataQueries: list[Any], **_: Any) -> Any:
            raise ValueError("not what it should be")

    with reading(Broken(AT_IT), *named) as (alarm, collecting):
        view = alarm.view()
        assert (view.recovered_at, view.earlier_spikes) == (None, 0)
        assert view.dimensions == WATCHED.dimensions
        assert "the alarm's metric (ValueError)" in collecting.missing


def test_a_metric_of_the_rule_that_does_not_come_is_not_waited_for() -> None:
    come = threading.Event()

    class Late(Watching):
        def get_metric_data(self, MetricDataQueries: list[Any], **asked: Any) -> Any:
            come.wait(20)
            return super().get_metric_data(MetricDataQueries, **asked)

    try:
        with reading(Late(AT_IT)) as (alarm, collecting):
            collecting.seconds = 0.1
            assert alarm.view().recovered_at is None
            assert "the alarm's metric (no answer in time)" in collecting.missing
    finally:
        come.set()
