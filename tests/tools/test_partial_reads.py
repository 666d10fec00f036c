"""What a collector has read by several calls stays when the next fails or takes too long, and is not taken for all."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from memory.records.evidence import Evidence, Gap
from tests.tools.stand_ins import NOW, Kept, sources
from tools.collectors.readable import is_readable
from tools.collectors.running import Collecting
from tools.collectors.series import Wanted, points_in, read_series, series_in
from tools.errors import Transient
from tools.observe.sources import Sources
from tools.observe.what_changed import WhatChanged, what_changed

THROTTLED = ClientError(
    {"Error": {"Code": "ThrottlingException", "Message": "Rate exceeded"}}, "LookupEvents"
)


class TwoPages:
    """A trail, and metrics, whose first page comes at once and whose second is up to the test."""

    def __init__(self, second: Callable[[], None]) -> None:
        self.second = second

    def lookup_events(self, NextToken: str | None = None, **_: Any) -> Any:
        if NextToken is not None:
            self.second()
        event = {
            "EventName": f"PutParameter{NextToken or ''}",
            "EventTime": NOW,
            "EventSource": "ssm.amazonaws.com",
        }
        return {"Events": [event], **({} if NextToken else {"NextToken": "2"})}

    def get_metric_data(self, NextToken: str | None = None, **_: Any) -> Any:
        if NextToken is not None:
            self.second()
        page = {"Id": "m0", "Timestamps": [NOW], "Values": [7.0], "StatusCode": "PartialData"}
        return {"MetricDataResults": [page], **({} if NextToken else {"NextToken": "2"})}


def _read(second: Callable[[], None]) -> Sources:
    pages = TwoPages(second)
    return sources({"cloudtrail": pages, "cloudwatch": pages})


def _stored(given: Sources) -> list[Evidence]:
    return cast(Kept, given.recorder.ledger).evidence


def _changes(given: Sources) -> Evidence:
    return what_changed(given, WhatChanged())


def _metrics(given: Sources) -> Evidence:
    return read_series(given, "metrics of shop", {"errors": Wanted("Shop", "Errors", {}, "Sum")})


@contextmanager
def _stopped(look: Callable[[Sources], Evidence]) -> Iterator[tuple[Sources, Evidence | None, Collecting]]:
    """Stop a collector whose second page does not come; let it come afterwards, and see the collector end."""
    reached, go = threading.Event(), threading.Event()

    def second() -> None:
        reached.set()
        go.wait(20)

    given = _read(second)
    allowed = given.allowed()
    collecting = Collecting(time.monotonic() + 30, seconds=0.1)
    running = collecting.start(partial(look, allowed), "what is read", allowed.recorder.stop)
    try:
        assert reached.wait(10)
        yield given, collecting.take(running), collecting
        go.set()
        with pytest.raises(Transient, match="stopped"):
            running.future.result(timeout=10)
        assert len(_stored(given)) == 1
        assert given.recorder.spend.aws_calls == 2
    finally:
        go.set()
        collecting.end()


def test_changes_that_were_read_before_the_time_was_over_stand_as_a_part() -> None:
    with _stopped(_changes) as (given, found, collecting):
        assert found is not None
        assert [one["event"] for one in found.result["changes"]] == ["PutParameter"]
        assert found.gaps == (Gap.TRUNCATED,)
        assert "not read" in found.gap_detail
        assert collecting.missing == ["what is read (not all of it in time)"]
        assert _stored(given) == [found]


def test_a_series_without_its_last_page_is_kept_and_counts_as_not_read() -> None:
    with _stopped(_metrics) as (_, found, _collecting):
        assert found is not None
        assert not is_readable(found)
        assert series_in(found) is None
        assert [value for _, value in points_in(found.result)["errors"]] == [7.0]


@pytest.mark.parametrize(("look", "readable"), [(_changes, True), (_metrics, False)])
def test_what_stands_before_a_call_that_fails_is_kept_with_the_failure(
    look: Callable[[Sources], Evidence], readable: bool
) -> None:
    def second() -> None:
        raise THROTTLED

    found = look(_read(second).allowed())
    assert is_readable(found) is readable
    assert "Rate exceeded" in found.gap_detail
    assert "error" not in found.result
    assert found.gaps == ((Gap.TRUNCATED,) if readable else (Gap.THROTTLED,))


def test_whoever_ended_in_time_is_not_stopped() -> None:
    given = _read(lambda: None)
    allowed = given.allowed()
    assert _changes(allowed).gaps == ()
    assert allowed.recorder.stop() is None
    assert len(_stored(given)) == 1
