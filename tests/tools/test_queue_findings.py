"""What a queue's metrics show around an onset."""

from datetime import UTC, datetime, timedelta

from tools.analysis.findings import QueueFinding
from tools.analysis.queues import queue_finding
from tools.analysis.series import Point

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
