"""Each collector has an allowance out of the incident's budget; one that would go over is stopped and named."""

import time
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.records.config import Limits
from memory.records.evidence import Gap
from memory.records.spend import Spend
from tests.tools.stand_ins import NOW, sources
from tools.budget import Allowance, IncidentBudget
from tools.collectors.around import Around
from tools.collectors.logs import look_since
from tools.collectors.parts import look_at_queue_metrics
from tools.collectors.running import Collecting
from tools.observe.log_cost import GroupSize
from tools.observe.what_changed import WhatChanged, what_changed

GIGA = 10**9


class _Account:
    """Every client at once: a trail without an end, metrics, and a log group of a gigabyte a minute."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.windows: list[int] = []

    def lookup_events(self, **_: Any) -> dict[str, Any]:
        self.calls.append("lookup_events")
        return {"Events": [], "NextToken": "more"}

    def get_metric_data(self, **_: Any) -> dict[str, Any]:
        self.calls.append("get_metric_data")
        return {"MetricDataResults": []}

    def start_query(self, **asked: Any) -> dict[str, Any]:
        self.calls.append("start_query")
        self.windows.append(asked["endTime"] - asked["startTime"])
        return {"queryId": "q"}

    def get_query_results(self, **_: Any) -> dict[str, Any]:
        scanned = self.windows[-1] / 60 * GIGA
        return {"status": "Complete", "results": [], "statistics": {"bytesScanned": scanned}}

    def describe_log_groups(self, **_: Any) -> dict[str, Any]:
        return {"logGroups": []}

    def get_paginator(self, name: str) -> Any:
        raise AssertionError(name)


def _size() -> GroupSize:
    return GroupSize(10**15, GIGA / 60, NOW - timedelta(days=30))


CLIENTS = ("cloudtrail", "cloudwatch", "logs")


def test_a_collector_that_asks_too_often_is_stopped_and_what_it_asked_is_counted() -> None:
    account = _Account()
    given = sources(dict.fromkeys(CLIENTS, account), limits=Limits(collector_calls=3))

    seen = what_changed(given.allowed(), WhatChanged())

    assert account.calls == ["lookup_events"] * 3
    assert (seen.gaps, seen.calls) == ((Gap.REFUSED,), 3)
    assert "one collector may make 3 calls" in seen.gap_detail
    assert given.recorder.spend.aws_calls == given.recorder.budget.spent_here.aws_calls == 3


def test_metrics_that_cost_more_than_the_allowance_are_not_asked_for() -> None:
    account = _Account()
    given = sources({"cloudwatch": account}, limits=Limits(collector_usd=0.00005))

    seen = look_at_queue_metrics(given.allowed(), "mails")

    assert account.calls == []
    assert seen.gaps == (Gap.REFUSED,)
    assert "its 6 metrics cost more than the $0.0001" in seen.gap_detail


def test_each_collector_has_an_allowance_of_its_own() -> None:
    account = _Account()
    given = sources({"cloudwatch": account}, limits=Limits(collector_usd=0.00007))

    first, second = (look_at_queue_metrics(given.allowed(), name) for name in ("mails", "bills"))

    assert account.calls == ["get_metric_data"] * 2
    assert {first.gaps, second.gaps} == {(Gap.NO_DATA,)}
    assert given.recorder.spend.usd == pytest.approx(12 * 0.00001)


def test_a_log_query_is_narrowed_to_the_collectors_bytes() -> None:
    account = _Account()
    limits = Limits(
        collector_bytes_scanned=2 * GIGA, query_bytes_scanned=5 * GIGA, logs_bytes_scanned=9 * GIGA
    )
    given = sources({"logs": account}, limits=limits)

    seen = look_since(given.allowed(), "/big", NOW - timedelta(minutes=8), _size)

    assert account.windows == [120]
    assert Gap.NARROWED in seen.gaps
    assert "this incident 7.0 GB more" in seen.gap_detail
    assert "Ask for at most 5 minutes" in seen.gap_detail
    assert given.recorder.budget.left_bytes == pytest.approx(7 * GIGA, rel=0.01)


def test_bytes_of_a_query_that_may_not_begin_are_given_back() -> None:
    account = _Account()
    given = sources({"logs": account}, limits=Limits(collector_calls=1))
    before, own = given.recorder.budget.left_bytes, given.allowed()
    most = own.recorder.budget.left_bytes
    own.access.client("logs").describe_log_groups()

    seen = look_since(own, "/big", NOW - timedelta(seconds=30), _size)

    assert (account.calls, seen.gaps) == ([], (Gap.REFUSED,))
    assert (given.recorder.budget.left_bytes, own.recorder.budget.left_bytes) == (before, most)


def test_pages_that_nobody_counts_are_not_handed_out() -> None:
    given = sources({"logs": _Account()})
    with pytest.raises(TypeError, match="nobody counts"):
        _ = given.allowed().access.client("logs").get_paginator


def test_a_stopped_collector_is_among_what_was_not_checked() -> None:
    account = _Account()
    given = sources(dict.fromkeys(CLIENTS, account), limits=Limits(collector_calls=1))
    collecting = Collecting(time.monotonic() + 20)
    look = Around(given, collecting, (), (), ())
    look.begin()

    assert look.taken("changes", "") is None
    assert collecting.missing == ["changes in the account"]
    collecting.end()


BYTES = st.integers(0, 3 * GIGA)


@given(st.lists(st.tuples(st.booleans(), BYTES, BYTES), max_size=12))
def test_no_order_of_queries_goes_over_an_allowance_or_the_incident(
    asked: list[tuple[bool, int, int]],
) -> None:
    limits = Limits(
        collector_bytes_scanned=GIGA, logs_bytes_scanned=int(1.5 * GIGA), query_bytes_scanned=GIGA
    )
    whole = IncidentBudget(limits)
    two = [Allowance(limits, whole=whole) for _ in range(2)]
    for which, estimated, fits in asked:
        one = two[which]
        taken = one.reserve(estimated, lambda most, fits=fits: min(most, fits))  # type: ignore[misc]
        if taken is None:
            continue
        assert one.may_scan(taken, taken)
        one.charge(Spend(bytes_scanned=taken), taken)
    assert all(one.spent_here.bytes_scanned <= GIGA for one in two)
    assert whole.spent_here.bytes_scanned <= 1.5 * GIGA
    assert whole.spent_here.bytes_scanned == sum(one.spent_here.bytes_scanned for one in two)
