"""The queue beside the routes of a server that stands alone."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.web.door import Door, alarm_event, served, until
from tools.aws.queue import open_queue


def send(door: Door, body: str) -> None:
    door.account.client("sqs").send_message(QueueUrl=_url(door), MessageBody=body)


def _url(door: Door) -> str:
    return open_queue(door.records.access, door.records.backend.queue).url


def left(door: Door) -> int:
    """How many messages the queue still holds, waiting or in somebody's hand."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    answer = door.account.client("sqs").get_queue_attributes(QueueUrl=_url(door), AttributeNames=names)
    return sum(int(answer["Attributes"][name]) for name in names)


def listed(door: Door) -> list[str]:
    answer = door.client.get("/incidents", headers=door.headers())
    return [one["alarm"] for one in answer.json()["incidents"]]


@pytest.fixture(scope="module")
def consuming(shared_accounts: Any) -> Iterator[Door]:
    account = shared_accounts("bad-deployment")
    with served(account, CLOUDOPS_PREFIX="consuming", CLOUDOPS_QUEUE="on") as door:
        yield door


def test_an_event_on_the_queue_becomes_an_incident_and_leaves_the_queue(consuming: Door) -> None:
    send(consuming, json.dumps(alarm_event("queued", "2026-11-23T09:01:00Z")))
    until(lambda: "queued" in listed(consuming), 20)
    until(lambda: left(consuming) == 0, 10)
    assert consuming.client.get("/healthz").json()["consuming"] is True


def test_a_refused_body_is_kept_and_what_comes_after_it_is_taken_in(consuming: Door) -> None:
    send(consuming, "no json")
    send(consuming, json.dumps(alarm_event("behind", "2026-11-23T09:02:00Z")))
    until(lambda: "behind" in listed(consuming), 20)
    until(lambda: left(consuming) == 0, 10)
    assert "no json" in [one["body"] for one in consuming.records.refusals.all()]


def test_a_repeated_event_opens_no_second_incident(consuming: Door) -> None:
    for _ in range(3):
        send(consuming, json.dumps(alarm_event("thrice", "2026-11-23T09:03:00Z")))
    until(lambda: "thrice" in listed(consuming), 20)
    until(lambda: left(consuming) == 0, 10)
    assert listed(consuming).count("thrice") == 1


def test_a_poll_under_way_keeps_a_server_from_its_end_for_two_seconds_at_most(shared_accounts: Any) -> None:
    account = shared_accounts("bad-deployment")
    with served(account, CLOUDOPS_PREFIX="consuming", CLOUDOPS_QUEUE="on"):
        time.sleep(0.5)
        began = time.monotonic()
    assert time.monotonic() - began < 4


def test_a_server_that_is_told_to_leaves_the_queue_alone(shared_accounts: Any) -> None:
    with served(shared_accounts("bad-deployment"), CLOUDOPS_PREFIX="left-alone") as door:
        send(door, json.dumps(alarm_event("left-alone", "2026-11-23T09:04:00Z")))
        time.sleep(3)
        assert left(door) == 1
        assert door.client.get("/healthz").json()["consuming"] is False
