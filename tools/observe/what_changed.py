"""Find what was changed in the account over a window, and by whom."""

import json
from typing import Any

from pydantic import Field

from memory.records.evidence import Evidence, Gap
from tools.evidence import Answer, Window
from tools.observe.moments import utc_text
from tools.observe.sources import Question, ReadTool, Sources

NAME = "what_changed"
PAGES = 4
# Reads that some services record as management events with readOnly absent or wrong.
_READS = (
    "Get",
    "List",
    "Describe",
    "Lookup",
    "Head",
    "BatchGet",
    "AssumeRole",
    "Decode",
    "Converse",
    "StartQuery",
    "StopQuery",
)


class WhatChanged(Question):
    """How far back to look."""

    minutes: int = Field(default=180, ge=5, le=1440, description="How many minutes back from now.")


def what_changed(sources: Sources, question: WhatChanged) -> Evidence:
    """Return the changes that CloudTrail knows of, newest first."""
    window = sources.last(question.minutes)
    return sources.recorder.observe(
        f"changes of the last {question.minutes} minutes",
        "cloudtrail",
        "LookupEvents",
        {**question.model_dump(), "from": window[0].isoformat(), "to": window[1].isoformat()},
        lambda: _read(sources, window),
        window=window,
        untrusted=True,
        tool=NAME,
    )


def _read(sources: Sources, window: Window) -> Answer:
    """Ask for changes only; a page holds fifty, and pages are few because look-ups are limited to two a second."""
    client = sources.access.client("cloudtrail")
    request: dict[str, Any] = {
        "LookupAttributes": [{"AttributeKey": "ReadOnly", "AttributeValue": "false"}],
        "StartTime": window[0],
        "EndTime": window[1],
        "MaxResults": 50,
    }
    changes: list[dict[str, Any]] = []
    for page_number in range(1, PAGES + 1):
        page = client.lookup_events(**request)
        changes += [change for event in page["Events"] if (change := _change(event))]
        if not page.get("NextToken"):
            return Answer({"changes": changes}, page_number)
        request["NextToken"] = page["NextToken"]
        if changes:
            sources.recorder.so_far(_in_part(changes, page_number))
    return _in_part(changes, PAGES)


def _in_part(changes: list[dict[str, Any]], pages: int) -> Answer:
    told = {"changes": list(changes), "more": True}
    return Answer(told, pages, gaps=(Gap.TRUNCATED,), gap_detail="older changes were not read")


def _change(event: dict[str, Any]) -> dict[str, Any] | None:
    name = str(event["EventName"])
    if name.startswith(_READS):
        return None
    detail = json.loads(event.get("CloudTrailEvent") or "{}")
    return {
        "at": utc_text(event["EventTime"]),
        "event": name,
        "service": str(event.get("EventSource", "")).removesuffix(".amazonaws.com"),
        "by": (detail.get("userIdentity") or {}).get("arn") or event.get("Username"),
        "parameters": detail.get("requestParameters") or {},
        "failed": detail.get("errorCode"),
    }


TOOL = ReadTool(
    NAME,
    "List the changes made in the account: deployments, scaling, settings, each with its caller. Writes to data "
    "are not listed. An empty list means that no change was recorded, which is evidence against one.",
    WhatChanged,
    what_changed,
    lambda sources, question, window: _read(sources, window),
)
