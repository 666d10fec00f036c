"""A service of which something was not read, be it its tasks or its logs, is neither well nor ground to call noise."""

import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from memory.records.assessment import Verdict
from memory.records.config import Service, ServiceMetrics, Topology
from memory.records.incident import Severity
from tests.tools.looking import RUBRIC
from tests.tools.stand_ins import NOW, sources
from tests.tools.test_first_look_causes import _finding, _findings
from tools.analysis.findings import Findings
from tools.analysis.hypotheses import rank
from tools.analysis.severity import rate
from tools.collectors.alarm import AlarmView
from tools.collectors.around import Around
from tools.collectors.reading import read_findings
from tools.collectors.running import Collecting
from tools.first_look import _healthy, _unread

MINUTE = timedelta(minutes=1)
ONSET = NOW - 5 * MINUTE
DENIED = ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "Any")
SHOP = Service(
    name="shop",
    cluster="c",
    log_group="/shop",
    metrics=ServiceMetrics(
        namespace="Shop", dimensions={}, requests="Requests", errors="Errors", latency="Latency"
    ),
)
CALM = {"Requests": 100.0, "Errors": 0.0, "Latency": 50.0, "CPUUtilization": 20.0, "MemoryUtilization": 30.0}


class Account:
    """An account in which a service is well and quiet; what is `denied` may not be asked.

    Its errors are published always, or came once on earlier days, or never did; or not all of those days is told.
    """

    def __init__(self, *denied: str, exists: bool = True, errors: str = "always") -> None:
        self.denied, self.exists, self.errors = denied, exists, errors

    def __getattr__(self, operation: str) -> Any:
        if operation in self.denied:
            raise DENIED
        told = {
            "describe_services": {"services": [_ecs()] if self.exists else []},
            "list_tasks": {"taskArns": []},
            "list_service_deployments": {"serviceDeployments": []},
            "describe_task_definition": {"taskDefinition": {"containerDefinitions": []}},
            "describe_log_groups": {"logGroups": [_group()]},
            "start_query": {"queryId": "q"},
            "get_query_results": {"status": "Complete", "results": []},
            "lookup_events": {"Events": []},
        }
        return lambda **_: told.get(operation, {})

    def get_metric_data(self, MetricDataQueries: list[Any], **_: Any) -> Any:
        return {"MetricDataResults": [self._result(**query) for query in MetricDataQueries]}

    def _result(self, Id: str, MetricStat: Any, **_: Any) -> Any:
        name, period = MetricStat["Metric"]["MetricName"], timedelta(seconds=MetricStat["Period"])
        came = name != "Errors" or self.errors == "always" or (self.errors == "once" and period > MINUTE)
        at = [NOW - n * period for n in range(170, 0, -1)] if came else []
        cut = self.errors == "cut" and period > MINUTE
        status = "PartialData" if cut else "Complete"
        return {"Id": Id, "Timestamps": at, "Values": [CALM[name]] * len(at), "StatusCode": status}


def _group() -> dict[str, Any]:
    created = (NOW - timedelta(days=9)).timestamp() * 1000
    return {"logGroupName": "/shop", "storedBytes": 1000, "creationTime": int(created)}


def _ecs() -> dict[str, Any]:
    definition = "arn:aws:ecs:us-east-1:1:task-definition/shop:1"
    counts = {"desiredCount": 2, "runningCount": 2, "pendingCount": 0}
    return {"serviceName": "shop", "status": "ACTIVE", "taskDefinition": definition, **counts}


def _read(account: Account) -> tuple[Findings, list[str]]:
    names = (
        "cloudwatch",
        "cloudtrail",
        "codedeploy",
        "ecs",
        "logs",
        "service-quotas",
        "resourcegroupstaggingapi",
    )
    collecting = Collecting(time.monotonic() + 30)
    around = Around(sources(dict.fromkeys(names, account)), collecting, (SHOP,), (), ())
    try:
        around.begin()
        around.begin_logs(ONSET)
        view = AlarmView(ONSET, ("ev-a",), earlier_spikes=1)
        return read_findings(around, view, ("shop",), None), collecting.missing
    finally:
        collecting.end()


def test_a_service_of_which_all_was_read_is_well_and_its_alarm_noise() -> None:
    found, _ = _read(Account())
    assert found.services[0].unread == ()
    assert _healthy(found, ()) == ("shop",)
    assert rank(found).verdict is Verdict.NOISE


@pytest.mark.parametrize(
    ("account", "unread"),
    [
        (Account("list_tasks"), ("stopped tasks of shop",)),
        (Account("describe_services"), ("deployments of shop",)),
        (Account(exists=False), ("deployments of shop",)),
        (Account("start_query"), ("logs of shop",)),
        (Account("describe_log_groups"), ("logs of shop",)),
        (
            Account("list_tasks", "describe_services", "start_query", "lookup_events"),
            ("deployments of shop", "logs of shop", "stopped tasks of shop"),
        ),
    ],
)
def test_what_may_not_be_read_of_a_service_is_not_well(account: Account, unread: tuple[str, ...]) -> None:
    found, missing = _read(account)
    assert tuple(sorted(found.services[0].unread)) == unread
    assert set(unread) <= set(missing)
    assert _healthy(found, ()) == ()
    ranking = rank(found)
    assert ranking.verdict is Verdict.UNRESOLVED
    assert all(what in ranking.reason for what in unread)


def test_a_neighbour_of_which_something_was_not_read_may_hide_a_symptom() -> None:
    own, beside = _finding(Service(name="a")), replace(_finding(Service(name="b")), unread=("logs of b",))
    ranking = rank(_findings(own, beside, earlier_spikes=1))
    assert ranking.verdict is Verdict.UNRESOLVED
    assert "logs of b" in ranking.reason


@pytest.mark.parametrize(
    ("errors", "is_well", "named"),
    [
        ("once", True, ()),
        ("never", False, ("errors of shop (none published in 8 days)",)),
        (
            "cut",
            False,
            ("requests, errors and latency of shop",),
        ),
    ],
)
def test_errors_that_do_not_come_are_none_only_where_they_came_before(
    errors: str, is_well: bool, named: tuple[str, ...]
) -> None:
    found, missing = _read(Account(errors=errors))
    service = found.services[0]
    assert (service.checked, service.impact.error_share) == ((True, 0.0) if is_well else (False, None))
    # What was read of earlier days is cited.
    assert len(service.evidence_ids) == 2
    assert tuple(sorted(one for one in missing if "shop" in one)) == named
    assert _healthy(found, ()) == (("shop",) if is_well else ())
    assert rank(found).verdict is (Verdict.NOISE if is_well else Verdict.UNRESOLVED)
    # How many fail is not known: it may be all.
    blind = _unread(found, Topology(services=(SHOP,)))
    assert [one.component for one in blind] == ([] if is_well else ["shop"])
    assert is_well or rate(RUBRIC, (), blind)[0] is Severity.MEDIUM


def test_nothing_more_is_asked_where_errors_come() -> None:
    found, _ = _read(Account())
    assert len(found.services[0].evidence_ids) == 1
