"""Collectors run side by side, each within its time, and what does not come is named."""

import threading
import time

from tools.collectors.running import Collecting


def test_a_late_collector_is_named_and_the_others_are_taken() -> None:
    go = threading.Event()
    collecting = Collecting(time.monotonic() + 30, seconds=0.2)
    slow = collecting.start(lambda: go.wait(20), "what hangs")
    quick = collecting.start(lambda: 7, "what answers")
    try:
        assert collecting.take(slow) is None
        assert collecting.take(quick) == 7
        assert collecting.missing == ["what hangs (no answer in time)"]
    finally:
        go.set()
        collecting.end()


def test_what_breaks_is_named_by_its_error_and_stops_nobody() -> None:
    collecting = Collecting(time.monotonic() + 30)

    def breaks() -> int:
        raise KeyError("missing")

    broken, sound = collecting.start(breaks, "what breaks"), collecting.start(lambda: 1, "what is sound")
    assert (collecting.take(broken), collecting.take(sound)) == (None, 1)
    assert collecting.missing == ["what breaks (KeyError)"]
    collecting.end()


def test_all_end_at_the_deadline_that_they_share() -> None:
    go = threading.Event()
    collecting = Collecting(time.monotonic(), seconds=20)
    slow = collecting.start(lambda: go.wait(20), "what hangs")
    began = time.monotonic()
    assert collecting.take(slow) is None
    assert time.monotonic() - began < 10
    go.set()
    collecting.end()
