"""A service around an onset: whether its requests fail, are slow or do not come, since when, and how full it is."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

import numpy as np

from memory.records.assessment import Impact
from memory.records.config import Service
from tools.analysis.failing import is_only_where_any, known_requests
from tools.analysis.findings import Gauge, ServiceFinding
from tools.analysis.points import Point
from tools.analysis.ramps import find_ramp
from tools.analysis.series import between, find_onset, mean_between, total_between
from tools.analysis.severity import latency_factor

BASE = timedelta(minutes=90)
QUIET = timedelta(minutes=2)
# A service may suffer before the alarm's own metric shows it, by as much as alarms wait for more datapoints.
EARLIER = timedelta(minutes=15)
ERROR_SHARE = 0.02
LEAST_ERRORS = 3
SILENT = timedelta(minutes=5)
WORSE = 2.0
OVER_SLO = 1.5
# Memory is given in percent; less of a climb than this is no leak yet.
MEMORY_CLIMB = 15.0
LATELY = 2
NEWEST = timedelta(minutes=1)

# All by which a service is called sick: without one of them nobody knows that it is not.
JUDGED = frozenset({"requests", "errors", "latency", "memory", "throttles"})
Series = Mapping[str, Sequence[Point]]


def service_finding(
    service: Service,
    series: Series | None,
    onset: datetime,
    now: datetime,
    evidence_id: str,
    incomplete: Collection[str] = (),
    published: bool = False,
) -> ServiceFinding:
    """Return what a service's metrics show around an onset; `series` is None where they could not be read.

    `incomplete` names those of which only a part was read: they may show harm, and never that there is none.
    `published` says that errors came on earlier days: where they do not come now, there are none. Without it nobody
    knows that a metric of that name is published at all.
    """
    told = series or {}
    come = bool(told.get("errors")) or published or is_only_where_any(service.metrics)
    since = _since(told, onset)
    requests = told.get("requests", ())
    stopped = series is not None and "requests" not in incomplete and _has_stopped(requests, now)
    impact = _impact(service, told, since or onset, now)
    # Points that say zero, and not points that are missing.
    if stopped and len(between(requests, now - SILENT, now + NEWEST)):
        impact = impact.model_copy(update={"stopped": True})
    affected = stopped or _is_affected(impact, told, since or onset, now)
    impact = _as_read(impact, incomplete if come else (*incomplete, "errors"))
    seen = impact.error_share is not None and impact.latency_ms is not None and not JUDGED & set(incomplete)
    return ServiceFinding(
        service,
        impact,
        affected,
        seen or stopped,
        (evidence_id,),
        since=(since or onset) if affected else None,
        more_requests=_more(impact),
        cpu=_gauge(told.get("cpu", ()), onset),
        climb=find_ramp(told.get("memory", ()), MEMORY_CLIMB),
        refused=_refused(told.get("throttles", ()), onset, now),
        refused_since=next((at for at, n in told.get("throttles", ()) if n and at >= onset - QUIET), None),
        concurrency=_gauge(told.get("concurrency", ()), onset),
    )


def _as_read(impact: Impact, incomplete: Collection[str]) -> Impact:
    """Take out a share of errors that is as low as it is perhaps only because not all of it was read."""
    low = (impact.error_share or 0.0) < ERROR_SHARE
    if not low or not {"requests", "errors"} & set(incomplete):
        return impact
    return impact.model_copy(update={"error_share": None, "slo_burn": None})


def _since(series: Series, onset: datetime) -> datetime | None:
    """Return the first point at which errors or latency left their level, if that is near the alarm's onset."""
    found = [find_onset(series.get(key, ())) for key in ("errors", "latency")]
    near = [one.at for one in found if one and one.after > one.before and one.at >= onset - EARLIER]
    return min(near, default=None)


def _has_stopped(requests: Sequence[Point], now: datetime) -> bool:
    """Say whether a service that had requests all along has had none for a while."""
    lately = total_between(requests, now - SILENT, now + timedelta(minutes=1))
    before = [value for at, value in requests if at < now - SILENT]
    return bool(before) and float(np.median(before)) > 0 and lately == 0


def _impact(service: Service, series: Series, since: datetime, now: datetime) -> Impact:
    requests, errors, latency = (series.get(key, ()) for key in ("requests", "errors", "latency"))
    base, calm = since - BASE, since - QUIET
    known = known_requests(requests, errors, now)
    after = _worst(errors, known, since, now)
    budget = 1 - service.slo.availability
    return Impact(
        component=service.name,
        error_share=after,
        error_share_before=_share(errors, known, base, calm),
        latency_ms=mean_between(latency, since, now),
        latency_ms_before=mean_between(latency, base, calm),
        latency_slo_ms=service.slo.latency_ms_p99,
        slo_burn=round(after / budget, 2) if after is not None else None,
        tier=service.tier,
        requests_per_minute=_newest(requests),
        requests_per_minute_before=mean_between(requests, base, calm),
    )


def _worst(
    errors: Sequence[Point], requests: Sequence[Point], since: datetime, now: datetime
) -> float | None:
    """Return the share that fails since an onset or in the newest minutes, whichever is more.

    An incident that is still growing is as bad as it is now, not as it was on average.
    """
    ends = max((at for at, _ in requests), default=now)
    newest = max(since, ends - NEWEST)
    shares = [_share(errors, requests, since, now)]
    if total_between(errors, newest, now) >= LEAST_ERRORS:
        shares.append(_share(errors, requests, newest, now))
    return max((one for one in shares if one is not None), default=None)


def _newest(points: Sequence[Point]) -> float | None:
    return round(float(np.mean([value for _, value in points[-LATELY:]])), 1) if points else None


def _share(
    errors: Sequence[Point], requests: Sequence[Point], start: datetime, end: datetime
) -> float | None:
    total = total_between(requests, start, end)
    return round(total_between(errors, start, end) / total, 4) if total else None


def _is_affected(impact: Impact, series: Series, since: datetime, now: datetime) -> bool:
    errors = total_between(series.get("errors", ()), since, now)
    least = max(ERROR_SHARE, 3 * (impact.error_share_before or 0))
    failing = errors >= LEAST_ERRORS and (impact.error_share or 0) >= least
    factor = latency_factor(impact)
    over = (impact.latency_ms or 0) > (impact.latency_slo_ms or float("inf"))
    return failing or factor >= WORSE or (over and factor >= OVER_SLO)


def _more(impact: Impact) -> float | None:
    now, before = impact.requests_per_minute, impact.requests_per_minute_before
    return round(now / before, 2) if now is not None and before else None


def _gauge(points: Sequence[Point], onset: datetime) -> Gauge | None:
    """Return how full something was before an onset, and the fullest that it has been in the newest minutes."""
    before = between(points, onset - BASE, onset - QUIET)
    if not len(before):
        return None
    newest = max(value for _, value in points[-LATELY:])
    return Gauge(round(float(np.median(before)), 1), round(newest, 1))


def _refused(points: Sequence[Point], onset: datetime, now: datetime) -> float:
    """Return how many executions a minute are refused since an onset, beyond those that were before."""
    minutes = max((now - onset).total_seconds() / 60, 1.0)
    before = mean_between(points, onset - BASE, onset - QUIET) or 0.0
    since = total_between(points, onset - QUIET, now) / minutes
    return round(since, 1) if since > 3 * before else 0.0
