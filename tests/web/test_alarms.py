"""Every delivered body at POST /alarms: started, joined, said to be no alarm, or refused with the reason."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.web.door import EVENTS, Door, alarm_event

STARTS = "open_or_update_incident"
NOT_AN_ALARM = {"not_an_alarm", "decode_logs"}


def cases() -> Iterator[Any]:
    index = EVENTS / "index.jsonl"
    if not index.exists():
        yield pytest.param({}, marks=pytest.mark.skip(reason=f"{index} is not on this machine"), id="absent")
        return
    for line in index.read_text().splitlines():
        case = json.loads(line)
        yield pytest.param(case, id=case["file"])


def kept(door: Door, reason: str) -> int:
    return sum(reason in str(one["reason"]) for one in door.records.refusals.all())


@pytest.mark.parametrize("case", list(cases()))
def test_published_events_take_their_route(door: Door, case: dict[str, Any]) -> None:
    answer = door.post_alarm((EVENTS / case["file"]).read_bytes())
    body, expected = answer.json(), case["suggested_route"]
    if expected == "reject_cleanly":
        assert 400 <= answer.status_code < 500
        assert body["detail"]
        return
    assert answer.status_code in ({202} if expected != "unlabelled" else {202, 422}), body
    if answer.status_code == 202 and expected != "unlabelled":
        assert body["route"] == expected
        assert (body["incident_id"] is not None) is (expected == STARTS)
    if answer.status_code == 202 and body["route"] in NOT_AN_ALARM:
        assert body["detail"].startswith("not an alarm")
        assert body["incident_id"] is None


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b"\xff\xfe", 400),
        (b'"text"', 400),
        (b"{}", 422),
        (b'{"detail-type": "\\ud800", "source": "x"}', 400),
        (b"[" * 100_000, 400),
        (json.dumps(alarm_event("huge", "2026-11-23T09:03:00Z", unknown=10**30)).encode(), 400),
        (b'{"detail-type": "x", "source": "y", "n": ' + b"9" * 5000 + b"}", 400),
        (b'{"source": "aws.cloudwatch", "detail-type": "CloudWatch Alarm State Change", "detail": {}}', 400),
        (b'{"a": "' + b"x" * (256 * 1024) + b'"}', 413),
    ],
    ids=[
        "empty",
        "cut",
        "list",
        "bytes",
        "text",
        "unknown",
        "surrogate",
        "deep",
        "66 bits",
        "endless",
        "hollow",
        "oversized",
    ],
)
def test_bodies_that_cannot_be_taken_are_refused_and_kept(door: Door, body: bytes, status: int) -> None:
    before = len(list(door.records.refusals.all()))
    answer = door.post_alarm(body)
    assert answer.status_code == status, answer.text
    assert len(answer.json()["detail"]) > 10
    assert len(list(door.records.refusals.all())) == before + 1


@pytest.mark.parametrize(
    "odd",
    [
        {"threshold": 1e300},
        {"unknown": float("nan")},
        {"unknown": {"deep": [[[[{}]]]], "text": "\u2028 \x00 \U0001f525"}},
        {"unknown": "x" * 200_000},
        {"alarmTags": {"team": "a" * 1000}},
    ],
    ids=["huge", "nan", "nested", "long", "tags"],
)
def test_an_alarm_with_odd_values_opens_an_incident(door: Door, odd: dict[str, Any], request: Any) -> None:
    name = f"odd-{request.node.callspec.id}"
    answer = door.post_alarm(json.dumps(alarm_event(name, "2026-11-23T09:03:00Z", **odd)))
    assert answer.status_code == 202, answer.text
    door.wait_for_end(answer.json()["incident_id"])


def test_a_wellformed_event_that_is_no_alarm_is_counted(door: Door) -> None:
    before = kept(door, "not an alarm")
    answer = door.post_alarm(
        json.dumps({"detail-type": "Scheduled Event", "source": "aws.events", "id": "e1"})
    )
    assert answer.status_code == 202
    assert answer.json() == {
        "incident_id": None,
        "outcome": "not_started",
        "route": "not_an_alarm",
        "detail": "not an alarm",
    }
    assert kept(door, "not an alarm") == before + 1


def test_the_same_event_joins_its_incident(door: Door) -> None:
    event = json.dumps(alarm_event("again", "2026-11-23T09:01:00Z"))
    first = door.post_alarm(event).json()
    assert first["outcome"] == "opened"
    door.wait_for_end(first["incident_id"])
    second = door.post_alarm(event).json()
    assert (second["outcome"], second["incident_id"]) == ("joined", first["incident_id"])


def test_an_alarm_that_fires_again_after_the_end_opens_a_new_incident(door: Door) -> None:
    first = door.post_alarm(json.dumps(alarm_event("flaps", "2026-11-23T09:01:00Z"))).json()
    door.wait_for_end(first["incident_id"])
    second = door.post_alarm(json.dumps(alarm_event("flaps", "2026-11-23T09:31:00Z"))).json()
    assert second["outcome"] == "opened"
    assert second["incident_id"] != first["incident_id"]


def test_200_redeliveries_at_once_open_one_incident(door: Door) -> None:
    event = json.dumps(alarm_event("storm", "2026-11-23T09:02:00Z"))
    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(lambda _: door.post_alarm(event), range(200)))
    assert {answer.status_code for answer in answers} == {202}
    bodies = [answer.json() for answer in answers]
    assert len({body["incident_id"] for body in bodies}) == 1
    assert sum(body["outcome"] == "opened" for body in bodies) == 1
    door.wait_for_end(bodies[0]["incident_id"])
    opened = [
        entry
        for entry in door.records.timeline.entries(door.records.home, bodies[0]["incident_id"])
        if entry.kind.value == "opened"
    ]
    assert len(opened) == 1
