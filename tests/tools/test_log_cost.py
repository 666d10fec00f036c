"""The governor of log queries: what a query would scan is known before it is asked."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.records.config import Limits
from memory.records.evidence import Gap
from memory.records.spend import Spend
from tests.tools.stand_ins import NOW, Kept, recorder, sources
from tools.budget import IncidentBudget
from tools.evidence import Answer
from tools.observe.log_cost import GroupSize, Keep
from tools.observe.query_logs import QueryLogs, query_logs, query_window
from tools.observe.sources import Sources

TERA = 10**12


class _Group:
    """A log group of 5 TB over thirty days; a query scans what its window holds."""

    def __init__(self, stored: int = 5 * TERA, days: int = 30) -> None:
        self.stored, self.days = stored, days
        self.windows: list[tuple[int, int]] = []

    def describe_log_groups(self, **_: Any) -> dict[str, Any]:
        made = int((NOW - timedelta(days=400)).timestamp() * 1000)
        group = {"logGroupName": "/big", "storedBytes": self.stored, "creationTime": made}
        return {"logGroups": [{**group, "retentionInDays": self.days}]}

    def start_query(self, **asked: Any) -> dict[str, Any]:
        self.windows.append((asked["startTime"], asked["endTime"]))
        return {"queryId": str(len(self.windows) - 1)}

    def get_query_results(self, queryId: str) -> dict[str, Any]:
        start, end = self.windows[int(queryId)]
        scanned = self.stored / self.days / 86_400 * (end - start)
        return {"status": "Complete", "results": [], "statistics": {"bytesScanned": scanned}}


def _at(group: _Group, **limits: Any) -> Sources:
    return sources({"logs": group}, limits=Limits(**limits))


def test_a_window_that_would_scan_too_much_is_narrowed_and_the_dollars_are_told() -> None:
    group = _Group()
    seen = query_logs(_at(group, query_bytes_scanned=10**9), QueryLogs(log_group="/big", minutes=360))

    ((start, end),) = group.windows
    assert end == int(NOW.timestamp())
    assert (end - start) * 5 * TERA / 30 / 86_400 <= 10**9
    assert Gap.NARROWED in seen.gaps
    assert seen.window_start is not None
    assert int(seen.window_start.timestamp()) == start
    assert "would scan about 41.7 GB ($0.2083)" in seen.gap_detail
    assert "Ask for at most 8 minutes" in seen.gap_detail
    assert 0 < seen.usd <= 0.005
    assert seen.bytes_scanned <= 10**9


def test_of_a_window_after_an_onset_the_beginning_is_kept() -> None:
    group = _Group()
    onset = NOW - timedelta(hours=6)
    seen = query_window(_at(group), "failures", "/big", "fields @message | limit 5", (onset, NOW), Keep.START)
    assert group.windows[0][0] == int(onset.timestamp())
    assert seen.window_end is not None
    assert seen.window_end < NOW - timedelta(hours=5)


def test_a_query_is_refused_where_not_one_minute_may_be_scanned() -> None:
    group = _Group(stored=5000 * TERA)
    given = _at(group)
    seen = query_logs(given, QueryLogs(log_group="/big", minutes=1))
    assert group.windows == []
    assert seen.gaps == (Gap.REFUSED,)
    assert "Not run:" in seen.gap_detail
    assert "No minute of this group fits" in seen.gap_detail
    assert given.recorder.spend.bytes_scanned == 0


def test_queries_at_the_same_time_stay_under_the_incidents_limit_together() -> None:
    group = _Group()
    given = _at(group, logs_bytes_scanned=2 * 10**9, query_bytes_scanned=10**9)
    with ThreadPoolExecutor(16) as pool:
        for _ in range(64):
            pool.submit(query_logs, given, QueryLogs(log_group="/big", minutes=60))
    scanned = sum((end - start) for start, end in group.windows) * 5 * TERA / 30 / 86_400
    assert group.windows
    assert scanned <= 2 * 10**9
    assert given.recorder.spend.bytes_scanned <= 2 * 10**9


def test_dollars_that_models_have_spent_leave_less_for_queries() -> None:
    group = _Group()
    given = sources({"logs": group})
    given.recorder.budget = IncidentBudget(Limits(incident_usd=1.0), before=Spend(usd=0.9))
    given.recorder.budget.charge(Spend(usd=0.2))
    seen = query_logs(given, QueryLogs(log_group="/big", minutes=1))
    assert group.windows == []
    assert seen.gaps == (Gap.REFUSED,)
    assert "spend $0.00 more" in seen.gap_detail


def test_a_log_group_whose_size_may_not_be_read_is_not_queried() -> None:
    class Missing(_Group):
        def describe_log_groups(self, **_: Any) -> dict[str, Any]:
            return {"logGroups": [{"logGroupName": "/big-other", "storedBytes": 1}]}

    group = Missing()
    seen = query_logs(_at(group), QueryLogs(log_group="/big"))
    assert group.windows == []
    assert seen.gaps == (Gap.FAILED,)
    assert "no log group /big" in seen.gap_detail


@given(
    st.integers(0, 10**16),
    st.integers(1, 4000),
    st.integers(1, 720 * 60),
    st.integers(0, 10**13),
    st.sampled_from(list(Keep)),
)
def test_the_part_of_a_window_that_fits_scans_no_more_than_it_may(
    stored: int, days: int, seconds: int, most: int, keep: Keep
) -> None:
    size = GroupSize(stored, stored / days / 86_400, NOW - timedelta(days=days))
    window = (NOW - timedelta(seconds=seconds), NOW)
    part = size.fitting(window, most, keep)
    if part is None:
        assert size.bytes_a_second * 60 > most
        return
    assert size.bytes_in(part) <= most
    assert window[0] <= part[0] <= part[1] <= window[1]
    assert window[0 if keep is Keep.START else 1] == part[0 if keep is Keep.START else 1]


@pytest.mark.parametrize(("bytes_scanned", "metrics", "usd"), [(10**9, 0, 0.005), (0, 1000, 0.01)])
def test_what_a_read_costs_stands_on_its_evidence(bytes_scanned: int, metrics: int, usd: float) -> None:
    here = recorder(Kept())
    seen = here.observe("t", "s", "Op", {}, lambda: Answer(1, bytes_scanned=bytes_scanned, metrics=metrics))
    assert seen.usd == pytest.approx(usd)
    assert here.spend.usd == here.budget.spent_here.usd == seen.usd
