"""Work that is begun ahead is done once, and its failure is whoever's that asks for it."""

import threading

import pytest

from console.ahead import Ahead


def test_work_that_was_begun_is_not_done_again() -> None:
    done: list[str] = []
    ahead = Ahead(lambda: done.append(threading.current_thread().name))

    ahead.begin()
    ahead.begin()
    ahead.done()
    ahead.done()

    assert len(done) == 1 and done[0] != threading.current_thread().name


def test_work_that_nobody_began_is_done_when_it_is_asked_for() -> None:
    done: list[str] = []

    ahead = Ahead(lambda: done.append(threading.current_thread().name))
    ahead.done()
    ahead.begin()
    ahead.done()

    assert done == [threading.current_thread().name]


@pytest.mark.parametrize("is_begun", [True, False])
def test_what_work_raises_is_raised_where_it_is_asked_for(is_begun: bool) -> None:
    def fails() -> None:
        raise ImportError("no graph")

    ahead = Ahead(fails)
    if is_begun:
        ahead.begin()

    with pytest.raises(ImportError, match="no graph"):
        ahead.done()
