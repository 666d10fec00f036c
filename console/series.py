"""The alarm's metric over the incident, and the moments worth a mark."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from graphs.copilot import Records
from memory.records.alarm import Metric
from memory.records.evidence import Evidence
from memory.records.incident_record import IncidentRecord
from memory.records.outcome import Recovery

BEFORE = timedelta(minutes=25)
AFTER = timedelta(minutes=4)
Point = tuple[datetime, float]


@dataclass(frozen=True)
class Mark:
    """A moment on the plot."""

    at: datetime
    kind: str
    label: str


@dataclass(frozen=True)
class Plot:
    """One metric with its threshold and its marks."""

    title: str
    points: tuple[Point, ...]
    marks: tuple[Mark, ...]
    threshold: float | None
    period: timedelta


def read_plot(records: Records, record: IncidentRecord) -> Plot | None:
    """Return the alarm's metric as the incident's stored evidence shows it; None without a metric."""
    alarm = record.incident.alarm
    metric = next((m for m in alarm.metrics if m.name), None)
    if metric is None:
        return None
    evidence = evidence_of(records, record)
    marks = tuple(sorted(find_marks(record, evidence), key=lambda mark: mark.at))
    moments = [mark.at for mark in marks] or [alarm.changed_at]
    since, until = min(moments) - BEFORE, max(moments) + AFTER
    points = tuple((at, value) for at, value in merged(evidence, metric) if since <= at <= until)
    where = ", ".join(f"{name} {value}" for name, value in metric.dimensions.items())
    title = f"{metric.namespace} {metric.name}, {metric.stat or 'Sum'}" + (f" ({where})" if where else "")
    period = timedelta(seconds=metric.period_seconds or 60)
    return Plot(title, points, marks, alarm.threshold or _threshold(evidence, alarm.name), period)


def _threshold(evidence: Iterable[Evidence], alarm_name: str) -> float | None:
    """Return the threshold as the alarm itself says it: an event of EventBridge does not carry it."""
    for seen in evidence:
        facts = seen.result if isinstance(seen.result, dict) else {}
        if facts.get("alarm_name") == alarm_name and facts.get("threshold") is not None:
            return float(facts["threshold"])
    return None


def evidence_of(records: Records, record: IncidentRecord) -> list[Evidence]:
    """Return what a record refers to by id, and nothing that was read after it was written."""
    scope, incident_id = record.incident.scope, record.incident.incident_id
    known = {reference.evidence_id for reference in record.evidence}
    return [seen for seen in records.evidence.all(scope, incident_id) if seen.evidence_id in known]


def merged(evidence: Iterable[Evidence], metric: Metric) -> list[Point]:
    """Return the datapoints of all reads of a metric, the latest read winning."""
    points: dict[datetime, float] = {}
    for seen in sorted(evidence, key=lambda e: e.taken_at):
        if seen.operation == "GetMetricData" and _is_of(seen, metric) and isinstance(seen.result, dict):
            for at, value in seen.result.get("points", []):
                points[datetime.fromisoformat(str(at))] = float(value)
    return sorted(points.items())


def _is_of(seen: Evidence, metric: Metric) -> bool:
    asked = seen.asked
    same = asked.get("metric_name") == metric.name and asked.get("namespace") == metric.namespace
    stat = asked.get("stat") == (metric.stat or "Sum")
    return same and stat and asked.get("dimensions") == metric.dimensions


def find_marks(record: IncidentRecord, evidence: Iterable[Evidence]) -> Iterable[Mark]:
    """Yield onset, change, alarm, actions and recovery, as far as each is known."""
    look, alarm = record.first_look, record.incident.alarm
    if look is not None and look.onset is not None:
        yield Mark(look.onset, "onset", "onset")
    changed = change_time(record, evidence)
    if changed is not None:
        yield Mark(changed[0], "change", f"change: {changed[1]}")
    yield Mark(alarm.changed_at, "alarm", "alarm")
    for execution in record.executions:
        what = "undone" if execution.is_revert else "action"
        yield Mark(execution.done_at or execution.claimed_at, "action", f"{what}: {execution.action}")
    recovered = [v for v in record.verifications if v.recovery is Recovery.RECOVERED and v.recovered_at]
    if recovered and recovered[-1].recovered_at:
        yield Mark(
            _ok_since(recovered[-1].evidence_ids, evidence) or recovered[-1].recovered_at, "recovery", "OK"
        )


def _ok_since(ids: tuple[str, ...], evidence: Iterable[Evidence]) -> datetime | None:
    """Return when the alarm itself says that it went back to OK, in the evidence of the recovery."""
    for seen in evidence:
        if seen.evidence_id in ids and isinstance(seen.result, dict) and seen.result.get("state") == "OK":
            since = seen.result.get("state_updated_at")
            return datetime.fromisoformat(since) if since else None
    return None


def change_time(record: IncidentRecord, evidence: Iterable[Evidence]) -> tuple[datetime, str] | None:
    """Return when the change that the leading hypothesis names was made, by the evidence that shows it."""
    leading = record.assessment.leading if record.assessment else None
    if leading is None or not leading.change:
        return None
    found = [at for seen in evidence for at, names in _changes(seen) if leading.change in names]
    before = [at for at in found if at <= record.incident.alarm.changed_at]
    return (max(before), leading.change) if before else None


def _changes(seen: Evidence) -> Iterable[tuple[datetime, tuple[str, ...]]]:
    """Yield the time of each deployment and each change of a resource, with the names it carries."""
    result = seen.result if isinstance(seen.result, dict) else {}
    for deployment in result.get("deployments", []):
        if deployment.get("created_at"):
            yield datetime.fromisoformat(deployment["created_at"]), (str(deployment.get("task_definition")),)
    for change in result.get("changes", []):
        parameters = change.get("parameters")
        if isinstance(parameters, dict):
            names = tuple(str(value).rsplit("/", 1)[-1] for value in parameters.values())
            yield datetime.fromisoformat(change["at"]), names
