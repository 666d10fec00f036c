"""Aggregate functions of `stats`.

Percentiles and distinct counts are exact here; AWS approximates them where cardinality is high.
Rules: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Stats.html
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import TypeAlias

from simulator.logs.insights.values import Timestamp, Value, number, sort_key, text

# What a row contributes: its place in time and the argument's value there.
Sample: TypeAlias = tuple[int, Value]
Summary = Callable[[Sequence[Sample], float], Value]


@dataclass(frozen=True)
class AggregateFunction:
    """What an aggregate needs and what it gives for the rows that have its argument."""

    summary: Summary
    takes_percentile: bool = False
    argument_optional: bool = False


def _numbers(samples: Sequence[Sample]) -> list[int | float]:
    return [found for _, value in samples if (found := number(value)) is not None]


def _sum(samples: Sequence[Sample], _: float) -> Value:
    given = _numbers(samples)
    if not given:
        return None
    return sum(given) if all(isinstance(item, int) for item in given) else math.fsum(given)


def _average(samples: Sequence[Sample], _: float) -> Value:
    given = _numbers(samples)
    return round(fmean(given), 4) if given else None


def _deviation(samples: Sequence[Sample], _: float) -> Value:
    given = _numbers(samples)
    return round(stdev(given), 4) if len(given) > 1 else None


def _percentile(samples: Sequence[Sample], percentile: float) -> Value:
    """The value of the nearest rank."""
    given = sorted(_numbers(samples))
    if not given:
        return None
    rank = max(math.ceil(percentile / 100 * len(given)), 1)
    return given[rank - 1]


def _distinct(samples: Sequence[Sample], _: float) -> Value:
    return len({text(value) for _, value in samples})


def _extreme(pick: Callable[..., Sample]) -> Summary:
    def summary(samples: Sequence[Sample], _: float) -> Value:
        if not samples:
            return None
        numeric = [sample for sample in samples if number(sample[1]) is not None]
        return _plain(pick(numeric or samples, key=lambda sample: sort_key(sample[1]))[1])

    return summary


def _by_text(pick: Callable[..., Sample]) -> Summary:
    def summary(samples: Sequence[Sample], _: float) -> Value:
        return _plain(pick(samples, key=lambda sample: sort_key(sample[1]))[1]) if samples else None

    return summary


def _by_time(pick: Callable[..., Sample]) -> Summary:
    def summary(samples: Sequence[Sample], _: float) -> Value:
        return _plain(pick(samples, key=lambda sample: sample[0])[1]) if samples else None

    return summary


def _plain(value: Value) -> Value:
    """AWS gives a time that comes out of an aggregate as milliseconds."""
    return int(value) if isinstance(value, Timestamp) else value


AGGREGATES: dict[str, AggregateFunction] = {
    "avg": AggregateFunction(_average),
    "count": AggregateFunction(lambda samples, _: len(samples), argument_optional=True),
    "count_distinct": AggregateFunction(_distinct),
    "earliest": AggregateFunction(_by_time(min)),
    "latest": AggregateFunction(_by_time(max)),
    "max": AggregateFunction(_extreme(max)),
    "min": AggregateFunction(_extreme(min)),
    "pct": AggregateFunction(_percentile, takes_percentile=True),
    "sortsfirst": AggregateFunction(_by_text(min)),
    "sortslast": AggregateFunction(_by_text(max)),
    "stddev": AggregateFunction(_deviation),
    "sum": AggregateFunction(_sum),
}
