"""An account's quota around an onset: whether it was used up, since when, and by whom."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tools.analysis.findings import QuotaFinding
from tools.analysis.points import Point

# A quota counts as used up from here on: what is counted in whole tasks seldom fills it to the last.
FULL = 0.95
# What refuses may do so before the alarm's own metric shows it, as in `services`.
EARLIER = timedelta(minutes=15)


@dataclass(frozen=True)
class Use:
    """What was read of one quota: its value, its use minute by minute, and the parts that use the most."""

    service: str
    code: str
    name: str
    value: float
    points: Sequence[Point]
    users: tuple[tuple[str, float], ...]
    evidence_ids: tuple[str, ...]


def quota_finding(use: Use, onset: datetime) -> QuotaFinding:
    """Return whether a quota was used up around an onset, and since when.

    `met_since` is the beginning of the first stretch of minutes that reaches into the time around the onset and in
    which it was met; a quota that was met only before that has room again.
    """
    late = [value for at, value in use.points if at >= onset - EARLIER]
    met_since: datetime | None = None
    stretch: datetime | None = None
    for at, value in use.points:
        is_met = use.value > 0 and value >= FULL * use.value
        stretch = (stretch or at) if is_met else None
        if stretch is not None and at >= onset - EARLIER:
            met_since = met_since or stretch
    return QuotaFinding(
        use.service,
        use.code,
        use.name,
        use.value,
        max(late, default=0.0),
        met_since,
        use.users,
        use.evidence_ids,
    )
