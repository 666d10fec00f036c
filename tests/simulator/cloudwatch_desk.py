"""CloudWatch alone, asked as a client asks it: requests and answers are read against the API's model."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from simulator.clock import AccountClock
from simulator.cloudwatch.alarm_book import AlarmBook
from simulator.cloudwatch.alarms import Change
from simulator.cloudwatch.metric_data import MetricData
from simulator.cloudwatch.metrics import MetricStore
from simulator.cloudwatch.overlay import CloudWatchOverlay
from simulator.wire.protocol import ACCOUNT, REGION, AwsError, Call, json_answer, read_parameters

BEGIN = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:pages"


class Desk:
    """An empty CloudWatch, its clock, and what it announced."""

    def __init__(self, now: datetime = BEGIN) -> None:
        self.clock = AccountClock(now)
        self.metrics = MetricStore()
        self.book = AlarmBook(self.metrics)
        self.announced: list[Change] = []
        # Alarms with the states whose actions were due when they were announced.
        self.acted: list[tuple[str, str]] = []
        data = MetricData(self.metrics, self.clock)
        self.overlay = CloudWatchOverlay(data, self.book, {}, self._hear)

    def _hear(self, change: Change) -> None:
        self.announced.append(change)
        if change.actions:
            self.acted.append((change.alarm.name, str(change.after.state)))

    def ask(self, operation: str, **parameters: Any) -> dict[str, Any]:
        now = self.clock.now()
        read = read_parameters("cloudwatch", operation, parameters)
        call = Call("cloudwatch", operation, read, "arn:aws:iam::1:root", "AKID", REGION, ACCOUNT, now)
        result = dict(asyncio.run(self.overlay.answer(call)))
        json_answer("cloudwatch", operation, result)
        return result

    def refusal(self, operation: str, **parameters: Any) -> tuple[str, str]:
        with pytest.raises(AwsError) as error:
            self.ask(operation, **parameters)
        return error.value.code, error.value.message

    def put(self, name: str, values: Mapping[int, float], *, namespace: str = "N", **dimensions: str) -> None:
        """Publish a value at each of some minutes after the beginning."""
        for minute, value in values.items():
            self.metrics.put(namespace, name, dimensions, BEGIN + timedelta(minutes=minute), value)

    def step(self, **span: float) -> list[Change]:
        """Let time pass, and the alarms be evaluated once."""
        self.clock.move_to(self.clock.now() + timedelta(**span))
        changes = self.book.evaluate(self.clock.now())
        for change in changes:
            self._hear(change)
        return changes

    def state(self, name: str) -> str:
        return str(self.book.all()[name].standing.state)

    def data(self, *queries: dict[str, Any], minutes: int = 5, **parameters: Any) -> dict[str, Any]:
        """What GetMetricData says of the minutes after the beginning, oldest first."""
        span = {"StartTime": BEGIN, "EndTime": BEGIN + timedelta(minutes=minutes)}
        options = {"ScanBy": "TimestampAscending", **span, **parameters}
        return self.ask("GetMetricData", MetricDataQueries=list(queries), **options)

    def values(self, *queries: dict[str, Any], minutes: int = 5, **parameters: Any) -> dict[int, float]:
        """The last result's values by their minute after the beginning."""
        result = self.data(*queries, minutes=minutes, **parameters)["MetricDataResults"][-1]
        pairs = zip(result["Timestamps"], result["Values"], strict=True)
        return {int((at - BEGIN).total_seconds() // 60): value for at, value in pairs}


def stat(
    name: str, metric: str, statistic: str = "Sum", period: int = 60, **dimensions: str
) -> dict[str, Any]:
    listed = [{"Name": key, "Value": value} for key, value in dimensions.items()]
    of = {"Namespace": "N", "MetricName": metric, "Dimensions": listed}
    return {"Id": name, "MetricStat": {"Metric": of, "Period": period, "Stat": statistic}}


def expression(name: str, text: str, **more: Any) -> dict[str, Any]:
    return {"Id": name, "Expression": text, **more}


def hidden(query: dict[str, Any]) -> dict[str, Any]:
    return {**query, "ReturnData": False}
