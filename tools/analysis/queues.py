"""A queue around an onset: whether something in it waits longer and longer, and what becomes of the rest."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from tools.analysis.findings import QueueFinding
from tools.analysis.ramps import find_ramp
from tools.analysis.series import Point, mean_between

# An oldest message that has waited this much longer than before is not being worked on.
LEAST_SECONDS = 90.0


def queue_finding(
    queue: str, series: Mapping[str, Sequence[Point]], consumers: tuple[str, ...], evidence_id: str
) -> QueueFinding:
    """Return what a queue's metrics show of the present; rates are messages a minute since its age climbs."""
    climb = find_ramp(series.get("age", ()), LEAST_SECONDS)
    if climb is None:
        return QueueFinding(queue, evidence_id, consumers)
    sent, received, done = (
        _rate(series.get(key, ()), climb.since) for key in ("sent", "received", "deleted")
    )
    return QueueFinding(queue, evidence_id, consumers, climb, sent, done, round(max(0.0, received - done), 1))


def _rate(points: Sequence[Point], since: datetime) -> float:
    if not points:
        return 0.0
    end = max(at for at, _ in points)
    return round(mean_between(points, since, end) or 0.0, 1)
