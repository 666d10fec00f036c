"""Dynamic labels: `${...}` in a label, answered from the data that the label stands for.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/graph-dynamic-labels.html
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

from simulator.cloudwatch.metric_math.values import Series
from simulator.wire.protocol import ACCOUNT, REGION, AwsError

MOST_VALUES = 6
_DYNAMIC = re.compile(r"\$\{([^}]*)\}")
_PROPERTY = re.compile(r"PROP\('([^']*)'\)")
_ZONE = re.compile(r"([+-])(\d{2})(\d{2})")
_Points = Sequence[tuple[int, float]]


def _least(points: _Points) -> tuple[int, float]:
    return min(points, key=lambda one: one[1])


def _most(points: _Points) -> tuple[int, float]:
    return max(points, key=lambda one: one[1])


_NUMBERS: Mapping[str, Callable[[_Points], float]] = {
    "AVG": lambda points: math.fsum(value for _, value in points) / len(points),
    "DATAPOINT_COUNT": lambda points: float(len(points)),
    "FIRST": lambda points: points[0][1],
    "FIRST_LAST_RANGE": lambda points: abs(points[-1][1] - points[0][1]),
    "LAST": lambda points: points[-1][1],
    "MAX": lambda points: _most(points)[1],
    "MIN": lambda points: _least(points)[1],
    "MIN_MAX_RANGE": lambda points: _most(points)[1] - _least(points)[1],
    "SUM": lambda points: math.fsum(value for _, value in points),
}
_MOMENTS: Mapping[str, Callable[[_Points], int]] = {
    "FIRST_TIME": lambda points: points[0][0],
    "LAST_TIME": lambda points: points[-1][0],
    "MAX_TIME": lambda points: _most(points)[0],
    "MIN_TIME": lambda points: _least(points)[0],
}
_SPANS: Mapping[str, Callable[[_Points], int]] = {
    "FIRST_LAST_TIME_RANGE": lambda points: points[-1][0] - points[0][0],
    "MIN_MAX_TIME_RANGE": lambda points: abs(_most(points)[0] - _least(points)[0]),
}


@dataclass(frozen=True)
class Labelling:
    """What labels are written with: the time of the call and the zone that it asked for."""

    now: datetime
    zone: timezone = UTC

    def written(self, label: str, default: str, series: Series) -> str:
        """The label of a series. `default` is what `${LABEL}` stands for."""
        asked = _DYNAMIC.findall(label)
        if sum(one != "LABEL" for one in asked) > MOST_VALUES:
            raise AwsError("ValidationError", f"A label takes at most {MOST_VALUES} dynamic values.")
        if asked.count("LABEL") > 1:
            raise AwsError("ValidationError", "A label takes ${LABEL} once.")
        return _DYNAMIC.sub(lambda found: self._value(found[1], default, series), label)

    def _value(self, name: str, default: str, series: Series) -> str:
        if name == "LABEL":
            return default
        if found := _PROPERTY.fullmatch(name):
            return _property(found[1], series)
        points = [
            (at, one) for at, one in zip(series.grid.times, series.points, strict=True) if one is not None
        ]
        base = name.removesuffix("_RELATIVE")
        if name not in _NUMBERS and base not in _MOMENTS and name not in _SPANS:
            raise AwsError("ValidationError", f"The dynamic label ${{{name}}} is not supported.")
        if not points:
            return "--"
        if name in _NUMBERS:
            return _number(_NUMBERS[name], points)
        if name in _SPANS:
            return _span(_SPANS[name](points))
        moment = _MOMENTS[base](points)
        if base != name:
            return _span(abs(int(self.now.timestamp()) - moment))
        return datetime.fromtimestamp(moment, self.zone).isoformat(timespec="seconds")


def labelling(now: datetime, options: Mapping[str, str]) -> Labelling:
    """How a call's LabelOptions want labels to be written."""
    text = options.get("Timezone", "+0000")
    found = _ZONE.fullmatch(text)
    if found is None or int(found[2]) > 23 or int(found[3]) > 59:
        raise AwsError("ValidationError", f"The value {text} for parameter Timezone is invalid.")
    offset = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return Labelling(now, timezone(-offset if found[1] == "-" else offset))


def _number(compute: Callable[[_Points], float], points: _Points) -> str:
    """A number in a label: whole ones without a fraction, and what is too large for one as nothing."""
    try:
        value = compute(points)
    except OverflowError:
        return "--"
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.6g}"


def _span(seconds: int) -> str:
    return str(timedelta(seconds=seconds))


def _property(name: str, series: Series) -> str:
    source = series.source
    if name == "AccountId":
        return ACCOUNT
    if name == "Region":
        return REGION
    if source is None:
        return "--"
    if name.startswith("Dim."):
        return dict(source.metric.dimensions).get(name.removeprefix("Dim."), "--")
    known = {
        "MetricName": source.metric.name,
        "Namespace": source.metric.namespace,
        "Period": str(source.period),
        "Stat": source.stat,
    }
    if name not in known:
        raise AwsError("ValidationError", f"The dynamic label ${{PROP('{name}')}} is not supported.")
    return known[name]
