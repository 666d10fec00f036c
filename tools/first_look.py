"""The first look: what code alone finds in seconds, with every observation stored."""

from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from memory.records.alarm import Metric
from memory.records.assessment import FirstLook
from memory.records.config import Rubric, Service, Topology
from memory.records.evidence import Evidence
from memory.records.incident import Incident, Severity
from tools.analysis.findings import Findings, Rollout, ServiceFinding, TableFinding
from tools.analysis.hypotheses import rank
from tools.analysis.series import breaches_before, find_onset, is_over, points_of
from tools.analysis.severity import rate
from tools.collectors import look_at_logs, look_at_rollouts, look_at_service, look_at_table
from tools.observe.describe_alarm import DescribeAlarm, describe_alarm
from tools.observe.get_metric import GetMetric, get_metric
from tools.observe.sources import Sources
from tools.observe.what_changed import WhatChanged, what_changed

COLLECTORS = 8
COLLECTOR_SECONDS = 20.0
MINUTES = 180
T = TypeVar("T")


@dataclass(frozen=True)
class _AlarmView:
    """What the alarm itself shows: when its metric changed, and whether it did so before."""

    onset: datetime
    seen: tuple[str, ...]
    is_over: bool
    earlier_spikes: int
    dimensions: dict[str, str]


def take_first_look(sources: Sources, incident: Incident, rubric: Rubric) -> FirstLook:
    """Read around the alarm in parallel, and rank what may have caused it. No model takes part."""
    alarm = _look_at_alarm(sources, incident)
    around = neighbourhood(sources.topology, incident.alarm.name, alarm.dimensions)
    findings, missing = _collect(sources, alarm, around)
    verdict, hypotheses, reason = rank(findings)
    affected = [finding for finding in findings.services if finding.affected]
    severity, why = rate(rubric, (finding.impact for finding in affected))
    if not affected and not any(table.throttled for table in findings.tables):
        severity, why = Severity.NONE if verdict.value == "noise" else severity, reason
    return FirstLook(
        onset=alarm.onset,
        impacts=tuple(finding.impact for finding in findings.services),
        severity=severity,
        severity_reason=why,
        verdict=verdict,
        hypotheses=hypotheses,
        evidence_ids=_all_ids(findings),
        affected=tuple(finding.service.name for finding in affected),
        healthy=tuple(f.service.name for f in findings.services if f.checked and not f.affected),
        not_checked=missing,
        reason=reason,
    )


def neighbourhood(topology: Topology, alarm_name: str, dimensions: dict[str, str]) -> tuple[Service, ...]:
    """Return the alarm's service first, then what it depends on, then what depends on it.

    The service is the one that lists the alarm, or one that a dimension of the metric names.
    """
    values = set(dimensions.values())
    own = topology.of_alarm(alarm_name) or next((s for s in topology.services if s.name in values), None)
    if own is None:
        callers = [s for s in topology.services if any(d.name in values for d in s.depends_on)]
        return tuple(callers)
    found = {own.name: own}
    _add_below(topology, own, found)
    for service in [*found.values()]:
        for caller in topology.upstream_of(service.name):
            found.setdefault(caller.name, caller)
    return tuple(found.values())


def _add_below(topology: Topology, service: Service, found: dict[str, Service]) -> None:
    for dependency in service.depends_on:
        below = topology.service(dependency.name)
        if below is not None and below.name not in found:
            found[below.name] = below
            _add_below(topology, below, found)


def _look_at_alarm(sources: Sources, incident: Incident) -> _AlarmView:
    """Read the alarm and its metric; without data the onset is when the alarm changed."""
    described = describe_alarm(sources, DescribeAlarm(alarm_name=incident.alarm.name))
    facts = described.result if isinstance(described.result, dict) else {}
    metric = _metric_of(incident, facts)
    fallback = incident.episode_started_at - timedelta(minutes=5)
    if metric is None:
        return _AlarmView(fallback, (described.evidence_id,), is_over=False, earlier_spikes=0, dimensions={})
    series = get_metric(sources, metric)
    points = points_of(_points(series))
    change = find_onset(points)
    onset = change.at if change else fallback
    threshold, above = facts.get("threshold"), "Greater" in str(facts.get("comparison", "Greater"))
    over, spikes = False, 0
    if isinstance(threshold, int | float):
        over = is_over(points, threshold, above=above, calm=timedelta(minutes=5))
        spikes = breaches_before(
            points, threshold, incident.episode_started_at - timedelta(minutes=15), above=above
        )
    seen = (described.evidence_id, series.evidence_id)
    return _AlarmView(onset, seen, over, spikes, metric.dimensions)


def _metric_of(incident: Incident, facts: dict[str, Any]) -> GetMetric | None:
    named: Metric | None = incident.alarm.metrics[0] if incident.alarm.metrics else None
    namespace = facts.get("namespace") or (named.namespace if named else None)
    name = facts.get("metric_name") or (named.name if named else None)
    if not namespace or not name:
        return None
    dimensions = facts.get("dimensions") or (named.dimensions if named else {})
    stat = str(facts.get("stat") or (named.stat if named and named.stat else "Average"))
    return GetMetric(namespace=namespace, metric_name=name, dimensions=dimensions, stat=stat, minutes=MINUTES)


def _collect(
    sources: Sources, alarm: _AlarmView, around: Sequence[Service]
) -> tuple[Findings, tuple[str, ...]]:
    """Run the collectors side by side; one that does not come back in time is named as not checked."""
    missing: list[str] = []
    tables = sorted({d.name for service in around for d in service.depends_on if d.kind == "table"})
    pool = ThreadPoolExecutor(COLLECTORS, thread_name_prefix="collector")
    try:
        changes = pool.submit(what_changed, sources, WhatChanged(minutes=MINUTES))
        services = {s.name: pool.submit(look_at_service, sources, s, alarm.onset) for s in around}
        rollouts = {s.name: pool.submit(look_at_rollouts, sources, s) for s in around if s.cluster}
        logs = {
            s.name: pool.submit(look_at_logs, sources, s.log_group, alarm.onset)
            for s in around
            if s.log_group
        }
        full = {name: pool.submit(look_at_table, sources, name, alarm.onset) for name in tables}
        changed: Evidence | None = _await(changes, "changes in the account", missing)
        return Findings(
            onset=alarm.onset,
            alarm_evidence_ids=alarm.seen,
            alarm_is_over=alarm.is_over,
            earlier_spikes=alarm.earlier_spikes,
            services=tuple(_services(services, logs, missing)),
            rollouts=tuple(_rollouts(rollouts, missing)),
            tables=tuple(_tables(full, missing)),
            changes_evidence_id=changed.evidence_id if changed else None,
        ), tuple(missing)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _services(
    looks: dict[str, Future[ServiceFinding]],
    logs: dict[str, Future[Any]],
    missing: list[str],
) -> Iterable[ServiceFinding]:
    for name, future in looks.items():
        finding = _await(future, f"metrics of {name}", missing)
        if finding is None:
            continue
        if not finding.checked:
            missing.append(f"requests, errors and latency of {name}")
        told = _await(logs[name], f"logs of {name}", missing) if name in logs else None
        if told is not None and told[1] is None:
            missing.append(f"logs of {name}")
        yield replace(finding, log_changes=told[0], log_evidence_id=told[1]) if told else finding


def _rollouts(looks: dict[str, Future[Any]], missing: list[str]) -> Iterable[Rollout]:
    for name, future in looks.items():
        found = _await(future, f"deployments of {name}", missing)
        if found is not None and found[1] is None:
            missing.append(f"deployments of {name}")
        yield from found[0] if found else ()


def _tables(looks: dict[str, Future[TableFinding | None]], missing: list[str]) -> Iterable[TableFinding]:
    for name, future in looks.items():
        finding = _await(future, f"table {name}", missing)
        if finding is not None:
            yield finding
        elif f"table {name}" not in missing:
            missing.append(f"table {name}")


def _await(future: Future[T], what: str, missing: list[str]) -> T | None:
    try:
        return future.result(timeout=COLLECTOR_SECONDS)
    except FutureTimeoutError:
        missing.append(what)
        return None


def _all_ids(findings: Findings) -> tuple[str, ...]:
    ids = [
        *findings.alarm_evidence_ids,
        *(i for f in findings.services for i in (*f.evidence_ids, f.log_evidence_id) if i),
        *(rollout.evidence_id for rollout in findings.rollouts),
        *(table.evidence_id for table in findings.tables),
        *([findings.changes_evidence_id] if findings.changes_evidence_id else []),
    ]
    return tuple(dict.fromkeys(ids))


def _points(evidence: Evidence) -> list[Any]:
    result = evidence.result if isinstance(evidence.result, dict) else {}
    return list(result.get("points", []))
