"""Composite alarms: their rules, what they follow, what suppresses them, and that cycles end nothing."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.cloudwatch.alarm_rules import parsed_rule
from simulator.cloudwatch.alarm_words import event_detail, notification
from simulator.cloudwatch.alarms import AlarmState
from simulator.wire.protocol import AwsError
from tests.simulator.cloudwatch_desk import BEGIN, TOPIC, Desk

OK, ALARM = AlarmState.OK, AlarmState.ALARM


def child(desk: Desk, name: str) -> None:
    desk.ask(
        "PutMetricAlarm",
        AlarmName=name,
        Namespace="N",
        MetricName=name,
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=5.0,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="ignore",
    )
    to(desk, name, "OK")


def to(desk: Desk, name: str, state: str) -> None:
    desk.ask("SetAlarmState", AlarmName=name, StateValue=state, StateReason="drill")


def composite(desk: Desk, name: str, rule: str, **more: Any) -> None:
    desk.ask("PutCompositeAlarm", AlarmName=name, AlarmRule=rule, **more)


def family(rule: str = "ALARM(a) OR ALARM(b)", **more: Any) -> Desk:
    desk = Desk()
    for name in ("a", "b", "s"):
        child(desk, name)
    composite(desk, "whole", rule, AlarmActions=[TOPIC], OKActions=[TOPIC], **more)
    desk.step(minutes=1)
    desk.announced.clear()
    desk.acted.clear()
    return desk


def described(desk: Desk, name: str = "whole") -> dict[str, Any]:
    answer = desk.ask("DescribeAlarms", AlarmNames=[name], AlarmTypes=["CompositeAlarm"])
    found: dict[str, Any] = answer["CompositeAlarms"][0]
    return found


def acted(desk: Desk) -> list[str]:
    """The states whose actions were due, so far."""
    return [state for name, state in desk.acted if name == "whole"]


STATES = {"up": AlarmState.OK, "down": ALARM, "new": AlarmState.INSUFFICIENT_DATA, "a b": ALARM}


@pytest.mark.parametrize(
    ("rule", "holds"),
    [
        ("ALARM(down)", True),
        ('ALARM("down")', True),
        ('ALARM("a b")', True),
        ("ALARM(arn:aws:cloudwatch:us-east-1:123456789012:alarm:down)", True),
        ("ALARM(up)", False),
        ("OK(up)", True),
        ("INSUFFICIENT_DATA(new)", True),
        ("NOT ALARM(up)", True),
        ("NOT NOT ALARM(up)", False),
        ("ALARM(down) AND ALARM(up)", False),
        ("ALARM(down) AND NOT ALARM(up)", True),
        ("ALARM(down) OR ALARM(up)", True),
        ("(ALARM(up) OR ALARM(down)) AND OK(up)", True),
        ("ALARM(down) OR ALARM(down) AND ALARM(up)", True),
        ("(ALARM(down) OR ALARM(down)) AND ALARM(up)", False),
        ("TRUE", True),
        ("FALSE", False),
        ("False OR ALARM(down)", True),
        ("TRUE AND NOT FALSE", True),
    ],
)
def test_a_rule_holds_in_its_childrens_states(rule: str, holds: bool) -> None:
    assert parsed_rule(rule).holds(STATES.__getitem__) is holds


states = st.sampled_from(list(AlarmState))
leaves = st.tuples(states, st.sampled_from("abc")).map(lambda of: f"{of[0]}({of[1]})")
rules = st.recursive(
    leaves | st.sampled_from(["TRUE", "FALSE"]),
    lambda smaller: st.one_of(
        st.tuples(smaller, st.sampled_from(["AND", "OR"]), smaller).map(" ".join),
        smaller.map("({})".format),
        smaller.map("NOT ({})".format),
    ),
    max_leaves=8,
)


@given(rule=rules, standing=st.fixed_dictionaries({name: states for name in "abc"}))
def test_any_rule_holds_as_python_reads_it(rule: str, standing: dict[str, AlarmState]) -> None:
    in_python = re.sub(r"([A-Z_]{2,})\((\w)\)", lambda of: str(standing[of[2]] == of[1]), rule)
    for word in ("AND", "OR", "NOT"):
        in_python = re.sub(rf"\b{word}\b", word.lower(), in_python)
    expected = eval(in_python.replace("TRUE", "True").replace("FALSE", "False"))

    assert parsed_rule(rule).holds(standing.__getitem__) is expected


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        (" ALARM(a)", "AlarmRule must not contain leading or trailing whitespace or be null"),
        ("ALARM(a)\n", "AlarmRule must not contain leading or trailing whitespace or be null"),
        ("ALARM(Sample Queue)", "Error in AlarmRule [Unsupported token 'Queue' at char 13, must be: ')']"),
        ("()", "Unsupported token ')' at char 1, must be: '(', 'NOT', TRUE or FALSE, ALARM"),
        ("ALARM(a) ALARM(b)", "Unsupported token 'ALARM' at char 9, must be: AND, OR"),
        ("ALARM(a) AND", "Unexpected end"),
        ("alarm(a)", "Unsupported token 'alarm'"),
        ("ALARM(a) or ALARM(b)", "Unsupported token 'or'"),
        ("ALARM()", "must be: an alarm's name or ARN"),
        ("AT_LEAST(1, ALARM, (a, b))", "Unsupported token 'AT_LEAST'"),
        ("NOT", "Unexpected end"),
        ("a", "Unsupported token 'a'"),
        (" OR ".join(f"ALARM(a{n})" for n in range(101)), "more than 100 alarms"),
        (" OR ".join(["TRUE"] * 501), "more than 500 elements"),
        ("(" * 60 + "TRUE" + ")" * 60, "nested more than 50"),
    ],
)
def test_what_is_no_rule_is_refused(rule: str, why: str) -> None:
    with pytest.raises(AwsError) as error:
        parsed_rule(rule)

    assert error.value.code == "ValidationError"
    assert why in error.value.message


def test_a_new_composite_alarm_has_insufficient_data_until_it_is_evaluated() -> None:
    desk = Desk()
    child(desk, "a")
    composite(desk, "whole", "ALARM(a)", OKActions=[TOPIC])

    created = described(desk)
    desk.step(minutes=1)

    assert (created["StateValue"], created["StateReason"]) == (
        "INSUFFICIENT_DATA",
        "Unchecked: Initial alarm creation",
    )
    after = described(desk)
    assert after["StateValue"] == "OK"
    assert after["StateReason"] == (
        "arn:aws:cloudwatch:us-east-1:123456789012:alarm:whole was created and its alarm rule evaluates to OK"
    )
    assert acted(desk) == ["OK"]


def test_a_composite_alarm_follows_its_children() -> None:
    desk = family()

    to(desk, "b", "ALARM")

    alarm = described(desk)
    assert alarm["StateValue"] == "ALARM"
    assert alarm["StateReason"] == (
        "arn:aws:cloudwatch:us-east-1:123456789012:alarm:b transitioned to ALARM at "
        "Monday 23 November, 2026 09:01:00 UTC"
    )
    assert json.loads(alarm["StateReasonData"]) == {
        "triggeringAlarms": [
            {
                "arn": "arn:aws:cloudwatch:us-east-1:123456789012:alarm:b",
                "state": {"value": "ALARM", "timestamp": "2026-11-23T09:01:00.000+0000"},
            }
        ]
    }
    to(desk, "b", "OK")
    assert desk.state("whole") == "OK"
    assert acted(desk) == ["ALARM", "OK"]


def test_it_follows_alarms_that_are_evaluated_from_data_in_the_same_step() -> None:
    desk = family()
    desk.put("a", {1: 9.0})

    changes = desk.step(minutes=1)

    assert [(one.alarm.name, one.after.state) for one in changes] == [("a", ALARM), ("whole", ALARM)]


def test_composite_alarms_follow_each_other_in_one_step() -> None:
    desk = family()
    composite(desk, "above", "ALARM(whole) AND OK(b)")
    composite(desk, "aside", "NOT ALARM(above)")
    desk.step(minutes=1)

    to(desk, "a", "ALARM")

    assert (desk.state("whole"), desk.state("above"), desk.state("aside")) == ("ALARM", "ALARM", "OK")


def test_set_by_hand_it_stays_until_a_child_changes() -> None:
    desk = family()

    to(desk, "whole", "ALARM")
    desk.step(minutes=5)
    by_hand = desk.state("whole")
    to(desk, "a", "INSUFFICIENT_DATA")

    assert (by_hand, desk.state("whole")) == ("ALARM", "OK")


def test_an_update_evaluates_the_new_rule() -> None:
    desk = family()

    composite(desk, "whole", "TRUE")
    desk.step(minutes=1)

    assert desk.state("whole") == "ALARM"
    assert described(desk)["StateReason"].endswith("was updated and its alarm rule evaluates to ALARM")


def test_composite_alarms_in_a_cycle_are_not_evaluated_and_cannot_be_deleted() -> None:
    desk = family()
    composite(desk, "first", "ALARM(a)")
    composite(desk, "second", "ALARM(first)")
    composite(desk, "first", "ALARM(second) OR ALARM(a)")
    composite(desk, "hanging", "ALARM(second)")

    to(desk, "a", "ALARM")

    assert (desk.state("whole"), desk.state("first"), desk.state("hanging")) == (
        "ALARM",
        "INSUFFICIENT_DATA",
        "INSUFFICIENT_DATA",
    )
    assert desk.refusal("DeleteAlarms", AlarmNames=["first"]) == (
        "ValidationError",
        "Cannot delete first as there are composite alarm(s) depending on it.",
    )
    composite(desk, "first", "FALSE")
    desk.ask("DeleteAlarms", AlarmNames=["hanging"])
    desk.ask("DeleteAlarms", AlarmNames=["second"])
    desk.ask("DeleteAlarms", AlarmNames=["first"])
    assert "first" not in desk.book.all()


def test_an_alarm_that_watches_itself_is_a_cycle_too() -> None:
    desk = family()
    composite(desk, "self", "ALARM(self)")

    desk.step(minutes=1)

    assert desk.state("self") == "INSUFFICIENT_DATA"
    assert desk.refusal("DeleteAlarms", AlarmNames=["self"])[0] == "ValidationError"


def test_deleting_is_refused_while_a_composite_alarm_depends_on_it() -> None:
    desk = family(**SUPPRESSED)

    assert desk.refusal("DeleteAlarms", AlarmNames=["a", "b"]) == (
        "ValidationError",
        "Cannot delete a,b as there are composite alarm(s) depending on them.",
    )
    assert desk.refusal("DeleteAlarms", AlarmNames=["s"])[0] == "ValidationError"
    desk.ask("DeleteAlarms", AlarmNames=["a", "b", "s", "whole"])
    assert desk.book.all() == {}


def test_one_call_deletes_at_most_one_composite_alarm_and_skips_wrong_names() -> None:
    desk = family()
    composite(desk, "other", "TRUE")

    assert desk.refusal("DeleteAlarms", AlarmNames=["whole", "other"])[0] == "ValidationError"
    assert desk.refusal("DeleteAlarms", AlarmNames=["nobody", "other"])[0] == "ResourceNotFound"
    assert "other" not in desk.book.all()


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"AlarmRule": "ALARM(nobody)"}, "alarms [nobody] in the alarm rule do not exist"),
        ({"ActionsSuppressor": "s"}, "must be specified together"),
        ({"ActionsSuppressorWaitPeriod": 60}, "must be specified together"),
        (
            {
                "ActionsSuppressor": "nobody",
                "ActionsSuppressorWaitPeriod": 1,
                "ActionsSuppressorExtensionPeriod": 1,
            },
            "suppressor alarm nobody does not exist",
        ),
        (
            {
                "ActionsSuppressor": "s",
                "ActionsSuppressorWaitPeriod": -1,
                "ActionsSuppressorExtensionPeriod": 1,
            },
            "must not be negative",
        ),
        ({"AlarmActions": ["nonsense"]}, "Invalid arn syntax: nonsense"),
        ({"AlarmActions": ["arn:aws:lambda:us-east-1:1:function:f"]}, "notifies SNS topics only"),
        ({"AlarmName": "a"}, "is the name of a metric alarm"),
    ],
)
def test_a_wrong_composite_alarm_is_refused(more: dict[str, Any], why: str) -> None:
    desk = family()

    code, message = desk.refusal("PutCompositeAlarm", **{"AlarmName": "new", "AlarmRule": "ALARM(b)", **more})

    assert code == "ValidationError"
    assert why in message


SUPPRESSED: dict[str, Any] = {
    "ActionsSuppressor": "s",
    "ActionsSuppressorWaitPeriod": 120,
    "ActionsSuppressorExtensionPeriod": 180,
}


def held(desk: Desk) -> str:
    return str(described(desk).get("ActionsSuppressedBy", ""))


def test_actions_wait_for_the_suppressor_and_are_taken_when_it_stays_quiet() -> None:
    desk = family(**SUPPRESSED)

    to(desk, "a", "ALARM")
    waiting = held(desk), acted(desk), described(desk)["ActionsSuppressedReason"]
    desk.step(minutes=1)
    still = held(desk), acted(desk)
    desk.step(minutes=1)

    assert waiting == ("WaitPeriod", [], "Actions suppressed by WaitPeriod")
    assert still == ("WaitPeriod", [])
    assert (held(desk), acted(desk)) == ("", ["ALARM"])
    desk.step(minutes=5)
    assert acted(desk) == ["ALARM"]


def test_a_suppressor_that_fires_within_the_wait_suppresses() -> None:
    desk = family(**SUPPRESSED)

    to(desk, "a", "ALARM")
    desk.step(minutes=1)
    to(desk, "s", "ALARM")
    desk.step(minutes=10)

    assert (held(desk), acted(desk)) == ("Alarm", [])


def test_back_in_ok_before_the_wait_ends_nothing_is_done() -> None:
    desk = family(**SUPPRESSED)

    to(desk, "a", "ALARM")
    desk.step(minutes=1)
    to(desk, "a", "OK")
    desk.step(minutes=10)

    assert (held(desk), acted(desk)) == ("", [])


def test_under_a_firing_suppressor_nothing_waits() -> None:
    desk = family(**SUPPRESSED)

    to(desk, "s", "ALARM")
    to(desk, "a", "ALARM")
    desk.step(minutes=10)

    assert (held(desk), acted(desk)) == ("Alarm", [])


def test_actions_are_taken_after_the_extension_if_it_still_fires() -> None:
    desk = family(**SUPPRESSED)

    to(desk, "s", "ALARM")
    to(desk, "a", "ALARM")
    desk.step(minutes=1)
    to(desk, "s", "OK")
    extended = held(desk)
    desk.step(minutes=2)
    still = held(desk), acted(desk)
    desk.step(minutes=1)

    assert (extended, still) == ("ExtensionPeriod", ("ExtensionPeriod", []))
    assert (held(desk), acted(desk)) == ("", ["ALARM"])


def test_back_in_ok_within_the_extension_nothing_is_done() -> None:
    desk = family(**SUPPRESSED)

    to(desk, "s", "ALARM")
    to(desk, "a", "ALARM")
    to(desk, "s", "OK")
    desk.step(minutes=1)
    to(desk, "a", "OK")
    desk.step(minutes=10)

    assert (held(desk), acted(desk)) == ("", [])


def test_firing_within_the_extension_waits_for_its_end() -> None:
    desk = family(**SUPPRESSED)

    to(desk, "s", "ALARM")
    to(desk, "s", "OK")
    desk.step(minutes=1)
    to(desk, "a", "ALARM")
    held_by = held(desk)
    desk.step(minutes=2)

    assert (held_by, acted(desk)) == ("ExtensionPeriod", ["ALARM"])


def test_recovery_after_actions_were_taken_is_told_at_once() -> None:
    desk = family(**SUPPRESSED)

    to(desk, "a", "ALARM")
    desk.step(minutes=2)
    to(desk, "a", "OK")

    assert acted(desk) == ["ALARM", "OK"]


def test_disabled_actions_are_not_taken() -> None:
    desk = family()

    desk.ask("DisableAlarmActions", AlarmNames=["whole"])
    to(desk, "a", "ALARM")
    desk.ask("EnableAlarmActions", AlarmNames=["whole"])
    to(desk, "a", "OK")

    assert acted(desk) == ["OK"]


def test_alarms_are_described_by_their_kind_and_kin() -> None:
    desk = family()
    composite(desk, "above", "ALARM(whole) OR ALARM(a)")

    both = desk.ask("DescribeAlarms", AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    children = desk.ask("DescribeAlarms", ChildrenOfAlarmName="above")
    parents = desk.ask("DescribeAlarms", ParentsOfAlarmName="a")

    assert [one["AlarmName"] for one in both["MetricAlarms"]] == ["a", "b", "s"]
    assert [one["AlarmName"] for one in both["CompositeAlarms"]] == ["above", "whole"]
    assert desk.ask("DescribeAlarms")["CompositeAlarms"] == []
    assert set(children["MetricAlarms"][0]) == {
        "AlarmName",
        "AlarmArn",
        "StateValue",
        "StateUpdatedTimestamp",
    }
    assert [one["AlarmName"] for one in children["CompositeAlarms"]] == ["whole"]
    assert [one["AlarmName"] for one in parents["CompositeAlarms"]] == ["above", "whole"]
    assert set(parents["CompositeAlarms"][0]) == {"AlarmName", "AlarmArn"}
    for wrong in (
        {"ChildrenOfAlarmName": "above", "StateValue": "OK"},
        {"ChildrenOfAlarmName": "a"},
        {"AlarmNames": ["a"], "AlarmNamePrefix": "a"},
        {"MaxRecords": 101},
    ):
        assert desk.refusal("DescribeAlarms", **wrong)[0] in ("ValidationError", "InvalidParameterValue")


def test_the_event_and_the_notice_say_what_a_composite_alarm_is() -> None:
    desk = family(**SUPPRESSED)
    to(desk, "a", "ALARM")
    (change,) = [one for one in desk.announced if one.alarm.name == "whole"]

    detail = event_detail(change)
    subject, message = notification(change)

    assert detail["configuration"] == {
        "alarmRule": "ALARM(a) OR ALARM(b)",
        "actionsSuppressor": "s",
        "actionsSuppressorWaitPeriod": 120,
        "actionsSuppressorExtensionPeriod": 180,
    }
    assert set(detail["state"]) == {
        *("actionsSuppressedBy", "actionsSuppressedReason", "value", "reason", "reasonData", "timestamp")
    }
    assert set(detail["previousState"]) == {"value", "reason", "reasonData", "timestamp"}
    assert subject == 'ALARM: "whole" in us-east-1'
    assert json.loads(message)["AlarmRule"] == "ALARM(a) OR ALARM(b)"
    assert json.loads(message)["TriggeringChildren"][0]["State"]["Value"] == "ALARM"


def test_history_of_composite_alarms_is_asked_for_by_its_kind() -> None:
    desk = family()
    to(desk, "a", "ALARM")
    desk.clock.move_to(BEGIN + timedelta(minutes=2))
    to(desk, "a", "OK")

    mine = desk.ask("DescribeAlarmHistory", AlarmName="whole", AlarmTypes=["CompositeAlarm"])
    others = desk.ask("DescribeAlarmHistory", AlarmName="whole")

    assert others["AlarmHistoryItems"] == []
    assert [one["HistorySummary"] for one in mine["AlarmHistoryItems"]] == [
        "Alarm updated from ALARM to OK",
        "Alarm updated from OK to ALARM",
        "Alarm updated from INSUFFICIENT_DATA to OK",
        'Alarm "whole" created',
    ]
    assert {one["AlarmType"] for one in mine["AlarmHistoryItems"]} == {"CompositeAlarm"}


@pytest.mark.parametrize(
    "data",
    ["not JSON", "[1]", '{"triggeringAlarms": "none"}', '{"triggeringAlarms": [{"arn": "a", "state": {}}]}'],
)
def test_a_notice_survives_whatever_reason_was_set_by_hand(data: str) -> None:
    desk = family()

    desk.ask(
        "SetAlarmState", AlarmName="whole", StateValue="ALARM", StateReason="drill", StateReasonData=data
    )

    message = json.loads(notification(desk.announced[-1])[1])
    assert (message["NewStateReason"], message["TriggeringChildren"]) == ("drill", [])
