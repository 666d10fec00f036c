"""How large a log group is, by which its queries are estimated: read once for all of them, and stored."""

from datetime import datetime

from memory.records.evidence import Evidence, Gap
from tools.collectors.readable import is_readable
from tools.evidence import Answer
from tools.observe.log_cost import GroupSize, size_of, spread
from tools.observe.log_query import NOTHING
from tools.observe.moments import utc_text
from tools.observe.sources import Question, ReadTool, Sources

NAME = "collected_group_size"


class SizeOfGroup(Question):
    """Of which log group."""

    log_group: str


def look_at_size(sources: Sources, group: str) -> Evidence:
    """Read how much a log group holds, and since when; it needs no onset."""
    question, now = SizeOfGroup(log_group=group), sources.clock.now()
    return sources.recorder.observe(
        f"size of {group}",
        "logs",
        "DescribeLogGroups",
        {**question.model_dump(), "at": now.isoformat()},
        lambda: _read(sources, question),
        tool=NAME,
    )


def _read(sources: Sources, question: SizeOfGroup) -> Answer:
    group = question.log_group
    size = size_of(sources.access.client("logs"), group, sources.clock.now())
    if size is None:
        return Answer({}, gaps=(Gap.FAILED,), gap_detail=f"there is no log group {group}")
    return Answer({"stored_bytes": size.stored_bytes, "since": utc_text(size.since)})


def size_in(evidence: Evidence) -> GroupSize | Answer:
    """Return the size that was read, or where it was not, what a query that needs it answers."""
    if not is_readable(evidence):
        return Answer(NOTHING, 0, gaps=evidence.gaps, gap_detail=evidence.gap_detail)
    told = evidence.result
    return spread(int(told["stored_bytes"]), datetime.fromisoformat(told["since"]), evidence.taken_at)


TOOL = ReadTool(
    NAME,
    "Read how much a log group holds, and since when.",
    SizeOfGroup,
    lambda sources, question: look_at_size(sources, question.log_group),
    lambda sources, question, window: _read(sources, question),
)
