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
from memory.records.evidence import PARTIAL, UNREAD, Evidence
from memory.records.outcome import Execution, Signal, SignalState
from memory.records.plan import Direction, ExpectedSignal
from tools.actions.base import Action
from tools.actions.registry import Catalogue, named
from tools.analysis.chance import may_be_chance
from tools.analysis.failing import LATE, known_requests
from tools.analysis.points import Point, points_of
from tools.errors import error_code
from tools.observe.get_metric import GetMetric, get_metric
from tools.observe.sources import Sources

BEFORE = timedelta(minutes=3)
SETTLING = timedelta(minutes=2)
LATEST = 2
WORSE_FACTOR = 1.5
STARVED = 0.2
"""Less than this share of the requests that came before means that they do not come through any more."""
MINUTES, MOST_MINUTES = 60, 1440
_LEAST_REQUESTS = 10.0
_OVER = frozenset({SignalState.NOT_MET, SignalState.WORSE})


@dataclass(frozen=True)
class Moment:
    """When the action was done, and now; and the evidence that was read for it."""

    acted_at: datetime
    now: datetime
    evidence_ids: list[str] = field(default_factory=list)

    @property
    def all_in(self) -> datetime:
        """Return when the first points that count after the action can no longer be late."""
        return self.acted_at + SETTLING + (LATEST + 1) * _MINUTE + LATE

    @property
    def minutes(self) -> int:
        """Return how far back to ask, in minutes, so that a look that comes late still sees how it was before."""
        since = int((self.now - self.acted_at).total_seconds() // 60)
        return min(max(MINUTES, since + MINUTES // 4), MOST_MINUTES)

    def before(self, points: Sequence[Point], worst: Callable[..., Any] = max) -> float | None:
        """Return the worst of the last minutes before the action."""
        values = [value for at, value in points if self.acted_at - BEFORE <= at < self.acted_at]
        found = worst(values, default=None)
        return None if found is None else float(found)

    def after(self, points: Sequence[Point], period: timedelta) -> float | None:
        """Return the mean of the latest points since the action has had time to take effect.

        A sum over a period that is not over says nothing yet.
        """
        settled = [value for _, value in self.settled(points, period)]
        return fmean(settled[-LATEST:]) if len(settled) >= LATEST else None

    def settled(self, points: Sequence[Point], period: timedelta) -> list[Point]:
        """Return the whole points from when the action has had time to take effect."""
        return [one for one in points if one[0] >= self.acted_at + SETTLING and one[0] + period <= self.now]


@dataclass(frozen=True)
class Reading:
    """A metric's points, or the reason why they could not be read, all of them."""

    points: list[Point]
    unread: str = ""


def service_signals(sources: Sources, service: Service, moment: Moment) -> Iterator[Signal]:
    """Yield how a service fares against its level: failed share, latency, and whether requests still come.

    What could not be read is UNKNOWN with the reason: nothing is said of it, neither good nor bad.
    """
    if service.metrics is None:
        return
    asked = service.metrics

    def series(name: str, stat: str) -> Reading:
        question = GetMetric(
            namespace=asked.namespace,
            metric_name=name,
            dimensions=asked.dimensions,
            stat=stat,
            minutes=moment.minutes,
        )
        return read_metric(sources, question, moment)

    requests, errors = series(asked.requests, "Sum"), series(asked.errors, "Sum")
    limits = {"share": 1 - service.slo.availability, "latency": service.slo.latency_ms_p99}
    coming = _coming(f"{service.name}: requests a minute", requests, moment)
    share = _held(
        f"{service.name}: share of requests that fail",
        _shares(requests, errors, moment),
        moment,
        limits["share"],
    )
    if share.state in _OVER and _may_be_chance(requests, errors, moment, limits["share"]):
        share = share.model_copy(update={"state": SignalState.UNKNOWN})
    late = share.now is None and not share.unread and coming.state is SignalState.MET
    if late and moment.now < moment.all_in:
        share = share.model_copy(update={"state": SignalState.AWAITED})
    yield share
    yield _held(f"{service.name}: p99 latency in ms", series(asked.latency, "p99"), moment, limits["latency"])
    yield coming


def _shares(requests: Reading, errors: Reading, moment: Moment) -> Reading:
    """Return the share that failed of each minute's requests, where that is known."""
    failed, known = dict(errors.points), known_requests(requests.points, errors.points, moment.now)
    shares = [(at, failed.get(at, 0.0) / count) for at, count in known if count]
    return Reading(shares, requests.unread or errors.unread)


def _may_be_chance(requests: Reading, errors: Reading, moment: Moment, limit: float) -> bool:
    """Say whether the failures that are judged are too few of too few requests to tell of anything."""
    failed, known = dict(errors.points), known_requests(requests.points, errors.points, moment.now)
    judged = moment.settled([(at, count) for at, count in known if count], _MINUTE)[-LATEST:]
    return may_be_chance(sum(failed.get(at, 0.0) for at, _ in judged), sum(n for _, n in judged), limit)


def is_well(signal: Signal) -> bool:
    """Say whether a part of the level is as it should be; of few requests nothing is expected."""
    return signal.state is SignalState.MET or (signal.state is SignalState.UNKNOWN and signal.now is not None)


def is_silent(signal: Signal) -> bool:
    """Say whether something was known before, can be read, and is not there any more."""
    gone = signal.now is None and signal.before is not None and not signal.unread
    return gone and signal.state is SignalState.UNKNOWN


def _held(text: str, read: Reading, moment: Moment, limit: float) -> Signal:
    """Judge a value that is the better the smaller it is: within its limit it is well, whatever it was before."""
    text = f"{text}, at most {limit:g}"
    if read.unread:
        return Signal(text=text, state=SignalState.UNKNOWN, unread=read.unread)
    before, now = moment.before(read.points), moment.after(read.points, _MINUTE)
    if now is None:
        state = SignalState.UNKNOWN
    elif now <= limit:
        state = SignalState.MET
    elif before is not None and now > before * WORSE_FACTOR:
        state = SignalState.WORSE
    else:
        state = SignalState.NOT_MET
    improved = before is not None and now is not None and now * WORSE_FACTOR < before
    return Signal(text=text, state=state, before=before, now=now, improved=improved)


def _coming(text: str, read: Reading, moment: Moment) -> Signal:
    """Judge whether requests still come: absent points are awaited until they are too old to be only late."""
    if read.unread:
        return Signal(text=text, state=SignalState.UNKNOWN, unread=read.unread)
    calm = [value for at, value in read.points if at < moment.acted_at]
    before, now = (fmean(calm) if calm else None), moment.after(read.points, _MINUTE)
    if before is None or before < _LEAST_REQUESTS:
        state = SignalState.UNKNOWN
    elif now is None:
        state = SignalState.WORSE if moment.now >= moment.all_in else SignalState.AWAITED
    else:
        state = SignalState.WORSE if now < before * STARVED else SignalState.MET
    return Signal(text=text, state=state, before=before, now=now)


def promised_signals(
    sources: Sources, catalogue: Catalogue, done: Execution, watch: Moment
) -> Iterator[Signal]:
    """Yield what an action promised when it was done, and whether it is seen; nothing where the record is of old."""
    found = _promise(catalogue, done)
    if found is None:
        return
    action, params, promised = found
    moment = replace(watch, acted_at=done.done_at or done.claimed_at)
    for expected in promised:
        before, seen, unread = _values(sources, action, params, expected, done, moment)
        due = moment.acted_at + timedelta(seconds=expected.within_seconds)
        if expected.met(before, seen):
            state = SignalState.MET
        elif seen is None:
            late = expected.metric is not None and not unread and moment.now < moment.all_in
            state = SignalState.AWAITED if late else SignalState.UNKNOWN
        else:
            state = SignalState.NOT_MET if moment.now >= due else SignalState.AWAITED
        yield Signal(
            text=expected.text,
            state=state,
            before=before,
            now=seen,
            unread=unread,
            improved=_improved(expected, before, seen),
        )


def promised_within(catalogue: Catalogue, done: Execution) -> timedelta:
    """Return how long after it was done the last of what an action promised is due; no time where that is not known."""
    found = _promise(catalogue, done)
    return timedelta(seconds=max((one.within_seconds for one in found[2]), default=0) if found else 0)


def _promise(
    catalogue: Catalogue, done: Execution
) -> tuple[Action[Any], Any, tuple[ExpectedSignal, ...]] | None:
    """Return an action of the catalogue with what it promised when it was done, or None where the record is of old."""
    action = named(catalogue, done.action)
    if action is None:
        return None
    try:
        params = action.parameters.model_validate(done.parameters)
        return action, params, tuple(action.expected(params, done.before))
    except (ValidationError, KeyError):
        return None


def _improved(expected: ExpectedSignal, before: Any, now: Any) -> bool:
    """Say whether a number went far in the direction that was promised, though it may not have got there."""
    if not all(isinstance(one, int | float) and not isinstance(one, bool) for one in (before, now)):
        return False
    match expected.direction:
        case Direction.FALLS:
            return bool(now * WORSE_FACTOR < before)
        case Direction.RISES:
            return bool(now > before * WORSE_FACTOR)
        case Direction.BECOMES:
            return False


def _values(
    sources: Sources,
    action: Action[Any],
    params: Any,
    expected: ExpectedSignal,
    done: Execution,
    moment: Moment,
) -> tuple[Any, Any, str]:
    """Return what a signal was before, what it is, and why that cannot be read; None for what is not known."""
    if expected.metric is None:
        try:
            state: Mapping[str, Any] = action.read_state(sources.access, params)
        except (ClientError, BotoCoreError) as error:
            return _plain(done.before.get(expected.state_key)), None, error_code(error)
        return _plain(done.before.get(expected.state_key)), _plain(state.get(expected.state_key)), ""
    period = timedelta(seconds=expected.metric.period_seconds or 60)
    read = read_metric(sources, _question(expected.metric, moment.minutes), moment)
    if read.unread:
        return None, None, read.unread
    points = _filled(read.points, expected.no_points, moment, period)
    return moment.before(points), moment.after(points, period), ""


def _plain(value: Any) -> Any:
    return value if isinstance(value, bool | int | float | str) else None


def _question(metric: Metric, minutes: int) -> GetMetric:
    return GetMetric(
        namespace=metric.namespace,
        metric_name=metric.name,
        dimensions=metric.dimensions,
        stat=metric.stat or "Sum",
        minutes=minutes,
        period_seconds=metric.period_seconds or 60,
    )


def _filled(points: list[Point], stands_for: float | None, moment: Moment, period: timedelta) -> list[Point]:
    """Put what a missing point stands for where CloudWatch has none, once it can no longer be late."""
    if stands_for is None:
        return points
    have, at, filled = dict(points), moment.acted_at - BEFORE, []
    seconds = period.total_seconds()
    at = datetime.fromtimestamp(at.timestamp() // seconds * seconds, tz=moment.acted_at.tzinfo)
    while at + period <= moment.now:
        if at in have or at + period + LATE <= moment.now:
            filled.append((at, have.get(at, stands_for)))
        at += period
    return filled


def read_metric(sources: Sources, question: GetMetric, moment: Moment) -> Reading:
    """Read a metric's points as evidence. None is an answer only where CloudWatch gave one, and the whole of it."""
    evidence = get_metric(sources, question)
    moment.evidence_ids.append(evidence.evidence_id)
    unread = unread_of(evidence)
    result = evidence.result if isinstance(evidence.result, dict) else {}
    return Reading([] if unread else points_of(result.get("points", [])), unread)


def unread_of(evidence: Evidence) -> str:
    """Say why what was asked was not read, or only in part; empty where it was."""
    gaps = [gap for gap in evidence.gaps if gap in UNREAD | PARTIAL]
    return ", ".join(gap.value.replace("_", " ") for gap in gaps)


_MINUTE = timedelta(minutes=1)
