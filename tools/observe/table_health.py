"""Read a DynamoDB table's capacity and how much of it is used."""

from typing import Any

from pydantic import Field

from memory.records.evidence import Evidence
from tools.evidence import Answer, Window
from tools.observe.metric_data import query_of, read_series
from tools.observe.sources import Question, ReadTool, Sources

NAME = "table_health"
SERIES = (
    ("consumed_write", "ConsumedWriteCapacityUnits"),
    ("consumed_read", "ConsumedReadCapacityUnits"),
    ("write_throttles", "WriteThrottleEvents"),
    ("read_throttles", "ReadThrottleEvents"),
)


class TableHealth(Question):
    """Which table, over how long."""

    table: str = Field(description="The DynamoDB table's name.", min_length=3, max_length=255)
    minutes: int = Field(default=120, ge=5, le=1440, description="How many minutes back from now.")


def table_health(sources: Sources, question: TableHealth) -> Evidence:
    """Return provisioned capacity, consumption in units a second and throttled requests a minute."""
    window = sources.last(question.minutes)
    return sources.recorder.observe(
        f"DynamoDB table {question.table}",
        "dynamodb",
        "DescribeTable",
        {**question.model_dump(), "until": window[1].isoformat()},
        lambda: _read(sources, question, window),
        window=window,
        tool=NAME,
    )


def _read(sources: Sources, question: TableHealth, window: Window) -> Answer:
    table = sources.access.client("dynamodb").describe_table(TableName=question.table)["Table"]
    capacity = table.get("ProvisionedThroughput", {})
    billing = (table.get("BillingModeSummary") or {}).get("BillingMode", "PROVISIONED")
    dimensions = {"TableName": question.table}
    queries = [query_of(key, "AWS/DynamoDB", name, dimensions, "Sum") for key, name in SERIES]
    series = read_series(sources.access.client("cloudwatch"), queries, window)
    points = series.points
    return Answer(
        {
            "table": question.table,
            "status": table["TableStatus"],
            "billing": billing,
            **({"incomplete": dict(series.incomplete)} if series.incomplete else {}),
            "write_capacity_units": capacity.get("WriteCapacityUnits"),
            "read_capacity_units": capacity.get("ReadCapacityUnits"),
            "consumed_write_per_second": _per_second(points["consumed_write"]),
            "consumed_read_per_second": _per_second(points["consumed_read"]),
            "write_throttles": points["write_throttles"],
            "read_throttles": points["read_throttles"],
        },
        calls=1 + series.calls,
        gaps=series.gaps,
        gap_detail=series.detail,
        newest_last=True,
        metrics=series.metrics,
    )


def _per_second(points: list[list[Any]]) -> list[list[Any]]:
    """Turn sums over a minute into units a second, which is how capacity is provisioned."""
    return [[at, round(value / 60, 3)] for at, value in points]


TOOL = ReadTool(
    NAME,
    "Read a DynamoDB table: its provisioned capacity, what is consumed of it a second, and throttled requests a "
    "minute. Throttle series have datapoints only when requests were throttled.",
    TableHealth,
    table_health,
    _read,
)
