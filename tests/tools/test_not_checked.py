"""What was read in part is named as not checked, whatever kind of reading it was, after what was not read at all."""

import time
from datetime import timedelta
from typing import Any, cast

from botocore.exceptions import ClientError

from memory.records.config import Limits, Service
from memory.records.evidence import Evidence, Gap
from tests.tools.stand_ins import NOW, Kept, sources
from tools.collectors.alarm import AlarmView
from tools.collectors.around import PARAMETERS, Around
from tools.collectors.reading import read_findings
from tools.collectors.reads import COLLECTED
from tools.collectors.running import Collecting
from tools.replay import Outcome, replay

GIGA = 10**9
SHOP = Service(name="shop", cluster="c", log_group="/shop")
DENIED = ClientError({"Error": {"Code": "AccessDenied", "Message": "not you"}}, "DescribeServices")
TASK = {"taskArn": "a/t1", "taskDefinitionArn": "a/shop:1", "stoppedAt": NOW, "stoppedReason": "exit"}


class Endless:
    """An account that answers each listing with a page and says that there is more, and has a large log group."""

    def lookup_events(self, **_: Any) -> Any:
        told = '{"requestParameters": {"name": "/shop/depth"}}'
        event = {"EventName": "PutParameter", "EventTime": NOW, "EventSource": "ssm.amazonaws.com"}
        return {"Events": [{**event, "CloudTrailEvent": told}], "NextToken": "more"}

    def get_parameter_history(self, Name: str, **_: Any) -> Any:
        version = {"Version": 1, "LastModifiedDate": NOW, "Value": "3", "Type": "String"}
        return {"Parameters": [{"Name": Name, **version}], "NextToken": "more"}

    def list_applications(self) -> Any:
        return {"applications": ["shop"]}

    def list_deployments(self, **_: Any) -> Any:
        return {"deployments": [], "nextToken": "more"}

    def describe_services(self, **_: Any) -> Any:
        raise DENIED

    def list_tasks(self, **_: Any) -> Any:
        return {"taskArns": ["a/t1"], "nextToken": "more"}

    def describe_tasks(self, **_: Any) -> Any:
        return {"tasks": [TASK]}

    def describe_log_groups(self, **_: Any) -> Any:
        made = (NOW - timedelta(days=10)).timestamp() * 1000
        return {"logGroups": [{"logGroupName": "/shop", "storedBytes": 10**12, "creationTime": made}]}

    def start_query(self, **_: Any) -> Any:
        return {"queryId": "q"}

    def get_query_results(self, **_: Any) -> Any:
        return {"status": "Complete", "results": [], "statistics": {"recordsMatched": 0.0}}

    def get_metric_data(self, MetricDataQueries: list[Any], **_: Any) -> Any:
        empty = {"Timestamps": [], "Values": []}
        return {"MetricDataResults": [{"Id": one["Id"], **empty} for one in MetricDataQueries]}

    def __getattr__(self, operation: str) -> Any:
        return lambda **_: {}


class Blind(Endless):
    """The same account, which does not give its metrics away."""

    def get_metric_data(self, **_: Any) -> Any:
        raise DENIED


CLIENTS = ("cloudtrail", "ssm", "codedeploy", "ecs", "logs", "cloudwatch", "service-quotas", "lambda")
IN_PART = {
    "changes in the account (not all of it)",
    "values of /shop/depth (not all of it)",
    "CodeDeploy deployments (not all of it)",
    "stopped tasks of shop (not all of it)",
    "logs of shop (not all of it)",
    "ordinary log lines of shop (not all of it)",
}


def _not_checked(account: Endless, kept: list[Evidence] | None = None) -> tuple[str, ...]:
    """Look around one service of an account of which log queries may read a few minutes."""
    limits = Limits(query_bytes_scanned=GIGA, logs_bytes_scanned=20 * GIGA, collector_bytes_scanned=GIGA)
    given = sources(dict.fromkeys(CLIENTS, account), limits=limits)
    collecting = Collecting(time.monotonic() + 30)
    try:
        around, onset = Around(given, collecting, (SHOP,), (), ()), NOW - timedelta(minutes=20)
        around.begin()
        around.begin_logs(onset, [SHOP])
        around.join_tags(onset)
        read_findings(around, AlarmView(onset, ()), ("shop",), None)
    finally:
        collecting.end()
    stored = cast(Kept, given.recorder.ledger).evidence
    # How large a group is says nothing of what broke: no model reads it.
    assert set(around.seen) == {one.evidence_id for one in stored if one.operation != "DescribeLogGroups"}
    if kept is not None:
        kept += stored
    return collecting.not_checked


def test_whatever_was_read_in_part_is_named_after_what_was_not_read() -> None:
    named = _not_checked(Endless())
    assert "deployments of shop" in named
    assert set(named[-len(IN_PART) :]) == IN_PART
    assert len(set(named)) == len(named)


def test_what_was_read_of_a_service_without_metrics_is_named_and_kept_too() -> None:
    named = _not_checked(Blind())
    assert "metrics of shop" in named
    assert set(named[-len(IN_PART) :]) == IN_PART


class Hidden(Endless):
    """The same account, which does not tell how large its log groups are."""

    def describe_log_groups(self, **_: Any) -> Any:
        raise DENIED

    def start_query(self, **_: Any) -> Any:
        raise AssertionError("nobody knows what this costs")


def _sizes(account: Endless) -> tuple[list[Evidence], tuple[str, ...]]:
    stored: list[Evidence] = []
    named = _not_checked(account, stored)
    return [one for one in stored if one.operation == "DescribeLogGroups"], named


def test_how_large_a_log_group_is_is_stored_and_can_be_asked_again() -> None:
    (size,), _ = _sizes(Endless())
    assert size.result == {"stored_bytes": 10**12, "since": "2026-02-22T12:00:00+00:00"}
    assert (size.calls, size.asked["log_group"]) == (1, "/shop")
    again = replay(sources({"logs": Endless()}), size, size.result, COLLECTED)
    assert again.outcome is Outcome.SAME, again


def test_a_log_group_of_unknown_size_is_not_queried_and_its_logs_are_named() -> None:
    (size,), named = _sizes(Hidden())
    assert size.gaps == (Gap.DENIED,)
    assert "logs of shop" in named
    assert not any("size" in one for one in named)


class Often(Endless):
    """An account in which eight parameters of the service were changed."""

    def lookup_events(self, **_: Any) -> Any:
        event = {"EventName": "PutParameter", "EventTime": NOW, "EventSource": "ssm.amazonaws.com"}
        told = [f'{{"requestParameters": {{"name": "/shop/n{n}"}}}}' for n in range(8)]
        return {"Events": [{**event, "CloudTrailEvent": one} for one in told]}


def test_changed_parameters_of_which_the_values_are_not_read_are_named() -> None:
    named = _not_checked(Often())
    assert {f"values of /shop/n{n}" for n in range(PARAMETERS, 8)} <= set(named)
    assert not {f"values of /shop/n{n}" for n in range(PARAMETERS)} & set(named)


def test_what_was_read_in_part_and_then_not_at_all_is_named_once_as_not_read() -> None:
    collecting = Collecting(time.monotonic() + 1)
    collecting.miss_rest("logs of shop")
    collecting.miss_rest("logs of shop")
    collecting.miss_rest("logs of web")
    collecting.miss("logs of shop")
    assert collecting.not_checked == ("logs of shop", "logs of web (not all of it)")
    collecting.end()
