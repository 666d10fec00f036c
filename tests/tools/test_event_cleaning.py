"""What is secret in an event is gone before anything of it is stored, and it is still the event that it was."""

import base64
import gzip
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memory.records.evidence import Gap
from tests.agents.desk import NOON, sources
from tests.planted import SECRETS, TOLD, leaks, opened, planted
from tests.web.door import alarm_event
from tools.event_cleaning import clean_event, kept_text
from tools.evidence import Answer
from tools.intake import parse_event

EVENT = alarm_event("checkout-5xx", "2026-11-23T12:00:00.000+0000")
ALARM = EVENT["detail"]
SNS = {
    "AlarmName": "checkout-5xx",
    "AlarmArn": EVENT["resources"][0],
    "AlarmDescription": TOLD,
    "AWSAccountId": "123456789012",
    "NewStateValue": "ALARM",
    "NewStateReason": f"-----BEGIN PRIVATE KEY----- {TOLD}",
    "StateChangeTime": "2026-11-23T12:00:00.000+0000",
    "Region": "US East (N. Virginia)",
    "Trigger": {
        "MetricName": f"Errors {SECRETS['mail']}",
        "Namespace": "Shop",
        "Dimensions": [{"name": "password", "value": "hunter22"}, {"name": "Mail", "value": SECRETS["mail"]}],
    },
}
NOTIFICATION = {"Type": "Notification", "MessageId": "m-1", "Message": json.dumps(SNS), "Subject": TOLD}
LOGS = {
    "logGroup": "/ecs/shop",
    "logStream": "s",
    "owner": "123456789012",
    "logEvents": [{"id": "1", "message": TOLD}],
}
DELIVERED: dict[str, dict[str, Any]] = {
    "eventbridge": planted(EVENT),
    "sns": NOTIFICATION,
    "sns to lambda": {"Records": [{"Sns": NOTIFICATION}]},
    "sns in prose": {**NOTIFICATION, "Message": TOLD},
    "lambda action": {
        "alarmArn": EVENT["resources"][0],
        "alarmData": planted(EVENT)["detail"],
        "time": NOON.isoformat(),
    },
    "logs": {"awslogs": {"data": base64.b64encode(gzip.compress(json.dumps(LOGS).encode())).decode()}},
    "no alarm": {
        "detail-type": "Anything",
        "source": "shop",
        "detail": {"note": TOLD, SECRETS["mail"]: TOLD},
    },
}


@pytest.mark.parametrize("kind", sorted(DELIVERED))
def test_no_secret_is_left_in_an_event_of_any_kind(kind: str) -> None:
    event = DELIVERED[kind]
    assert leaks(opened(kind, json.dumps(event).encode()))
    clean = clean_event(event)
    assert leaks(opened(kind, json.dumps(clean).encode())) == []
    assert "hunter22" not in json.dumps(clean)
    assert clean_event(clean) == clean
    assert parse_event(clean, NOON) == parse_event(event, NOON)
    assert leaks(opened(kind, parse_event(event, NOON).model_dump_json().encode())) == []


def test_which_alarm_it_is_and_since_when_stays_as_it_was() -> None:
    for kind in ("eventbridge", "sns", "lambda action"):
        alarm = parse_event(DELIVERED[kind], NOON).alarm
        assert alarm is not None
        assert (alarm.name, alarm.arn, alarm.changed_at) == ("checkout-5xx", EVENT["resources"][0], NOON)
        assert (alarm.scope.account, alarm.scope.region) == ("123456789012", "us-east-1")
    assert clean_event(EVENT) == EVENT


def test_two_keys_that_become_the_same_are_both_kept() -> None:
    tags = {"ann@shop.example": "1", "joe@shop.example": "2"}
    alarm = parse_event({**EVENT, "detail": {**ALARM, "alarmTags": tags}}, NOON).alarm
    assert alarm is not None
    assert sorted(alarm.tags.values()) == ["1", "2"]
    assert not set(alarm.tags) & set(tags)


@settings(max_examples=60, deadline=None)
@given(
    st.recursive(
        st.sampled_from([TOLD, "x", 1, None, SECRETS["mail"], SECRETS["token"], SECRETS["card"]]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["note", "Message", "resources", "alarmName", "awslogs", TOLD]),
                inner,
                max_size=3,
            )
        ),
        max_leaves=6,
    )
)
def test_wherever_a_secret_stands_but_in_an_alarms_name_it_is_gone(inner: Any) -> None:
    clean = clean_event({"detail-type": "x", "source": "y", "detail": inner})
    assert clean_event(clean) == clean
    assert leaks(opened("event", json.dumps(_without_names(clean)).encode())) == []


def _without_names(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {
            key: inner for key, inner in value.items() if key != "alarmName" or not isinstance(inner, str)
        }
        return {key: _without_names(inner) for key, inner in kept.items()}
    return [_without_names(inner) for inner in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    "body",
    [
        TOLD,
        "{" + TOLD,
        json.dumps([TOLD]),
        json.dumps(DELIVERED["logs"]),
        f'{{"awslogs": {{"data": "{"QUtJQQ" * 60}"}}',
    ],
)
def test_what_is_refused_is_kept_without_its_secrets(body: str) -> None:
    assert leaks(opened("refused", kept_text(body).encode())) == []
    assert "QUtJQQ" not in kept_text(body)


def test_what_cannot_be_named_any_more_is_not_asked_for_and_that_is_told() -> None:
    asked: list[str] = []
    recorder = sources().recorder
    question = {"namespace": "Shop", "dimensions": {"Customer": SECRETS["mail"]}}
    seen = recorder.observe(
        f"errors of {SECRETS['mail']}",
        "cloudwatch",
        "GetMetricData",
        question,
        lambda: Answer(asked.append("") or {}),
    )
    assert asked == []
    assert seen.gaps == (Gap.REFUSED,)
    assert "taken out" in seen.gap_detail
    assert leaks(opened("evidence", seen.model_dump_json().encode())) == []
