"""The rule of an alarm on one number: which of its comparisons holds, exactly as CloudWatch decides it."""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from tools.analysis.points import Point


class Comparison(StrEnum):
    """How an alarm holds a datapoint against one number.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html; the other operators there
    hold it against a band that is itself a series.
    """

    GREATER = "GreaterThanThreshold"
    GREATER_OR_EQUAL = "GreaterThanOrEqualToThreshold"
    LESS = "LessThanThreshold"
    LESS_OR_EQUAL = "LessThanOrEqualToThreshold"

    @property
    def is_above(self) -> bool:
        """Say whether high values are the bad ones."""
        return self in {Comparison.GREATER, Comparison.GREATER_OR_EQUAL}


_BREACHED: Mapping[Comparison, Callable[[float, float], bool]] = {
    Comparison.GREATER: operator.gt,
    Comparison.GREATER_OR_EQUAL: operator.ge,
    Comparison.LESS: operator.lt,
    Comparison.LESS_OR_EQUAL: operator.le,
}


@dataclass(frozen=True)
class Threshold:
    """A number and on which side of it a value is bad."""

    number: float
    comparison: Comparison

    def is_breached(self, value: float) -> bool:
        """Say whether a value is bad."""
        return _BREACHED[self.comparison](value, self.number)


def threshold_of(facts: Mapping[str, object]) -> Threshold | None:
    """Return the rule that an alarm's description states; None where it states none on one number."""
    number, told = facts.get("threshold"), facts.get("comparison")
    known = next((one for one in Comparison if one == told), None)
    return Threshold(float(number), known) if known and isinstance(number, int | float) else None


def breaches_before(points: Sequence[Point], threshold: Threshold, until: datetime) -> int:
    """Count the separate times a series was bad before a moment."""
    bad = [threshold.is_breached(value) for at, value in points if at < until]
    return sum(now and not before for before, now in pairwise([False, *bad]))


def is_over(points: Sequence[Point], threshold: Threshold, calm: timedelta) -> bool:
    """Say whether a series has been on the good side of a threshold for a while up to its end."""
    if not points:
        return False
    return not any(threshold.is_breached(value) for at, value in points if at > points[-1][0] - calm)


def recovered_at(points: Sequence[Point], threshold: Threshold, calm: timedelta) -> datetime | None:
    """Return when a series that had crossed a threshold came back for good; None where it did not."""
    if not is_over(points, threshold, calm):
        return None
    bad = [at for at, value in points if threshold.is_breached(value)]
    return next((at for at, _ in points if at > bad[-1]), None) if bad else None
