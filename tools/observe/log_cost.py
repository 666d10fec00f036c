"""What a log query would scan, told before it is asked, and how much of its window may be asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from memory.records.config import GIGABYTE
from tools.evidence import Window

LEAST_WINDOW = timedelta(minutes=1)


class Keep(StrEnum):
    """Which end of a window matters when not all of it may be read."""

    START = "start"
    END = "end"


@dataclass(frozen=True)
class GroupSize:
    """How much log groups hold, since when, and how fast they grew, taken as even over that time."""

    stored_bytes: int
    bytes_a_second: float
    since: datetime

    def bytes_in(self, window: Window) -> int:
        """Estimate what a query over a window scans: never more than the group holds."""
        return min(self.stored_bytes, round(self.bytes_a_second * _seconds(window)))

    def fitting(self, window: Window, most: int, keep: Keep) -> Window | None:
        """Return the part of a window that scans no more than `most`; None when that is less than a minute."""
        if self.bytes_in(window) <= most:
            return window
        # Whole seconds, rounded down: Insights takes whole seconds, and the part must stay within the most.
        span = timedelta(seconds=int(most / self.bytes_a_second))
        if span < LEAST_WINDOW:
            return None
        start, end = window
        return (start, start + span) if keep is Keep.START else (end - span, end)


def size_of(client: Any, group: str, now: datetime) -> GroupSize | None:
    """Ask CloudWatch Logs how large a group is; None when there is none of that name.

    `storedBytes` spreads over the time since the group was made, or over its retention where that is shorter
    (https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_LogGroup.html).
    """
    told = client.describe_log_groups(logGroupNamePrefix=group, limit=1)["logGroups"]
    # Groups come sorted by name, so one of exactly this name is the first that begins with it.
    return _size(told[0], now) if told and told[0]["logGroupName"] == group else None


def together(sizes: Sequence[GroupSize]) -> GroupSize:
    """Return several groups as one that a query reads."""
    return GroupSize(
        sum(size.stored_bytes for size in sizes),
        sum(size.bytes_a_second for size in sizes),
        min(size.since for size in sizes),
    )


def _size(told: dict[str, Any], now: datetime) -> GroupSize:
    made, days = told.get("creationTime"), told.get("retentionInDays")
    since = min(datetime.fromtimestamp(made / 1000, UTC), now) if made else now
    if days:
        since = max(since, now - timedelta(days=days))
    return spread(int(told.get("storedBytes", 0)), since, now)


def spread(stored: int, since: datetime, now: datetime) -> GroupSize:
    """Return the size of a group whose bytes are taken to have come evenly since a moment."""
    return GroupSize(stored, stored / max(1.0, (now - since).total_seconds()), since)


def size_text(count: float) -> str:
    """Write a number of bytes as people say it."""
    for limit, unit in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if count >= limit:
            return f"{count / limit:.1f} {unit}"
    return f"{count:.0f} bytes"


def cost_text(count: int, gb_usd: float) -> str:
    """Write what scanning so much costs, beside how much it is."""
    return f"{size_text(count)} (${count / GIGABYTE * gb_usd:.4f})"


def _seconds(window: Window) -> float:
    return max(0.0, (window[1] - window[0]).total_seconds())
