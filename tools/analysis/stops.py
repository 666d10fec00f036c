"""Why tasks and containers stopped, in the words of ECS and Kubernetes."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class StopReason(StrEnum):
    """The reasons that say something about a cause."""

    OUT_OF_MEMORY = "out of memory"
    NO_IMAGE = "image cannot be pulled"
    NO_ROOM = "no room to place it"
    UNHEALTHY = "health check failed"
    CRASHED = "container exited"
    ASKED = "stopped on purpose"
    OTHER = "another reason"


@dataclass(frozen=True)
class Stop:
    """One stopped or unstartable task: when, why, and what it ran."""

    at: datetime | None
    reason: StopReason
    told: str
    task_definition: str = ""


# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html,
# https://kubernetes.io/docs/tasks/debug/debug-application/. The first that fits wins.
_SIGNS = (
    (StopReason.OUT_OF_MEMORY, r"out ?of ?memory|oom-?kill"),
    (StopReason.NO_IMAGE, r"cannotpull|imagepull|errimage|manifest unknown|pull(?:ing)? image"),
    (StopReason.NO_ROOM, r"unschedulable|insufficient (?:cpu|memory)|unable to place|RESOURCE:"),
    (StopReason.UNHEALTHY, r"health ?check|liveness|unhealthy"),
    (StopReason.ASKED, r"scaling activity|deployment|user ?initiated|stopped by"),
)
_PATTERNS = tuple((reason, re.compile(pattern, re.I)) for reason, pattern in _SIGNS)
# 128 and the number of SIGKILL. Without another word it is what the kernel does to a container without memory.
KILLED = 137


def reason_of(told: str, exit_code: int | None = None) -> StopReason:
    """Return why something stopped, by the words of whoever runs it, and by the container's exit code."""
    for reason, pattern in _PATTERNS:
        if pattern.search(told):
            return reason
    if exit_code == KILLED:
        return StopReason.OUT_OF_MEMORY
    return StopReason.CRASHED if exit_code else StopReason.OTHER


def most_telling(stops: Iterable[Stop]) -> tuple[StopReason, int] | None:
    """Return the reason that most stops have, of those that tell of something wrong, and how many they are."""
    quiet = {StopReason.ASKED, StopReason.OTHER}
    counted = Counter(stop.reason for stop in stops if stop.reason not in quiet)
    return counted.most_common(1)[0] if counted else None
