"""A load balancer, an instance or a database: sick, well, or not known to be either."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from memory.records.assessment import Impact, Verdict
from memory.records.config import Dependency, Service, Topology
from memory.records.incident import Severity
from tests.tools.looking import RUBRIC
from tests.tools.stand_ins import NOW, sources
from tests.tools.test_first_look_causes import _finding, _findings, _rollout
from tools.analysis.findings import ServiceFinding
from tools.analysis.hypotheses import rank
from tools.analysis.points import Point
from tools.analysis.resources import MEANINGS, ResourceFinding, resource_finding
from tools.analysis.severity import rate
from tools.collectors.alarm import AlarmView
from tools.collectors.around import Around
from tools.collectors.neighbours import ALWAYS, NEIGHBOURS
from tools.collectors.reading import read_findings
from tools.collectors.running import Collecting
from tools.first_look import _hit, _unread
from tools.observe.get_metric import GetMetric

START = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
BUSY = [1000.0] * 60
WELL = {"RequestCount": BUSY, "TargetResponseTime": [0.1, 0.12] * 30, "UnHealthyHostCount": [0.0] * 60}


def _points(values: Sequence[float | None]) -> list[Point]:
    return [(START + n * MINUTE, value) for n, value in enumerate(values) if value is not None]


def _found(series: dict[str, Any]) -> ResourceFinding:
    end = START + 59 * MINUTE
    return resource_finding("web", {key: _points(one) for key, one in series.items()}, (), ("ev",), end)


@pytest.mark.parametrize(
    ("series", "limit"),
    [
        ({"HTTPCode_Target_5XX_Count": [None] * 56 + [900.0] * 4}, "failed requests"),
        ({"HTTPCode_ELB_5XX_Count": [0.0] * 56 + [900.0] * 4}, "failed requests"),
        ({"HTTPCode_Target_5XX_Count": [30.0] * 56 + [200.0] * 4}, "failed requests"),
        ({"TargetResponseTime": [0.1] * 56 + [9.0] * 4}, "response time"),
        ({"UnHealthyHostCount": [0.0] * 56 + [4.0] * 4}, "unhealthy targets"),
        ({"RequestCount": BUSY[:50] + [None] * 10}, "requests"),
        ({"StatusCheckFailed": [0.0] * 57 + [1.0] * 3}, "status check"),
        ({"DiskQueueDepth": [0.1] * 57 + [40.0] * 3}, "disk queue"),
        ({"DatabaseConnections": [50.0] * 57 + [400.0] * 3}, "max_connections"),
    ],
)
def test_what_fails_or_is_slow_is_sick_and_explains_nobody(series: dict[str, Any], limit: str) -> None:
    found = _found({**WELL, **series})
    assert found.limit == limit
    caller = Service(name="till", depends_on=(Dependency(kind="database", name="web"),))
    well = _finding(caller)
    assert rank(_findings(well, resources=(found,), earlier_spikes=1)).verdict is Verdict.UNRESOLVED
    # What was done to a caller stays the cause of it.
    ranking = rank(_findings(_finding(caller, True), resources=(found,), rollouts=(_rollout("till"),)))
    assert (ranking.verdict, ranking.causes[0].component) == (Verdict.CAUSE, "till")


@pytest.mark.parametrize(
    "series",
    [
        WELL,
        # One failed request in a while, and what fails as ever.
        {**WELL, "HTTPCode_Target_5XX_Count": [None] * 40 + [1.0] + [None] * 19},
        {**WELL, "HTTPCode_Target_5XX_Count": [30.0] * 60},
        {"StatusCheckFailed": [0.0] * 60, "CPUUtilization": [20.0, *([None] * 4)] * 12},
    ],
)
def test_what_fares_as_before_is_well_and_lets_an_alarm_be_noise(series: dict[str, Any]) -> None:
    found = _found(series)
    assert (found.limit, found.checked) == (None, True)
    assert rank(_findings(_finding(Service(name="a")), resources=(found,), earlier_spikes=1)).verdict is (
        Verdict.NOISE
    )


@pytest.mark.parametrize(
    ("series", "unjudged"),
    [
        # Too few points, none, and none lately.
        ({**WELL, "UnHealthyHostCount": [0.0] * 5}, ("UnHealthyHostCount",)),
        ({"CPUUtilization": [20.0] * 60, "StatusCheckFailed": []}, ("StatusCheckFailed",)),
        ({"CPUUtilization": [20.0] * 30}, ("CPUUtilization",)),
        # Nothing that tells how it fares.
        ({"NetworkIn": [1e9] * 60}, ("NetworkIn",)),
        ({}, ()),
    ],
)
def test_what_too_little_is_known_of_is_neither_sick_nor_well(
    series: dict[str, Any], unjudged: tuple[str, ...]
) -> None:
    found = _found(series)
    assert (found.limit, found.checked, found.unjudged) == (None, False, unjudged)
    service = _finding(Service(name="a"))
    assert rank(_findings(service, resources=(found,), earlier_spikes=1)).verdict is Verdict.UNRESOLVED
    assert rank(_findings(resources=(found,), own=(), earlier_spikes=1)).verdict is Verdict.UNRESOLVED


def test_all_that_is_read_of_a_resource_is_judged() -> None:
    assert {name for read in NEIGHBOURS.values() for name, _ in read} <= set(MEANINGS)
    assert all(set(ALWAYS[space]) <= {name for name, _ in read} for space, read in NEIGHBOURS.items())


class Publishing:
    """CloudWatch with some metrics of a target group; of others there is nothing."""

    def __init__(self, series: dict[str, float], status: str = "Complete") -> None:
        self.status, self.series = status, series

    def get_metric_data(self, MetricDataQueries: list[Any], **_: Any) -> Any:
        at = [NOW - (170 - n) * MINUTE for n in range(171)]
        names = {query["Id"]: query["MetricStat"]["Metric"]["MetricName"] for query in MetricDataQueries}
        return {
            "MetricDataResults": [
                {
                    "Id": key,
                    "Timestamps": at if name in self.series else [],
                    "Values": [self.series[name]] * len(at) if name in self.series else [],
                    "StatusCode": self.status,
                }
                for key, name in names.items()
            ]
        }


@contextmanager
def _beside(account: Publishing) -> Iterator[tuple[Any, list[str]]]:
    dimensions = {"LoadBalancer": "app/web/1", "TargetGroup": "targetgroup/web/1"}
    metric = GetMetric(
        namespace="AWS/ApplicationELB", metric_name="RequestCount", dimensions=dimensions, stat="Sum"
    )
    collecting = Collecting(time.monotonic() + 30)
    try:
        around = Around(sources({"cloudwatch": account}), collecting, (), (), ())
        around.begin_neighbours(metric)
        yield read_findings(around, AlarmView(NOW, ()), (), metric), list(collecting.not_checked)
    finally:
        collecting.end()


def test_a_target_group_is_well_only_where_all_that_it_publishes_was_read() -> None:
    well = {"RequestCount": 900.0, "TargetResponseTime": 0.2, "UnHealthyHostCount": 0.0}
    with _beside(Publishing(well)) as (found, missing):
        assert [(one.resource, one.checked) for one in found.resources] == [("targetgroup/web/1", True)]
        assert (found.unread, missing) == ((), [])
    with _beside(Publishing({"RequestCount": 900.0, "TargetResponseTime": 0.2})) as (found, missing):
        assert not found.resources[0].checked
        assert missing == ["UnHealthyHostCount of targetgroup/web/1"]
    with _beside(Publishing({})) as (found, missing):
        assert not found.resources[0].checked
        assert missing == ["RequestCount, TargetResponseTime, UnHealthyHostCount of targetgroup/web/1"]
    with _beside(Publishing(well, "Forbidden")) as (found, missing):
        assert found.unread == ("targetgroup/web/1",)
        assert missing == ["neighbours of RequestCount"]


def _severity(*resources: ResourceFinding, own: tuple[ServiceFinding, ...] = ()) -> tuple[Severity, str]:
    findings = _findings(*own, resources=resources)
    topology = Topology(services=tuple(one.service for one in own))
    return rate(RUBRIC, _hit(findings, topology), _unread(findings, topology))


def test_a_resource_of_no_known_service_is_as_grave_as_what_its_users_get() -> None:
    failing = _found({**WELL, "HTTPCode_ELB_5XX_Count": [None] * 56 + [900.0] * 4})
    assert _severity(failing) == (Severity.HIGH, "web: a quarter or more of a service's requests fail")
    few = _found({**WELL, "HTTPCode_Target_5XX_Count": [0.0] * 56 + [40.0] * 4})
    assert _severity(few)[0] is Severity.MEDIUM
    slow = _found({**WELL, "TargetResponseTime": [0.1] * 56 + [9.0] * 4})
    assert _severity(slow)[0] is Severity.MEDIUM
    assert slow.impact is not None
    assert (slow.impact.latency_ms_before, slow.impact.latency_ms) == (100.0, 9000.0)
    halted = _found({**WELL, "RequestCount": BUSY[:50] + [None] * 10})
    assert _severity(halted)[0] is Severity.MEDIUM


def test_what_nobody_can_tell_the_users_share_of_is_not_of_little_weight() -> None:
    full = _found({"CPUUtilization": [20.0] * 50 + [99.0] * 10})
    assert full.is_sick and full.impact is None
    assert _severity(full) == (Severity.MEDIUM, "web: what the users of a service get could not be read")
    assert _severity()[0] is Severity.MEDIUM
    assert _severity(_found({}))[0] is Severity.MEDIUM
    # It was read, and is well.
    assert _severity(_found(WELL))[0] is Severity.LOW


def test_a_resource_of_a_known_service_weighs_as_much_as_that_does() -> None:
    failing = _found({**WELL, "HTTPCode_ELB_5XX_Count": [None] * 56 + [900.0] * 4})
    well = _finding(Service(name="till", tier=1))
    assert _severity(failing, own=(well,))[0] is Severity.CRITICAL
    # What is measured at the service goes before what is measured at what stands before it.
    hit = replace(well, affected=True, impact=Impact(component="till", error_share=0.03, tier=2))
    assert _severity(failing, own=(hit,))[0] is Severity.MEDIUM


FULL = [92.0] * 60


@pytest.mark.parametrize(
    ("cpu", "onset", "is_new"),
    [
        (FULL, None, False),
        # Now and then a little less is no beginning.
        ([70.0, *([92.0] * 14)] * 4, None, False),
        ([82.0] * 40 + [92.0] * 20, None, False),
        ([18.0] + [92.0] * 59, None, True),
        ([20.0] * 40 + [92.0] * 20, None, True),
        ([20.0] * 40 + [92.0] * 20, START + 40 * MINUTE, True),
        # It was full half an hour before something else began.
        ([20.0] * 5 + [92.0] * 55, START + 50 * MINUTE, False),
    ],
)
def test_what_was_as_full_before_explains_nothing_that_begins_now(
    cpu: list[float], onset: datetime | None, is_new: bool
) -> None:
    found = resource_finding("web", {"CPUUtilization": _points(cpu)}, (), ("ev",), START + 59 * MINUTE, onset)
    assert (found.limit, found.is_new) == ("CPU", is_new)
    ranking = rank(_findings(resources=(found,), own=()))
    assert ranking.verdict is (Verdict.CAUSE if is_new else Verdict.UNRESOLVED)
    leading = next(one for one in ranking.hypotheses if one.change == "CPU")
    assert leading.confidence == (0.75 if is_new else 0.5)
    assert ("as full before" in leading.statement) is not is_new
    # A caller that was changed is not cleared by what was so before.
    caller = _finding(Service(name="till", depends_on=(Dependency(kind="database", name="web"),)), True)
    causes = rank(_findings(caller, resources=(found,), rollouts=(_rollout("till"),))).causes
    assert [one.component for one in causes] == (["web"] if is_new else ["till"])


def test_the_figure_before_is_of_when_it_was_not_full() -> None:
    found = _found({"CPUUtilization": [18.0] + [92.0] * 59})
    assert (found.before, found.now) == (18.0, 92.0)


def test_connections_that_were_always_as_many_of_their_number_are_no_cause() -> None:
    for before, is_new in ((495.0, False), (100.0, True)):
        series = {"DatabaseConnections": _points([before] * 40 + [495.0] * 20)}
        told = ("Current connections: 495 of 500.",)
        found = resource_finding("db", series, told, ("ev",), START + 59 * MINUTE)
        assert (found.is_reason, found.is_new) == (True, is_new)
