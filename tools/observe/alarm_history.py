"""Read which alarms of the account fired over a window, and which were edited."""

import json
from datetime import timedelta
from typing import Any

from pydantic import Field

from memory.records.evidence import Evidence, Gap
from tools.evidence import Answer, Window
from tools.observe.moments import utc_text
from tools.observe.sources import Question, ReadTool, Sources

NAME = "alarm_history"
PAGES = 5
KINDS = ("StateUpdate", "ConfigurationUpdate")


class AlarmHistory(Question):
    """How far back to look."""

    minutes: int = Field(default=180, ge=5, le=10_080, description="How many minutes back from now.")


def alarm_history(sources: Sources, question: AlarmHistory) -> Evidence:
    """Return changes of state and of definition of all alarms, newest first, and which alarms fire now."""
    window = sources.last(question.minutes)
    return sources.recorder.observe(
        f"alarms of the last {question.minutes} minutes",
        "cloudwatch",
        "DescribeAlarmHistory",
        {**question.model_dump(), "until": window[1].isoformat()},
        lambda: _read(sources, window),
        window=window,
        untrusted=True,
        tool=NAME,
    )


def _read(sources: Sources, window: Window) -> Answer:
    client = sources.access.client("cloudwatch")
    firing = client.describe_alarms(
        StateValue="ALARM", AlarmTypes=["MetricAlarm", "CompositeAlarm"], MaxRecords=100
    )
    names = [
        alarm["AlarmName"] for kind in ("MetricAlarms", "CompositeAlarms") for alarm in firing.get(kind, [])
    ]
    changes: list[dict[str, Any]] = []
    calls, left = 1, bool(firing.get("NextToken"))
    for kind in KINDS:
        items, pages, more = _items(client, kind, window)
        changes += [_change(item) for item in items]
        calls, left = calls + pages, left or more
    changes.sort(key=lambda change: str(change["at"]), reverse=True)
    return Answer(
        {"firing": names, "changes": changes},
        calls,
        gaps=(Gap.TRUNCATED,) if left else (),
        gap_detail="there are more alarms or older changes than were read" if left else "",
    )


def _items(client: Any, kind: str, window: Window) -> tuple[list[dict[str, Any]], int, bool]:
    request: dict[str, Any] = {
        "HistoryItemType": kind,
        "AlarmTypes": ["MetricAlarm", "CompositeAlarm"],
        "StartDate": window[0],
        "EndDate": window[1] + timedelta(seconds=1),
        "MaxRecords": 100,
        "ScanBy": "TimestampDescending",
    }
    found: list[dict[str, Any]] = []
    for pages in range(1, PAGES + 1):
        page = client.describe_alarm_history(**request)
        found += page["AlarmHistoryItems"]
        if not page.get("NextToken"):
            return found, pages, False
        request["NextToken"] = page["NextToken"]
    return found, PAGES, True


def _change(item: dict[str, Any]) -> dict[str, Any]:
    return {
        "at": utc_text(item["Timestamp"]),
        "alarm": item["AlarmName"],
        "kind": "state" if item["HistoryItemType"] == "StateUpdate" else "definition",
        "summary": item.get("HistorySummary", ""),
        "reason": _reason(item.get("HistoryData")),
    }


def _reason(data: str | None) -> str:
    """Return why the state changed, as CloudWatch wrote it down, or nothing."""
    try:
        told = json.loads(data or "{}").get("newState", {}).get("stateReason", "")
    except (ValueError, AttributeError):
        return ""
    return str(told)


TOOL = ReadTool(
    NAME,
    "List which alarms of the account changed their state, which were edited, and which fire now. Use it to see what "
    "fired first and what fires beside this alarm. No changes means that no alarm changed, which says nothing of what "
    "has no alarm.",
    AlarmHistory,
    alarm_history,
    lambda sources, question, window: _read(sources, window),
)
