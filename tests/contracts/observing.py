"""Contracts of what the copilot looks at: CloudWatch, Logs, CloudTrail, STS, IAM and Service Quotas."""

from datetime import UTC, datetime
from typing import Any

from tests.contracts.contract import Asks, Contract
from tests.contracts.place import ABSENT, Place

EARLY, LATE = datetime(2026, 11, 23, 8, tzinfo=UTC), datetime(2026, 11, 23, 9, tzinfo=UTC)
NO_QUERY = "00000000-0000-4000-8000-000000000000"


def _metrics(name: str) -> Asks:
    metric = {
        "Metric": {"Namespace": "AWS/SQS", "MetricName": "NumberOfMessagesSent"},
        "Period": 60,
        "Stat": "Sum",
    }
    asked: dict[str, Any] = {"MetricDataQueries": [{"Id": name, "MetricStat": metric}]}
    return lambda _: {**asked, "StartTime": EARLY, "EndTime": LATE}


CLOUDWATCH = (
    Contract(
        *("cloudwatch", "DescribeAlarms", lambda place: {"AlarmNames": [place.the("alarm")]}, "MetricAlarms"),
        *(lambda _: {"NextToken": "not a token"}, "InvalidNextToken"),
    ),
    Contract(
        *("cloudwatch", "DescribeAlarmHistory", lambda place: {"AlarmName": place.the("alarm")}),
        *("AlarmHistoryItems", lambda _: {"NextToken": "not a token"}, "InvalidNextToken"),
    ),
    Contract(
        "cloudwatch", "GetMetricData", _metrics("m1"), "MetricDataResults", _metrics("M1"), "ValidationError"
    ),
    Contract(
        "cloudwatch",
        "SetAlarmState",
        lambda place: {"AlarmName": place.the("alarm"), "StateValue": "OK", "StateReason": "contract"},
        "",
        lambda _: {"AlarmName": ABSENT, "StateValue": "OK", "StateReason": "contract"},
        "ResourceNotFound",
    ),
)


def _alarm_arn(place: Place) -> str:
    return f"arn:aws:cloudwatch:us-east-1:{place.account_id}:alarm:{place.the('alarm')}"


LISTED = (
    Contract(
        *("cloudwatch", "ListMetrics", lambda _: {"Namespace": "AWS/SQS"}, "Metrics"),
        *(lambda _: {"NextToken": "not a token"}, "InvalidParameterValue"),
    ),
    Contract(
        *("cloudwatch", "ListTagsForResource", lambda place: {"ResourceARN": _alarm_arn(place)}, "Tags"),
        *(lambda place: {"ResourceARN": f"{_alarm_arn(place)}-{ABSENT}"}, "ResourceNotFoundException"),
    ),
    Contract(
        *("logs", "FilterLogEvents", lambda place: {"logGroupName": place.the("log_group"), "limit": 1}),
        *("events", lambda _: {"logGroupName": ABSENT}, "ResourceNotFoundException"),
    ),
    Contract(
        *("logs", "DescribeQueries", lambda place: {"logGroupName": place.the("log_group")}, "queries"),
        *(lambda _: {"status": "Sleeping"}, "InvalidParameterException"),
    ),
    Contract(
        *("dynamodb", "ListTagsOfResource", lambda place: {"ResourceArn": place.table_arn}, "Tags"),
        *(lambda place: {"ResourceArn": f"{place.table_arn}-{ABSENT}"}, "ResourceNotFoundException"),
    ),
)
LOGS = (
    Contract(
        *("logs", "DescribeLogGroups", lambda _: {"limit": 1}, "logGroups"),
        *(lambda _: {"limit": 51}, "InvalidParameterException"),
    ),
    Contract(
        *("logs", "StartQuery", lambda place: place.question("limit 1"), "queryId"),
        *(lambda place: place.question("fields @message | nonsense"), "MalformedQueryException"),
    ),
    Contract(
        *("logs", "GetQueryResults", lambda place: {"queryId": place.query()}, "status"),
        *(lambda _: {"queryId": NO_QUERY}, "ResourceNotFoundException"),
    ),
    Contract(
        *("logs", "StopQuery", lambda place: {"queryId": place.query()}, "success"),
        *(lambda _: {"queryId": NO_QUERY}, "ResourceNotFoundException"),
    ),
)
OTHERS = (
    Contract(
        *("cloudtrail", "LookupEvents", lambda _: {"MaxResults": 1}, "Events"),
        *(lambda _: {"MaxResults": 51}, "InvalidMaxResultsException"),
    ),
    Contract(
        *("sts", "GetCallerIdentity", lambda _: {}, "Arn", lambda _: {}, "SignatureDoesNotMatch"),
        always=True,
    ),
    Contract(
        "iam",
        "SimulatePrincipalPolicy",
        lambda place: {"PolicySourceArn": place.user, "ActionNames": ["ecs:UpdateService"]},
        "EvaluationResults",
        lambda _: {"PolicySourceArn": "arn:aws:s3:::not-a-principal", "ActionNames": ["ecs:UpdateService"]},
        "InvalidInput",
    ),
)


def _quota(service: str, code: str = "L-B99A9384") -> Asks:
    return lambda _: {"ServiceCode": service, "QuotaCode": code}


QUOTAS = (
    Contract(
        *("service-quotas", "GetServiceQuota", _quota("lambda"), "Quota"),
        *(_quota("lambda", "L-00000000"), "NoSuchResourceException"),
    ),
    Contract(
        *("service-quotas", "GetAWSDefaultServiceQuota", _quota("lambda"), "Quota"),
        *(_quota("lambda", "L-00000000"), "NoSuchResourceException"),
    ),
    Contract(
        *("service-quotas", "ListServiceQuotas", lambda _: {"ServiceCode": "lambda"}, "Quotas"),
        *(lambda _: {"ServiceCode": ABSENT}, "NoSuchResourceException"),
    ),
    Contract(
        *("service-quotas", "ListAWSDefaultServiceQuotas", lambda _: {"ServiceCode": "lambda"}, "Quotas"),
        *(lambda _: {"ServiceCode": ABSENT}, "NoSuchResourceException"),
    ),
    Contract(
        *("service-quotas", "ListServices", lambda _: {"MaxResults": 1}, "Services"),
        *(lambda _: {"NextToken": "bm90b25l"}, "InvalidPaginationTokenException"),
    ),
)
CONTRACTS = (*CLOUDWATCH, *LISTED, *LOGS, *OTHERS, *QUOTAS)
