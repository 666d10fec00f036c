"""The band of values that a metric is expected to have: an approximation of CloudWatch's models.

CloudWatch trains a model on up to two weeks, with hourly, daily and weekly patterns. Here the expected value of
a period is the mean of what the metric was in the three hours before it, and within half an hour of the same
time on each of the fourteen days before; the band reaches so many standard deviations to both sides of it.
Fewer than ten such values give no band.
"""

from collections.abc import Callable

from simulator.cloudwatch.metric_math.aggregates import deviation, mean
from simulator.cloudwatch.metric_math.values import Array, Series
from simulator.cloudwatch.metrics import Expectations, Grid
from simulator.cloudwatch.retention import DAY, HOUR

LEAST_VALUES = 10
DAYS = 14
BEFORE = 3 * HOUR
AROUND = HOUR // 2

Read = Callable[[Grid], list[float | None]]
"""Reads a metric's values in the periods of a grid."""


def banded(grid: Grid, read: Read, deviations: float, known: Expectations, now: int) -> Array:
    """The upper and the lower edge in each period of a grid. What was expected before is taken from `known`."""
    new = [at for at in grid.times if at not in known]
    found: Expectations = {}
    if new:
        history = _History(Grid(new[0], grid.step, (new[-1] - new[0]) // grid.step + 1), read)
        found = {at: history.expected(at) for at in new}
        # What lies ahead has not got all of its history yet.
        known.update({at: one for at, one in found.items() if at <= now})
    expected = [known[at] if at in known else found[at] for at in grid.times]
    upper = tuple(None if one is None else one[0] + deviations * one[1] for one in expected)
    lower = tuple(None if one is None else one[0] - deviations * one[1] for one in expected)
    return (Series(grid, upper, "expected, upper"), Series(grid, lower, "expected, lower"))


class _History:
    """What a metric was before each period of a grid."""

    def __init__(self, grid: Grid, read: Read) -> None:
        step = grid.step
        self._grid = grid
        self._back = max(BEFORE // step, 1)
        self._around = AROUND // step
        # Read once: the hours before the grid with the grid itself, and each day's stretch beside it.
        self._recent = read(Grid(grid.start - self._back * step, step, self._back + grid.count))
        self._days = []
        if DAY % step == 0:
            length = grid.count + 2 * self._around
            for day in range(1, DAYS + 1):
                begin = grid.start - day * DAY - self._around * step
                self._days.append(read(Grid(begin, step, length)))

    def expected(self, begin: int) -> tuple[float, float] | None:
        """Mean and standard deviation of what a period is expected to be like."""
        at = (begin - self._grid.start) // self._grid.step
        values = [one for one in self._recent[at : at + self._back] if one is not None]
        for day in self._days:
            values += [one for one in day[at : at + 2 * self._around + 1] if one is not None]
        if len(values) < LEAST_VALUES:
            return None
        try:
            return mean(values), deviation(values)
        except OverflowError:
            return None
