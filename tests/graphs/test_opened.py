"""What a copilot opens at once, and what only when it is needed."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from graphs.bootstrap import Deferred


def test_what_several_threads_need_at_once_is_opened_once() -> None:
    opened: list[int] = []

    def open_it() -> int:
        time.sleep(0.01)
        opened.append(1)
        return len(opened)

    deferred = Deferred(open_it)
    assert opened == []
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(lambda _: deferred(), range(8))) == [1] * 8
    assert opened == [1]


def test_what_could_not_be_opened_is_tried_again() -> None:
    tries: list[int] = []

    def open_it() -> str:
        tries.append(1)
        if len(tries) == 1:
            raise ConnectionError("away")
        return "open"

    deferred = Deferred(open_it)
    with pytest.raises(ConnectionError):
        deferred()
    assert deferred() == "open"
