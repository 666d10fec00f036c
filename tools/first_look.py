"""The first look: what code alone finds in seconds, with every observation stored."""

import time
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from memory.records.assessment import FirstLook, Verdict
from memory.records.config import Rubric, Service
from memory.records.evidence import Evidence
from memory.records.incident import Incident, Severity
from tools.analysis.changes import changes_of, rollouts_in
from tools.analysis.findings import AccountChange, Findings, Rollout, ServiceFinding, TableFinding
from tools.analysis.hypotheses import rank
from tools.analysis.neighbourhood import alarms_of_rule, around, own_services
from tools.analysis.series import breaches_before, find_onset, is_over, points_of
from tools.analysis.severity import rate
from tools.collectors import UNREADABLE, look_at_logs, look_at_rollouts, look_at_service, look_at_table
from tools.errors import CopilotError
from tools.observe.alarm_metric import metric_of
from tools.observe.describe_alarm import DescribeAlarm, describe_alarm
from tools.observe.get_metric import get_metric
from tools.observe.sources import Sources
from tools.observe.what_changed import WhatChanged, what_changed

COLLECTORS = 12
COLLECTOR_SECONDS = 20.0
MINUTES = 180
SERVICES = 24
# What one collector may raise on an answer that is not what it should be; the others are not stopped by it.
BROKEN = (ClientError, BotoCoreError, CopilotError, LookupError, TypeError, ValueError, ArithmeticError)
T = TypeVar("T")


@dataclass(frozen=True)
class _AlarmView:
    """What the alarm itself shows: when its metric changed, and whether it did so before."""

    onset: datetime
    seen: tuple[str, ...]
    is_over: bool = False
    earlier_spikes: int = 0
    dimensions: dict[str, str] = field(default_factory=dict)


@dataclass
class _Collected:
    """Takes what collectors bring until a deadline, and names what did not come."""

    deadline: float
    missing: list[str] = field(default_factory=list)

    def take(self, future: Future[T], what: str) -> T | None:
        """Return a collector's finding; None, and its name among the missing, when it is late or broken."""
        left = max(0.0, min(COLLECTOR_SECONDS, self.deadline - time.monotonic()))
        try:
            return future.result(timeout=left)
        except FutureTimeoutError:
            self.missing.append(f"{what} (no answer in time)")
        except BROKEN as error:
            self.missing.append(f"{what} ({type(error).__name__})")
        return None


def take_first_look(sources: Sources, incident: Incident, rubric: Rubric) -> FirstLook:
    """Read around the alarm in parallel, and rank what may have caused it. No model takes part."""
    collected = _Collected(time.monotonic() + sources.limits.first_look_seconds)
    alarm = _look_at_alarm(sources, incident)
    names = (incident.alarm.name, *alarms_of_rule(incident.alarm.alarm_rule))
    own = own_services(sources.topology, names, alarm.dimensions)
    findings = _collect(sources, alarm, own, collected)
    verdict, hypotheses, reason = rank(findings)
    affected = [finding for finding in findings.services if finding.affected]
    severity, why = rate(rubric, (finding.impact for finding in affected))
    if verdict is Verdict.NOISE:
        severity, why = Severity.NONE, reason
    return FirstLook(
        onset=alarm.onset,
        impacts=tuple(finding.impact for finding in findings.services),
        severity=severity,
        severity_reason=why if affected else reason,
        verdict=verdict,
        hypotheses=hypotheses,
        evidence_ids=_all_ids(findings),
        affected=tuple(finding.service.name for finding in affected),
        healthy=tuple(f.service.name for f in findings.services if f.checked and not f.affected),
        not_checked=tuple(dict.fromkeys(collected.missing)),
        causes=hypotheses[:1] if verdict is Verdict.CAUSE else (),
        reason=reason,
    )


def _look_at_alarm(sources: Sources, incident: Incident) -> _AlarmView:
    """Read the alarm and its metric; without a change in it, the onset is shortly before the alarm."""
    described = describe_alarm(sources, DescribeAlarm(alarm_name=incident.alarm.name))
    facts = described.result if isinstance(described.result, dict) else {}
    metric = metric_of(incident.alarm, facts, MINUTES)
    started = incident.episode_started_at
    fallback = started - timedelta(minutes=5)
    if metric is None:
        return _AlarmView(fallback, (described.evidence_id,))
    series = get_metric(sources, metric)
    points = points_of(_points(series))
    change = find_onset(points)
    onset = min(change.at, started) if change else fallback
    threshold = facts.get("threshold", incident.alarm.threshold)
    seen = (described.evidence_id, series.evidence_id)
    if not isinstance(threshold, int | float):
        return _AlarmView(onset, seen, dimensions=metric.dimensions)
    above = "Less" not in str(facts.get("comparison") or "Greater")
    return _AlarmView(
        onset,
        seen,
        is_over(points, threshold, above=above, calm=timedelta(minutes=5)),
        breaches_before(points, threshold, onset - timedelta(minutes=10), above=above),
        metric.dimensions,
    )


def _collect(sources: Sources, alarm: _AlarmView, own: Sequence[Service], collected: _Collected) -> Findings:
    """Run the collectors side by side; what one does not bring in time is named as not checked."""
    near = around(sources.topology, own)
    collected.missing += [f"service {service.name}" for service in near[SERVICES:]]
    near = near[:SERVICES]
    tables = sorted({d.name for service in near for d in service.depends_on if d.kind == "table"})
    pool = ThreadPoolExecutor(COLLECTORS, thread_name_prefix="collector")
    try:
        changed = pool.submit(what_changed, sources, WhatChanged(minutes=MINUTES))
        services = {s.name: pool.submit(look_at_service, sources, s, alarm.onset) for s in near}
        rollouts = {s.name: pool.submit(look_at_rollouts, sources, s) for s in near if s.cluster}
        full = {name: pool.submit(look_at_table, sources, name, alarm.onset) for name in tables}
        logs = {
            s.name: pool.submit(look_at_logs, sources, s.log_group, alarm.onset) for s in near if s.log_group
        }
        found_services = tuple(_services(services, logs, collected))
        found_tables = tuple(_tables(full, collected))
        found_rollouts = tuple(_rollouts(rollouts, collected))
        said = _changes(changed, set(services), {*services, *tables}, collected)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return Findings(
        onset=alarm.onset,
        alarm_evidence_ids=alarm.seen,
        alarm_is_over=alarm.is_over,
        earlier_spikes=alarm.earlier_spikes,
        own=tuple(service.name for service in own),
        services=found_services,
        rollouts=_once(found_rollouts, said.rollouts),
        changes=said.changes,
        tables=found_tables,
        changes_evidence_id=said.evidence_id,
        unread=_unread(near, found_services, tables, found_tables),
    )


@dataclass(frozen=True)
class _Said:
    """What CloudTrail tells of the parts around the alarm."""

    rollouts: tuple[Rollout, ...] = ()
    changes: tuple[AccountChange, ...] = ()
    evidence_id: str | None = None


def _changes(
    future: Future[Evidence], services: set[str], components: set[str], collected: _Collected
) -> _Said:
    evidence = collected.take(future, "changes in the account")
    if evidence is None:
        return _Said()
    result = evidence.result if isinstance(evidence.result, dict) else {}
    if set(evidence.gaps) & UNREADABLE or "changes" not in result:
        collected.missing.append("changes in the account")
        return _Said(evidence_id=evidence.evidence_id)
    changes = result["changes"]
    return _Said(
        tuple(rollouts_in(changes, services, evidence.evidence_id)),
        tuple(changes_of(changes, components, evidence.evidence_id)),
        evidence.evidence_id,
    )


def _once(seen: Iterable[Rollout], said: Iterable[Rollout]) -> tuple[Rollout, ...]:
    """Join what ECS shows and what CloudTrail tells; a deployment that ECS still shows is taken from there."""
    known = {(rollout.service, rollout.task_definition): rollout for rollout in (*said, *seen)}
    return tuple(known.values())


def _services(
    looks: dict[str, Future[ServiceFinding]], logs: dict[str, Future[Any]], collected: _Collected
) -> Iterable[ServiceFinding]:
    for name, future in looks.items():
        finding = collected.take(future, f"metrics of {name}")
        if finding is None:
            continue
        if not finding.checked:
            collected.missing.append(f"requests, errors and latency of {name}")
        told = collected.take(logs[name], f"logs of {name}") if name in logs else None
        if told is not None and told[1] is None:
            collected.missing.append(f"logs of {name}")
        yield replace(finding, log_changes=told[0], log_evidence_id=told[1]) if told else finding


def _rollouts(looks: dict[str, Future[Any]], collected: _Collected) -> Iterable[Rollout]:
    for name, future in looks.items():
        found = collected.take(future, f"deployments of {name}")
        if found is not None and found[1] is None:
            collected.missing.append(f"deployments of {name}")
        yield from found[0] if found else ()


def _tables(looks: dict[str, Future[TableFinding | None]], collected: _Collected) -> Iterable[TableFinding]:
    for name, future in looks.items():
        before = len(collected.missing)
        finding = collected.take(future, f"table {name}")
        if finding is not None:
            yield finding
        elif len(collected.missing) == before:
            collected.missing.append(f"table {name}")


def _unread(
    near: Sequence[Service],
    services: Sequence[ServiceFinding],
    tables: Sequence[str],
    read: Sequence[TableFinding],
) -> tuple[str, ...]:
    """Name the parts that publish how they fare and could not be read: they may hide a symptom."""
    checked = {finding.service.name for finding in services if finding.checked}
    blind = [service.name for service in near if service.metrics is not None and service.name not in checked]
    return (*blind, *(name for name in tables if name not in {finding.table for finding in read}))


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
