"""PutMetricData: what is accepted, and how it is stored."""

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from simulator.cloudwatch.metrics import MetricName, MetricStore, metric_name
from simulator.cloudwatch.queries import dimensions_of
from simulator.cloudwatch.statistics import StatisticSet, reported
from simulator.cloudwatch.units import NO_UNIT
from simulator.wire.protocol import AwsError, Call

MOST_METRICS, MOST_VALUES, MOST_DIMENSIONS = 1000, 150, 30
GREATEST = 2.0**360
OLDEST, NEWEST = timedelta(days=14), timedelta(hours=2)
_Datum = Mapping[str, Any]


def publish(metrics: MetricStore, call: Call, now: datetime) -> Mapping[str, Any]:
    """API_PutMetricData: all of a call's data, or none where one is wrong."""
    namespace = call.parameters["Namespace"]
    if namespace.startswith("AWS/"):
        raise _value_error("The value AWS/ for parameter Namespace is invalid.")
    if namespace.startswith(":") or not namespace.isascii() or not namespace.isprintable():
        raise _value_error(f"The value {namespace} for parameter Namespace is invalid.")
    if "EntityMetricData" in call.parameters:
        raise _combination("The parameter EntityMetricData is not supported.")
    data = call.parameters.get("MetricData", [])
    if not data:
        raise AwsError("MissingParameter", "The parameter MetricData is required.")
    if len(data) > MOST_METRICS:
        raise _value_error(f"The collection MetricData must not have a size greater than {MOST_METRICS}.")
    read = [_read(namespace, datum, f"MetricData.member.{place}", now) for place, datum in enumerate(data, 1)]
    for name, at, values, datum in read:
        by_second = datum.get("StorageResolution", 60) == 1
        metrics.put_set(name, at, values, datum.get("Unit", NO_UNIT), by_second=by_second)
    return {}


def _read(
    namespace: str, datum: _Datum, where: str, now: datetime
) -> tuple[MetricName, datetime, StatisticSet, _Datum]:
    if datum.get("StorageResolution", 60) not in (1, 60):
        raise _value_error(f"The parameter {where}.StorageResolution must be 1 or 60.")
    _check_dimensions(datum, where)
    at = datum.get("Timestamp", now)
    if not now - OLDEST <= at <= now + NEWEST:
        raise _value_error(
            f"The parameter {where}.Timestamp must specify a time within the past two weeks "
            "and no more than two hours in the future."
        )
    name = metric_name(namespace, datum["MetricName"], dimensions_of(datum))
    return name, at, _values(datum, where), datum


def _check_dimensions(datum: _Datum, where: str) -> None:
    names = [one["Name"] for one in datum.get("Dimensions", [])]
    if len(names) > MOST_DIMENSIONS:
        message = f"The collection {where}.Dimensions must not have a size greater than {MOST_DIMENSIONS}."
        raise _value_error(message)
    if len(set(names)) < len(names):
        raise _value_error(f"The collection {where}.Dimensions must not contain a dimension twice.")


def _values(datum: _Datum, where: str) -> StatisticSet:
    given = [one for one in ("Value", "Values", "StatisticValues") if one in datum]
    if not given:
        raise AwsError("MissingParameter", f"The parameter {where}.Value is required.")
    if len(given) > 1:
        names = " and ".join(f"{where}.{one}" for one in given[:2])
        raise _combination(f"The parameters {names} are mutually exclusive and you have specified both.")
    if given == ["StatisticValues"]:
        return _statistic_set(datum["StatisticValues"], f"{where}.StatisticValues")
    found = StatisticSet()
    for value, count in _counted(datum, where):
        if count > 0:
            found.add(value, count)
    if found.count == 0:
        raise _value_error(f"The parameter {where}.Counts must have a count above 0.")
    return found


def _counted(datum: _Datum, where: str) -> Iterator[tuple[float, float]]:
    values: Sequence[float] = datum.get("Values", [datum.get("Value")])
    counts: Sequence[float] = datum.get("Counts", [1.0] * len(values))
    if not 1 <= len(values) <= MOST_VALUES:
        raise _value_error(f"The collection {where}.Values must have between 1 and {MOST_VALUES} values.")
    if len(counts) != len(values):
        raise _combination(f"The parameters {where}.Values and {where}.Counts must have the same size.")
    for value, count in zip(values, counts, strict=True):
        _check_number(value, f"{where}.Value")
        _check_number(count, f"{where}.Counts")
        if count < 0:
            raise _value_error(f"The parameter {where}.Counts must not be negative.")
        yield float(value), float(count)


def _statistic_set(given: Mapping[str, float], where: str) -> StatisticSet:
    for name, value in given.items():
        _check_number(value, f"{where}.{name}")
    if given["SampleCount"] <= 0:
        raise _value_error(f"The parameter {where}.SampleCount must be greater than 0.")
    if given["Minimum"] > given["Maximum"]:
        raise _combination(f"The parameter {where}.Maximum must be greater than {where}.Minimum.")
    return reported(given["SampleCount"], given["Sum"], given["Minimum"], given["Maximum"])


def _check_number(value: float, where: str) -> None:
    if not math.isfinite(value) or abs(value) > GREATEST:
        raise _value_error(f"The parameter {where} must be a number from -2^360 to 2^360.")


def _value_error(message: str) -> AwsError:
    return AwsError("InvalidParameterValue", message)


def _combination(message: str) -> AwsError:
    return AwsError("InvalidParameterCombination", message)
