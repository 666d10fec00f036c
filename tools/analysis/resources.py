"""A single AWS resource, such as a database: which of its limits it has reached or runs towards."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from tools.analysis.series import Point, Values, values_of

FULL_PERCENT = 85.0
NEARLY = 0.95
RUN_OUT = 0.1
BEHIND_SECONDS = 60.0
LATELY = 3
FIRST = 3


class Limit(StrEnum):
    """What a metric says of a limit."""

    PERCENT = "of a whole"
    LEFT = "what is left"
    COUNT = "so many of a number that is told elsewhere"
    BEHIND = "seconds behind"


@dataclass(frozen=True)
class _Meaning:
    limit: Limit
    named: str
    told: str


# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-metrics.html, and the same names of EC2 and ElastiCache.
MEANINGS: Mapping[str, _Meaning] = {
    "CPUUtilization": _Meaning(Limit.PERCENT, "CPU", "its CPU is used up"),
    "FreeStorageSpace": _Meaning(Limit.LEFT, "storage", "its storage runs out"),
    "FreeableMemory": _Meaning(Limit.LEFT, "memory", "its memory runs out"),
    "BurstBalance": _Meaning(Limit.LEFT, "burst balance", "its burst credits run out"),
    "DatabaseConnections": _Meaning(Limit.COUNT, "max_connections", "its connections are used up"),
    "ReplicaLag": _Meaning(Limit.BEHIND, "replication", "its replica falls behind what is written"),
}
# "Current connections: 469 of 500."
_SO_MANY_OF = re.compile(r"\b(\d+) of (?:at most )?(\d+)\b")


@dataclass(frozen=True)
class ResourceFinding:
    """One resource: the limit that it has reached, in figures and words, or none."""

    resource: str
    evidence_ids: tuple[str, ...]
    limit: str | None = None
    told: str = ""
    before: float | None = None
    now: float | None = None

    @property
    def is_sick(self) -> bool:
        """Say whether it has reached a limit."""
        return self.limit is not None


def resource_finding(
    resource: str,
    series: Mapping[str, Sequence[Point]],
    messages: Iterable[str],
    evidence_ids: tuple[str, ...],
) -> ResourceFinding:
    """Return the limit that a resource has reached furthest; `messages` are what AWS said of it in events."""
    most = _told_limit(messages)
    reached: list[tuple[float, ResourceFinding]] = []
    for name, points in series.items():
        meaning = MEANINGS.get(name)
        if meaning is None or len(points) < FIRST + LATELY:
            continue
        values = values_of(points)
        how_far = _reached(meaning.limit, values, most)
        if how_far >= 1.0:
            before, now = float(np.median(values[:FIRST])), float(np.median(values[-LATELY:]))
            told = ResourceFinding(
                resource, evidence_ids, meaning.named, meaning.told, round(before, 2), round(now, 2)
            )
            reached.append((how_far, told))
    return max(reached, key=lambda one: one[0])[1] if reached else ResourceFinding(resource, evidence_ids)


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
