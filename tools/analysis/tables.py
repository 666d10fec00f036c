"""A DynamoDB table around an onset: whether it throttles, and which provisioned property holds it back."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from tools.analysis.findings import TableFinding
from tools.analysis.points import Point, points_of
from tools.analysis.series import total_between

FULL = 0.8
# A table refuses requests before anybody is hit: callers try again first.
EARLIER = timedelta(minutes=5)
# The two sides of a table, and what DynamoDB calls the capacity of each.
PROPERTIES = {"write": "WriteCapacityUnits", "read": "ReadCapacityUnits"}


@dataclass(frozen=True)
class _Side:
    """Writes or reads: throttled requests a minute before and since, and the share of the capacity used."""

    limit: str
    before: float
    since: float
    used_share: float | None
    usual_share: float | None

    @property
    def is_short(self) -> bool:
        """Say whether it throttles more than before because what was provisioned is used up.

        Throttling far below it has another reason, such as one hot partition, that these figures do not show.
        """
        return self.since > 3 * self.before and self.used_share is not None and self.used_share >= FULL

    @property
    def is_small(self) -> bool:
        """Say whether more is used than is provisioned now.

        DynamoDB keeps up to 300 s of capacity that was not used, and refuses once that is spent
        (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/burst-adaptive-capacity.html).
        """
        return self.usual_share is not None and self.usual_share > 1.0


def table_finding(
    table: str,
    health: Mapping[str, Any],
    onset: datetime,
    window: tuple[datetime, datetime],
    evidence_id: str,
) -> TableFinding:
    """Return what a table's capacity, consumption and throttled requests in a window show around an onset."""
    since = onset - EARLIER
    sides = [_side(health, name, since, window) for name in PROPERTIES]
    short = [side for side in sides if side.is_short and health.get("billing") == "PROVISIONED"]
    worst = max(short, key=lambda side: side.since, default=None)
    small = [side for side in sides if side.is_small and health.get("billing") == "PROVISIONED"]
    named = worst or max(small, key=lambda side: side.used_share or 0.0, default=None)
    shares = [side.used_share for side in sides if side.used_share is not None]
    return TableFinding(
        table,
        throttled=sum(side.since for side in sides) > 3 * sum(side.before for side in sides),
        used_share=named.used_share if named else max(shares, default=None),
        evidence_id=evidence_id,
        limit=named.limit if named else None,
        is_small=bool(small),
    )


def is_used(health: Mapping[str, Any]) -> bool:
    """Say whether anything was asked of a table: what nobody asks refuses nothing, well or not."""
    return any(health[f"consumed_{name}_per_second"] or health[f"{name}_throttles"] for name in PROPERTIES)


def _side(health: Mapping[str, Any], name: str, since: datetime, window: tuple[datetime, datetime]) -> _Side:
    throttles = points_of(health[f"{name}_throttles"])
    provisioned = health.get(f"{name}_capacity_units")
    used = [value for at, value in points_of(health[f"consumed_{name}_per_second"]) if at >= since]
    return _Side(
        PROPERTIES[name],
        before=_a_minute(throttles, window[0], since),
        since=_a_minute(throttles, since, window[1]),
        used_share=round(max(used) / provisioned, 3) if provisioned and used else None,
        usual_share=median(used) / provisioned if provisioned and used else None,
    )


def _a_minute(points: list[Point], start: datetime, end: datetime) -> float:
    minutes = max((end - start).total_seconds() / 60, 1.0)
    return total_between(points, start, end) / minutes
