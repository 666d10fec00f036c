"""The failures that a log group tells before and after an onset."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from memory.records.evidence import Evidence, Gap
from tools.analysis.logs import Change, Side, compare
from tools.collectors.readable import is_in_part, is_readable
from tools.evidence import Answer
from tools.observe.log_cost import GroupSize, Keep
from tools.observe.query_logs import query_window, row_time
from tools.observe.sources import Sources

Size = Callable[[], GroupSize | Answer]
BEFORE = timedelta(minutes=30)
MINUTE = timedelta(minutes=1)
LEAST_MINUTES = 1 / 60
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
    places = [str(row.get("@logStream", "")) for row in _rows(since)]
    changes = compare(_side(before), _side(since), places=places)
    return LogSides(tuple(changes), (before.evidence_id, since.evidence_id))


def _side(evidence: Evidence) -> Side:
    return Side(
        [str(row.get("@message", "")) for row in _rows(evidence)],
        _minutes_told(evidence),
        not is_in_part(evidence),
    )


def _minutes_told(evidence: Evidence) -> float:
    """Return of how many minutes the rows tell all: where some were cut off, those since the oldest that is left."""
    asked, end = minutes_of(evidence), evidence.window_end
    times = [at for row in _rows(evidence) if (at := row_time(row))]
    if Gap.TRUNCATED not in evidence.gaps or not times or end is None:
        return asked
    return min(asked, max((end - min(times)) / MINUTE, LEAST_MINUTES))


def minutes_of(evidence: Evidence) -> float:
    """Return how many minutes were read, and at least one."""
    if evidence.window_start is None or evidence.window_end is None:
        return 1.0
    return max((evidence.window_end - evidence.window_start).total_seconds() / 60, 1.0)


def _rows(evidence: Evidence) -> list[dict[str, Any]]:
    result = evidence.result if isinstance(evidence.result, dict) else {}
    rows: list[dict[str, Any]] = result.get("rows", [])
    return rows
