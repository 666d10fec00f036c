"""How many messages of a queue were given up: the depth of its dead-letter queue, and when that changed."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from memory.records.evidence import Evidence
from tools.analysis.given_up import told_given_up
from tools.analysis.points import Point
from tools.collectors.readable import facts_in
from tools.collectors.series import MINUTES, STEP, Wanted, points_in, series_answer, window_of
from tools.evidence import Answer, Window
from tools.observe.moments import utc_text
from tools.observe.sources import Question, ReadTool, Sources

NAME = "collected_dead_letters"


# Of these a queue that holds nothing has none.
DEPTHS = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


class DeadLetters(Question):
    """Of which queue."""

    queue: str


def look_at_dead_letters(sources: Sources, queue: str) -> Evidence:
    """Read how much a queue holds, and the depth of that to which it gives up; a queue without one is no gap.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
    """
    window = window_of(sources, MINUTES, STEP)
    return sources.recorder.observe(
        f"dead letters of {queue}",
        "sqs",
        "GetQueueAttributes",
        {"queue": queue, "from": utc_text(window[0]), "until": utc_text(window[1])},
        lambda: _read(sources, queue, window),
        window=window,
        tool=NAME,
    )


def _read(sources: Sources, queue: str, window: Window) -> Answer:
    client = sources.access.client("sqs")
    url = client.get_queue_url(QueueName=queue)["QueueUrl"]
    asked = ["RedrivePolicy", "VisibilityTimeout", *DEPTHS]
    named = client.get_queue_attributes(QueueUrl=url, AttributeNames=asked).get("Attributes", {})
    policy = json.loads(named.get("RedrivePolicy") or "{}")
    dead = str(policy.get("deadLetterTargetArn", "")).rpartition(":")[2]
    about = {
        "queue": queue,
        "dead_letters": dead or None,
        "most_receives": policy.get("maxReceiveCount"),
        "hidden_seconds": int(named["VisibilityTimeout"]) if named.get("VisibilityTimeout") else None,
        "holds": sum(int(named[one]) for one in DEPTHS) if named.keys() >= set(DEPTHS) else None,
    }
    if not dead:
        return Answer(about, calls=2)
    place = {"QueueName": dead}
    wanted = {"visible": Wanted("AWS/SQS", "ApproximateNumberOfMessagesVisible", place, "Maximum")}
    told = series_answer(sources, wanted, window, STEP)
    depth = [[utc_text(at), value] for at, value in _changes(points_in(told.result).get("visible", []))]
    return replace(told, result={**about, "depth": depth}, calls=2 + told.calls)


def _changes(points: Sequence[Point]) -> list[Point]:
    """Return the first point, and each whose value is not that of the one before."""
    return [one for n, one in enumerate(points) if n == 0 or one[1] != points[n - 1][1]]


def given_up_in(evidence: Evidence, onset: datetime) -> str | None:
    """Return a sentence on the messages that were given up since an onset; None where there were none."""
    facts = facts_in(evidence)
    if not facts.get("depth"):
        return None
    depth = [(datetime.fromisoformat(at), float(value)) for at, value in facts["depth"]]
    return told_given_up(facts["queue"], facts["dead_letters"], depth, onset)


TOOL = ReadTool(
    NAME,
    "Read how many messages of a queue were given up, and when.",
    DeadLetters,
    lambda sources, question: look_at_dead_letters(sources, question.queue),
    lambda sources, question, window: _read(sources, question.queue, window),
)
