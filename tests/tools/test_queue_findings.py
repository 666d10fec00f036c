"""What a queue's metrics show around an onset."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from memory.records.assessment import Verdict
from memory.records.config import Service
from tests.tools.test_first_look_causes import _finding, _findings
from tools.analysis.findings import QueueFinding
from tools.analysis.hypotheses import rank
from tools.analysis.points import Point
from tools.analysis.queues import queue_finding

START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
ONSET = START + timedelta(minutes=60)


def minutes(before: float, after: float) -> list[Point]:
    values = [before] * 60 + [after] * 10
    return [(START + timedelta(minutes=at), value) for at, value in enumerate(values)]


def found(*, received: tuple[float, float], deleted: tuple[float, float], age: float = 1.0) -> QueueFinding:
    series = {
        "age": minutes(age, age),
        "sent": minutes(100, 100),
        "received": minutes(*received),
        "deleted": minutes(*deleted),
    }
    return queue_finding("work", series, ("worker",), "ev-q", ONSET)


def test_messages_that_come_back_since_the_onset_make_a_queue_sick() -> None:
    finding = found(received=(100, 160), deleted=(100, 70))

    assert finding.comes_back and finding.is_sick
    assert finding.climb is None


def test_a_queue_whose_messages_always_came_back_as_often_is_not_sick() -> None:
    assert not found(received=(160, 165), deleted=(100, 100)).is_sick


def test_a_queue_that_is_busier_and_done_with_all_is_not_sick() -> None:
    assert not found(received=(100, 400), deleted=(100, 396)).is_sick


def test_a_queue_from_which_nothing_is_received_is_not_called_sick_for_that() -> None:
    assert not found(received=(100, 0), deleted=(100, 0)).is_sick


def whole(value: Callable[[int], float]) -> list[Point]:
    return [(START + timedelta(minutes=at), value(at)) for at in range(180)]


def left_alone(
    age: Callable[[int], float], received: Callable[[int], float] = lambda at: 0.0
) -> QueueFinding:
    series = {
        "age": whole(age),
        "visible": whole(lambda at: 9000.0),
        "sent": whole(lambda at: 100.0),
        "received": whole(received),
        "deleted": whole(received),
    }
    return queue_finding("work", series, ("worker",), "ev-q", START + timedelta(minutes=170))


@pytest.mark.parametrize("hours", [0, 1, 12, 24, 48, 300])
def test_a_head_that_does_not_move_is_seen_however_old_it_is(hours: int) -> None:
    # Others are taken: only the age tells.
    finding = left_alone(lambda at: hours * 3600 + 60.0 * at, lambda at: 100.0)

    assert finding.climb is not None and finding.is_sick
    assert finding.climb.per_minute == pytest.approx(60, rel=0.05)
    assert finding.climb.now == hours * 3600 + 179 * 60


def test_an_old_head_that_moves_as_time_does_is_not_sick() -> None:
    finding = left_alone(lambda at: 86400 + 20.0 * (at * 7 % 5), lambda at: 100.0)

    assert not finding.is_sick


def test_a_queue_that_nobody_takes_from_is_sick_at_any_age() -> None:
    # What is as old as it may get is deleted by SQS, so the age stands still.
    assert left_alone(lambda at: 345600.0).untouched_since == START
    # All at once.
    halted = left_alone(lambda at: 5.0 if at < 170 else 3600.0, lambda at: 100.0 * (at < 170))
    assert halted.untouched_since == START + timedelta(minutes=170)
    assert halted.is_sick and halted.since == halted.untouched_since


def test_a_queue_that_is_emptied_now_and_then_is_not_left_alone() -> None:
    hourly = left_alone(lambda at: 60.0 * (at % 60), lambda at: 100.0 * (at % 60 == 0))

    assert hourly.untouched_since is None


def test_where_it_is_not_told_whether_any_is_taken_nobody_is_said_to_take_none() -> None:
    series = {"age": whole(lambda at: 345600.0), "visible": whole(lambda at: 9.0)}

    assert not queue_finding("work", series, (), "ev-q", ONSET).is_sick


def test_a_stalled_queue_lets_no_alarm_be_noise() -> None:
    stalled = left_alone(lambda at: 172800 + 60.0 * at)
    ranking = rank(_findings(_finding(Service(name="worker")), queues=(stalled,), earlier_spikes=1))

    assert ranking.verdict is Verdict.UNRESOLVED
    assert "work" in ranking.reason


@pytest.mark.parametrize(
    ("depth", "sent", "piles_up"),
    [
        ((10, 50000), (100, 6000), True),
        # A burst that is over, one that is soon worked off, and what was as deep before.
        ((10, 50000), (100, 100), False),
        ((10, 900), (100, 6000), False),
        ((40000, 50000), (100, 6000), False),
    ],
)
def test_a_queue_to_which_far_more_comes_than_is_done_piles_up(
    depth: tuple[float, float], sent: tuple[float, float], piles_up: bool
) -> None:
    series = {
        "age": minutes(5, 85),
        "visible": minutes(*depth),
        "sent": minutes(*sent),
        "received": minutes(100, 100),
        "deleted": minutes(100, 100),
    }
    finding = queue_finding("work", series, ("worker",), "ev-q", ONSET)

    assert (finding.piles_up, finding.is_sick) == (piles_up, piles_up)
