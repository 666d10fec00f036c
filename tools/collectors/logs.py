"""The failures that a log group tells before and after an onset."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from memory.records.evidence import Evidence
from memory.records.spend import Spend
from tools.analysis.logs import Change, compare
from tools.collectors.readable import is_readable
from tools.observe.log_cost import GroupSize, Keep, size_of
from tools.observe.query_logs import query_window
from tools.observe.sources import Sources

Size = Callable[[], GroupSize | None]
BEFORE = timedelta(minutes=30)
FAILURE = (
    "/(?i)(?:error|exception|traceback|fatal|panic|refused|timed out|throttl|exceeded|denied|unavailable|fail|"
    "exhausted|rejected)/"
)
_SHOWN = "fields @timestamp, @message, @logStream"
FAILURES = f"{_SHOWN} | filter @message like {FAILURE} | sort @timestamp desc | limit 200"


@dataclass(frozen=True)
class LogSides:
    """What a log group told of failures on either side of an onset; None where it could not be read."""

    changes: tuple[Change, ...] | None
    evidence_ids: tuple[str, ...]


def look_at_size(sources: Sources, group: str) -> GroupSize | None:
    """Read how large a log group is, by which its queries are estimated; it needs no onset."""
    sources.recorder.charge(Spend(aws_calls=1))
    return size_of(sources.access.client("logs"), group, sources.clock.now())


def look_before(sources: Sources, group: str, onset: datetime, size: Size) -> Evidence:
    """Read the failures of the half hour before an onset."""
    window, title = (onset - BEFORE, onset - timedelta(seconds=1)), f"failures in {group} before the onset"
    return query_window(sources, title, group, FAILURES, window, Keep.END, size)


def look_since(sources: Sources, group: str, onset: datetime, size: Size) -> Evidence:
    """Read the failures since an onset."""
    window, title = (onset, sources.clock.now()), f"failures in {group} since the onset"
    return query_window(sources, title, group, FAILURES, window, Keep.START, size)


def compared(before: Evidence, since: Evidence) -> LogSides:
    """Return which templates are new, surge or are gone, as rates a minute."""
    if not (is_readable(before) and is_readable(since)):
        return LogSides(None, (before.evidence_id, since.evidence_id))
    minutes = (minutes_of(before), minutes_of(since))
    places = [str(row.get("@logStream", "")) for row in _rows(since)]
    changes = compare(_messages(before), _messages(since), minutes, places=places)
    return LogSides(tuple(changes), (before.evidence_id, since.evidence_id))


def minutes_of(evidence: Evidence) -> float:
    """Return how many minutes were read, and at least one."""
    if evidence.window_start is None or evidence.window_end is None:
        return 1.0
    return max((evidence.window_end - evidence.window_start).total_seconds() / 60, 1.0)


def _messages(evidence: Evidence) -> list[str]:
    return [str(row.get("@message", "")) for row in _rows(evidence)]


def _rows(evidence: Evidence) -> list[dict[str, Any]]:
    result = evidence.result if isinstance(evidence.result, dict) else {}
    rows: list[dict[str, Any]] = result.get("rows", [])
    return rows
