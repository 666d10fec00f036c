"""Points of errors come late, as any of CloudWatch's may: beside requests that are there, they are not zero."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.records.config import Service, ServiceMetrics
from tools.analysis.failing import LATE, known_requests
from tools.analysis.points import Point
from tools.analysis.services import service_finding

START = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ONSET = START + 120 * MINUTE
NOW = START + 126 * MINUTE
MINUTES = [START + n * MINUTE for n in range(126)]
SHOP = Service(
    name="shop",
    metrics=ServiceMetrics(
        namespace="Shop",
        requests="Requests",
        errors="Errors",
        latency="Latency",
        dimensions={"Service": "shop"},
    ),
)


def _points(value: float, minutes: list[datetime] = MINUTES) -> list[Point]:
    return [(at, value) for at in minutes]


def _share(
    errors: list[Point], metrics: ServiceMetrics | None = SHOP.metrics, published: bool = False
) -> float | None:
    series = {"requests": _points(100.0), "errors": errors, "latency": _points(50.0)}
    shop = SHOP.model_copy(update={"metrics": metrics})
    return service_finding(shop, series, ONSET, NOW, "ev", published=published).impact.error_share


@pytest.mark.parametrize("late", [0, 1, 2, 5])
def test_late_errors_thin_no_share_that_fails(late: int) -> None:
    told = MINUTES[: len(MINUTES) - late]
    errors = [(at, 40.0 if at >= ONSET else 0.0) for at in told]
    assert _share(errors) == pytest.approx(0.4)


def test_a_service_whose_errors_have_not_come_since_the_onset_is_not_healthy() -> None:
    series = {"requests": _points(100.0), "errors": _points(0.0, MINUTES[:120]), "latency": _points(50.0)}
    found = service_finding(SHOP, series, ONSET, NOW, "ev")
    assert found.impact.error_share is None
    assert not found.checked


def test_errors_that_are_published_only_when_there_are_any_are_none_once_they_cannot_be_late() -> None:
    rare = [(MINUTES[n], 1.0) for n in (10, 50, 90)]
    assert known_requests(_points(100.0), rare, NOW) == _points(
        100.0, [at for at in MINUTES if at + MINUTE + LATE <= NOW]
    )
    assert _share(rare) == 0.0
    assert _share([], published=True) == 0.0


def test_errors_that_never_came_may_have_another_name_and_are_not_none() -> None:
    assert _share([]) is None
    # AWS publishes these only where there are any.
    balancer = ServiceMetrics(
        namespace="AWS/ApplicationELB",
        requests="RequestCount",
        errors="HTTPCode_Target_5XX_Count",
        latency="TargetResponseTime",
        dimensions={},
    )
    assert _share([], balancer) == 0.0
    assert _share([], balancer.model_copy(update={"errors": "HTTPCode_Target_5xx_Count"})) is None
    assert _share([], balancer.model_copy(update={"namespace": "AWS/Lambda", "errors": "Errors"})) is None


@given(st.lists(st.sampled_from(MINUTES), unique=True), st.lists(st.sampled_from(MINUTES), unique=True))
def test_what_is_told_of_both_is_always_known(requests: list[datetime], errors: list[datetime]) -> None:
    asked = _points(1.0, sorted(requests))
    known = known_requests(asked, _points(1.0, sorted(errors)), NOW)
    assert set(known) <= set(asked)
    assert {at for at, _ in known} >= {*requests} & {*errors}
