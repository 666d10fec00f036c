from datetime import UTC, datetime, timedelta
from typing import Any

import botocore.session
import httpx
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from simulator.clock import floored
from simulator.cloudwatch.metrics import Grid, MetricStore, metric_name
from tests.simulated import SimulatedAccount, StartAccount

BEGIN = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def account(shared_accounts: StartAccount) -> SimulatedAccount:
    return shared_accounts("hidden-cause")


@pytest.fixture(scope="module")
def cloudwatch(account: SimulatedAccount) -> Any:
    return account.client("cloudwatch")


def stat(
    query_id: str, name: str, statistic: str = "Sum", *, period: int = 60, **dimensions: str
) -> dict[str, Any]:
    metric = {
        "Namespace": "Storefront",
        "MetricName": name,
        "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
    }
    return {"Id": query_id, "MetricStat": {"Metric": metric, "Period": period, "Stat": statistic}}


def refused(error: pytest.ExceptionInfo[ClientError]) -> tuple[str, str]:
    given = error.value.response["Error"]
    return given["Code"], given["Message"]


def test_metric_data_comes_by_the_minute_newest_first(account: SimulatedAccount, cloudwatch: Any) -> None:
    now = floored(account.now(), timedelta(minutes=1))

    (result,) = cloudwatch.get_metric_data(
        StartTime=now - timedelta(minutes=30),
        EndTime=now,
        MetricDataQueries=[stat("r", "Requests", Service="web")],
    )["MetricDataResults"]

    assert result["StatusCode"] == "Complete"
    assert result["Label"] == "Requests"
    assert len(result["Values"]) == 30
    assert result["Timestamps"] == sorted(result["Timestamps"], reverse=True)
    assert all(400 < value < 800 for value in result["Values"])


def test_periods_add_up(account: SimulatedAccount, cloudwatch: Any) -> None:
    end = floored(account.now(), timedelta(minutes=5))
    queries = [stat("one", "Requests", Service="web"), stat("five", "Requests", period=300, Service="web")]

    one, five = cloudwatch.get_metric_data(
        StartTime=end - timedelta(minutes=20), EndTime=end, MetricDataQueries=queries
    )["MetricDataResults"]

    assert len(five["Values"]) == 4
    assert sum(five["Values"]) == sum(one["Values"])


def test_a_query_without_dimensions_does_not_add_up_others(
    account: SimulatedAccount, cloudwatch: Any
) -> None:
    now = account.now()

    (result,) = cloudwatch.get_metric_data(
        StartTime=now - timedelta(hours=1), EndTime=now, MetricDataQueries=[stat("r", "Requests")]
    )["MetricDataResults"]

    assert result["Values"] == []


def test_arithmetic_between_metrics(account: SimulatedAccount, cloudwatch: Any) -> None:
    now = account.now()
    queries = [
        stat("e", "Errors", Service="web") | {"ReturnData": False},
        stat("r", "Requests", Service="web") | {"ReturnData": False},
        {"Id": "share", "Expression": "half * 2", "Label": "error share"},
        {"Id": "half", "Expression": "100 * e / r / 2"},
    ]

    share, half = cloudwatch.get_metric_data(
        StartTime=now - timedelta(minutes=30), EndTime=now, MetricDataQueries=queries
    )["MetricDataResults"]

    assert share["Label"] == "error share"
    assert share["Values"] == [value * 2 for value in half["Values"]]
    assert all(0 <= value < 10 for value in share["Values"])


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ({"Id": "Upper", "Expression": "1"}, "does not match"),
        ({"Id": "a", "Expression": "1 + 2"}, "Scalar"),
        ({"Id": "a", "Expression": "b + 1"}, "Undefined variable b"),
        ({"Id": "a", "Expression": "sum(b)"}, "Unsupported function sum"),
        ({"Id": "a", "Expression": "SERVICE_QUOTA(b)"}, "Unsupported function SERVICE_QUOTA"),
        ({"Id": "a", "Expression": "INSIGHT_RULE_METRIC('r', 'Sum')"}, "Unsupported function INSIGHT_RULE"),
        ({"Id": "a", "Expression": "LAMBDA('f')"}, "Unsupported function LAMBDA"),
        ({"Id": "a", "Expression": "SELECT AVG(x) FROM N"}, "Metrics Insights"),
        ({"Id": "a", "Expression": "b +"}, "Invalid syntax"),
        ({"Id": "a", "Expression": "b ** 2"}, "Invalid syntax"),
        ({"Id": "a"}, "Exactly one"),
        (stat("a", "Requests", "p101", Service="web"), "not supported"),
        (stat("a", "Requests", "TM(9%:1%)", Service="web"), "not supported"),
        (stat("a", "Requests", period=90, Service="web"), "multiple of 60"),
    ],
)
def test_what_is_not_understood_is_refused(
    account: SimulatedAccount, cloudwatch: Any, query: dict[str, Any], why: str
) -> None:
    with pytest.raises(ClientError) as error:
        cloudwatch.get_metric_data(
            StartTime=account.now() - timedelta(hours=1), EndTime=account.now(), MetricDataQueries=[query]
        )

    assert refused(error)[0] in ("ValidationError", "InvalidParameterValue")
    assert why in refused(error)[1]


def test_ids_are_unique_and_time_runs_forward(account: SimulatedAccount, cloudwatch: Any) -> None:
    twice = [stat("a", "Requests", Service="web")] * 2
    now = account.now()

    with pytest.raises(ClientError, match="not unique"):
        cloudwatch.get_metric_data(StartTime=now - timedelta(hours=1), EndTime=now, MetricDataQueries=twice)
    with pytest.raises(ClientError, match="EndTime"):
        cloudwatch.get_metric_data(StartTime=now, EndTime=now, MetricDataQueries=twice[:1])


def test_statistics_and_percentiles_of_own_data(account: SimulatedAccount, cloudwatch: Any) -> None:
    now = account.now()
    data = [
        {"MetricName": "Depth", "Values": [1.0, 2.0, 10.0], "Counts": [8.0, 1.0, 1.0], "Timestamp": now},
        {
            "MetricName": "Sets",
            "Timestamp": now,
            "StatisticValues": {"SampleCount": 4, "Sum": 20, "Minimum": 1, "Maximum": 9},
        },
    ]
    cloudwatch.put_metric_data(Namespace="Tests", MetricData=data)
    span = {"StartTime": now - timedelta(minutes=5), "EndTime": now + timedelta(minutes=1), "Period": 60}

    (depth,) = cloudwatch.get_metric_statistics(
        Namespace="Tests",
        MetricName="Depth",
        Statistics=["Average", "SampleCount", "Maximum"],
        **span,
    )["Datapoints"]
    (percentiles,) = cloudwatch.get_metric_statistics(
        Namespace="Tests", MetricName="Depth", ExtendedStatistics=["p50", "p90", "p99"], **span
    )["Datapoints"]
    sets = cloudwatch.get_metric_statistics(
        Namespace="Tests", MetricName="Sets", Statistics=["Average"], **span
    )["Datapoints"]
    none = cloudwatch.get_metric_statistics(
        Namespace="Tests", MetricName="Sets", ExtendedStatistics=["p99"], **span
    )["Datapoints"]

    assert (depth["Average"], depth["SampleCount"], depth["Maximum"]) == (2.0, 10.0, 10.0)
    assert percentiles["ExtendedStatistics"] == {"p50": 1.0, "p90": 2.0, "p99": 10.0}
    assert sets[0]["Average"] == 5.0
    assert none == []


def test_metrics_are_listed_by_namespace_and_dimension(cloudwatch: Any) -> None:
    listed = cloudwatch.list_metrics(
        Namespace="AWS/ECS", Dimensions=[{"Name": "ServiceName", "Value": "payments"}]
    )["Metrics"]

    assert {one["MetricName"] for one in listed} == {"CPUUtilization", "MemoryUtilization"}
    for one in listed:
        assert {each["Name"] for each in one["Dimensions"]} == {"ClusterName", "ServiceName"}


def test_awss_own_namespaces_take_no_data(cloudwatch: Any) -> None:
    with pytest.raises(ClientError) as error:
        cloudwatch.put_metric_data(Namespace="AWS/ECS", MetricData=[{"MetricName": "X", "Value": 1}])

    assert refused(error)[0] == "InvalidParameterValue"


def test_an_unknown_operation_is_refused_not_emulated(cloudwatch: Any) -> None:
    with pytest.raises(ClientError) as error:
        cloudwatch.put_anomaly_detector(
            SingleMetricAnomalyDetector={"Namespace": "N", "MetricName": "M", "Stat": "Sum"}
        )

    assert refused(error)[0] == "UnknownOperationException"


def test_a_described_alarm_says_everything(account: SimulatedAccount, cloudwatch: Any) -> None:
    alarm = account.alarm("payments-latency")

    assert alarm["ExtendedStatistic"] == "p99"
    assert "Statistic" not in alarm
    assert (alarm["EvaluationPeriods"], alarm["DatapointsToAlarm"], alarm["Period"]) == (3, 2, 60)
    assert alarm["StateUpdatedTimestamp"] <= account.now()
    assert alarm["StateReason"]
    assert alarm["StateReasonData"]
    assert alarm["AlarmArn"] == "arn:aws:cloudwatch:us-east-1:123456789012:alarm:payments-latency"
    dimensions = [{"Name": "Service", "Value": "payments"}]
    found = cloudwatch.describe_alarms_for_metric(
        Namespace="Storefront", MetricName="LatencyMs", Dimensions=dimensions
    )["MetricAlarms"]
    assert [one["AlarmName"] for one in found] == ["payments-latency"]


def test_alarms_are_described_in_pages_and_by_prefix(cloudwatch: Any) -> None:
    first = cloudwatch.describe_alarms(MaxRecords=1)
    second = cloudwatch.describe_alarms(MaxRecords=1, NextToken=first["NextToken"])
    named = cloudwatch.describe_alarms(AlarmNamePrefix="web-")["MetricAlarms"]

    assert first["MetricAlarms"][0]["AlarmName"] < second["MetricAlarms"][0]["AlarmName"]
    assert [one["AlarmName"] for one in named] == ["web-latency"]
    with pytest.raises(ClientError, match="token"):
        cloudwatch.describe_alarms(NextToken="bogus")


def test_a_bad_alarm_is_refused(cloudwatch: Any) -> None:
    alarm = {
        "AlarmName": "bad",
        "Namespace": "N",
        "MetricName": "M",
        "Period": 60,
        "EvaluationPeriods": 2,
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanThreshold",
    }

    for wrong in (
        {"Statistic": "Sum", "ExtendedStatistic": "p99"},
        {"ExtendedStatistic": "p999"},
        {"Statistic": "Sum", "DatapointsToAlarm": 3},
        {"Statistic": "Sum", "TreatMissingData": "guess"},
        {"Statistic": "Sum", "Period": 61},
    ):
        with pytest.raises(ClientError) as error:
            cloudwatch.put_metric_alarm(**alarm | wrong)
        assert refused(error)[0] == "ValidationError"


def test_the_query_protocol_is_answered_too(account: SimulatedAccount) -> None:
    form = "Action=DescribeAlarms&Version=2010-08-01&AlarmNames.member.1=web-latency"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    request = AWSRequest("POST", account.endpoint + "/", headers=headers, data=form)
    key = account.credentials
    signer = SigV4Auth(Credentials(key.access_key_id, key.secret_access_key), "monitoring", "us-east-1")
    signer.add_auth(request)

    answer = httpx.post(account.endpoint + "/", content=form, headers=dict(request.headers))
    parser = botocore.session.get_session().get_component("response_parser_factory").create_parser("query")
    model = botocore.session.get_session().get_service_model("cloudwatch").operation_model("DescribeAlarms")
    parsed = parser.parse(
        {"status_code": answer.status_code, "headers": answer.headers, "body": answer.content},
        model.output_shape,
    )

    (alarm,) = parsed["MetricAlarms"]
    assert alarm["AlarmName"] == "web-latency"
    assert alarm["Threshold"] == 1500.0
    assert alarm["StateUpdatedTimestamp"] <= account.now()


def test_metrics_are_told_apart_by_their_exact_dimensions() -> None:
    store = MetricStore()
    store.put("N", "M", {"a": "1", "b": "2"}, BEGIN, 5)
    grid = Grid(int(BEGIN.timestamp()), 60, 1)

    assert store.values(metric_name("N", "M", {"b": "2", "a": "1"}), grid, "Sum", BEGIN) == [5.0]
    assert store.values(metric_name("N", "M", {"a": "1"}), grid, "Sum", BEGIN) == [None]
    assert list(store.list("N", "M", {"a": None})) == [metric_name("N", "M", {"a": "1", "b": "2"})]
