"""The metric that an alarm watches, as a question to ask."""

from typing import Any

from pydantic import ValidationError

from memory.records.alarm import Alarm
from tools.observe.get_metric import GetMetric


def metric_of(alarm: Alarm, described: dict[str, Any], minutes: int) -> GetMetric | None:
    """Return the question for an alarm's metric: as CloudWatch describes the alarm, else as its event said.

    An alarm on an expression is asked for its first metric. None means that the alarm watches no metric, or names one
    as CloudWatch names none: an event may come from anybody.
    """
    named = alarm.metrics[0] if alarm.metrics else None
    namespace = described.get("namespace") or (named.namespace if named else None)
    name = described.get("metric_name") or (named.name if named else None)
    if not namespace or not name:
        return None
    dimensions = described.get("dimensions") or (named.dimensions if named else {})
    stat = described.get("stat") or (named.stat if named else None) or "Average"
    period = described.get("period_seconds") or (named.period_seconds if named else None) or 60
    try:
        return GetMetric(
            namespace=namespace,
            metric_name=name,
            dimensions=dimensions,
            stat=stat,
            minutes=minutes,
            period_seconds=min(max(60, int(period) // 60 * 60), 3600),
        )
    except ValidationError:
        return None
