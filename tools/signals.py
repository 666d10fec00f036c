"""What shows, beside the alarm, whether an action helped: the service's level, and what the action itself promised.

Both are held against what they were before the action: an incident grows, so before is the worst of its last minutes.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from statistics import fmean
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import ValidationError

from memory.records.alarm import Metric
from memory.records.config import Service
from memory.records.outcome import Execution, Signal, SignalState
from memory.records.plan import ExpectedSignal
from tools.actions.base import Action
from tools.actions.registry import Catalogue, named
from tools.analysis.failing import LATE, known_requests
from tools.analysis.series import Point, points_of
from tools.observe.get_metric import GetMetric, get_metric
from tools.observe.sources import Sources

BEFORE = timedelta(minutes=3)
SETTLING = timedelta(minutes=2)
LATEST = 2
WORSE_FACTOR = 1.5
STARVED = 0.2
"""Less than this share of the requests that came before means that they do not come through any more."""
MINUTES = 60
_LEAST_REQUESTS = 10.0


@dataclass(frozen=True)
class Moment:
    """When the action was done, and now; and the evidence that was read for it."""

    acted_at: datetime
    now: datetime
    evidence_ids: list[str] = field(default_factory=list)

    def before(self, points: Sequence[Point], worst: Callable[..., Any] = max) -> float | None:
        """Return the worst of the last minutes before the action."""
        values = [value for at, value in points if self.acted_at - BEFORE <= at < self.acted_at]
        found = worst(values, default=None)
        return None if found is None else float(found)

    def after(self, points: Sequence[Point], period: timedelta) -> float | None:
        """Return the mean of the latest points since the action has had time to take effect.

        A sum over a period that is not over says nothing yet.
        """
        settled = [
            value for at, value in points if at >= self.acted_at + SETTLING and at + period <= self.now
        ]
        return fmean(settled[-LATEST:]) if len(settled) >= LATEST else None


def service_signals(sources: Sources, service: Service, moment: Moment) -> Iterator[Signal]:
    """Yield how a service fares against its level: failed share, latency, and whether requests still come."""
    if service.metrics is None:
        return
    asked = service.metrics

    def series(name: str, stat: str) -> list[Point]:
        question = GetMetric(
            namespace=asked.namespace,
            metric_name=name,
            dimensions=asked.dimensions,
            stat=stat,
            minutes=MINUTES,
        )
        return read_points(sources, question, moment)

    requests, errors = series(asked.requests, "Sum"), series(asked.errors, "Sum")
    failed, known = dict(errors), known_requests(requests, errors, moment.now)
    shares = [(at, failed.get(at, 0.0) / count) for at, count in known if count]
    limits = {"share": 1 - service.slo.availability, "latency": service.slo.latency_ms_p99}
    yield _held(f"{service.name}: share of requests that fail", shares, moment, limits["share"])
    yield _held(f"{service.name}: p99 latency in ms", series(asked.latency, "p99"), moment, limits["latency"])
    yield _coming(f"{service.name}: requests a minute", requests, moment)


def is_well(signal: Signal) -> bool:
    """Say whether a part of the level is as it should be; of few requests nothing is expected."""
    return signal.state is SignalState.MET or (signal.state is SignalState.UNKNOWN and signal.now is not None)


def _held(text: str, points: Sequence[Point], moment: Moment, limit: float) -> Signal:
    """Judge a value that is the better the smaller it is: within its limit it is well, whatever it was before."""
    before, now = moment.before(points), moment.after(points, _MINUTE)
    if now is None:
        state = SignalState.UNKNOWN
    elif now <= limit:
        state = SignalState.MET
    elif before is not None and now > before * WORSE_FACTOR:
        state = SignalState.WORSE
    else:
        state = SignalState.NOT_MET
    return Signal(text=f"{text}, at most {limit:g}", state=state, before=before, now=now)


def _coming(text: str, points: Sequence[Point], moment: Moment) -> Signal:
    """Judge whether requests still come: absent points are awaited until they are too old to be only late."""
    calm = [value for at, value in points if at < moment.acted_at]
    before, now = (fmean(calm) if calm else None), moment.after(points, _MINUTE)
    if before is None or before < _LEAST_REQUESTS:
        state = SignalState.UNKNOWN
    elif now is None:
        due = moment.acted_at + SETTLING + (LATEST + 1) * _MINUTE + LATE
        state = SignalState.WORSE if moment.now >= due else SignalState.AWAITED
    else:
        state = SignalState.WORSE if now < before * STARVED else SignalState.MET
    return Signal(text=text, state=state, before=before, now=now)


def promised_signals(
    sources: Sources, catalogue: Catalogue, done: Execution, watch: Moment
) -> Iterator[Signal]:
    """Yield what an action promised when it was done, and whether it is seen; nothing where the record is of old."""
    action = named(catalogue, done.action)
    if action is None:
        return
    try:
        params = action.parameters.model_validate(done.parameters)
        promised = action.expected(params, done.before)
    except (ValidationError, KeyError):
        return
    moment = replace(watch, acted_at=done.done_at or done.claimed_at)
    for expected in promised:
        before, seen = _values(sources, action, params, expected, done, moment)
        due = moment.acted_at + timedelta(seconds=expected.within_seconds)
        if expected.met(before, seen):
            state = SignalState.MET
        elif seen is None:
            state = SignalState.UNKNOWN
        else:
            state = SignalState.NOT_MET if moment.now >= due else SignalState.AWAITED
        yield Signal(text=expected.text, state=state, before=before, now=seen)


def _values(
    sources: Sources,
    action: Action[Any],
    params: Any,
    expected: ExpectedSignal,
    done: Execution,
    moment: Moment,
) -> tuple[Any, Any]:
    """Return what a signal was before and what it is; None for what cannot be read."""
    if expected.metric is None:
        try:
            state: Mapping[str, Any] = action.read_state(sources.access, params)
        except (ClientError, BotoCoreError):
            return done.before.get(expected.state_key), None
        return _plain(done.before.get(expected.state_key)), _plain(state.get(expected.state_key))
    period = timedelta(seconds=expected.metric.period_seconds or 60)
    points = _filled(
        read_points(sources, _question(expected.metric), moment), expected.no_points, moment, period
    )
    return moment.before(points), moment.after(points, period)


def _plain(value: Any) -> Any:
    return value if isinstance(value, bool | int | float | str) else None


def _question(metric: Metric) -> GetMetric:
    return GetMetric(
        namespace=metric.namespace,
        metric_name=metric.name,
        dimensions=metric.dimensions,
        stat=metric.stat or "Sum",
        minutes=MINUTES,
        period_seconds=metric.period_seconds or 60,
    )


def _filled(points: list[Point], stands_for: float | None, moment: Moment, period: timedelta) -> list[Point]:
    """Put what a missing point stands for where CloudWatch has none."""
    if stands_for is None:
        return points
    have, at, filled = dict(points), moment.acted_at - BEFORE, []
    seconds = period.total_seconds()
    at = datetime.fromtimestamp(at.timestamp() // seconds * seconds, tz=moment.acted_at.tzinfo)
    while at + period <= moment.now:
        filled.append((at, have.get(at, stands_for)))
        at += period
    return filled


def read_points(sources: Sources, question: GetMetric, moment: Moment) -> list[Point]:
    """Read a metric's points as evidence; none where it has none or cannot be read."""
    evidence = get_metric(sources, question)
    moment.evidence_ids.append(evidence.evidence_id)
    result = evidence.result if isinstance(evidence.result, dict) else {}
    return points_of(result.get("points", []))


_MINUTE = timedelta(minutes=1)
