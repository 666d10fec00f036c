"""Metric alarms: what is refused, what they watch beside one metric, how they slide, what they leave behind."""

import json
from datetime import timedelta
from typing import Any

import pytest

from simulator.cloudwatch.alarm_validation import check_metric_alarm
from simulator.cloudwatch.alarm_words import event_detail, notification
from simulator.wire.protocol import AwsError
from tests.simulator.cloudwatch_desk import BEGIN, TOPIC, Desk, expression, hidden, stat

PLAIN: dict[str, Any] = {
    "AlarmName": "watch",
    "Namespace": "N",
    "MetricName": "m",
    "Statistic": "Sum",
    "Period": 60,
    "EvaluationPeriods": 3,
    "Threshold": 10.0,
    "ComparisonOperator": "GreaterThanThreshold",
}
MATH: dict[str, Any] = {
    "AlarmName": "watch",
    "EvaluationPeriods": 1,
    "Threshold": 10.0,
    "ComparisonOperator": "GreaterThanThreshold",
    "Metrics": [
        hidden(stat("errors", "Errors")),
        hidden(stat("requests", "Requests")),
        expression("share", "100 * errors / requests", Label="share", ReturnData=True),
    ],
}
BAND: dict[str, Any] = {
    "AlarmName": "watch",
    "EvaluationPeriods": 1,
    "ComparisonOperator": "LessThanLowerOrGreaterThanUpperThreshold",
    "ThresholdMetricId": "band",
    "Metrics": [
        {**stat("m1", "m"), "ReturnData": True},
        expression("band", "ANOMALY_DETECTION_BAND(m1, 2)", ReturnData=True),
    ],
}


def without(alarm: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in alarm.items() if key != name}


def watching(desk: Desk, **more: Any) -> Desk:
    desk.ask("PutMetricAlarm", **{**PLAIN, **more})
    return desk


@pytest.mark.parametrize(
    ("alarm", "why"),
    [
        (without(PLAIN, "MetricName"), "MetricName must not be null"),
        (without(PLAIN, "Period"), "Period must not be null"),
        (without(PLAIN, "Threshold"), "Threshold is required"),
        (without(PLAIN, "Statistic"), "Statistic and ExtendedStatistic"),
        ({**PLAIN, "Statistic": "Median"}, "Median"),
        ({**without(PLAIN, "Statistic"), "ExtendedStatistic": "p101"}, "p101"),
        ({**without(PLAIN, "Statistic"), "ExtendedStatistic": "Sum"}, "Sum"),
        ({**PLAIN, "Period": 15}, "Period must be 10, 20, 30 or a multiple of 60"),
        (
            {**PLAIN, "EvaluationPeriods": 1441},
            "more than a day (EvaluationPeriods * Period must be <= 86400)",
        ),
        ({**PLAIN, "Period": 3600, "EvaluationPeriods": 169}, "more than seven days"),
        ({**PLAIN, "DatapointsToAlarm": 4}, "DatapointsToAlarm"),
        ({**PLAIN, "TreatMissingData": "guess"}, "TreatMissingData"),
        ({**PLAIN, "EvaluateLowSampleCountPercentile": "maybe"}, "must be evaluate or ignore"),
        ({**PLAIN, "ComparisonOperator": "Near"}, "ComparisonOperator"),
        ({**PLAIN, "ComparisonOperator": "GreaterThanUpperThreshold"}, "ThresholdMetricId must be set"),
        ({**PLAIN, "AlarmActions": ["topic"]}, "Invalid arn syntax: topic"),
        ({**PLAIN, "AlarmActions": [TOPIC] * 6}, "at most 5"),
        ({**PLAIN, "AlarmActions": ["arn:aws:automate:us-east-1:ec2:stop:x"]}, "SNS topics only"),
        ({**PLAIN, "AlarmName": "x" * 256}, "255"),
        ({**PLAIN, "AlarmName": "a\nb"}, "control characters"),
        ({**PLAIN, "Metrics": MATH["Metrics"]}, "should not be set if list of Metrics is set"),
        ({**PLAIN, "Tags": [{"Key": f"k{n}", "Value": "v"} for n in range(51)]}, "50 tags"),
        ({**MATH, "Metrics": [expression("e", "SUM(SEARCH('x', 'Sum', 60))")]}, "SEARCH is not supported"),
        ({**MATH, "Metrics": [stat("a", "a"), stat("b", "b")]}, "Exactly one element"),
        ({**MATH, "Metrics": [hidden(stat("a", "a"))]}, "Exactly one element"),
        ({**MATH, "Metrics": [hidden(stat("a", "a")), expression("e", "a +")]}, "Invalid syntax"),
        ({**MATH, "Metrics": [hidden(stat("a", "a")), expression("e", "b + 1")]}, "Undefined variable b"),
        ({**MATH, "Metrics": [hidden(stat("a", "a")), expression("e", "MEDIAN(a)")]}, "function MEDIAN"),
        ({**MATH, "Metrics": [hidden(stat("a", "a")), expression("e", "AVG(a)")]}, "got a Scalar"),
        ({**MATH, "Metrics": [hidden(stat("a", "a")), expression("e", "METRICS()")]}, "a single time series"),
        ({**MATH, "Metrics": [hidden(stat("a", "a")), expression("e", "e + a")]}, "refers to itself"),
        (
            {
                **MATH,
                "Metrics": [*(hidden(stat(f"m{n}", "m")) for n in range(11)), expression("e", "m1 + m2")],
            },
            "more than 10 individual metrics",
        ),
        (
            {
                **MATH,
                "Metrics": [hidden(stat("a", "a")), hidden(stat("b", "b", period=300)), expression("e", "a")],
            },
            "the same period",
        ),
        ({**BAND, "Threshold": 1.0}, "Threshold should not be set"),
        ({**BAND, "ThresholdMetricId": "m1"}, "must be the id of an ANOMALY_DETECTION_BAND"),
        ({**BAND, "ComparisonOperator": "LessThanThreshold", "Threshold": 1.0}, "cannot be used with"),
    ],
)
def test_a_wrong_alarm_is_refused_and_not_kept(alarm: dict[str, Any], why: str) -> None:
    desk = Desk()

    code, message = desk.refusal("PutMetricAlarm", **alarm)

    assert code == "ValidationError"
    assert why in message
    assert desk.book.all() == {}


@pytest.mark.parametrize("name", ["EvaluationCriteria", "EvaluationInterval"])
def test_what_the_account_does_not_evaluate_is_refused_by_its_name(name: str) -> None:
    with pytest.raises(AwsError, match=name):
        check_metric_alarm({**PLAIN, name: 1})


def test_an_alarm_on_an_expression_fires_and_clears() -> None:
    desk = Desk()
    desk.ask("PutMetricAlarm", **MATH)
    desk.put("Errors", {0: 1.0, 1: 30.0, 2: 0.0})
    desk.put("Requests", {minute: 100.0 for minute in range(3)})

    states = [str(change.after.state) for _ in range(3) for change in desk.step(minutes=1)]

    assert states == ["OK", "ALARM", "OK"]
    detail = event_detail(desk.announced[1])
    assert [one["id"] for one in detail["configuration"]["metrics"]] == ["errors", "requests", "share"]
    assert detail["configuration"]["metrics"][2] == {
        "id": "share",
        "expression": "100 * errors / requests",
        "label": "share",
        "returnData": True,
    }
    assert json.loads(detail["state"]["reasonData"]) == {
        "version": "1.0",
        "queryDate": "2026-11-23T09:02:00.000+0000",
        "startDate": "2026-11-23T09:01:00.000+0000",
        "period": 60,
        "recentDatapoints": [30.0],
        "threshold": 10.0,
    }
    trigger = json.loads(notification(desk.announced[1])[1])["Trigger"]
    assert trigger["Metrics"][0]["MetricStat"]["Metric"]["MetricName"] == "Errors"
    assert "MetricName" not in trigger


def with_a_past(desk: Desk) -> Desk:
    for minute in range(-180, 0):
        desk.put("m", {minute: 10.0 + minute % 2})
    return desk


def test_an_alarm_on_a_band_fires_outside_of_it() -> None:
    desk = with_a_past(Desk())
    desk.ask("PutMetricAlarm", **BAND)
    desk.put("m", {0: 10.0, 1: 50.0, 2: 10.0, 3: 1.0})

    changes = [change for _ in range(4) for change in desk.step(minutes=1)]

    assert [str(one.after.state) for one in changes] == ["OK", "ALARM", "OK", "ALARM"]
    reason = changes[1].after.reason
    assert reason.startswith(
        "Thresholds Crossed: 1 out of the last 1 datapoints [50.0 (23/11/26 09:01:00)] was less"
    )
    assert "than the lower thresholds [" in reason
    assert "] or greater than the upper thresholds [" in reason
    data = json.loads(changes[1].after.reason_data)
    assert set(data) == {
        *("version", "queryDate", "startDate", "period", "recentDatapoints"),
        *("recentLowerThresholds", "recentUpperThresholds"),
    }
    assert "was not less than the lower thresholds [" in changes[2].after.reason


@pytest.mark.parametrize(
    ("comparison", "states"),
    [("GreaterThanUpperThreshold", ["OK", "ALARM", "OK"]), ("LessThanLowerThreshold", ["OK", "ALARM"])],
)
def test_a_band_may_have_one_side_only(comparison: str, states: list[str]) -> None:
    desk = with_a_past(Desk())
    desk.ask("PutMetricAlarm", **{**BAND, "ComparisonOperator": comparison})
    desk.put("m", {0: 10.0, 1: 50.0, 2: 1.0})

    assert [str(one.after.state) for _ in range(3) for one in desk.step(minutes=1)] == states


def test_an_alarm_looks_at_two_periods_more_than_it_evaluates() -> None:
    desk = watching(Desk(), TreatMissingData="breaching")
    desk.put("m", {0: 1.0})

    states = [(minute, str(one.after.state)) for minute in range(1, 8) for one in desk.step(minutes=1)]

    # The last point is kept in view for five minutes, and then there is nothing but missing data.
    assert states == [(1, "OK"), (6, "ALARM")]


def test_longer_periods_slide_with_each_minute() -> None:
    desk = watching(Desk(), Period=300, EvaluationPeriods=1, Threshold=10.0)
    desk.put("m", {minute: 1.0 if minute < 7 else 5.0 for minute in range(12)})

    changes = [(minute, one) for minute in range(1, 13) for one in desk.step(minutes=1)]

    # Five minutes that hold more than 10 in all end first at minute 9, between the marks of the clock.
    assert [(minute, str(one.after.state)) for minute, one in changes] == [(1, "OK"), (9, "ALARM")]
    assert "(23/11/26 09:04:00)" in changes[1][1].after.reason


def test_a_high_resolution_alarm_is_evaluated_within_the_minute() -> None:
    desk = watching(Desk(), Period=10, EvaluationPeriods=1)
    for second in range(30):
        at = BEGIN + timedelta(seconds=second)
        value = 50.0 if second >= 20 else 0.5
        datum = {"MetricName": "m", "Value": value, "Timestamp": at, "StorageResolution": 1}
        desk.ask("PutMetricData", Namespace="N", MetricData=[datum])

    states = [str(one.after.state) for _ in range(3) for one in desk.step(seconds=10)]

    assert states == ["OK", "ALARM"]


@pytest.mark.parametrize(("treatment", "state"), [("ignore", "INSUFFICIENT_DATA"), ("evaluate", "ALARM")])
def test_a_percentile_of_few_samples_may_be_left_alone(treatment: str, state: str) -> None:
    """A p90 rests on 10 / (1 - 0.9) = 100 samples."""
    desk = Desk()
    alarm = {**without(PLAIN, "Statistic"), "ExtendedStatistic": "p90", "EvaluationPeriods": 1}
    desk.ask("PutMetricAlarm", **{**alarm, "EvaluateLowSampleCountPercentile": treatment})
    few = {"MetricName": "m", "Values": [50.0], "Counts": [99.0]}
    desk.ask("PutMetricData", Namespace="N", MetricData=[few])

    desk.step(minutes=1)
    with_few = desk.state("watch")
    desk.ask("PutMetricData", Namespace="N", MetricData=[{**few, "Counts": [100.0]}])
    desk.step(minutes=1)

    assert (with_few, desk.state("watch")) == (state, "ALARM")


def test_an_expression_over_dynamodb_ignores_missing_data_too() -> None:
    metric = {"Namespace": "AWS/DynamoDB", "MetricName": "ThrottledRequests"}
    query = {"Id": "t", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}, "ReturnData": False}
    desk = Desk()
    desk.ask(
        "PutMetricAlarm",
        **{**MATH, "Metrics": [query, expression("e", "t * 1")]},
        TreatMissingData="breaching",
    )
    desk.put("ThrottledRequests", {0: 99.0}, namespace="AWS/DynamoDB")

    desk.step(minutes=1)
    fired = desk.state("watch")
    desk.step(minutes=30)

    assert (fired, desk.state("watch")) == ("ALARM", "ALARM")


def test_dimensions_name_one_metric_exactly() -> None:
    desk = watching(Desk(), Dimensions=[{"Name": "S", "Value": "web"}], EvaluationPeriods=1)
    desk.put("m", {0: 99.0})
    desk.put("m", {0: 99.0}, S="web", Host="1")

    desk.step(minutes=1)

    assert desk.state("watch") == "INSUFFICIENT_DATA"


def test_an_update_keeps_the_state_and_is_kept_in_the_history_past_deletion() -> None:
    desk = watching(Desk(), EvaluationPeriods=1)
    desk.put("m", {0: 99.0})
    desk.step(minutes=1)

    watching(desk, EvaluationPeriods=1, Threshold=1000.0)
    kept = desk.state("watch")
    desk.step(minutes=1)
    desk.ask("DeleteAlarms", AlarmNames=["watch"])

    items = desk.ask("DescribeAlarmHistory", AlarmName="watch", ScanBy="TimestampAscending")[
        "AlarmHistoryItems"
    ]
    assert kept == "ALARM"
    assert [one["HistorySummary"] for one in items] == [
        'Alarm "watch" created',
        "Alarm updated from INSUFFICIENT_DATA to ALARM",
        'Alarm "watch" updated',
        "Alarm updated from ALARM to OK",
        'Alarm "watch" deleted',
    ]
    created = json.loads(items[0]["HistoryData"])
    assert (created["type"], created["createdAlarm"]["threshold"]) == ("Create", 10.0)
    assert json.loads(items[2]["HistoryData"])["updatedAlarm"]["threshold"] == 1000.0
    kinds = desk.ask("DescribeAlarmHistory", HistoryItemType="StateUpdate", StartDate=BEGIN, MaxRecords=1)
    assert len(kinds["AlarmHistoryItems"]) == 1
    rest = desk.ask("DescribeAlarmHistory", HistoryItemType="StateUpdate", NextToken=kinds["NextToken"])
    assert len(rest["AlarmHistoryItems"]) == 1
    desk.clock.move_to(BEGIN + timedelta(days=31))
    assert desk.ask("DescribeAlarmHistory")["AlarmHistoryItems"] == []


def test_tags_are_set_with_the_alarm_and_go_with_it() -> None:
    desk = watching(Desk(), Tags=[{"Key": "team", "Value": "shop"}])
    arn = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:watch"
    watching(desk, Tags=[{"Key": "team", "Value": "other"}])

    desk.ask("TagResource", ResourceARN=arn, Tags=[{"Key": "tier", "Value": "1"}])
    tagged = desk.ask("ListTagsForResource", ResourceARN=arn)["Tags"]
    desk.ask("UntagResource", ResourceARN=arn, TagKeys=["team"])

    assert {one["Key"]: one["Value"] for one in tagged} == {"team": "shop", "tier": "1"}
    assert desk.ask("ListTagsForResource", ResourceARN=arn)["Tags"] == [{"Key": "tier", "Value": "1"}]
    for operation, more in (
        ("ListTagsForResource", {}),
        ("TagResource", {"Tags": [{"Key": "a", "Value": "b"}]}),
    ):
        assert desk.refusal(operation, ResourceARN=arn + "x", **more)[0] == "ResourceNotFoundException"
    reserved = [{"Key": "aws:x", "Value": "1"}]
    assert desk.refusal("TagResource", ResourceARN=arn, Tags=reserved)[0] == "ValidationError"


def test_alarms_for_a_metric_are_those_on_the_metric_itself() -> None:
    desk = watching(Desk())
    desk.ask("PutMetricAlarm", **{**MATH, "AlarmName": "math", "Metrics": [stat("a", "m")]})

    def names(**more: Any) -> list[str]:
        found = desk.ask("DescribeAlarmsForMetric", Namespace="N", MetricName="m", **more)["MetricAlarms"]
        return [one["AlarmName"] for one in found]

    assert names() == ["watch"]
    assert names(Statistic="Sum", Period=60) == ["watch"]
    assert names(Statistic="Average") == names(Period=300) == names(Unit="Bytes") == []


def test_only_what_is_due_is_done() -> None:
    desk = watching(Desk(), AlarmActions=[TOPIC], EvaluationPeriods=1)
    desk.put("m", {0: 99.0, 1: 1.0, 2: 99.0})

    desk.step(minutes=1)
    desk.ask("DisableAlarmActions", AlarmNames=["watch"])
    for _ in range(2):
        desk.step(minutes=1)

    assert desk.acted == [("watch", "ALARM")]
    assert desk.ask("DescribeAlarms")["MetricAlarms"][0]["ActionsEnabled"] is False


def test_setting_a_state_wants_an_alarm_and_a_state() -> None:
    desk = watching(Desk())

    asked = {"StateValue": "ALARM", "StateReason": "drill"}
    assert desk.refusal("SetAlarmState", AlarmName="nobody", **asked)[0] == "ResourceNotFound"
    assert (
        desk.refusal("SetAlarmState", AlarmName="watch", **{**asked, "StateValue": "RED"})[0]
        == "ValidationError"
    )
    desk.ask("SetAlarmState", AlarmName="watch", **asked, StateReasonData="not JSON")
    desk.ask("SetAlarmState", AlarmName="watch", **asked)
    assert len(desk.announced) == 1
