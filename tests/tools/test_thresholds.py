"""What is bad by an alarm's rule, exactly as its comparison says, and when it is over."""

from datetime import UTC, datetime, timedelta

import pytest

from tools.analysis.points import Point
from tools.analysis.thresholds import (
    Comparison,
    Threshold,
    breaches_before,
    is_over,
    recovered_at,
    threshold_of,
)

START = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
CALM = timedelta(minutes=5)
BACK = [1.0] * 20 + [30.0] * 6 + [1.0] * 8


def _series(*values: float) -> list[Point]:
    return [(START + n * MINUTE, value) for n, value in enumerate(values)]


def _above(number: float) -> Threshold:
    return Threshold(number, Comparison.GREATER)


def test_separate_breaches_are_counted_once_each() -> None:
    points = _series(1, 9, 9, 1, 9, 1, 1)
    assert breaches_before(points, _above(5), START + 10 * MINUTE) == 2
    assert is_over(points, _above(5), 2 * MINUTE)
    assert not is_over(_series(1, 9), _above(5), 2 * MINUTE)


def test_what_came_back_for_good_tells_when() -> None:
    back = _series(*BACK)
    assert recovered_at(back, _above(20), CALM) == START + 26 * MINUTE
    assert recovered_at(back[:-5], _above(20), CALM) is None
    assert recovered_at(_series(*[1.0] * 9), _above(20), CALM) is None


@pytest.mark.parametrize(
    ("comparison", "worst", "is_bad_at_it"),
    [
        (Comparison.GREATER, 3.0, False),
        (Comparison.GREATER_OR_EQUAL, 3.0, True),
        (Comparison.LESS, -1.0, False),
        (Comparison.LESS_OR_EQUAL, -1.0, True),
    ],
)
def test_a_value_at_the_threshold_is_bad_only_where_the_rule_says_so(
    comparison: Comparison, worst: float, is_bad_at_it: bool
) -> None:
    calm = 0.0 if comparison.is_above else 2.0
    points, rule = _series(*[calm] * 20, worst, worst, *[1.0] * 8), Threshold(1.0, comparison)
    assert rule.is_breached(1.0) is is_bad_at_it
    assert (recovered_at(points, rule, CALM) is None) is is_bad_at_it
    at_it = _series(calm, 1.0, calm, 1.0, calm)
    assert breaches_before(at_it, rule, START + 10 * MINUTE) == (2 if is_bad_at_it else 0)


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"threshold": 1.0, "comparison": None},
        {"threshold": None, "comparison": "GreaterThanThreshold"},
        # Held against a band, which is another series.
        {"threshold": 1.0, "comparison": "GreaterThanUpperThreshold"},
    ],
)
def test_a_rule_that_is_not_on_one_number_is_not_guessed(facts: dict[str, object]) -> None:
    assert threshold_of(facts) is None
    known = {"threshold": 1, "comparison": "LessThanThreshold"}
    assert threshold_of(known) == Threshold(1.0, Comparison.LESS)
