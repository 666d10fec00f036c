"""What an alarm shows by itself: its rule, its metric's onset, whether it has been there before, and its neighbours."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from memory.records.alarm import AlarmState
from memory.records.evidence import Evidence
from memory.records.incident import Incident
from tools.analysis.points import Point, points_of
from tools.analysis.ramps import find_ramp
from tools.analysis.seasons import is_usual
from tools.analysis.series import find_onset
from tools.analysis.thresholds import breaches_before, recovered_at, threshold_of
from tools.collectors.readable import facts_in, is_in_part, is_readable
from tools.collectors.running import Collecting, Running
from tools.collectors.series import MINUTES, Wanted, incomplete_in, read_series, series_in
from tools.observe.alarm_metric import metric_of
from tools.observe.describe_alarm import DescribeAlarm, describe_alarm
from tools.observe.get_metric import GetMetric, get_metric
from tools.observe.sources import Sources

CALM = timedelta(minutes=5)
DAYS_MINUTES = 8 * 1440
DAYS_STEP = timedelta(minutes=5)
# Without a change in the metric, what it warns of began about this long before.
USUALLY_BEFORE = timedelta(minutes=5)
# What climbs slowly leaves its noise some time after the climb began. What jumps does not.
LEAST_RISE = 0.5
LONG = timedelta(minutes=10)
Q = TypeVar("Q")


@dataclass(frozen=True)
class AlarmView:
    """What the alarm shows: since when its metric is another, whether that is over, and whether it was so before."""

    onset: datetime
    seen: tuple[str, ...]
    recovered_at: datetime | None = None
    earlier_spikes: int = 0
    dimensions: dict[str, str] = field(default_factory=dict)
    is_usual: bool = False


@dataclass
class AlarmReading:
    """What is being read of an alarm; where its event names the metric, that does not wait for the rule.

    `told` is the metric that is read: the event's, until the rule is known to name another.
    """

    sources: Sources
    incident: Incident
    collecting: Collecting
    described: Running[Evidence]
    told: GetMetric | None = None
    series: Running[Evidence] | None = None
    days: Running[Evidence] | None = None

    def follow(self, metric: GetMetric | None) -> None:
        """Start to read a metric and its earlier days, unless it is read already."""
        if metric is None or metric == self.told:
            return
        self.told = metric
        self.series = _started(self.sources, self.collecting, get_metric, metric, "the alarm's metric")
        what = "the alarm's metric on earlier days"
        self.days = _started(self.sources, self.collecting, _days, metric, what)

    def onset(self) -> datetime:
        """Return since when the metric is another, as soon as that is known."""
        if self.series is None:
            return self.view().onset
        evidence, alarm = self._taken(self.series), self.incident.alarm
        points = _points(evidence)
        return _begun(self.incident, points, alarm.threshold)

    def view(self) -> AlarmView:
        """Return all that the alarm shows."""
        described = self._taken(self.described)
        facts = facts_in(described) if described else {}
        metric = metric_of(self.incident.alarm, facts, MINUTES)
        self.follow(metric)
        series = self._taken(self.series) if self.series else None
        seen = tuple(one.evidence_id for one in (described, series) if one)
        view = _view(self.incident, facts, metric, _points(series), seen)
        if series is not None and incomplete_in(series):
            view = replace(view, recovered_at=None)
        days = self._taken(self.days) if self.days else None
        if days is None:
            return view
        points = (series_in(days) or {}).get("value", [])
        usual = not incomplete_in(days) and is_usual(points, DAYS_STEP, view.onset)
        return replace(view, is_usual=usual, seen=(*view.seen, days.evidence_id))

    def _taken(self, running: Running[Evidence]) -> Evidence | None:
        """Return what was read, also where it says only that nothing could be; that is then named as not checked."""
        evidence = self.collecting.take(running)
        if evidence is not None and not is_readable(evidence):
            self.collecting.miss(running.what)
        elif evidence is not None and (is_in_part(evidence) or incomplete_in(evidence)):
            self.collecting.miss_rest(running.what)
        return evidence


def read_alarm(sources: Sources, incident: Incident, collecting: Collecting) -> AlarmReading:
    """Start to read an alarm's rule and history and, where its event says which metric it is, that."""
    asked = DescribeAlarm(alarm_name=incident.alarm.name)
    described = _started(sources, collecting, describe_alarm, asked, "the alarm's rule and history")
    reading = AlarmReading(sources, incident, collecting, described)
    reading.follow(metric_of(incident.alarm, {}, MINUTES))
    return reading


def _started(
    sources: Sources, collecting: Collecting, look: Callable[[Sources, Q], Evidence], asked: Q, what: str
) -> Running[Evidence]:
    """Start a collector with an allowance of its own."""
    allowed = sources.allowed()
    return collecting.start(partial(look, allowed, asked), what, allowed.recorder.stop)


def _days(sources: Sources, metric: GetMetric) -> Evidence:
    """Read a metric over some days, in five minutes a point, to know what is usual at this time of day."""
    wanted = Wanted(metric.namespace, metric.metric_name, metric.dimensions, metric.stat)
    title = f"{metric.namespace} {metric.metric_name} on earlier days"
    return read_series(sources, title, {"value": wanted}, DAYS_MINUTES, DAYS_STEP)


def _points(evidence: Evidence | None) -> list[Point]:
    return points_of(facts_in(evidence).get("points", [])) if evidence else []


def _begun(incident: Incident, points: Sequence[Point], threshold: float | None) -> datetime:
    started = incident.episode_started_at
    return min(_onset(points, threshold) or started - USUALLY_BEFORE, started)


def _view(
    incident: Incident,
    facts: dict[str, Any],
    metric: GetMetric | None,
    points: Sequence[Point],
    seen: tuple[str, ...],
) -> AlarmView:
    dimensions = metric.dimensions if metric else {}
    number = facts.get("threshold", incident.alarm.threshold)
    onset = _begun(incident, points, float(number) if isinstance(number, int | float) else None)
    threshold = threshold_of(facts)
    # Without its rule nobody knows which of its values are bad.
    if threshold is None or not points:
        return AlarmView(onset, seen, dimensions=dimensions)
    # An alarm judges its own metric last, and by more than one datapoint: while it rings, it is not over.
    is_ok = facts.get("state") == AlarmState.OK
    return AlarmView(
        onset,
        seen,
        recovered_at(points, threshold, CALM) if is_ok else None,
        breaches_before(points, threshold, onset - timedelta(minutes=10)),
        dimensions,
    )


def _onset(points: Sequence[Point], threshold: float | None) -> datetime | None:
    """Return since when the metric is another: where a long climb began, or where it left its level."""
    change = find_onset(points)
    ramp = find_ramp(points, LEAST_RISE * threshold) if threshold and threshold > 0 else None
    if ramp is not None and points[-1][0] - ramp.since >= LONG:
        return ramp.since
    return change.at if change else None
