"""Alarms, and the state that a metric alarm's datapoints call for, by CloudWatch's documented rules.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any, NamedTuple

from simulator.cloudwatch.metrics import MetricName, metric_name
from simulator.cloudwatch.queries import dimensions_of
from simulator.wire.protocol import ACCOUNT, REGION

ALWAYS_IGNORING = "AWS/DynamoDB"
_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
THRESHOLD_COMPARISONS = tuple(_COMPARISONS)
BAND_COMPARISONS = (
    "LessThanLowerOrGreaterThanUpperThreshold",
    "LessThanLowerThreshold",
    "GreaterThanUpperThreshold",
)


class AlarmState(StrEnum):
    """An alarm's state (API_MetricAlarm)."""

    OK = "OK"
    ALARM = "ALARM"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


ACTIONS = {
    AlarmState.ALARM: "AlarmActions",
    AlarmState.OK: "OKActions",
    AlarmState.INSUFFICIENT_DATA: "InsufficientDataActions",
}


class Missing(StrEnum):
    """How an alarm treats missing data."""

    MISSING = "missing"
    IGNORE = "ignore"
    BREACHING = "breaching"
    NOT_BREACHING = "notBreaching"


@dataclass(frozen=True)
class Standing:
    """A state and why it was entered. `suppressed_by` says what holds its actions back, if anything does."""

    state: AlarmState
    reason: str
    reason_data: str
    at: datetime
    suppressed_by: str = ""


@dataclass
class Alarm:
    """An alarm: what it was configured with, and where it stands."""

    parameters: dict[str, Any]
    standing: Standing
    configured_at: datetime
    transitioned_at: datetime
    history: list[dict[str, Any]] = field(default_factory=list)

    kind = "MetricAlarm"

    @property
    def name(self) -> str:
        """The alarm's name."""
        return str(self.parameters["AlarmName"])

    @property
    def arn(self) -> str:
        """The alarm's ARN."""
        return f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{self.name}"

    def actions(self, state: AlarmState) -> list[str]:
        """What is to be done when it enters a state."""
        found: list[str] = self.parameters.get(ACTIONS[state], [])
        return found


@dataclass(frozen=True)
class Change:
    """A state transition of one alarm, or the end of what held its actions back.

    `due` says whether the actions of the state are to be taken now.
    """

    alarm: Alarm
    before: Standing
    after: Standing
    due: bool = True

    @property
    def is_transition(self) -> bool:
        """Whether the state changed."""
        return self.before.state is not self.after.state

    @property
    def actions(self) -> list[str]:
        """What is to be done now."""
        due = self.due and self.alarm.parameters.get("ActionsEnabled", True)
        return self.alarm.actions(self.after.state) if due else []


@dataclass
class MetricAlarm(Alarm):
    """An alarm on one metric, on an expression, or on the band of a metric."""

    def configure(self, parameters: dict[str, Any], at: datetime) -> None:
        """Take a new configuration; the state stays."""
        self.parameters, self.configured_at = parameters, at
        for derived in ("metric", "period", "missing", "threshold", "compare"):
            self.__dict__.pop(derived, None)

    @property
    def periods(self) -> int:
        """N of M-of-N."""
        return int(self.parameters["EvaluationPeriods"])

    @property
    def needed(self) -> int:
        """M of M-of-N."""
        return int(self.parameters.get("DatapointsToAlarm", self.periods))

    @property
    def queries(self) -> list[dict[str, Any]]:
        """The queries of an alarm on metric math; none where it watches a metric."""
        found: list[dict[str, Any]] = self.parameters.get("Metrics", [])
        return found

    @property
    def stat(self) -> str:
        """The statistic or percentile that an alarm on one metric watches."""
        return str(self.parameters.get("Statistic") or self.parameters["ExtendedStatistic"])

    @property
    def dimensions(self) -> dict[str, str]:
        """The dimensions of its metric."""
        return dimensions_of(self.parameters)

    @cached_property
    def metric(self) -> MetricName | None:
        """The metric it watches, where it is one."""
        if self.queries:
            return None
        return metric_name(self.parameters["Namespace"], self.parameters["MetricName"], self.dimensions)

    @cached_property
    def period(self) -> int:
        """The length of its periods."""
        if not self.queries:
            return int(self.parameters["Period"])
        stated = [one["MetricStat"]["Period"] for one in self.queries if "MetricStat" in one]
        stated += [one["Period"] for one in self.queries if "Period" in one]
        return int(stated[0])

    @cached_property
    def threshold(self) -> float | None:
        """What values are compared with; None where it is a band."""
        found = self.parameters.get("Threshold")
        return None if found is None else float(found)

    @cached_property
    def compare(self) -> Callable[[float, float], bool] | None:
        """How values are compared with the threshold; None where it is a band."""
        return _COMPARISONS.get(self.parameters["ComparisonOperator"])

    @cached_property
    def missing(self) -> Missing:
        """How it treats missing data. Alarms on DynamoDB's metrics always ignore it (API reference)."""
        metrics = [one["MetricStat"]["Metric"] for one in self.queries if "MetricStat" in one]
        if ALWAYS_IGNORING in [one.get("Namespace") for one in metrics or [self.parameters]]:
            return Missing.IGNORE
        return Missing(self.parameters.get("TreatMissingData", "missing"))


class Point(NamedTuple):
    """A datapoint that exists: when it begins, what it is, and the edges of the band it is held against."""

    at: int
    value: float
    breaches: bool
    lower: float | None = None
    upper: float | None = None


@dataclass(frozen=True)
class Judgement:
    """A verdict on the evaluation range: the state, or None to stay, and the points it rests on."""

    state: AlarmState | None
    points: tuple[Point, ...] = ()
    filled: int = 0


def judge(alarm: MetricAlarm, points: Sequence[Point | None]) -> Judgement:
    """The state that the points call for, oldest first, missing ones filled only as often as needed."""
    real = [one for one in points if one is not None]
    recent = tuple(real[-alarm.periods :])
    breaching = sum(one.breaches for one in recent)
    filled = max(0, alarm.periods - len(real))
    if breaching >= alarm.needed:
        return Judgement(AlarmState.ALARM, recent, filled)
    if filled == 0 or alarm.missing is Missing.NOT_BREACHING:
        return Judgement(AlarmState.OK, recent, filled)
    if alarm.missing is Missing.BREACHING:
        state = AlarmState.ALARM if breaching + filled >= alarm.needed else AlarmState.OK
        return Judgement(state, recent, filled)
    if breaching < len(recent):
        return Judgement(AlarmState.OK, recent, filled)
    return _judge_sparse(alarm, points, recent, filled)


def _judge_sparse(
    alarm: MetricAlarm, points: Sequence[Point | None], recent: tuple[Point, ...], filled: int
) -> Judgement:
    """Every real point breaches, or none exists, and there are fewer than the alarm needs."""
    if alarm.missing is Missing.IGNORE:
        return Judgement(None)
    if not recent:
        return Judgement(AlarmState.INSUFFICIENT_DATA, (), filled)
    oldest = next(len(points) - at for at, one in enumerate(points) if one is not None)
    # Raised early once the oldest breaching point is as old as the points needed, held back before.
    return Judgement(AlarmState.ALARM if oldest >= alarm.needed else None, recent, filled)
