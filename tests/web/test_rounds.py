"""Rounds beside the routes: no error of one ends them, and health says that it fails."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from graphs.rest import Rest
from tools.errors import Transient
from web.rounds import STANDING, Rounds, going


@dataclass
class Work:
    """Raises what it is told to, one for each round; then all is well."""

    raising: list[Exception] = field(default_factory=list)
    rounds: int = 0

    async def once(self) -> bool:
        self.rounds += 1
        if self.raising:
            raise self.raising.pop(0)
        return True


async def reached(look: Callable[[], bool]) -> None:
    for _ in range(500):
        if look():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("not reached")


async def test_no_error_of_a_round_ends_the_rounds_and_both_logs_and_health_tell_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    work, other = Work([KeyError("a defect")]), Work()
    caplog.set_level(logging.WARNING)
    async with going([Rounds("one", work.once, 0.01), Rounds("other", other.once, 0.01)]) as rounds:
        await reached(lambda: bool(rounds.faults))
        (fault,) = rounds.faults
        assert (fault["part"], fault["error"], fault["times"]) == ("one", "KeyError", 1)
        assert "a defect" not in str(fault)
        assert rounds.is_well
        met = other.rounds
        await reached(lambda: other.rounds > met)
        await reached(lambda: not rounds.faults)
    assert "a defect" in caplog.text and "Traceback" in caplog.text
    assert all(task.done() and task.exception() is None for task in rounds.tasks)


async def test_some_failures_in_a_row_are_no_longer_well() -> None:
    work = Work()
    rounds = Rounds("one", work.once, 1.0)
    for times in range(1, STANDING + 1):
        rounds._note(Transient("away"))
        assert (rounds.failures >= STANDING) == (times == STANDING)
    rounds._note(None)
    assert rounds.fault is None


async def test_a_cancellation_ends_the_rounds_and_health_says_so() -> None:
    work = Work()
    async with going([Rounds("one", work.once, 0.01)]) as rounds:
        await reached(lambda: work.rounds > 0)
        rounds.tasks[0].cancel()
        await reached(lambda: not rounds.is_well)
    assert rounds.tasks[0].cancelled()


async def test_a_round_under_way_is_let_end() -> None:
    began, ended = asyncio.Event(), asyncio.Event()

    async def once() -> bool:
        began.set()
        await asyncio.sleep(0.05)
        ended.set()
        return True

    slow: Callable[[], Awaitable[bool]] = once
    async with going([Rounds("slow", slow, 60.0)]):
        await began.wait()
    assert ended.is_set()


def test_the_rest_doubles_with_each_failure_up_to_a_minute_and_starts_anew_after_a_success() -> None:
    rest = Rest(1.0, chance=lambda: 1.0)
    assert [rest.seconds(failed=True) for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert rest.seconds(failed=False) == 1
    assert rest.seconds(failed=True) == 1
    assert Rest(5.0, chance=lambda: 0.0).seconds(failed=True) == 2.5
