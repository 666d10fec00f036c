"""The first look's collectors: each reads one thing, stores it, and turns it into a finding."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from memory.records.assessment import Impact
from memory.records.config import Service
from memory.records.evidence import Evidence, Gap
from tools.analysis.findings import Rollout, ServiceFinding, TableFinding
from tools.analysis.logs import Change, compare
from tools.analysis.series import Point, mean_between, points_of, total_between
from tools.analysis.severity import latency_factor
from tools.analysis.tables import table_finding
from tools.observe.get_metric import GetMetric, get_metric
from tools.observe.query_logs import query_window
from tools.observe.service_health import ServiceHealth, service_health
from tools.observe.sources import Sources
from tools.observe.table_health import TableHealth, table_health

MINUTES = 180
BASE = timedelta(minutes=90)
QUIET = timedelta(minutes=2)
ERROR_SHARE = 0.02
LEAST_ERRORS = 3
SILENT = timedelta(minutes=5)
WORSE = 2.0
OVER_SLO = 1.5
FAILURES = (
    "fields @timestamp, @message | filter @message like /(?i)(?:error|exception|traceback|fatal|refused|timed out|"
    "throttl|exceeded|denied|unavailable|fail)/ | sort @timestamp desc | limit 200"
)
UNREADABLE = {Gap.DENIED, Gap.THROTTLED, Gap.FAILED, Gap.TIMED_OUT}


def look_at_service(sources: Sources, service: Service, onset: datetime) -> ServiceFinding:
    """Compare a service's errors and latency before and after the onset."""
    metrics = service.metrics
    if metrics is None:
        impact = Impact(component=service.name, tier=service.tier)
        return ServiceFinding(service, impact, affected=False, checked=False, evidence_ids=())
    stats = ((metrics.requests, "Sum"), (metrics.errors, "Sum"), (metrics.latency, "p99"))
    seen = [
        get_metric(
            sources,
            GetMetric(
                namespace=metrics.namespace,
                metric_name=name,
                dimensions=metrics.dimensions,
                stat=stat,
                minutes=MINUTES,
            ),
        )
        for name, stat in stats
    ]
    now = sources.clock.now()
    impact = _impact(service, seen, onset, now)
    requests, errors, _ = (points_of(_points(evidence)) for evidence in seen)
    unread = any(set(evidence.gaps) & UNREADABLE for evidence in seen)
    stopped = not unread and _has_stopped(requests, now)
    told = impact.error_share is not None and impact.latency_ms is not None
    affected = stopped or _is_affected(impact, total_between(errors, onset, now))
    return ServiceFinding(
        service, impact, affected, told or stopped, tuple(evidence.evidence_id for evidence in seen)
    )


def _has_stopped(requests: Sequence[Point], now: datetime) -> bool:
    """Say whether a service that had requests all along has had none for a while."""
    lately = total_between(requests, now - SILENT, now + timedelta(minutes=1))
    before = [value for at, value in requests if at < now - SILENT]
    return bool(before) and median(before) > 0 and lately == 0


def _impact(service: Service, seen: Sequence[Evidence], onset: datetime, now: datetime) -> Impact:
    requests, errors, latency = (points_of(_points(evidence)) for evidence in seen)
    base, calm = onset - BASE, onset - QUIET
    after = _share(errors, requests, onset, now)
    before = _share(errors, requests, base, calm)
    budget = 1 - service.slo.availability
    return Impact(
        component=service.name,
        error_share=after,
        error_share_before=before,
        latency_ms=mean_between(latency, onset, now),
        latency_ms_before=mean_between(latency, base, calm),
        latency_slo_ms=service.slo.latency_ms_p99,
        slo_burn=round(after / budget, 2) if after is not None else None,
        tier=service.tier,
    )


def _share(errors: Sequence[Any], requests: Sequence[Any], start: datetime, end: datetime) -> float | None:
    total = total_between(requests, start, end)
    return round(total_between(errors, start, end) / total, 4) if total else None


def _is_affected(impact: Impact, errors: float) -> bool:
    failing = errors >= LEAST_ERRORS and (impact.error_share or 0) >= max(
        ERROR_SHARE, 3 * (impact.error_share_before or 0)
    )
    factor = latency_factor(impact)
    over = (impact.latency_ms or 0) > (impact.latency_slo_ms or float("inf"))
    return failing or factor >= WORSE or (over and factor >= OVER_SLO)


def look_at_logs(sources: Sources, group: str, onset: datetime) -> tuple[tuple[Change, ...], str | None]:
    """Compare the failures a log group tells before and after the onset; return what is new or surges."""
    now = sources.clock.now()
    base = onset - timedelta(minutes=30)
    calm = (base, onset - timedelta(seconds=1))
    before = query_window(sources, f"failures in {group} before the onset", group, FAILURES, calm)
    after = query_window(sources, f"failures in {group} since the onset", group, FAILURES, (onset, now))
    if {*before.gaps, *after.gaps} & UNREADABLE:
        return (), None
    minutes = (30.0, max((now - onset).total_seconds() / 60, 1.0))
    return tuple(compare(_messages(before), _messages(after), minutes)), after.evidence_id


def _messages(evidence: Evidence) -> list[str]:
    result = evidence.result if isinstance(evidence.result, dict) else {}
    return [str(row.get("@message", "")) for row in result.get("rows", [])]


def look_at_rollouts(sources: Sources, service: Service) -> tuple[list[Rollout], str | None]:
    """Return a service's deployments and the id of the evidence, or no id where ECS could not be read."""
    if service.cluster is None:
        return [], None
    evidence = service_health(sources, ServiceHealth(cluster=service.cluster, service=service.name))
    result = evidence.result if isinstance(evidence.result, dict) else {}
    if "deployments" not in result:
        return [], None
    rollouts = [
        Rollout(
            service.name,
            datetime.fromisoformat(deployment["created_at"]),
            deployment["task_definition"],
            evidence.evidence_id,
        )
        for deployment in result["deployments"]
    ]
    return rollouts, evidence.evidence_id


def look_at_table(sources: Sources, table: str, onset: datetime) -> TableFinding | None:
    """Say whether a table throttles since the onset, and more than it used to; None where it could not be read."""
    evidence = table_health(sources, TableHealth(table=table, minutes=MINUTES))
    result = evidence.result if isinstance(evidence.result, dict) else {}
    if "write_throttles" not in result:
        return None
    now = sources.clock.now()
    window = (now - timedelta(minutes=MINUTES), now + timedelta(minutes=1))
    return table_finding(table, result, onset, window, evidence.evidence_id)


def _points(evidence: Evidence) -> list[Any]:
    result = evidence.result if isinstance(evidence.result, dict) else {}
    return list(result.get("points", []))
