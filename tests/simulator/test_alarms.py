import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.cloudwatch.alarm_book import AlarmBook
from simulator.cloudwatch.alarms import AlarmState, Point, Standing, judge
from simulator.cloudwatch.metrics import MetricStore
from tests.simulated import SimulatedAccount, StartAccount

BEGIN = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
EXAMPLE_EVENT_KEYS = {
    *("version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail"),
}
OK, ALARM, INSUFFICIENT = AlarmState.OK, AlarmState.ALARM, AlarmState.INSUFFICIENT_DATA


def alarm_in(needed: int, treatment: str, *, namespace: str = "Shop") -> AlarmBook:
    book = AlarmBook(MetricStore())
    book.put(
        {
            "AlarmName": "watch",
            "Namespace": namespace,
            "MetricName": "Errors",
            "Statistic": "Sum",
            "Period": 60,
            "EvaluationPeriods": 3,
            "DatapointsToAlarm": needed,
            "Threshold": 10.0,
            "ComparisonOperator": "GreaterThanThreshold",
            "TreatMissingData": treatment,
        },
        BEGIN,
    )
    return book


def drawn(points: str) -> list[Point | None]:
    """Points as the user guide draws them: 0 within the threshold, X beyond it, - missing."""
    shown = {"0": Point(0, 1.0, False), "X": Point(0, 99.0, True), "-": None}
    return [shown[one] for one in points]


# The two tables of the CloudWatch user guide, "How alarm state is evaluated when data is missing":
# points of the evaluation range, oldest first, then the state for missing, ignore, breaching, notBreaching.
# None is "the state is kept".
THREE_OF_THREE = [
    ("0-X-X", OK, OK, OK, OK),
    ("----0", OK, OK, OK, OK),
    ("-----", INSUFFICIENT, None, ALARM, OK),
    ("0XX-X", ALARM, ALARM, ALARM, ALARM),
    ("--X--", ALARM, None, ALARM, OK),
]
TWO_OF_THREE = [
    ("0-X-X", ALARM, ALARM, ALARM, ALARM),
    ("00X0X", ALARM, ALARM, ALARM, ALARM),
    ("0-X--", OK, OK, ALARM, OK),
    ("----0", OK, OK, ALARM, OK),
    ("---X-", ALARM, None, ALARM, OK),
]
TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")


@pytest.mark.parametrize(
    ("needed", "points", "treatment", "state"),
    [
        (needed, row[0], treatment, state)
        for needed, table in ((3, THREE_OF_THREE), (2, TWO_OF_THREE))
        for row in table
        for treatment, state in zip(TREATMENTS, row[1:], strict=True)
    ],
)
def test_missing_data_is_treated_as_documented(
    needed: int, points: str, treatment: str, state: AlarmState | None
) -> None:
    alarm = alarm_in(needed, treatment).alarms["watch"]

    assert judge(alarm, drawn(points)).state is state


@pytest.mark.parametrize(
    ("needed", "points", "state"),
    [
        (3, "----X", None),
        (3, "---X-", None),
        (3, "---X0", OK),
        (3, "--X-0", OK),
        (3, "--X--", ALARM),
        (3, "-X---", ALARM),
        (3, "X----", ALARM),
        (3, "--XX-", ALARM),
        (2, "---X-", ALARM),
        (2, "----X", None),
        (2, "--0X-", OK),
    ],
)
def test_an_alarm_is_held_back_while_it_would_be_premature(
    needed: int, points: str, state: AlarmState | None
) -> None:
    """The guide's examples of "Avoiding premature transitions to alarm state", and what lies around them."""
    alarm = alarm_in(needed, "missing").alarms["watch"]

    assert judge(alarm, drawn(points)).state is state


@given(points=st.text("0X-", min_size=5, max_size=5), needed=st.integers(1, 3))
def test_missing_points_are_filled_only_as_often_as_needed(points: str, needed: int) -> None:
    """Said another way: the last three that exist, and as many of the treatment's as are lacking."""
    shown = points.replace("-", "")[-3:]
    lacking = 3 - len(shown)

    def state(treatment: str) -> AlarmState | None:
        return judge(alarm_in(needed, treatment).alarms["watch"], drawn(points)).state

    assert state("breaching") is (ALARM if shown.count("X") + lacking >= needed else OK)
    assert state("notBreaching") is (ALARM if shown.count("X") >= needed else OK)
    if not lacking:
        assert state("missing") is state("ignore") is state("breaching")
    if set(points) == {"-"}:
        assert (state("missing"), state("ignore")) == (INSUFFICIENT, None)


def test_an_alarm_on_dynamodb_ignores_missing_data_whatever_it_says() -> None:
    alarm = alarm_in(1, "notBreaching", namespace="AWS/DynamoDB").alarms["watch"]

    assert judge(alarm, [None] * 5).state is None


def test_only_transitions_are_reported_and_kept() -> None:
    metrics = MetricStore()
    book = AlarmBook(metrics)
    book.alarms = alarm_in(2, "missing").alarms
    for minute, value in enumerate([1, 1, 50, 60, 70, 1, 1, 1]):
        metrics.put("Shop", "Errors", {}, BEGIN + timedelta(minutes=minute), value)

    changes = [
        (minute, change.after.state)
        for minute in range(1, 9)
        for change in book.evaluate(BEGIN + timedelta(minutes=minute))
    ]

    assert changes == [(1, OK), (4, ALARM), (7, OK)]
    history = book.alarms["watch"].history
    assert [one["HistoryItemType"] for one in history] == ["ConfigurationUpdate"] + ["StateUpdate"] * 3


def test_the_reason_is_worded_as_cloudwatch_words_it() -> None:
    metrics = MetricStore()
    book = AlarmBook(metrics)
    book.alarms = alarm_in(2, "missing").alarms
    book.alarms["watch"].standing = Standing(OK, "", "", BEGIN)
    for minute, value in enumerate([1, 35.5, 36]):
        metrics.put("Shop", "Errors", {}, BEGIN + timedelta(minutes=minute), value)

    (change,) = book.evaluate(BEGIN + timedelta(minutes=3))

    assert change.after.reason == (
        "Threshold Crossed: 2 out of the last 3 datapoints [36.0 (23/11/26 09:02:00), "
        "35.5 (23/11/26 09:01:00)] were greater than the threshold (10.0) "
        "(minimum 2 datapoints for OK -> ALARM transition)."
    )
    assert json.loads(change.after.reason_data) == {
        "version": "1.0",
        "queryDate": "2026-11-23T09:03:00.000+0000",
        "startDate": "2026-11-23T09:00:00.000+0000",
        "statistic": "Sum",
        "period": 60,
        "recentDatapoints": [1.0, 35.5, 36.0],
        "threshold": 10.0,
    }


def test_an_event_reaches_a_queue_through_a_rule(simulated_account: StartAccount) -> None:
    account = simulated_account("bad-deployment")
    sqs, events = account.client("sqs"), account.client("events")
    queue = sqs.create_queue(QueueName="incidents")["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
    pattern = {
        "source": ["aws.cloudwatch"],
        "detail-type": ["CloudWatch Alarm State Change"],
        "detail": {"state": {"value": ["ALARM"]}},
    }
    events.put_rule(Name="alarms", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="alarms", Targets=[{"Id": "queue", "Arn": attributes["QueueArn"]}])

    account.advance_until("checkout-5xx", "ALARM", minutes=8)

    (message,) = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    event = json.loads(message["Body"])
    alarm = account.alarm("checkout-5xx")
    assert set(event) == EXAMPLE_EVENT_KEYS
    assert event["time"] == alarm["StateUpdatedTimestamp"].astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert event["resources"] == [alarm["AlarmArn"]]
    detail = event["detail"]
    assert set(detail) == {"alarmName", "configuration", "previousState", "state"}
    assert set(detail["configuration"]) == {"description", "metrics"}
    (metric,) = detail["configuration"]["metrics"]
    assert set(metric) == {"id", "metricStat", "returnData"}
    assert metric["metricStat"] == {
        "metric": {"dimensions": {"Service": "checkout"}, "name": "Errors", "namespace": "Storefront"},
        "period": 60,
        "stat": "Sum",
    }
    for state in ("state", "previousState"):
        assert set(detail[state]) == {"reason", "reasonData", "timestamp", "value"}
    assert detail["state"]["reason"] == alarm["StateReason"]
    assert detail["state"]["reasonData"] == alarm["StateReasonData"]
    assert detail["previousState"]["value"] == "OK"


def test_an_alarm_publishes_to_its_topic_and_says_so_in_its_history(simulated_account: StartAccount) -> None:
    account = simulated_account("bad-deployment", history_hours=0.5)
    sqs, sns = account.client("sqs"), account.client("sns")
    queue = sqs.create_queue(QueueName="notices")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    (topic,) = account.alarm("checkout-5xx")["AlarmActions"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)

    account.advance_until("checkout-5xx", "ALARM", minutes=8)

    (message,) = sqs.receive_message(QueueUrl=queue)["Messages"]
    envelope = json.loads(message["Body"])
    notice = json.loads(envelope["Message"])
    assert envelope["Subject"] == 'ALARM: "checkout-5xx" in us-east-1'
    assert notice["AlarmName"] == "checkout-5xx"
    assert (notice["OldStateValue"], notice["NewStateValue"]) == ("OK", "ALARM")
    assert notice["Trigger"]["Dimensions"] == [{"value": "checkout", "name": "Service"}]
    items = account.client("cloudwatch").describe_alarm_history(
        AlarmName="checkout-5xx", HistoryItemType="Action"
    )
    assert topic in items["AlarmHistoryItems"][0]["HistorySummary"]


def test_history_is_in_account_time_and_newest_first(shared_accounts: StartAccount) -> None:
    account = shared_accounts("false-alarm", history_hours=3.0)
    cloudwatch = account.client("cloudwatch")

    items = cloudwatch.describe_alarm_history(AlarmName="web-cpu-high", HistoryItemType="StateUpdate")
    updates = items["AlarmHistoryItems"]

    assert all(later["Timestamp"] >= earlier["Timestamp"] for later, earlier in pairwise(updates))
    assert all(one["Timestamp"] <= account.now() for one in updates)
    raised = [one for one in updates if json.loads(one["HistoryData"])["newState"]["stateValue"] == "ALARM"]
    assert len(raised) >= 3
    data = json.loads(raised[0]["HistoryData"])
    assert data["oldState"]["stateValue"] == "OK"
    assert data["newState"]["stateReasonData"]["threshold"] == 75.0


def test_an_alarm_set_by_hand_is_evaluated_again(shared_accounts: StartAccount) -> None:
    account = shared_accounts("hidden-cause")
    cloudwatch = account.client("cloudwatch")

    cloudwatch.set_alarm_state(AlarmName="inventory-errors", StateValue="ALARM", StateReason="drill")
    by_hand = account.alarm("inventory-errors")
    account.advance(60)

    assert (by_hand["StateValue"], by_hand["StateReason"]) == ("ALARM", "drill")
    assert account.alarm("inventory-errors")["StateValue"] == "OK"


def test_an_alarm_on_own_data_fires_and_clears(shared_accounts: StartAccount) -> None:
    account = shared_accounts("hidden-cause")
    cloudwatch = account.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName="own",
        Namespace="Own",
        MetricName="Depth",
        Dimensions=[{"Name": "Queue", "Value": "q"}],
        Statistic="Maximum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=5,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="notBreaching",
    )
    created = account.alarm("own")
    depth = {"MetricName": "Depth", "Dimensions": [{"Name": "Queue", "Value": "q"}], "Value": 5}
    cloudwatch.put_metric_data(Namespace="Own", MetricData=[depth | {"Timestamp": account.now()}])
    account.advance(60)
    fired = account.alarm("own")
    account.advance(minutes=4)

    assert created["StateReason"] == "Unchecked: Initial alarm creation"
    assert created["StateValue"] == "INSUFFICIENT_DATA"
    assert fired["StateValue"] == "ALARM"
    cleared = account.alarm("own")
    assert cleared["StateValue"] == "OK"
    assert "treated as [NonBreaching]" in cleared["StateReason"]


def queue_of(account: SimulatedAccount, name: str) -> tuple[str, str]:
    """A new queue's URL and ARN."""
    sqs = account.client("sqs")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return url, arn


def bodies(account: SimulatedAccount, url: str) -> list[dict[str, Any]]:
    """All messages of a queue, taken from it."""
    sqs, found = account.client("sqs"), []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for one in messages:
            found.append(json.loads(one["Body"]))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
    return found


def _alarm_on_a_share(cloudwatch: Any) -> None:
    """Put an alarm on the share of checkout's requests that fail, which is an expression."""
    service = [{"Name": "Service", "Value": "checkout"}]
    counted = [
        {
            "Id": name,
            "MetricStat": {
                "Metric": {"Namespace": "Storefront", "MetricName": metric, "Dimensions": service},
                "Period": 60,
                "Stat": "Sum",
            },
            "ReturnData": False,
        }
        for name, metric in (("e", "Errors"), ("r", "Requests"))
    ]
    cloudwatch.put_metric_alarm(
        AlarmName="checkout-share",
        EvaluationPeriods=1,
        Threshold=3.0,
        ComparisonOperator="GreaterThanThreshold",
        Metrics=[*counted, {"Id": "share", "Expression": "100 * FILL(e, 0) / r"}],
    )


def test_a_composite_alarm_over_an_expression_reaches_its_topic_and_the_bus(
    simulated_account: StartAccount,
) -> None:
    account = simulated_account("bad-deployment", history_hours=0.5)
    cloudwatch, events, sns = (account.client(name) for name in ("cloudwatch", "events", "sns"))
    heard, heard_arn = queue_of(account, "heard")
    told, told_arn = queue_of(account, "told")
    topic = sns.create_topic(Name="composite")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=told_arn)
    events.put_rule(Name="alarms", EventPattern=json.dumps({"source": ["aws.cloudwatch"]}))
    events.put_targets(Rule="alarms", Targets=[{"Id": "queue", "Arn": heard_arn}])
    _alarm_on_a_share(cloudwatch)
    cloudwatch.put_composite_alarm(
        AlarmName="checkout-broken",
        AlarmRule='ALARM("checkout-share") AND ALARM(checkout-5xx)',
        AlarmActions=[topic],
    )

    account.advance_until("checkout-5xx", "ALARM", minutes=8)

    (alarm,) = cloudwatch.describe_alarms(AlarmTypes=["CompositeAlarm"])["CompositeAlarms"]
    assert (alarm["AlarmName"], alarm["StateValue"]) == ("checkout-broken", "ALARM")
    fired = [
        one["detail"]["alarmName"]
        for one in bodies(account, heard)
        if one["detail"]["state"]["value"] == "ALARM"
    ]
    assert sorted(fired) == ["checkout-5xx", "checkout-broken", "checkout-share"]
    (envelope,) = bodies(account, told)
    assert envelope["Subject"] == 'ALARM: "checkout-broken" in us-east-1'
    assert json.loads(envelope["Message"])["AlarmRule"] == alarm["AlarmRule"]
    items = cloudwatch.describe_alarm_history(AlarmTypes=["CompositeAlarm"], HistoryItemType="Action")
    assert [one["HistorySummary"] for one in items["AlarmHistoryItems"]] == [
        f"Successfully executed action {topic}"
    ]


def test_an_action_without_its_topic_is_in_the_history_as_failed(shared_accounts: StartAccount) -> None:
    account = shared_accounts("hidden-cause")
    cloudwatch = account.client("cloudwatch")
    nowhere = "arn:aws:sns:us-east-1:123456789012:nowhere"
    cloudwatch.put_metric_alarm(
        AlarmName="unheard",
        Namespace="Own",
        MetricName="Nothing",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=5,
        ComparisonOperator="GreaterThanThreshold",
        AlarmActions=[nowhere],
    )

    cloudwatch.set_alarm_state(AlarmName="unheard", StateValue="ALARM", StateReason="drill")

    (item,) = cloudwatch.describe_alarm_history(AlarmName="unheard", HistoryItemType="Action")[
        "AlarmHistoryItems"
    ]
    assert item["HistorySummary"].startswith(f"Failed to execute action {nowhere}.")
    assert json.loads(item["HistoryData"])["actionState"] == "Failed"
