"""The ordinary lines of a log group, counted by kind before and after an onset; failures are read line by line."""

from datetime import datetime, timedelta

from memory.records.evidence import PARTIAL, Evidence, Gap
from tools.analysis.lines import MOST_TOLD, Lines, lines_of, shifts
from tools.collectors.logs import BEFORE, FAILURE, Size, minutes_of
from tools.collectors.readable import facts_in
from tools.observe.log_cost import Keep
from tools.observe.query_logs import query_window
from tools.observe.sources import Sources

MOST_KINDS = 60
# Of what may still be scanned: failures say more, and are read at the same time.
SHARE = 0.25
ORDINARY = f"filter @message not like {FAILURE} | pattern @message | limit {MOST_KINDS}"


def lines_before(sources: Sources, group: str, onset: datetime, size: Size) -> Evidence:
    """Count the ordinary lines of the half hour before an onset."""
    window, title = (
        (onset - BEFORE, onset - timedelta(seconds=1)),
        f"kinds of lines in {group} before the onset",
    )
    return query_window(sources, title, group, ORDINARY, window, Keep.END, size, SHARE)


def lines_since(sources: Sources, group: str, onset: datetime, size: Size) -> Evidence:
    """Count the ordinary lines since an onset."""
    window, title = (onset, sources.clock.now()), f"kinds of lines in {group} since the onset"
    return query_window(sources, title, group, ORDINARY, window, Keep.START, size, SHARE)


def told_shifts(service: str, before: Evidence, since: Evidence) -> tuple[str, ...]:
    """Tell what changed most in a service's ordinary lines; nothing where somebody gives orders in them."""
    if before.flags or since.flags:
        return ()
    found = list(shifts(_lines(before), _lines(since)))[:MOST_TOLD]
    return tuple(f"{service}: {one.told}" for one in found)


def _lines(evidence: Evidence) -> Lines:
    lines = lines_of(facts_in(evidence).get("rows", []), minutes_of(evidence), MOST_KINDS)
    # A shorter window is no gap in its kinds; rows that were cut off are.
    is_cut = bool(set(evidence.gaps) & (PARTIAL - {Gap.NARROWED}))
    return Lines(lines.kinds, lines.minutes, lines.is_whole and not is_cut)
