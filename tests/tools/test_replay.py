"""Asking again what an observation asked."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from memory.records.evidence import Gap
from tests.simulated import SimulatedAccount, StartAccount
from tests.tools.looking import RUBRIC, incident_of, sources_of, the_alarm
from tests.tools.stand_ins import NOW, Kept, sources
from tests.tools.test_log_cost import _Group
from tools.catalogue import OBSERVE
from tools.collectors.reads import COLLECTED
from tools.first_look import take_first_look
from tools.observe.get_metric import GetMetric, get_metric
from tools.observe.query_logs import QueryLogs, query_logs
from tools.observe.service_health import ServiceHealth, service_health
from tools.replay import Outcome, replay

Shared = Callable[..., SimulatedAccount]


@pytest.mark.slow
def test_a_window_that_is_over_is_asked_again_and_is_the_same(simulated_account: StartAccount) -> None:
    account = simulated_account("bad-deployment")
    source = sources_of(account)
    metric = get_metric(
        source,
        GetMetric(namespace="Storefront", metric_name="Requests", dimensions={"Service": "web"}, stat="Sum"),
    )
    lines = query_logs(source, QueryLogs(log_group="/ecs/storefront/web", minutes=20))
    health = service_health(source, ServiceHealth(cluster="storefront", service="checkout"))
    account.advance(minutes=10)
    account.client("ecs").update_service(
        cluster="storefront", service="checkout", desiredCount=health.result["desired"] + 1
    )
    account.advance(minutes=2)

    later = sources_of(account)
    for evidence in (metric, lines):
        again = replay(later, evidence, evidence.result, OBSERVE)
        assert again.outcome is Outcome.SAME, again
        assert again.now_sha256 == evidence.result_sha256
    changed = replay(later, health, health.result, OBSERVE)
    assert changed.outcome is Outcome.DIFFERS
    assert any(one.startswith("desired:") for one in changed.differences)
    assert later.recorder.spend.bytes_scanned == lines.bytes_scanned


def test_what_was_narrowed_is_asked_again_over_the_same_part() -> None:
    group = _Group()
    given = sources({"logs": group})
    seen = query_logs(given, QueryLogs(log_group="/big", minutes=360))
    assert Gap.NARROWED in seen.gaps
    again = replay(sources({"logs": group}), seen, seen.result, OBSERVE)
    assert again.outcome is Outcome.SAME
    assert group.windows[0] == group.windows[1]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"tool": ""}, "without the question"),
        ({"tool": "read_minds"}, "no read tool read_minds"),
    ],
)
def test_what_cannot_be_asked_says_why(change: dict[str, Any], why: str) -> None:
    given = sources({"logs": _Group()})
    seen = query_logs(given, QueryLogs(log_group="/big", minutes=1)).model_copy(update=change)
    again = replay(given, seen, seen.result, OBSERVE)
    assert again.outcome is Outcome.CANNOT
    assert why in again.why


def test_evidence_of_another_account_is_not_asked_of_this_one() -> None:
    given = sources({"logs": _Group()})
    seen = query_logs(given, QueryLogs(log_group="/big", minutes=1))
    other = replace(given, scope=given.scope.model_copy(update={"account": "999999999999"}))
    again = replay(other, seen, seen.result, OBSERVE)
    assert again.outcome is Outcome.CANNOT
    assert "123456789012" in again.why


def test_a_log_group_that_is_gone_cannot_be_asked() -> None:
    class Gone(_Group):
        def describe_log_groups(self, **_: Any) -> dict[str, Any]:
            return {"logGroups": []}

    seen = query_logs(sources({"logs": _Group()}), QueryLogs(log_group="/big", minutes=1))
    again = replay(sources({"logs": Gone()}), seen, seen.result, OBSERVE)
    assert again.outcome is Outcome.CANNOT
    assert "no log group" in again.why


class _Points:
    def __init__(self, values: list[float]) -> None:
        self.values = values

    def get_metric_data(self, **_: Any) -> dict[str, Any]:
        times = [NOW - timedelta(minutes=n) for n in range(len(self.values), 0, -1)]
        return {"MetricDataResults": [{"Id": "m1", "Timestamps": times, "Values": self.values}]}


def test_a_difference_names_its_place_and_both_values() -> None:
    question = GetMetric(namespace="N", metric_name="m")
    seen = get_metric(sources({"cloudwatch": _Points([1.0, 2.0])}), question)
    again = replay(sources({"cloudwatch": _Points([1.0, 3.0, 4.0])}), seen, seen.result, OBSERVE)
    assert again.outcome is Outcome.DIFFERS
    assert "points: 2 entries then, 3 now" in again.differences
    assert "latest: 2.0 then, 4.0 now" in again.differences


@pytest.mark.slow
def test_all_that_a_first_look_has_read_can_be_asked_again(simulated_account: StartAccount) -> None:
    account = simulated_account("poison-message")
    account.advance_until("order-events-age", "ALARM", minutes=20)
    kept = Kept()
    source = sources_of(account, kept)
    take_first_look(source, incident_of(the_alarm(account), source.scope, account.now()), RUBRIC)
    account.advance(minutes=1)
    later = sources_of(account)

    found = [replay(later, one, one.result, (*OBSERVE, *COLLECTED)) for one in kept.evidence]

    assert len(found) > 10
    assert [one for one in found if one.outcome is Outcome.CANNOT] == []
    past = [one for one in kept.evidence if one.operation in {"StartQuery", "GetMetricData"}]
    same = {one.evidence_id for one in found if one.outcome is Outcome.SAME}
    assert sum(one.evidence_id in same for one in past) >= len(past) * 0.5
