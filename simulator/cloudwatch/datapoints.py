"""The datapoints that a metric alarm looks at: its evaluation range, read from the store."""

from collections.abc import Sequence
from datetime import datetime

from simulator.cloudwatch.alarms import MetricAlarm, Point
from simulator.cloudwatch.metric_math.values import Series
from simulator.cloudwatch.metrics import Grid, MetricStore, MixedUnitsError
from simulator.cloudwatch.queries import Request
from simulator.cloudwatch.retention import MINUTE
from simulator.cloudwatch.statistics import StatisticSet
from simulator.wire.protocol import AwsError

EXTRA_POINTS = 2
_ENOUGH_AT_AN_END = 10


def evaluation_range(alarm: MetricAlarm, now: datetime) -> Grid:
    """The periods that end now and before, a few more than are evaluated. They slide with each evaluation."""
    step, second = alarm.period, int(now.timestamp())
    count = alarm.periods + EXTRA_POINTS
    end = second - second % min(step, MINUTE)
    return Grid(end - step * count, step, count)


def watched(alarm: MetricAlarm, metrics: MetricStore, now: datetime) -> list[Point | None] | None:
    """The points of the evaluation range, oldest first; None where too few samples are to be judged."""
    grid = evaluation_range(alarm, now)
    try:
        if alarm.metric is None:
            return _computed(alarm, metrics, grid, now)
        sets = metrics.sets(alarm.metric, grid, now, alarm.parameters.get("Unit"))
    except (AwsError, MixedUnitsError):
        # What cannot be computed has no datapoints; the alarm's treatment of missing data applies.
        return [None] * grid.count
    if _too_few(alarm, sets):
        return None
    stat = alarm.stat
    return _points(alarm, grid, [one.statistic(stat) if one is not None else None for one in sets])


def _points(alarm: MetricAlarm, grid: Grid, values: Sequence[float | None]) -> list[Point | None]:
    compare, threshold = alarm.compare, alarm.threshold
    assert compare is not None
    assert threshold is not None
    return [
        None if value is None else Point(at, value, compare(value, threshold))
        for at, value in zip(grid.times, values, strict=True)
    ]


def _too_few(alarm: MetricAlarm, sets: Sequence[StatisticSet | None]) -> bool:
    """Whether a percentile rests on too few samples, and the alarm is to stay as it is then."""
    if alarm.parameters.get("EvaluateLowSampleCountPercentile") != "ignore" or not alarm.stat.startswith("p"):
        return False
    share = float(alarm.stat[1:]) / 100
    end = 1 - share if share >= 0.5 else share
    samples = sum(one.count for one in sets[-alarm.periods :] if one is not None)
    return end > 0 and samples < round(_ENOUGH_AT_AN_END / end, 6)


def _computed(alarm: MetricAlarm, metrics: MetricStore, grid: Grid, now: datetime) -> list[Point | None]:
    values = Request(alarm.queries, metrics, lambda period: grid, now).evaluated()
    band_id = alarm.parameters.get("ThresholdMetricId")
    (watched_id,) = [
        one["Id"] for one in alarm.queries if one.get("ReturnData", True) and one["Id"] != band_id
    ]
    series = values[watched_id]
    assert isinstance(series, Series)
    if band_id is None:
        return _points(alarm, grid, series.points)
    band = values[band_id]
    assert isinstance(band, tuple)
    upper, lower = band
    rows = zip(grid.times, series.points, lower.points, upper.points, strict=True)
    return [_against_band(alarm, *row) for row in rows]


def _against_band(
    alarm: MetricAlarm, at: int, value: float | None, lower: float | None, upper: float | None
) -> Point | None:
    """A point beside its band. Before a band can be told there is nothing to judge."""
    if value is None or lower is None or upper is None:
        return None
    below, above = value < lower, value > upper
    breaches = {
        "LessThanLowerOrGreaterThanUpperThreshold": below or above,
        "LessThanLowerThreshold": below,
        "GreaterThanUpperThreshold": above,
    }[alarm.parameters["ComparisonOperator"]]
    return Point(at, value, breaches, lower, upper)
