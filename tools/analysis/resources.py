"""A single AWS resource, such as a database or a load balancer: which limit it has reached, or how else it suffers."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import numpy as np

from memory.records.assessment import Impact
from tools.analysis.points import Point
from tools.analysis.series import Values, between, total_between, values_of

FULL_PERCENT = 85.0
NEARLY = 0.95
RUN_OUT = 0.1
BEHIND_SECONDS = 60.0
LATELY = 3
FIRST = 3
# What is compared with before is compared with this share of the time that was read.
EARLIER_SHARE = 1 / 3
ERROR_SHARE = 0.02
LEAST_ERRORS = 3
WORSE = 2.0
MORE_OFTEN = 3.0
WAITING = 10.0
MORE_CONNECTIONS = 10.0
# What used this share and more of the least that it uses since it is full was as full before.
AS_FULL = 0.85
# What suffers may show it some time after it became full, and before that it is not looked at.
BEFORE_ONSET = timedelta(minutes=15)
MINUTE = timedelta(minutes=1)
SILENT = timedelta(minutes=5)
ALL_ALONG = 0.8
# Basic monitoring of EC2 has a point each five minutes, and the newest may be late.
STALE = timedelta(minutes=15)


class Limit(StrEnum):
    """What a metric says of a limit, or of how well something is."""

    PERCENT = "of a whole"
    LEFT = "what is left"
    COUNT = "so many of a number that is told elsewhere"
    BEHIND = "seconds behind"
    FAILED = "so many of all requests; no point where none is"
    SLOW = "seconds that a request takes"
    COMES = "requests that come"
    WAITS = "so many that wait"
    ILL = "so many that are ill, which should be none"


@dataclass(frozen=True)
class _Meaning:
    limit: Limit
    named: str
    told: str


_FAILED = _Meaning(Limit.FAILED, "failed requests", "its requests fail")
# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-metrics.html, and the same names of EC2 and ElastiCache;
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html.
MEANINGS: Mapping[str, _Meaning] = {
    "CPUUtilization": _Meaning(Limit.PERCENT, "CPU", "its CPU is used up"),
    "FreeStorageSpace": _Meaning(Limit.LEFT, "storage", "its storage runs out"),
    "FreeableMemory": _Meaning(Limit.LEFT, "memory", "its memory runs out"),
    "BurstBalance": _Meaning(Limit.LEFT, "burst balance", "its burst credits run out"),
    "DatabaseConnections": _Meaning(Limit.COUNT, "max_connections", "its connections are used up"),
    "ReplicaLag": _Meaning(Limit.BEHIND, "replication", "its replica falls behind what is written"),
    "DiskQueueDepth": _Meaning(Limit.WAITS, "disk queue", "reads and writes wait for its disk"),
    "HTTPCode_ELB_5XX_Count": _FAILED,
    "HTTPCode_Target_5XX_Count": _FAILED,
    "RequestCount": _Meaning(Limit.COMES, "requests", "no requests come any more"),
    "StatusCheckFailed": _Meaning(Limit.ILL, "status check", "it fails its status checks"),
    "TargetResponseTime": _Meaning(Limit.SLOW, "response time", "its targets are slow"),
    "UnHealthyHostCount": _Meaning(Limit.ILL, "unhealthy targets", "targets of it are unhealthy"),
}
REQUESTS, LATENCY = "RequestCount", "TargetResponseTime"
# A limit that is reached is a reason; all else is what it does to the resource.
_REASONS = frozenset({Limit.PERCENT, Limit.LEFT, Limit.BEHIND})
# What may have been as full all along; what runs out or falls behind was not.
_LEVELS = frozenset({Limit.PERCENT, Limit.COUNT})
# "Current connections: 469 of 500."
_SO_MANY_OF = re.compile(r"\b(\d+) of (?:at most )?(\d+)\b")


@dataclass(frozen=True)
class ResourceFinding:
    """One resource: the limit that it has reached or what it suffers from, in figures and words, or none.

    `is_reason` says that this is a limit, which explains by itself why the resource is sick. `checked` says that what
    was published tells how the resource fares now: without it no limit means nothing. `unjudged` names metrics of
    which too little was published to tell. `impact` is what its users get, where it publishes that itself.
    `is_new` says that it was not at its limit before: what was as full all along explains nothing that begins now.
    """

    resource: str
    evidence_ids: tuple[str, ...]
    limit: str | None = None
    told: str = ""
    before: float | None = None
    now: float | None = None
    is_reason: bool = True
    checked: bool = True
    unjudged: tuple[str, ...] = ()
    impact: Impact | None = None
    is_new: bool = True

    @property
    def is_sick(self) -> bool:
        """Say whether it has reached a limit or suffers."""
        return self.limit is not None


@dataclass(frozen=True)
class _Reached:
    """How far something has gone, from 1 on too far; what it was before and is now."""

    how_far: float
    before: float
    now: float
    is_reason: bool
    is_new: bool = True


def resource_finding(
    resource: str,
    series: Mapping[str, Sequence[Point]],
    messages: Iterable[str],
    evidence_ids: tuple[str, ...],
    now: datetime | None = None,
    onset: datetime | None = None,
) -> ResourceFinding:
    """Return the limit that a resource has reached furthest, else what it suffers from most.

    `messages` are what AWS said of it in events. Without `now` it is the newest point, without `onset` when the
    resource reached its limit. A metric that is expected and has no points has an empty series.
    """
    end = now or max((points[-1][0] for points in series.values() if points), default=None)
    known = {name: MEANINGS[name] for name in series if name in MEANINGS}
    most, requests = _told_limit(messages), series.get(REQUESTS, ())
    judged = {
        name: _judged(meaning.limit, series[name], requests, most, end, onset) if end else None
        for name, meaning in known.items()
    }
    unjudged = tuple(name for name, found in judged.items() if found is None)
    impact = _impact(resource, series, judged, end) if end else None
    sick = [(known[name], found) for name, found in judged.items() if found and found.how_far >= 1.0]
    if not sick:
        seen = len(judged) > len(unjudged)
        lacking = unjudged or (() if seen else tuple(series))
        return ResourceFinding(
            resource, evidence_ids, checked=not lacking and seen, unjudged=lacking, impact=impact
        )
    meaning, worst = max(
        sick, key=lambda one: (one[1].is_reason and one[1].is_new, one[1].is_reason, one[1].how_far)
    )
    before, at_last = round(worst.before, 2), round(worst.now, 2)
    return ResourceFinding(
        resource,
        evidence_ids,
        meaning.named,
        meaning.told,
        before,
        at_last,
        worst.is_reason,
        impact=impact,
        is_new=worst.is_new,
    )


def _impact(
    resource: str, series: Mapping[str, Sequence[Point]], judged: Mapping[str, _Reached | None], end: datetime
) -> Impact | None:
    """Return how the requests of a resource fare lately and fared before; None where it publishes nothing of them."""
    requests, stopped, slow = series.get(REQUESTS, ()), judged.get(REQUESTS), judged.get(LATENCY)
    asked = total_between(requests, end - (LATELY + 1) * MINUTE, end + MINUTE)
    if not (asked or stopped or slow):
        return None
    errors = [one for name, points in series.items() if MEANINGS.get(name) is _FAILED for one in points]
    failed = _failed(errors, requests, end) if asked else None
    return Impact(
        component=resource,
        error_share=round(min(failed.now, 1.0), 4) if failed else None,
        error_share_before=round(min(failed.before, 1.0), 4) if failed else None,
        latency_ms=slow.now * 1000 if slow else None,
        latency_ms_before=slow.before * 1000 if slow else None,
        requests_per_minute=asked / (LATELY + 1),
        stopped=stopped is not None and stopped.how_far >= 1.0,
    )


def _judged(
    limit: Limit,
    points: Sequence[Point],
    requests: Sequence[Point],
    most: float | None,
    end: datetime,
    onset: datetime | None,
) -> _Reached | None:
    """Return how far a metric has gone; None where too little of it was published lately to tell."""
    if limit is Limit.FAILED:
        return _failed(points, requests, end)
    if len(points) < FIRST + LATELY:
        return None
    if limit is Limit.COMES:
        return _stopped(points, end)
    if points[-1][0] < end - STALE:
        return None
    values = values_of(points)
    before, now = float(np.median(values[:FIRST])), float(np.median(values[-LATELY:]))
    is_reason = limit in _REASONS or (limit is Limit.COUNT and most is not None)
    how_far = _reached(limit, values, most) if is_reason else _suffers(limit, values)
    if not is_reason or limit not in _LEVELS:
        return _Reached(how_far, before, now, is_reason)
    begins = _full_since(values, FULL_PERCENT if limit is Limit.PERCENT else NEARLY * (most or 0.0))
    before = float(np.median(values[: max(min(begins, FIRST), 1)]))
    is_new = begins > 0 and before <= AS_FULL * float(np.min(values[begins:]))
    is_late = onset is None or points[begins][0] >= onset - BEFORE_ONSET
    return _Reached(how_far, before, now, is_reason, is_new and is_late)


def _full_since(values: Values, full: float) -> int:
    """Return the first of the newest points that are full, where one that is less between two that are is no end."""
    first = len(values) - 1
    while first and (values[first - 1] >= full or (first > 1 and values[first - 2] >= full)):
        first -= 1
    return first


def _failed(points: Sequence[Point], requests: Sequence[Point], end: datetime) -> _Reached | None:
    """Judge requests that fail in the newest minutes, as a share where it is known of how many."""
    known = [*points, *requests]
    if not known:
        return None
    start = min(at for at, _ in known)
    lately, since = end - (LATELY + 1) * MINUTE, start + (end - start) * EARLIER_SHARE
    now, before = total_between(points, lately, end + MINUTE), total_between(points, start, since)
    asked, asked_before = total_between(requests, lately, end + MINUTE), total_between(requests, start, since)
    minutes = max((since - start) / MINUTE, 1.0)
    rate = now / asked if asked else now / (LATELY + 1)
    usual = before / asked_before if asked and asked_before else before / minutes if not asked else 0.0
    fails = now >= LEAST_ERRORS and (not asked or rate >= ERROR_SHARE)
    far = min(rate / (MORE_OFTEN * usual), now) if usual else now
    return _Reached(far if fails else 0.0, usual, rate, is_reason=False)


def _stopped(points: Sequence[Point], end: datetime) -> _Reached:
    """Judge whether requests that came all along come no more."""
    earlier = between(points, points[0][0], end - SILENT)
    minutes = (end - SILENT - points[0][0]) / MINUTE
    usual = float(np.median(earlier)) if len(earlier) else 0.0
    lately = total_between(points, end - SILENT, end + MINUTE)
    stopped = usual > 0 and len(earlier) >= ALL_ALONG * minutes and not lately
    return _Reached(1.0 if stopped else 0.0, usual, lately / (SILENT / MINUTE), is_reason=False)


def _suffers(limit: Limit, values: Values) -> float:
    """Return how far something is from well; from 1 on it is not."""
    now = float(np.median(values[-LATELY:]))
    if limit is Limit.ILL:
        return now
    earlier = values[: max(FIRST, int(len(values) * EARLIER_SHARE))]
    usual, highest = float(np.median(earlier)), float(np.max(earlier))
    if limit is Limit.WAITS:
        return now / max(WAITING, MORE_OFTEN * usual)
    if limit is Limit.COUNT:
        return now / max(WORSE * usual, usual + MORE_CONNECTIONS)
    return now / (WORSE * usual) if usual > 0 and now > highest else 0.0


def _reached(limit: Limit, values: Values, most: float | None) -> float:
    """Return how far a limit is reached; from 1 on it is."""
    now = float(np.median(values[-LATELY:]))
    first = float(np.max(values[:FIRST]))
    if limit is Limit.PERCENT:
        return now / FULL_PERCENT
    if limit is Limit.LEFT:
        return RUN_OUT * first / now if now > 0 else 2.0
    if limit is Limit.COUNT:
        return now / (NEARLY * most) if most and now <= most else 0.0
    grows = float(np.mean(np.diff(values) >= 0)) >= 0.5 and now > 10 * float(np.min(values[:FIRST]))
    return now / BEHIND_SECONDS if grows else 0.0


def _told_limit(messages: Iterable[str]) -> float | None:
    """Return the highest number that something is said to be one of."""
    found = [float(match[2]) for text in messages for match in _SO_MANY_OF.finditer(text)]
    return max(found, default=None)
