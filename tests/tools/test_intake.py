import base64
import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.records.alarm import AlarmState, Envelope, Route
from tools.event_body import LIMIT_BYTES, RefusedEvent
from tools.intake import parse_event

EVENTS = Path(__file__).resolve().parents[3] / "shared" / "data" / "alarm_events"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
real_events = pytest.mark.skipif(not EVENTS.is_dir(), reason="the folder of published events is not here")

LISTED = (
    [json.loads(line) for line in (EVENTS / "index.jsonl").read_text().splitlines()]
    if EVENTS.is_dir()
    else []
)


def test_there_are_events_to_read() -> None:
    if EVENTS.is_dir():
        assert len(LISTED) >= 50


@real_events
@pytest.mark.parametrize("listed", LISTED, ids=lambda entry: entry["file"])
def test_a_published_event_gives_its_facts_and_takes_its_route(listed: dict[str, Any]) -> None:
    body = (EVENTS / listed["file"]).read_bytes()

    if listed["suggested_route"] == "reject_cleanly":
        with pytest.raises(RefusedEvent) as refused:
            parse_event(body, NOW)
        assert refused.value.status == 400
        return
    if listed["shape"] == "other":
        with pytest.raises(RefusedEvent) as refused:
            parse_event(body, NOW)
        assert refused.value.status == 422
        return
    envelope = parse_event(body, NOW)

    if listed["suggested_route"] == "unlabelled":
        assert envelope.route is Route.NOT_AN_ALARM
    else:
        assert envelope.route.value == listed["suggested_route"]
    _has_facts(envelope, listed["facts"])


def _has_facts(envelope: Envelope, facts: dict[str, Any]) -> None:
    alarm = envelope.alarm
    if alarm is None:
        return
    told: dict[str, Any] = {
        "alarm_name": alarm.name,
        "new_state": alarm.state.value,
        "old_state": alarm.previous_state.value if alarm.previous_state else None,
        "account": alarm.scope.account,
        "region": alarm.scope.region,
        "reason": alarm.reason,
        "expression": alarm.expression,
        "suppressed_by": alarm.suppressed_by,
        "alarm_rule": alarm.alarm_rule,
        "suppressor": alarm.suppressor,
        "alarm_arn": alarm.arn,
        "metrics": [
            {"namespace": m.namespace, "name": m.name, "dimensions": m.dimensions} for m in alarm.metrics
        ],
    }
    for name in told.keys() & facts.keys():
        if name == "suppressor":
            assert str(facts[name]) in str(told[name])
        else:
            assert told[name] == facts[name], name


def _change(**over: Any) -> dict[str, Any]:
    return {
        "id": "e-1",
        "source": "aws.cloudwatch",
        "detail-type": "CloudWatch Alarm State Change",
        "account": "123456789012",
        "region": "eu-west-1",
        "time": "2026-01-01T00:00:00Z",
        "resources": ["arn:aws:cloudwatch:eu-west-1:123456789012:alarm:a"],
        "detail": {
            "alarmName": "a",
            "state": {"value": "ALARM", "reason": "r", "timestamp": "2026-01-01T00:00:00.123+0000"},
            "previousState": {"value": "OK"},
            "configuration": {"metrics": []},
        },
        **over,
    }


def test_a_lambda_action_says_the_same_as_the_event_bus() -> None:
    event = _change()
    action = {
        "source": "aws.cloudwatch",
        "alarmArn": event["resources"][0],
        "accountId": event["account"],
        "region": event["region"],
        "time": event["time"],
        "alarmData": event["detail"],
    }

    from_bus, from_action = parse_event(event, NOW), parse_event(action, NOW)

    assert from_action.alarm == from_bus.alarm
    assert from_action.event_id == parse_event(action, NOW).event_id


def test_an_event_wrapped_by_sns_is_the_event() -> None:
    event = _change()
    wrapped = {"Type": "Notification", "MessageId": "m", "Message": json.dumps(event)}
    assert parse_event(wrapped, NOW).alarm == parse_event(event, NOW).alarm


def test_an_alarm_that_is_ok_again_is_noted_and_opens_nothing() -> None:
    event = _change()
    event["detail"]["state"]["value"] = "OK"
    envelope = parse_event(event, NOW)
    assert envelope.route is Route.NOTE_RECOVERY
    assert envelope.alarm is not None
    assert envelope.alarm.state is AlarmState.OK


def test_a_body_over_the_limit_is_refused_as_too_large() -> None:
    with pytest.raises(RefusedEvent) as refused:
        parse_event(b"{" + b" " * LIMIT_BYTES, NOW)
    assert refused.value.status == 413


def test_logs_that_unpack_to_too_much_are_refused() -> None:
    bomb = base64.b64encode(gzip.compress(b"0" * 20_000_000)).decode()
    with pytest.raises(RefusedEvent) as refused:
        parse_event({"awslogs": {"data": bomb}}, NOW)
    assert refused.value.status == 413


def test_a_state_that_does_not_exist_is_refused() -> None:
    event = _change()
    event["detail"]["state"]["value"] = "BROKEN"
    with pytest.raises(RefusedEvent) as refused:
        parse_event(event, NOW)
    assert refused.value.status == 400


@given(st.binary(max_size=300) | st.text(max_size=300))
def test_no_body_raises_anything_but_a_refusal(body: bytes | str) -> None:
    try:
        parse_event(body, NOW)
    except RefusedEvent as refused:
        assert refused.status in {400, 413, 422}


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
PATHS = [
    ("detail",),
    ("detail", "state"),
    ("detail", "state", "timestamp"),
    ("detail", "configuration"),
    ("detail", "configuration", "metrics"),
    ("detail", "previousState"),
    ("resources",),
    ("region",),
    ("time",),
    ("id",),
]


@given(st.sampled_from(PATHS), JSON)
def test_a_broken_part_is_refused_or_read_and_crashes_nothing(path: tuple[str, ...], value: Any) -> None:
    event = json.loads(json.dumps(_change()))
    place = event
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    try:
        parse_event(event, NOW)
    except RefusedEvent as refused:
        assert refused.reason


DEEP: dict[str, Any] = {}
_inner = DEEP
for _ in range(3000):
    _inner["a"] = {}
    _inner = _inner["a"]


@pytest.mark.parametrize(
    "body",
    [
        b'{"source": "x", "detail-type": "\\ud800"}',
        b'{"a":' * 3000 + b"1" + b"}" * 3000,
        b'{"source": "x", "detail-type": "y", "detail": ' + b"[" * 80 + b"]" * 80 + b"}",
        json.dumps({"Type": "Notification", "Message": "[" * 50_000}).encode(),
        json.dumps(_change(time="0001-01-01T00:00:00+14:00"))
        .replace("2026-01-01T00:00:00.123+0000", "")
        .encode(),
        DEEP,
    ],
    ids=["lone surrogate", "deep bytes", "deep but readable", "deep message", "before time", "deep object"],
)
def test_a_body_that_breaks_readers_is_refused(body: bytes | dict[str, Any]) -> None:
    with pytest.raises(RefusedEvent) as refused:
        parse_event(body, NOW)
    assert refused.value.status == 400


def test_a_period_without_end_is_refused() -> None:
    event = _change()
    metric = {"metricStat": {"metric": {"name": "m"}, "period": float("inf")}}
    event["detail"]["configuration"]["metrics"] = [metric]
    with pytest.raises(RefusedEvent):
        parse_event(event, NOW)


@pytest.mark.parametrize("account", ["1#us-east-1", "", "a b", "1" * 65])
def test_an_account_that_would_reach_into_other_keys_is_refused(account: str) -> None:
    with pytest.raises(RefusedEvent) as refused:
        parse_event(_change(account=account), NOW)
    assert refused.value.status == 400


def test_an_id_too_long_for_a_key_gives_way_to_the_digest() -> None:
    event = _change(id="x" * 5000)
    envelope = parse_event(event, NOW)
    assert envelope.event_id == envelope.raw_sha256


def test_spacing_and_order_do_not_change_the_digest() -> None:
    event = _change()
    spaced = json.dumps(dict(reversed(event.items())), indent=3).encode()
    assert parse_event(spaced, NOW).raw_sha256 == parse_event(event, NOW).raw_sha256


def test_secrets_in_an_alarms_words_are_taken_out_at_the_door() -> None:
    body = _change()
    body["detail"]["configuration"]["description"] = "ask bob@example.com, password=hunter2hunter2"
    body["detail"]["state"]["reason"] = (
        "Threshold Crossed: 1 datapoint [428.0 (23/11/26 09:08:00)] by AKIAIOSFODNN7EXAMPLE"
    )
    alarm = parse_event(body, NOW).alarm
    assert alarm is not None
    assert alarm.description == "ask [email], password=[secret]"
    assert alarm.reason == "Threshold Crossed: 1 datapoint [428.0 (23/11/26 09:08:00)] by [aws-access-key]"
