"""Read what waits in an SQS queue, how old it is, and what was given up."""

import json
from typing import Any

from pydantic import Field

from memory.records.evidence import Evidence
from tools.evidence import Answer, Window
from tools.observe.metric_data import query_of, read_series
from tools.observe.sources import Question, ReadTool, Sources

NAME = "queue_health"
COUNTS = (
    ("waiting", "ApproximateNumberOfMessages"),
    ("in_work", "ApproximateNumberOfMessagesNotVisible"),
    ("delayed", "ApproximateNumberOfMessagesDelayed"),
)
SERIES = (
    ("oldest_seconds", "ApproximateAgeOfOldestMessage", "Maximum"),
    ("waiting_a_minute", "ApproximateNumberOfMessagesVisible", "Maximum"),
    ("sent", "NumberOfMessagesSent", "Sum"),
    ("received", "NumberOfMessagesReceived", "Sum"),
    ("deleted", "NumberOfMessagesDeleted", "Sum"),
)


class QueueHealth(Question):
    """Which queue, over how long."""

    queue: str = Field(
        description="The queue's name.",
        min_length=1,
        max_length=80,
        pattern=r"^[A-Za-z0-9_-]+(\.fifo)?$",
    )
    minutes: int = Field(default=120, ge=5, le=1440, description="How many minutes back from now.")


def queue_health(sources: Sources, question: QueueHealth) -> Evidence:
    """Return a queue's depth, settings, flow a minute, and the depth of its dead-letter queue."""
    window = sources.last(question.minutes)
    return sources.recorder.observe(
        f"queue {question.queue}",
        "sqs",
        "GetQueueAttributes",
        {**question.model_dump(), "until": window[1].isoformat()},
        lambda: _read(sources, question, window),
        window=window,
        tool=NAME,
    )


def _read(sources: Sources, question: QueueHealth, window: Window) -> Answer:
    attributes = _attributes(sources, question.queue)
    redrive = json.loads(attributes.get("RedrivePolicy") or "{}")
    dead = str(redrive.get("deadLetterTargetArn", "")).rpartition(":")[2]
    dimensions = {"QueueName": question.queue}
    queries = [query_of(key, "AWS/SQS", name, dimensions, stat) for key, name, stat in SERIES]
    series = read_series(sources.access.client("cloudwatch"), queries, window)
    return Answer(
        {
            "queue": question.queue,
            **_counts(attributes),
            "visibility_timeout_seconds": _number(attributes.get("VisibilityTimeout")),
            "retention_seconds": _number(attributes.get("MessageRetentionPeriod")),
            "most_receives": redrive.get("maxReceiveCount"),
            "dead_letters": {"queue": dead, **_counts(_attributes(sources, dead))} if dead else None,
            **series.points,
        },
        calls=(4 if dead else 2) + series.calls,
        gaps=series.gaps,
        gap_detail=series.detail,
        newest_last=True,
        metrics=series.metrics,
    )


def _attributes(sources: Sources, queue: str) -> dict[str, str]:
    client = sources.access.client("sqs")
    url = client.get_queue_url(QueueName=queue)["QueueUrl"]
    told: dict[str, str] = client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return told


def _counts(attributes: dict[str, str]) -> dict[str, int | None]:
    return {name: _number(attributes.get(attribute)) for name, attribute in COUNTS}


def _number(text: Any) -> int | None:
    return int(text) if text is not None else None


TOOL = ReadTool(
    NAME,
    "Read an SQS queue: how many messages wait and are being worked on, how old the oldest is, what comes in and goes "
    "out a minute, after how many receives a message is given up, and how many lie in its dead-letter queue. Many "
    "received and few deleted means that the consumer fails.",
    QueueHealth,
    queue_health,
    _read,
)
