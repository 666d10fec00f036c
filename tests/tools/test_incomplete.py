"""A series of which CloudWatch gives only a part may show harm, and never that there is none."""

from datetime import timedelta
from typing import Any

import pytest

from memory.records.assessment import Verdict
from memory.records.config import Service, ServiceMetrics
from tests.tools.stand_ins import NOW, sources
from tests.tools.test_alarm_view import AT_IT, WATCHED, Watching, reading, seen
from tests.tools.test_first_look_causes import _findings
from tests.tools.test_resources import Publishing, _beside
from tests.tools.test_unpublished import Metrics, _read
from tools.analysis.findings import ServiceFinding
from tools.analysis.hypotheses import rank
from tools.analysis.services import service_finding
from tools.collectors.parts import look_at_service
from tools.collectors.series import incomplete_in, series_in

MINUTE = timedelta(minutes=1)
SHOP = Service(
    name="shop",
    cluster="c",
    metrics=ServiceMetrics(
        namespace="Shop", dimensions={}, requests="Requests", errors="Errors", latency="Latency"
    ),
)


class Cut:
    """CloudWatch that gives all of each metric but one, and of that some newest minutes or none."""

    def __init__(self, metric: str, values: dict[str, list[float]]) -> None:
        self.metric, self.values = metric, values

    def get_metric_data(self, MetricDataQueries: list[Any], **_: Any) -> Any:
        found = []
        for query in MetricDataQueries:
            name = query["MetricStat"]["Metric"]["MetricName"]
            values = self.values.get(name, [])
            at = [NOW - (len(values) - n) * MINUTE for n in range(len(values))]
            status = "PartialData" if name == self.metric else "Complete"
            found.append({"Id": query["Id"], "Timestamps": at, "Values": values, "StatusCode": status})
        return {"MetricDataResults": found}


def _shop(metric: str, service: Service = SHOP, **values: list[float]) -> ServiceFinding:
    whole = {"Requests": [100.0] * 170, "Errors": [0.0] * 170, "Latency": [50.0] * 170}
    evidence = look_at_service(sources({"cloudwatch": Cut(metric, {**whole, **values})}), service)
    onset = NOW - 5 * MINUTE
    return service_finding(service, series_in(evidence), onset, NOW, "ev", incomplete_in(evidence))


def test_errors_of_which_a_part_is_missing_are_not_told_to_be_none() -> None:
    whole = _shop("")
    assert (whole.checked, whole.impact.error_share) == (True, 0.0)
    for values in ([], [0.0] * 100):
        found = _shop("Errors", Errors=values)
        assert (found.checked, found.affected, found.impact.error_share) == (False, False, None)


def test_what_a_part_shows_to_be_bad_is_bad() -> None:
    errors = [0.0] * 165 + [40.0] * 5
    found = _shop("Errors", Errors=errors)
    assert found.affected
    assert found.impact.error_share == 0.4
    assert _shop("Latency", Errors=errors).affected
    assert not _shop("Latency").checked


@pytest.mark.parametrize("metric", ["MemoryUtilization", "Throttles"])
def test_a_service_of_whose_memory_or_throttles_a_part_is_missing_is_not_known_to_be_well(
    metric: str,
) -> None:
    service = SHOP if metric == "MemoryUtilization" else SHOP.model_copy(update={"cluster": None})
    quiet = {metric: [1.0] * 60}
    assert _shop("", service, **quiet).checked
    found = _shop(metric, service, **quiet)
    assert (found.checked, found.affected) == (False, False)
    assert rank(_findings(found, earlier_spikes=1)).verdict is Verdict.UNRESOLVED


def test_requests_that_were_not_read_to_their_end_have_not_stopped() -> None:
    halted = [100.0] * 160 + [0.0] * 10
    assert _shop("", Requests=halted).affected
    assert not _shop("Requests", Requests=halted).affected


def test_parts_of_which_not_all_was_read_are_named_and_not_well() -> None:
    class Partly(Metrics):
        def get_metric_data(self, MetricDataQueries: list[Any], **asked: Any) -> Any:
            answer = super().get_metric_data(MetricDataQueries, **asked)
            results = [{**one, "StatusCode": "PartialData"} for one in answer["MetricDataResults"]]
            return {"MetricDataResults": results}

    with _read(cloudwatch=Partly(range(-60, 0))) as (found, missing):
        assert (found.tables, found.queues) == ((), ())
        assert set(found.unread) == {"orders", "mails"}
        assert {"table orders (not all of it)", "queue mails (not all of it)"} <= set(missing)
    well = {"RequestCount": 900.0, "TargetResponseTime": 0.2, "UnHealthyHostCount": 0.0}
    with _beside(Publishing(well, "PartialData")) as (found, missing):
        assert not found.resources[0].checked
        assert "neighbours of RequestCount (not all of it)" in missing


def test_an_alarm_of_whose_metric_a_part_is_missing_is_not_over() -> None:
    class Partly(Watching):
        def get_metric_data(self, MetricDataQueries: list[Any], **asked: Any) -> Any:
            (one,) = super().get_metric_data(MetricDataQueries, **asked)["MetricDataResults"]
            return {"MetricDataResults": [{**one, "StatusCode": "PartialData"}]}

    assert seen(Watching(AT_IT)).recovered_at is not None
    with reading(Partly(AT_IT), WATCHED) as (alarm, collecting):
        assert alarm.view().recovered_at is None
        assert "the alarm's metric (not all of it)" in collecting.not_checked
