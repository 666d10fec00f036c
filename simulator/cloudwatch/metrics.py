"""Metric data as CloudWatch keeps it: one set of values a minute, or a second where it is asked to.

Dimensions match exactly: a query without dimensions does not add up those that have some
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html#Dimension).
"""

import math
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from simulator.cloudwatch.retention import MINUTE, SECONDS_KEPT, oldest_kept
from simulator.cloudwatch.statistics import StatisticSet
from simulator.cloudwatch.units import NO_UNIT, published_unit

EXPECTATIONS_KEPT = 5_000

Sets = dict[int, StatisticSet]
"""The values of each minute or second, by when it begins."""


Expectations = dict[int, tuple[float, float] | None]
"""Mean and standard deviation that a metric is expected to have in each period, where they were computed."""


class MixedUnitsError(ValueError):
    """The metric was published in several units, and none was asked for."""


@dataclass(frozen=True, order=True)
class MetricName:
    """What names one metric: namespace, name and its exact dimensions, sorted."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Grid:
    """The periods of a query: `count` of them, each `step` seconds long, the first at `start`."""

    start: int
    step: int
    count: int

    @property
    def times(self) -> range:
        """When each period begins."""
        return range(self.start, self.start + self.step * self.count, self.step)


@dataclass(slots=True)
class _Metric:
    """One metric's data, by unit. `first` and `last` are the ends of what it has.

    `expected` keeps what was computed from the past, and is forgotten when data comes in late.
    """

    minutes: dict[str, Sets] = field(default_factory=dict)
    seconds: dict[str, Sets] = field(default_factory=dict)
    expected: dict[tuple[str, int, str | None], Expectations] = field(default_factory=dict)
    first: int = sys.maxsize
    last: int = 0


class MetricStore:
    """All metric data of the account."""

    def __init__(self) -> None:
        self._metrics: dict[MetricName, _Metric] = {}

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
            self._set_at(metric_name(namespace, name, dimensions), at).add(value, count)

    def put_values(
        self,
        namespace: str,
        name: str,
        dimensions: Mapping[str, str],
        at: datetime,
        values: Iterable[tuple[float, float]],
    ) -> None:
        """Record several values, each with its count, in the minute of `at`."""
        minute = self._set_at(metric_name(namespace, name, dimensions), at)
        for value, count in values:
            minute.add(value, count)

    def put_set(
        self,
        metric: MetricName,
        at: datetime,
        values: StatisticSet,
        unit: str = NO_UNIT,
        *,
        by_second: bool = False,
    ) -> None:
        """Record what was observed in the minute of `at`, and in its second where that is wanted."""
        self._set_at(metric, at, unit).merge(values)
        if by_second:
            seconds = self._metrics[metric].seconds.setdefault(unit, {})
            second = int(at.timestamp())
            seconds.setdefault(second, StatisticSet()).merge(values)
            if len(seconds) > 2 * SECONDS_KEPT:
                for old in [one for one in seconds if one < second - SECONDS_KEPT]:
                    del seconds[old]

    def _set_at(self, name: MetricName, at: datetime, unit: str | None = None) -> StatisticSet:
        metric = self._metrics.get(name)
        if metric is None:
            metric = self._metrics[name] = _Metric()
        if unit is None:
            unit = published_unit(name.namespace, name.name)
        second = int(at.timestamp())
        if second < metric.first:
            metric.first = second - second % MINUTE
        if second < metric.last - metric.last % MINUTE:
            metric.expected.clear()
        metric.last = max(metric.last, second)
        sets = metric.minutes.get(unit)
        if sets is None:
            sets = metric.minutes[unit] = {}
        minute = second - second % MINUTE
        found = sets.get(minute)
        if found is None:
            found = sets[minute] = StatisticSet()
        return found

    def last_at(self, metric: MetricName) -> datetime:
        """When a metric last had data."""
        return datetime.fromtimestamp(self._metrics[metric].last, UTC)

    def units(self, metric: MetricName) -> tuple[str, ...]:
        """The units a metric was published in."""
        found = self._metrics.get(metric)
        return tuple(found.minutes) if found is not None else ()

    def sets(
        self, metric: MetricName, grid: Grid, now: datetime, unit: str | None = None
    ) -> list[StatisticSet | None]:
        """What was observed in each period, or None; what is too old for such periods is gone."""
        data = self._data(metric, grid.step, unit)
        if not data or grid.start + grid.step * grid.count <= self._metrics[metric].first:
            return [None] * grid.count
        oldest = oldest_kept(grid.step, int(now.timestamp()))
        resolution = MINUTE if grid.step >= MINUTE else 1
        return [
            _merged(data, begin, grid.step, resolution) if begin >= oldest else None for begin in grid.times
        ]

    def values(
        self, metric: MetricName, grid: Grid, stat: str, now: datetime, unit: str | None = None
    ) -> list[float | None]:
        """A statistic of each period, or None where there is none."""
        found = self.sets(metric, grid, now, unit)
        return [one.statistic(stat) if one is not None else None for one in found]

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
        first = int(start.timestamp()) // period * period
        grid = Grid(first, period, max(math.ceil((end.timestamp() - first) / period), 0))
        found = self.values(metric_name(namespace, name, dimensions), grid, stat, end)
        pairs = zip(grid.times, found, strict=True)
        return [(datetime.fromtimestamp(at, UTC), value) for at, value in pairs if value is not None]

    def expectations(self, metric: MetricName, stat: str, period: int, unit: str | None) -> Expectations:
        """What is known of the values that a metric is expected to have; whoever computes more adds it."""
        found = self._metrics.get(metric)
        if found is None:
            return {}
        known = found.expected.setdefault((stat, period, unit), {})
        if len(known) > EXPECTATIONS_KEPT:
            known.clear()
        return known

    def _data(self, name: MetricName, period: int, unit: str | None) -> Sets | None:
        metric = self._metrics.get(name)
        if metric is None:
            return None
        by_unit = metric.minutes if period >= MINUTE else metric.seconds
        if unit is not None:
            return by_unit.get(unit)
        if len(by_unit) > 1:
            raise MixedUnitsError(f"{name.name} was published in {', '.join(sorted(by_unit))}")
        return next(iter(by_unit.values()), None)

    def list(
        self,
        namespace: str | None = None,
        name: str | None = None,
        dimensions: Mapping[str, str | None] | None = None,
    ) -> Iterator[MetricName]:
        """The metrics that have data and match. A dimension with the value None matches any value."""
        wanted = dict(dimensions or {})
        for metric in sorted(self._metrics):
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


def _merged(data: Sets, begin: int, period: int, resolution: int) -> StatisticSet | None:
    if period == resolution:
        return data.get(begin)
    found = [data[at] for at in range(begin, begin + period, resolution) if at in data]
    if len(found) < 2:
        return found[0] if found else None
    merged = StatisticSet()
    for one in found:
        merged.merge(one)
    return merged
