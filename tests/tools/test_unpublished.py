"""A queue or a table of which nothing is published is not called well, unless it says itself that it is idle."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.tools.stand_ins import NOW, sources
from tools.analysis.findings import Findings
from tools.collectors.alarm import AlarmView
from tools.collectors.around import Around
from tools.collectors.reading import read_findings
from tools.collectors.running import Collecting

MINUTE = timedelta(minutes=1)
NO_QUEUE = ClientError({"Error": {"Code": "QueueDoesNotExist", "Message": "no"}}, "GetQueueUrl")


class Nothing:
    """An account that knows of no change, no deployment and no consumer."""

    def __getattr__(self, operation: str) -> Any:
        return lambda **_: {}

    def lookup_events(self, **_: Any) -> Any:
        return {"Events": []}


class Metrics:
    """CloudWatch with the same minutes of every metric."""

    def __init__(self, minutes: range = range(0)) -> None:
        self.at = [NOW + n * MINUTE for n in minutes]

    def get_metric_data(self, MetricDataQueries: list[Any], **_: Any) -> Any:
        same = {"Timestamps": self.at, "Values": [1.0] * len(self.at)}
        return {"MetricDataResults": [{"Id": query["Id"], **same} for query in MetricDataQueries]}


class Queue:
    """A queue that holds some messages, or that is not there."""

    def __init__(self, holds: int | None) -> None:
        self.holds = holds

    def get_queue_url(self, QueueName: str) -> Any:
        if self.holds is None:
            raise NO_QUEUE
        return {"QueueUrl": QueueName}

    def get_queue_attributes(self, AttributeNames: list[str], **_: Any) -> Any:
        depths = [name for name in AttributeNames if name.startswith("Approximate")]
        told = {name: str(self.holds if name == "ApproximateNumberOfMessages" else 0) for name in depths}
        return {"Attributes": {**told, "VisibilityTimeout": "30"}}


class Table:
    def describe_table(self, TableName: str) -> Any:
        return {"Table": {"TableName": TableName, "TableStatus": "ACTIVE"}}


@contextmanager
def _read(**clients: Any) -> Iterator[tuple[Findings, list[str]]]:
    """Read one queue and one table."""
    nothing = dict.fromkeys(("cloudtrail", "codedeploy", "lambda"), Nothing())
    collecting = Collecting(time.monotonic() + 30)
    given = sources({**nothing, "dynamodb": Table(), "sqs": Queue(0), **clients})
    try:
        around = Around(given, collecting, (), ("orders",), ("mails",))
        around.begin()
        yield read_findings(around, AlarmView(NOW, ()), (), None), list(collecting.not_checked)
    finally:
        collecting.end()


@pytest.mark.parametrize(
    ("minutes", "holds", "is_known"),
    [
        (range(-60, 0), None, True),
        # Nothing is published: of a queue that is not there, of one that holds something, of one that is idle.
        (range(0), None, False),
        (range(0), 3, False),
        (range(0), 0, True),
        # Too few minutes, and none lately.
        (range(-3, 0), 0, False),
        (range(-120, -60), 0, False),
    ],
)
def test_a_queue_is_known_by_its_newest_minutes_or_by_holding_nothing(
    minutes: range, holds: int | None, is_known: bool
) -> None:
    with _read(cloudwatch=Metrics(minutes), sqs=Queue(holds)) as (found, missing):
        assert [one.queue for one in found.queues] == (["mails"] if is_known else [])
        assert ("mails" in found.unread) is not is_known
        assert ("metrics of queue mails" in missing) is not is_known


def test_a_table_that_nobody_asks_anything_is_not_known_to_be_well() -> None:
    with _read(cloudwatch=Metrics(range(-60, 0))) as (found, missing):
        assert [one.table for one in found.tables] == ["orders"]
        assert "orders" not in found.unread
    with _read(cloudwatch=Metrics()) as (found, missing):
        assert found.tables == ()
        assert "orders" in found.unread
        assert "metrics of table orders" in missing
