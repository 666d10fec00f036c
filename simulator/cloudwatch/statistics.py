"""The statistics that a period's values can be asked for, by CloudWatch's names for them.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

STATISTICS = frozenset({"SampleCount", "Average", "Sum", "Minimum", "Maximum"})
_NUMBER = r"\d+(?:\.\d{1,10})?"
_ONE_PERCENT = re.compile(rf"(p|tm|wm|tc|ts)({_NUMBER})")
_PERCENT_RANGE = re.compile(rf"(TM|WM|TC|TS)\(({_NUMBER}%)?:({_NUMBER}%)?\)")
_VALUE_RANGE = re.compile(rf"(TM|WM|TC|TS|PR)\(({_NUMBER})?:({_NUMBER})?\)")
# Counts are shares of requests, so a boundary may be missed by a rounding error.
_ROUNDING = 1e-9

Samples = Sequence[tuple[float, float]]
"""Values with their counts, the lowest first."""
Statistic = Callable[[Samples], float | None]


@dataclass(slots=True)
class StatisticSet:
    """The values of one period. `samples` counts each value; None once some came without their values."""

    count: float = 0.0
    total: float = 0.0
    minimum: float = math.inf
    maximum: float = -math.inf
    samples: dict[float, float] | None = field(default_factory=dict)

    def add(self, value: float, count: float) -> None:
        """Take in `count` observations of `value`."""
        self.count += count
        self.total += value * count
        self.minimum = min(self.minimum, value)
        self.maximum = max(self.maximum, value)
        if self.samples is not None:
            self.samples[value] = self.samples.get(value, 0.0) + count

    def merge(self, other: "StatisticSet") -> None:
        """Take in another period's observations."""
        self.count += other.count
        self.total += other.total
        self.minimum = min(self.minimum, other.minimum)
        self.maximum = max(self.maximum, other.maximum)
        if self.samples is None or other.samples is None:
            self.samples = None
            return
        for value, count in other.samples.items():
            self.samples[value] = self.samples.get(value, 0.0) + count

    def statistic(self, stat: str) -> float | None:
        """One statistic of this period; None where it needs the single values and cannot have them.

        Only a set whose values are all alike has them, and no percentile exists beside negative values.
        """
        match stat:
            case "SampleCount":
                return self.count
            case "Sum":
                return self.total
            case "Average":
                return self.total / self.count
            case "Minimum":
                return self.minimum
            case "Maximum":
                return self.maximum
        if self.samples is None or self.minimum < 0:
            return None
        compute = extended(stat)
        return compute(sorted(self.samples.items())) if compute is not None else None


def reported(count: float, total: float, minimum: float, maximum: float) -> StatisticSet:
    """A set that came as one: its values are known only where they must all be alike."""
    alike = minimum == maximum and math.isclose(total, minimum * count)
    return StatisticSet(count, total, minimum, maximum, {minimum: count} if alike else None)


def is_statistic(stat: str) -> bool:
    """Whether it is one of CloudWatch's statistics."""
    return stat in STATISTICS or extended(stat) is not None


@lru_cache(maxsize=512)
def extended(stat: str) -> Statistic | None:
    """How an extended statistic is computed, or None where the name is none."""
    if stat == "IQM":
        return extended("TM(25%:75%)")
    if one := _ONE_PERCENT.fullmatch(stat):
        return _by_one_percent(one[1], float(one[2]))
    if percents := _PERCENT_RANGE.fullmatch(stat):
        low, high = (float(each[:-1]) if each else edge for each, edge in _edges(percents, 0.0, 100.0))
        return _by_percents(percents[1], low, high) if _is_range(percents, low, high, 100.0) else None
    if values := _VALUE_RANGE.fullmatch(stat):
        low, high = (float(each) if each else edge for each, edge in _edges(values, -math.inf, math.inf))
        return _by_values(values[1], low, high) if _is_range(values, low, high, math.inf) else None
    return None


def _edges(found: "re.Match[str]", low: float, high: float) -> Sequence[tuple[str | None, float]]:
    return ((found[2], low), (found[3], high))


def _is_range(found: "re.Match[str]", low: float, high: float, most: float) -> bool:
    return (found[2] is not None or found[3] is not None) and low < high <= most


def _by_one_percent(kind: str, percent: float) -> Statistic | None:
    if percent > 100:
        return None
    if kind == "p":
        return lambda samples: percentile(samples, percent)
    return _by_percents(kind.upper(), 0.0, percent)


def percentile(samples: Samples, percent: float) -> float | None:
    """The lowest value that has so many percent of the values at or below it."""
    wanted = percent / 100 * sum(count for _, count in samples)
    below = 0.0
    for value, count in samples:
        below += count
        if below >= wanted - _ROUNDING:
            return value
    return samples[-1][0] if samples else None


def _by_percents(kind: str, low: float, high: float) -> Statistic:
    """TM, TC, TS of what lies between two percentiles, and WM with the rest moved to their edges."""
    if kind == "WM":
        return lambda samples: _winsorized(samples, percentile(samples, low), percentile(samples, high))
    return lambda samples: _summary(kind, _between_percents(samples, low, high))


def _between_percents(samples: Samples, low: float, high: float) -> Samples:
    """The share of the sorted values between two percentages; a value at an edge is cut, count by count."""
    everything = sum(count for _, count in samples)
    first, last = low / 100 * everything, high / 100 * everything
    kept, below = [], 0.0
    for value, count in samples:
        part = min(below + count, last) - max(below, first)
        below += count
        if part > _ROUNDING:
            kept.append((value, part))
    return kept


def _by_values(kind: str, low: float, high: float) -> Statistic:
    if kind == "WM":
        return lambda samples: _winsorized(samples, low, high)
    if kind == "PR":
        return lambda samples: _rank(samples, low, high)
    return lambda samples: _summary(kind, [one for one in samples if low < one[0] <= high])


def _rank(samples: Samples, low: float, high: float) -> float:
    """The percentage of values in a range."""
    kept = sum(count for value, count in samples if low < value <= high)
    return 100 * kept / sum(count for _, count in samples)


def _summary(kind: str, kept: Samples) -> float | None:
    count = sum(count for _, count in kept)
    total = sum(value * count for value, count in kept)
    return {"TC": count, "TS": total, "TM": total / count if count else None}[kind]


def _winsorized(samples: Samples, low: float | None, high: float | None) -> float | None:
    if low is None or high is None:
        return None
    return _summary("TM", [(min(max(value, low), high), count) for value, count in samples])


DESCRIBED: Mapping[str, str] = {
    "SampleCount, Sum, Average, Minimum, Maximum": "as their names say",
    "p0 to p100": "percentile, up to ten decimal places; the nearest value, never one in between",
    "tmN, TM(a%:b%), TM(a:b), IQM": "mean of what lies between the edges; the lower value edge is outside",
    "wmN, WM(a%:b%), WM(a:b)": "mean with what lies outside moved to the edge",
    "tcN, TC(…), tsN, TS(…)": "count and sum of what a trimmed mean takes",
    "PR(a:b)": "percentage of values above a and up to b",
}
"""What the documentation's table of statistics says."""
