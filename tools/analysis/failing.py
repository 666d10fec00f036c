"""Of which minutes it is known how many requests failed: points of errors may come later than those of requests."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from memory.records.config import ServiceMetrics
from tools.analysis.points import Point

MINUTE = timedelta(minutes=1)
LATE = timedelta(minutes=3)
"""How late a minute's point may be before its absence means something.

AWS names no bound for this; it names two minutes for the statistics of a new metric
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/publishingMetrics.html). One more is for who publishes
after its minute has ended.
"""
# "Reporting criteria: There is a nonzero value":
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html,
# https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/elb-cloudwatch-metrics.html.
_ONLY_WHERE_ANY = {
    "AWS/ApplicationELB": frozenset({"HTTPCode_ELB_5XX_Count", "HTTPCode_Target_5XX_Count"}),
    "AWS/ELB": frozenset({"HTTPCode_ELB_5XX", "HTTPCode_Backend_5XX"}),
}
# Who publishes errors all along has a point for nearly each minute that has requests.
ALL_ALONG = 0.8


def is_only_where_any(metrics: ServiceMetrics | None) -> bool:
    """Say whether AWS publishes a service's errors only where there are any: then no point at all is none."""
    return metrics is not None and metrics.errors in _ONLY_WHERE_ANY.get(metrics.namespace, ())


def known_requests(requests: Sequence[Point], errors: Sequence[Point], now: datetime) -> list[Point]:
    """Return the requests of the minutes of which it is known how many of them failed.

    Where errors are published all along, zeros among them, a minute without a point is not known. Where they are
    published only when there are any, a minute without one had none, once its point can no longer be late.
    """
    told = {at for at, _ in errors}
    settled = [at for at, _ in requests if _is_settled(at, now)]
    newest = max(told, default=datetime.min.replace(tzinfo=now.tzinfo))
    both = sum(at in told for at in settled)
    # They may have ended; a zero tells that they were published for whatever minute there was.
    span = sum(at <= newest for at in settled) if any(not value for _, value in errors) else len(settled)
    if both and both >= ALL_ALONG * span:
        return [point for point in requests if point[0] in told]
    return [one for one in requests if one[0] in told or one[0] <= newest or _is_settled(one[0], now)]


def _is_settled(at: datetime, now: datetime) -> bool:
    """Say whether a minute's point can no longer be late."""
    return at + MINUTE + LATE <= now
