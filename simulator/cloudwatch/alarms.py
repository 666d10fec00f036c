"""Metric alarms, and the state that their datapoints call for, by CloudWatch's documented rules.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from simulator.cloudwatch.metrics import MetricStore
from simulator.wire.protocol import ACCOUNT, REGION

EXTRA_POINTS = 2
_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}


class AlarmState(StrEnum):
    """An alarm's state (API_MetricAlarm)."""

    OK = "OK"
    ALARM = "ALARM"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


class Missing(StrEnum):
    """How an alarm treats missing data."""

    MISSING = "missing"
    IGNORE = "ignore"
    BREACHING = "breaching"
    NOT_BREACHING = "notBreaching"


@dataclass(frozen=True)
class Standing:
    """A state and why it was entered."""

    state: AlarmState
    reason: str
    reason_data: str
    at: datetime


@dataclass(frozen=True)
class Change:
    """A state transition of one alarm."""

    alarm: "Alarm"
    before: Standing
    after: Standing


@dataclass
class Alarm:
    """One metric alarm: what PutMetricAlarm was given, and where it stands."""

    parameters: dict[str, Any]
    standing: Standing
    configured_at: datetime
    transitioned_at: datetime
    history: list[dict[str, Any]] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The alarm's name."""
        return str(self.parameters["AlarmName"])

    @property
    def arn(self) -> str:
        """The alarm's ARN."""
        return f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{self.name}"

    @property
    def periods(self) -> int:
        """N of M-of-N."""
        return int(self.parameters["EvaluationPeriods"])

    @property
    def needed(self) -> int:
        """M of M-of-N."""
        return int(self.parameters.get("DatapointsToAlarm", self.periods))

    @property
    def stat(self) -> str:
        """The statistic or percentile it watches."""
        return str(self.parameters.get("Statistic") or self.parameters["ExtendedStatistic"])

    @property
    def dimensions(self) -> dict[str, str]:
        """The dimensions of its metric."""
        return {one["Name"]: one["Value"] for one in self.parameters.get("Dimensions", [])}

    @property
    def missing(self) -> Missing:
        """How it treats missing data. Alarms on DynamoDB's metrics always ignore it (API reference)."""
        if self.parameters["Namespace"] == "AWS/DynamoDB":
            return Missing.IGNORE
        return Missing(self.parameters.get("TreatMissingData", "missing"))

    def breaches(self, value: float) -> bool:
        """Whether a datapoint is on the wrong side of the threshold."""
        return _COMPARISONS[self.parameters["ComparisonOperator"]](value, self.parameters["Threshold"])


@dataclass(frozen=True)
class Judgement:
    """A verdict on the evaluation range: the state, or None to stay, and the points it rests on."""

    state: AlarmState | None
    points: tuple[tuple[datetime, float], ...] = ()
    filled: int = 0


def points_in_range(alarm: Alarm, metrics: MetricStore, now: datetime) -> list[tuple[datetime, float | None]]:
    """The evaluation range, oldest first: a few periods more than are evaluated, missing ones as None."""
    period = int(alarm.parameters["Period"])
    end = int(now.timestamp()) // period * period
    begins = [end - period * back for back in range(alarm.periods + EXTRA_POINTS, 0, -1)]
    times = [datetime.fromtimestamp(one, now.tzinfo) for one in begins]
    found = dict(
        metrics.series(
            str(alarm.parameters["Namespace"]),
            str(alarm.parameters["MetricName"]),
            alarm.dimensions,
            times[0],
            times[-1] + timedelta(seconds=period),
            period,
            alarm.stat,
        )
    )
    return [(one, found.get(one)) for one in times]


def judge(alarm: Alarm, points: Sequence[tuple[datetime, float | None]]) -> Judgement:
    """The state that the points call for, missing ones filled only as often as needed."""
    real = [(at, value) for at, value in points if value is not None]
    recent = tuple(real[-alarm.periods :])
    breaching = sum(alarm.breaches(value) for _, value in recent)
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
    alarm: Alarm,
    points: Sequence[tuple[datetime, float | None]],
    recent: tuple[tuple[datetime, float], ...],
    filled: int,
) -> Judgement:
    """Every real point breaches, or none exists, and there are fewer than the alarm needs."""
    if alarm.missing is Missing.IGNORE:
        return Judgement(None)
    if not recent:
        return Judgement(AlarmState.INSUFFICIENT_DATA, (), filled)
    ages = [len(points) - at for at, (_, value) in enumerate(points) if value is not None]
    # Raised early once the oldest breaching point is as old as the points needed, held back before.
    return Judgement(AlarmState.ALARM if max(ages) >= alarm.needed else None, recent, filled)
