"""Ramps: a series that was level and climbs steadily since, as memory that leaks or the age of what waits does."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from tools.analysis.points import Point
from tools.analysis.series import Values, noise_of, spread_of, values_of

LEAST_LEVEL = 8
LEAST_CLIMB = 4
# A ramp explains nearly all of what its part of the series does.
LEAST_FIT = 0.85
LEAST_STRENGTH = 6.0
# The first point that is off the level, by its noise and by the whole climb, is the climb's first.
OFF_LEVEL = 5.0
LEAST_PART = 0.02


@dataclass(frozen=True)
class Ramp:
    """A steady climb: its first point above the level before, units a minute, and where it came from and is now."""

    since: datetime
    per_minute: float
    before: float
    now: float


def find_ramp(points: Sequence[Point], rise: float) -> Ramp | None:
    """Return the climb that a series is in, if it has climbed by at least `rise`; None when it is level.

    The break is where a level and a line from its end fit best by least squares, the two-phase regression of
    D. V. Hinkley, "Inference in two-phase regression", 1971. A step, which stays where it is, is no ramp.
    """
    if len(points) < LEAST_LEVEL + LEAST_CLIMB:
        return None
    values = values_of(points)
    at = _best_break(values)
    level = float(np.median(values[:at]))
    climb = values[at - 1 :]
    slope, fit = _line(climb)
    reached = float(np.max(climb)) - level
    if slope <= 0 or fit < LEAST_FIT or reached < max(rise, LEAST_STRENGTH * noise_of(values[:at])):
        return None
    left = values[at:] - level > max(OFF_LEVEL * spread_of(values[:at]), LEAST_PART * reached)
    at += int(np.argmax(left))
    minutes = (points[-1][0] - points[-len(climb)][0]).total_seconds() / 60 / (len(climb) - 1)
    return Ramp(points[at][0], round(slope / minutes, 3), round(level, 3), round(float(values[-1]), 3))


def _best_break(values: Values) -> int:
    """Return the index at which a level best turns into a line that begins at the level."""
    best, cost = LEAST_LEVEL, float("inf")
    for at in range(LEAST_LEVEL, len(values) - LEAST_CLIMB + 1):
        level = float(np.median(values[:at]))
        steps = np.arange(1, len(values) - at + 1, dtype=np.float64)
        rest = values[at:] - level
        slope = float(np.dot(steps, rest) / np.dot(steps, steps))
        off = float(np.sum((values[:at] - level) ** 2) + np.sum((rest - slope * steps) ** 2))
        if off < cost:
            best, cost = at, off
    return best


def _line(values: Values) -> tuple[float, float]:
    """Return the slope of the line through values, a step apart, and the share of their variance it explains."""
    steps = np.arange(len(values), dtype=np.float64)
    slope, start = np.polyfit(steps, values, 1)
    total = float(np.sum((values - np.mean(values)) ** 2))
    left = float(np.sum((values - (start + slope * steps)) ** 2))
    return float(slope), 1 - left / total if total > 0 else 0.0
