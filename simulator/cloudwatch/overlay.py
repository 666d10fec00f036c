"""CloudWatch's API: metric data from the metric store, alarms from the alarm book."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from simulator.cloudwatch.alarm_book import AlarmBook
from simulator.cloudwatch.alarm_calls import AlarmCalls
from simulator.cloudwatch.alarm_rules import alarm_of
from simulator.cloudwatch.alarms import Alarm, Change
from simulator.cloudwatch.metric_data import MetricData
from simulator.cloudwatch.queries import invalid
from simulator.wire.protocol import AwsError, Call

MOST_TAGS = 50


@dataclass(frozen=True)
class CloudWatchOverlay:
    """Answers CloudWatch. `announce` hears of transitions that a call made."""

    data: MetricData
    book: AlarmBook
    tags: dict[str, dict[str, str]]
    announce: Callable[[Change], None]
    service: str = "cloudwatch"
    exclusive: bool = True

    @property
    def operations(self) -> frozenset[str]:
        """The operations answered here."""
        return frozenset(self._table())

    async def answer(self, call: Call) -> Mapping[str, Any]:
        """The operation's result, or `AwsError`."""
        return self._table()[call.operation](call)

    def _table(self) -> dict[str, Callable[[Call], Mapping[str, Any]]]:
        calls = AlarmCalls(self.book, self.announce)
        return {
            "PutMetricData": self.data.put,
            "GetMetricData": self.data.get,
            "GetMetricStatistics": self.data.statistics,
            "ListMetrics": self.data.list_metrics,
            "PutMetricAlarm": lambda call: self._put(call, calls.put_metric_alarm),
            "PutCompositeAlarm": lambda call: self._put(call, calls.put_composite_alarm),
            "DescribeAlarms": calls.describe,
            "DescribeAlarmsForMetric": calls.describe_for_metric,
            "DescribeAlarmHistory": calls.history,
            "SetAlarmState": calls.set_state,
            "DeleteAlarms": lambda call: self._delete(call, calls),
            "EnableAlarmActions": lambda call: calls.switch_actions(call, enabled=True),
            "DisableAlarmActions": lambda call: calls.switch_actions(call, enabled=False),
            "TagResource": self._tag,
            "UntagResource": self._untag,
            "ListTagsForResource": self._list_tags,
        }

    def _put(self, call: Call, put: Callable[[Call], Alarm | None]) -> Mapping[str, Any]:
        created = put(call)
        if created is not None:
            # Tags that come with an update are ignored, as on AWS.
            self.tags.pop(created.arn, None)
            self._set_tags(created.arn, call.parameters.get("Tags", []))
        return {}

    def _delete(self, call: Call, calls: AlarmCalls) -> Mapping[str, Any]:
        arns = {one.arn for one in self.book.all().values()}
        try:
            return calls.delete(call)
        finally:
            for gone in arns - {one.arn for one in self.book.all().values()}:
                self.tags.pop(gone, None)

    def _tag(self, call: Call) -> Mapping[str, Any]:
        self._set_tags(self._resource(call), call.parameters["Tags"])
        return {}

    def _set_tags(self, arn: str, tags: list[dict[str, str]]) -> None:
        given = {one["Key"]: one["Value"] for one in tags}
        kept = self.tags.get(arn, {}) | given
        if any(key.lower().startswith("aws:") for key in given):
            raise invalid("aws: prefixed tag key names are not allowed for external use.")
        if len(kept) > MOST_TAGS:
            raise invalid(f"A resource can have at most {MOST_TAGS} tags.")
        self.tags[arn] = kept

    def _untag(self, call: Call) -> Mapping[str, Any]:
        tags = self.tags.get(self._resource(call), {})
        for key in call.parameters["TagKeys"]:
            tags.pop(key, None)
        return {}

    def _list_tags(self, call: Call) -> Mapping[str, Any]:
        tags = self.tags.get(self._resource(call), {})
        return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}

    def _resource(self, call: Call) -> str:
        """The ARN of the alarm that is to be tagged; other resources of CloudWatch the account has none."""
        arn = str(call.parameters["ResourceARN"])
        alarm = self.book.all().get(alarm_of(arn))
        if alarm is None or alarm.arn != arn:
            raise AwsError("ResourceNotFoundException", f"Unknown resource: {arn}", 404)
        return arn
