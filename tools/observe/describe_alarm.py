"""Read one alarm: its rule, its state and its changes of state."""

import json
from datetime import timedelta
from typing import Any

from pydantic import Field

from memory.records.evidence import Evidence, Gap
from tools.evidence import Answer, Window
from tools.observe.moments import utc_text
from tools.observe.sources import Question, ReadTool, Sources

NAME = "describe_alarm"
HISTORY = timedelta(days=7)
MOST_CHANGES = 50


class DescribeAlarm(Question):
    """Which alarm to read."""

    alarm_name: str = Field(description="The alarm's name.", min_length=1, max_length=255)


def describe_alarm(sources: Sources, question: DescribeAlarm) -> Evidence:
    """Return the alarm's rule, state, reason, latest datapoint and recent changes of state."""
    now = sources.clock.now()
    return sources.recorder.observe(
        f"alarm {question.alarm_name}",
        "cloudwatch",
        "DescribeAlarms",
        {"alarm_name": question.alarm_name, "at": now.isoformat()},
        lambda: _read(sources, question, (now - HISTORY, now)),
        window=(now - HISTORY, now),
        untrusted=True,
        tool=NAME,
    )


def _read(sources: Sources, question: DescribeAlarm, window: Window) -> Answer:
    name = question.alarm_name
    client = sources.access.client("cloudwatch")
    answer = client.describe_alarms(AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    found = [*answer.get("MetricAlarms", []), *answer.get("CompositeAlarms", [])]
    if not found:
        return Answer({"alarm_name": name}, gaps=(Gap.NO_DATA,), gap_detail=f"there is no alarm {name}")
    untold = "the alarm's earlier changes of state were not read"
    sources.recorder.so_far(Answer(_facts(found[0]), gaps=(Gap.TRUNCATED,), gap_detail=untold))
    history = client.describe_alarm_history(
        AlarmName=name,
        HistoryItemType="StateUpdate",
        StartDate=window[0],
        EndDate=window[1] + timedelta(minutes=1),
        MaxRecords=MOST_CHANGES,
        ScanBy="TimestampDescending",
    )
    changes = [
        {"at": utc_text(item["Timestamp"]), "summary": item.get("HistorySummary", "")}
        for item in history.get("AlarmHistoryItems", [])
    ]
    more = bool(history.get("NextToken"))
    return Answer(
        {**_facts(found[0]), "changes": changes},
        calls=2,
        gaps=(Gap.TRUNCATED,) if more else (),
        gap_detail=f"only the newest {MOST_CHANGES} changes of state were read" if more else "",
    )


def _facts(alarm: dict[str, Any]) -> dict[str, Any]:
    updated = alarm.get("StateTransitionedTimestamp") or alarm.get("StateUpdatedTimestamp")
    configured = alarm.get("AlarmConfigurationUpdatedTimestamp")
    return {
        "alarm_name": alarm["AlarmName"],
        "configured_at": utc_text(configured) if configured else None,
        "state": alarm["StateValue"],
        "state_reason": alarm.get("StateReason", ""),
        "state_updated_at": utc_text(updated) if updated else None,
        "latest_value": _latest(alarm.get("StateReasonData")),
        "description": alarm.get("AlarmDescription", ""),
        "alarm_rule": alarm.get("AlarmRule"),
        "namespace": alarm.get("Namespace"),
        "metric_name": alarm.get("MetricName"),
        "dimensions": {d["Name"]: d["Value"] for d in alarm.get("Dimensions", [])},
        "stat": alarm.get("Statistic") or alarm.get("ExtendedStatistic"),
        "period_seconds": alarm.get("Period"),
        "threshold": alarm.get("Threshold"),
        "comparison": alarm.get("ComparisonOperator"),
        "evaluation_periods": alarm.get("EvaluationPeriods"),
        "datapoints_to_alarm": alarm.get("DatapointsToAlarm") or alarm.get("EvaluationPeriods"),
        "treat_missing_data": alarm.get("TreatMissingData", "missing"),
    }


def _latest(reason_data: str | None) -> float | None:
    """Return the newest datapoint that the last evaluation saw, where CloudWatch says it."""
    try:
        told = json.loads(reason_data or "{}").get("recentDatapoints") or [None]
    except (ValueError, AttributeError):
        return None
    return float(told[-1]) if isinstance(told[-1], int | float) else None


TOOL = ReadTool(
    NAME,
    "Read an alarm: what it watches, its state with the reason, and when it changed in the last seven days. "
    "Use it to see how often the alarm fires. No changes means it did not fire in that time.",
    DescribeAlarm,
    describe_alarm,
    _read,
)
