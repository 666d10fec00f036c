"""Follow one request through the logs of several services."""

from typing import Annotated

from pydantic import Field, StringConstraints

from memory.records.evidence import Evidence
from tools.evidence import Answer, Window
from tools.observe.log_query import LogQuery, run_query
from tools.observe.sources import Question, ReadTool, Sources

NAME = "trace_request"
MOST_LINES = 200


class TraceRequest(Question):
    """Which request, in which log groups, over how long."""

    request_id: str = Field(
        description="The request's or trace's id, exactly as a log line has it.",
        min_length=6,
        max_length=128,
        # No character that could end the text in the query.
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._:=+@-]*$",
    )
    log_groups: list[Annotated[str, StringConstraints(min_length=1, max_length=512)]] = Field(
        description="The log groups to look in; name only services that the request may have reached.",
        min_length=1,
        max_length=8,
    )
    minutes: int = Field(default=60, ge=1, le=720, description="How many minutes back from now.")


def trace_request(sources: Sources, question: TraceRequest) -> Evidence:
    """Return the lines that name the request, the oldest first, each with its log group."""
    window = sources.last(question.minutes)
    return sources.recorder.observe(
        f"request {question.request_id}",
        "logs",
        "StartQuery",
        {
            **question.model_dump(),
            "query": query_of(question),
            "from": window[0].isoformat(),
            "to": window[1].isoformat(),
        },
        lambda: _read(sources, question, window),
        window=window,
        untrusted=True,
        tool=NAME,
    )


def query_of(question: TraceRequest) -> str:
    """Write the Logs Insights query for a request."""
    return (
        f'fields @timestamp, @log, @message | filter @message like "{question.request_id}" '
        f"| sort @timestamp asc | limit {MOST_LINES}"
    )


def _read(sources: Sources, question: TraceRequest, window: Window) -> Answer:
    groups = list(dict.fromkeys(question.log_groups))
    return run_query(sources, LogQuery(groups, query_of(question), window))


TOOL = ReadTool(
    NAME,
    "Find every log line that names a request or trace id, over up to eight log groups, oldest first. Use it to see "
    "where a failing request went and which service failed first. No lines means that none of these groups names it.",
    TraceRequest,
    trace_request,
    _read,
)
