"""What logs tell on either side of an onset, also where only the newest of the lines that match were read."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import pytest

from memory.records.evidence import Evidence, Gap
from tests.tools.stand_ins import NOW, sources
from tools.analysis.logs import Change
from tools.collectors.logs import compared, look_before, look_since
from tools.observe.log_cost import GroupSize
from tools.observe.query_logs import QueryLogs, query_logs

ONSET = NOW - timedelta(minutes=10)
LIMIT = 200
TIMEOUT, POOL, RETRY = (
    "ERROR timeout of pay after {} ms",
    "ERROR pool exhausted by {}",
    "failed order {} retried",
)
Line = tuple[datetime, str]


class Logs:
    """A log group whose lines stand as given; a query returns the newest of its window that it may."""

    def __init__(self, *lines: Iterable[Line], limit: int = LIMIT, pointer: bool = True) -> None:
        self.lines = sorted((one for some in lines for one in some), reverse=True)
        self.limit, self.pointer = limit, pointer
        self.windows: list[tuple[float, float]] = []

    def describe_log_groups(self, **_: Any) -> Any:
        return {"logGroups": [{"logGroupName": "/shop", "storedBytes": 1}]}

    def start_query(self, startTime: int, endTime: int, **_: Any) -> Any:
        self.windows.append((startTime, endTime))
        return {"queryId": str(len(self.windows) - 1)}

    def get_query_results(self, queryId: str) -> Any:
        start, end = self.windows[int(queryId)]
        found = [(at, text) for at, text in self.lines if start <= at.timestamp() <= end]
        pointer = [{"field": "@ptr", "value": "p"}] if self.pointer else []
        rows = [[*_row(*line), *pointer] for line in found[: self.limit]]
        return {"status": "Complete", "results": rows, "statistics": {"recordsMatched": float(len(found))}}


def _row(at: datetime, text: str) -> list[dict[str, str]]:
    stamp = at.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    return [{"field": "@timestamp", "value": stamp}, {"field": "@message", "value": text}]


def _lines(template: str, a_minute: float, since: datetime, until: datetime) -> list[Line]:
    """Spread lines evenly over a time."""
    count = int(a_minute * (until - since) / timedelta(minutes=1))
    return [(since + (n + 0.5) / count * (until - since), template.format(n)) for n in range(count)]


def _before(template: str, a_minute: float) -> list[Line]:
    return _lines(template, a_minute, ONSET - timedelta(minutes=30), ONSET - timedelta(seconds=1))


def _since(template: str, a_minute: float) -> list[Line]:
    return _lines(template, a_minute, ONSET, NOW)


def _size() -> GroupSize:
    return GroupSize(1, 1e-6, NOW - timedelta(days=1))


def _sides(logs: Logs) -> tuple[Evidence, Evidence]:
    given = sources({"logs": logs})
    return look_before(given, "/shop", ONSET, _size), look_since(given, "/shop", ONSET, _size)


def _changes(logs: Logs) -> dict[str, Change]:
    changes = compared(*_sides(logs)).changes
    assert changes is not None
    return {one.example.split()[1]: one for one in changes}


def test_lines_that_match_and_are_not_among_the_rows_are_a_gap() -> None:
    before, since = _sides(Logs(_before(TIMEOUT, 5), _since(TIMEOUT, 50)))
    assert before.gaps == ()
    assert since.gaps == (Gap.TRUNCATED,)
    assert "500 lines match, and these are 200 of them" in since.gap_detail


def test_rows_that_stand_for_many_lines_each_are_no_part() -> None:
    logs = Logs(_since(TIMEOUT, 50), limit=3, pointer=False)
    seen = query_logs(sources({"logs": logs}), QueryLogs(log_group="/shop", query="stats count(*) by level"))
    assert len(seen.result["rows"]) == 3
    assert seen.gaps == ()


@pytest.mark.parametrize(("was", "now"), [(6, 3000), (40, 400)])
def test_a_surge_of_which_only_the_newest_lines_were_read_is_seen_as_large_as_it_is(
    was: int, now: int
) -> None:
    (change,) = _changes(Logs(_before(TIMEOUT, was), _since(TIMEOUT, now))).values()
    assert change.is_surging
    assert change.before_per_minute == pytest.approx(was, rel=0.05)
    assert change.after_per_minute == pytest.approx(now, rel=0.05)


def test_what_comes_as_often_as_before_does_not_surge_beside_what_floods_the_log() -> None:
    logs = Logs(_before(TIMEOUT, 50), _since(TIMEOUT, 50), _since(POOL, 550))
    assert list(_changes(logs)) == ["pool"]
    assert _changes(logs)["pool"].is_new


def test_what_a_flood_hides_is_not_told_to_be_gone() -> None:
    logs = Logs(_before(RETRY, 10), _since(RETRY, 10), _since(POOL, 6000))
    assert list(_changes(logs)) == ["pool"]
    assert "order" in _changes(Logs(_before(RETRY, 10), _since(POOL, 10)))


def test_what_a_flood_before_may_hide_is_not_told_to_be_new() -> None:
    flood = (*_before(POOL, 3000), *_since(POOL, 3000))
    logs = Logs(flood, _since(RETRY, 20))
    assert _changes(logs) == {}
    assert _changes(Logs(flood, _since(TIMEOUT, 6000)))["timeout"].is_new


def test_rows_that_were_cut_to_be_stored_count_by_the_time_that_they_span() -> None:
    long = TIMEOUT + " " + "x" * 400
    _, since = _sides(Logs(_before(long, 1), _since(long, 18)))
    assert since.gaps == (Gap.TRUNCATED,)
    assert len(since.result["rows"]) < 180
    (change,) = _changes(Logs(_before(long, 1), _since(long, 18))).values()
    assert change.after_per_minute == pytest.approx(18, rel=0.05)
