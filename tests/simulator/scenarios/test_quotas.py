"""Quotas that the account keeps to: functions at once, vCPUs of Fargate, throughput of a table."""

from pathlib import Path
from typing import Any

import pytest

from simulator.scenario import ScenarioError, read_scenario
from simulator.wire.protocol import AwsError
from tests.simulator.scenarios.headless import START, Played, Stage

LAMBDA, VCPUS, WRITES = "L-B99A9384", "L-3032A538", "L-AB614373"
HEAD = 'schema = 1\nworld = "storefront"\ntitle = "t"\ndescription = "d"\n'
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/stock-export:1.0.0"
QUOTA = '[[quotas]]\nservice = "{}"\ncode = "{}"\nvalue = {}\n'
# A second function whose queue a job fills faster than any quota lets it be emptied.
CROWD = f"""
{QUOTA.format("lambda", LAMBDA, 20)}
[[releases]]
image = "{IMAGE}"
error_share = 0.0
[[queues]]
name = "stock-rows"
groups = 40
visibility_seconds = 180
[[functions]]
name = "stock-export"
alias = "live"
log_group = "/aws/lambda/stock-export"
owner = "team-warehouse"
slo = {{ availability = 0.9, latency_ms_p99 = 90000 }}
consumes = "stock-rows"
timeout_seconds = 120
base_duration_ms = 200
message_duration_ms = 5000
[[functions.versions]]
image = "{IMAGE}"
published = "-3d"
[[events]]
at = "+2m"
kind = "backfill"
queue = "stock-rows"
per_minute = 300
"""


def written(folder: Path, text: str, name: str = "played") -> Path:
    (folder / name).mkdir(parents=True)
    (folder / name / "scenario.toml").write_text(HEAD + text)
    return folder


def applied(played: Played, service: str, code: str) -> dict[str, Any]:
    asked = {"ServiceCode": service, "QuotaCode": code}
    found: dict[str, Any] = played.call("service-quotas", "GetServiceQuota", asked)["Quota"]
    return found


def lately(played: Played, metric: str, dimensions: dict[str, str], stat: str = "Maximum") -> list[float]:
    return played.values("AWS/Lambda", metric, dimensions, START, stat)


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("crowded"), CROWD)


def test_functions_share_what_the_account_may_run_at_once(headless: Stage, crowded: Path) -> None:
    played = headless.play("played", folder=crowded)
    played.advance(10)

    at_once = lately(played, "ConcurrentExecutions", {})
    refused = {
        one: sum(lately(played, "Throttles", {"FunctionName": one}, "Sum")) for one in ("orders-events",)
    }
    quota = applied(played, "lambda", LAMBDA)
    settings = played.call("lambda", "GetAccountSettings", {})["AccountLimit"]

    assert max(at_once[:2]) < 10
    assert max(at_once) == at_once[-1] == quota["Value"] == settings["ConcurrentExecutions"] == 20
    assert refused["orders-events"] > 20
    assert sum(lately(played, "Throttles", {}, "Sum")) > refused["orders-events"]
    metric = quota["UsageMetric"]
    assert (metric["MetricNamespace"], metric["MetricName"]) == ("AWS/Lambda", "ConcurrentExecutions")


def test_a_reservation_keeps_its_share_of_the_quota_for_its_function(headless: Stage, crowded: Path) -> None:
    played = headless.play("played", folder=crowded)
    played.advance(8)
    with pytest.raises(AwsError, match=r"below its minimum value of \[10\]"):
        played.call(
            "lambda",
            "PutFunctionConcurrency",
            {"FunctionName": "orders-events", "ReservedConcurrentExecutions": 11},
        )
    with pytest.raises(AwsError, match="Rate Exceeded") as crowded_out:
        played.call("lambda", "Invoke", {"FunctionName": "orders-events"})

    asked = {"FunctionName": "orders-events", "ReservedConcurrentExecutions": 4}
    played.call("lambda", "PutFunctionConcurrency", asked)
    played.advance(6)

    assert crowded_out.value.fields["Reason"] == "ConcurrentInvocationLimitExceeded"
    assert lately(played, "Throttles", {"FunctionName": "orders-events"}, "Sum")[-1] == 0
    assert lately(played, "ConcurrentExecutions", {"FunctionName": "stock-export"})[-1] == 16
    assert lately(played, "UnreservedConcurrentExecutions", {})[-1] == 16
    assert lately(played, "ClaimedAccountConcurrency", {})[-1] == 20


def test_fargate_starts_no_more_tasks_than_the_quota_has_vcpus_for(headless: Stage, tmp_path: Path) -> None:
    """Seventeen tasks of half a vCPU run from the beginning."""
    folder = written(tmp_path, QUOTA.format("fargate", VCPUS, 9.5))
    played = headless.play("played", folder=folder)
    asked = {"cluster": "storefront", "service": "checkout"}
    played.advance(1)

    played.call("ecs", "UpdateService", {**asked, "desiredCount": 12})
    played.advance(3)

    (service,) = played.call("ecs", "DescribeServices", {"cluster": "storefront", "services": ["checkout"]})[
        "services"
    ]
    usage = applied(played, "fargate", VCPUS)["UsageMetric"]
    used = played.values(
        usage["MetricNamespace"], usage["MetricName"], usage["MetricDimensions"], START, "Maximum"
    )
    assert (service["desiredCount"], service["runningCount"]) == (12, 7)
    assert (used[0], used[-1]) == (8.5, 9.5)
    told = [one["message"] for one in service["events"] if "unable to place" in one["message"]]
    assert told == [
        "(service checkout) was unable to place a task. Reason: You’ve reached the limit on the number of vCPUs you "
        "can run concurrently."
    ]

    played.call("ecs", "UpdateService", {"cluster": "storefront", "service": "web", "desiredCount": 2})
    played.advance(3)
    (service,) = played.call("ecs", "DescribeServices", {"cluster": "storefront", "services": ["checkout"]})[
        "services"
    ]
    assert service["runningCount"] == 9


def test_a_table_gets_no_more_than_its_quota(headless: Stage, tmp_path: Path) -> None:
    played = headless.play("played", folder=written(tmp_path, QUOTA.format("dynamodb", WRITES, 40)))
    units = {"ReadCapacityUnits": 10, "WriteCapacityUnits": 41}

    with pytest.raises(AwsError) as refused:
        played.call("dynamodb", "UpdateTable", {"TableName": "orders", "ProvisionedThroughput": units})
    units["WriteCapacityUnits"] = 40
    played.call("dynamodb", "UpdateTable", {"TableName": "orders", "ProvisionedThroughput": units})

    assert refused.value.code == "LimitExceededException"


def test_quotas_are_listed_in_pages_and_told_beside_their_defaults(headless: Stage, tmp_path: Path) -> None:
    played = headless.play("played", folder=written(tmp_path, QUOTA.format("dynamodb", WRITES, 40)))

    first = played.call("service-quotas", "ListServiceQuotas", {"ServiceCode": "dynamodb", "MaxResults": 1})
    second = played.call(
        "service-quotas", "ListServiceQuotas", {"ServiceCode": "dynamodb", "NextToken": first["NextToken"]}
    )
    default = played.call(
        "service-quotas", "GetAWSDefaultServiceQuota", {"ServiceCode": "dynamodb", "QuotaCode": WRITES}
    )["Quota"]
    services = played.call("service-quotas", "ListServices", {})["Services"]

    assert [one["Value"] for one in (*first["Quotas"], *second["Quotas"])] == [40, 40_000]
    assert second["NextToken"] is None
    assert default["Value"] == 40_000
    assert default["QuotaArn"] == "arn:aws:servicequotas:us-east-1::dynamodb/L-AB614373"
    assert [one["ServiceCode"] for one in services] == ["dynamodb", "fargate", "lambda"]
    assert applied(played, "lambda", LAMBDA)["Value"] == 1000


@pytest.mark.parametrize(
    ("operation", "asked", "code"),
    [
        ("GetServiceQuota", {"ServiceCode": "ec2", "QuotaCode": LAMBDA}, "NoSuchResourceException"),
        ("GetServiceQuota", {"ServiceCode": "lambda", "QuotaCode": VCPUS}, "NoSuchResourceException"),
        ("GetServiceQuota", {"ServiceCode": "lambda"}, "IllegalArgumentException"),
        ("ListServiceQuotas", {"ServiceCode": "lambda", "MaxResults": 101}, "IllegalArgumentException"),
        ("ListServiceQuotas", {"ServiceCode": "lambda", "NextToken": "x"}, "InvalidPaginationTokenException"),
        (
            "RequestServiceQuotaIncrease",
            {"ServiceCode": "lambda", "QuotaCode": LAMBDA, "DesiredValue": 2000.0},
            "UnknownOperationException",
        ),
    ],
)
def test_what_service_quotas_does_not_have_is_refused_under_its_code(
    headless: Stage, crowded: Path, operation: str, asked: dict[str, Any], code: str
) -> None:
    played = headless.play("played", folder=crowded)

    with pytest.raises(AwsError) as refused:
        played.call("service-quotas", operation, asked)

    assert refused.value.code == code


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (QUOTA.format("lambda", "L-00000000", 5), "none that the account keeps to"),
        (QUOTA.format("fargate", VCPUS, 4), "the services need 8.5 vCPUs, and the quota is 4"),
    ],
)
def test_a_quota_that_contradicts_the_world_is_an_error(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(ScenarioError, match=why):
        read_scenario("played", written(tmp_path, text))
