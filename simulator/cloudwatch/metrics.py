"""Metric data as CloudWatch keeps it: one statistic set a minute, with its samples for percentiles.

Dimensions match exactly: a query without dimensions does not add up those that have some
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html#Dimension).
"""

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

MINUTE = 60
STATISTICS = frozenset({"SampleCount", "Average", "Sum", "Minimum", "Maximum"})
_PERCENTILE = re.compile(r"p(\d{1,2}(\.\d{1,10})?|100)")


@dataclass(frozen=True, order=True)
class MetricName:
    """What names one metric: namespace, name and its exact dimensions, sorted."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...] = ()


@dataclass
class StatisticSet:
    """The values of one period. `samples` counts each value, for percentiles."""

    count: float = 0.0
    total: float = 0.0
    minimum: float = math.inf
    maximum: float = -math.inf
    samples: dict[float, float] = field(default_factory=dict)

    def add(self, value: float, count: float) -> None:
        """Take in `count` observations of `value`."""
        self.count += count
        self.total += value * count
        self.minimum = min(self.minimum, value)
        self.maximum = max(self.maximum, value)
        self.samples[value] = self.samples.get(value, 0.0) + count

    def merge(self, other: "StatisticSet") -> None:
        """Take in another period's observations."""
        self.count += other.count
        self.total += other.total
        self.minimum = min(self.minimum, other.minimum)
        self.maximum = max(self.maximum, other.maximum)
        for value, count in other.samples.items():
            self.samples[value] = self.samples.get(value, 0.0) + count

    def statistic(self, stat: str) -> float | None:
        """One statistic of this period: a plain one, or a percentile such as `p99`.

        A percentile is None where some observations came as a statistic set, without their values.
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
        return self._percentile(float(stat.removeprefix("p")) / 100)

    def _percentile(self, share: float) -> float | None:
        if sum(self.samples.values()) < self.count - 1e-6:
            return None
        below = 0.0
        for value in sorted(self.samples):
            below += self.samples[value]
            # The tolerance absorbs the rounding of fractional counts.
            if below >= share * self.count - 1e-9:
                return value
        return self.maximum


def is_statistic(stat: str) -> bool:
    """Whether this store can compute the statistic."""
    return stat in STATISTICS or _PERCENTILE.fullmatch(stat) is not None


class MetricStore:
    """All metric data of the account."""

    def __init__(self) -> None:
        self._minutes: dict[MetricName, dict[int, StatisticSet]] = defaultdict(dict)

    def put(
        self,
        namespace: str,
        name: str,
        dimensions: Mapping[str, str],
        at: datetime,
        value: float,
        count: float = 1,
    ) -> None:
        """Record `count` observations of `value` in the minute of `at`."""
        if count > 0:
            self._minute(metric_name(namespace, name, dimensions), at).add(value, count)

    def put_values(
        self,
        namespace: str,
        name: str,
        dimensions: Mapping[str, str],
        at: datetime,
        values: Iterable[tuple[float, float]],
    ) -> None:
        """Record several values, each with its count, in the minute of `at`."""
        minute = self._minute(metric_name(namespace, name, dimensions), at)
        for value, count in values:
            minute.add(value, count)

    def put_set(self, metric: MetricName, at: datetime, values: StatisticSet) -> None:
        """Record observations that came as a statistic set."""
        self._minute(metric, at).merge(values)

    def _minute(self, metric: MetricName, at: datetime) -> StatisticSet:
        minutes = self._minutes[metric]
        minute = int(at.timestamp()) // MINUTE * MINUTE
        if minute not in minutes:
            minutes[minute] = StatisticSet()
        return minutes[minute]

    def last_at(self, metric: MetricName) -> datetime:
        """When a metric last had data."""
        return datetime.fromtimestamp(max(self._minutes[metric]), UTC)

    def series(
        self,
        namespace: str,
        name: str,
        dimensions: Mapping[str, str],
        start: datetime,
        end: datetime,
        period: int,
        stat: str,
    ) -> list[tuple[datetime, float]]:
        """The statistic of each period that has data and begins in [start, end), oldest first."""
        minutes = self._minutes.get(metric_name(namespace, name, dimensions))
        if not minutes:
            return []
        first = int(start.timestamp()) // period * period
        last = min(math.ceil(end.timestamp()), max(minutes) + MINUTE)
        first = max(first, min(minutes) // period * period)
        return [
            (datetime.fromtimestamp(begin, UTC), value)
            for begin in range(first, last, period)
            if (merged := _merged(minutes, begin, period)) is not None
            and (value := merged.statistic(stat)) is not None
        ]

    def list(
        self,
        namespace: str | None = None,
        name: str | None = None,
        dimensions: Mapping[str, str | None] | None = None,
    ) -> Iterator[MetricName]:
        """The metrics that have data and match. A dimension with the value None matches any value."""
        wanted = dict(dimensions or {})
        for metric in sorted(self._minutes):
            has = dict(metric.dimensions)
            if (
                namespace in (None, metric.namespace)
                and name in (None, metric.name)
                and all(key in has and value in (None, has[key]) for key, value in wanted.items())
            ):
                yield metric


def metric_name(namespace: str, name: str, dimensions: Mapping[str, str]) -> MetricName:
    """The name of a metric, however its dimensions are ordered."""
    return MetricName(namespace, name, tuple(sorted(dimensions.items())))


def _merged(minutes: dict[int, StatisticSet], begin: int, period: int) -> StatisticSet | None:
    if period == MINUTE:
        return minutes.get(begin)
    found = [minutes[at] for at in range(begin, begin + period, MINUTE) if at in minutes]
    if not found:
        return None
    merged = StatisticSet()
    for one in found:
        merged.merge(one)
    return merged
