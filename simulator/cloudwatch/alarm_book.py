"""The account's metric alarms: configured by calls, evaluated each account minute."""

from datetime import datetime
from typing import Any

from simulator.cloudwatch import alarm_words
from simulator.cloudwatch.alarms import Alarm, AlarmState, Change, Standing, judge, points_in_range
from simulator.cloudwatch.metrics import MetricStore


class AlarmBook:
    """All metric alarms of the account, evaluated on demand."""

    def __init__(self, metrics: MetricStore) -> None:
        self._metrics = metrics
        self.alarms: dict[str, Alarm] = {}

    def put(self, parameters: dict[str, Any], at: datetime) -> Alarm:
        """Create an alarm, or configure it anew; its state stays until the next evaluation."""
        known = self.alarms.get(str(parameters["AlarmName"]))
        if known is not None:
            known.parameters, known.configured_at = parameters, at
            known.history.append(alarm_words.configured(known, at, "updated"))
            return known
        standing = Standing(AlarmState.INSUFFICIENT_DATA, "Unchecked: Initial alarm creation", "", at)
        alarm = Alarm(parameters, standing, at, at)
        alarm.history.append(alarm_words.configured(alarm, at, "created"))
        self.alarms[alarm.name] = alarm
        return alarm

    def evaluate(self, now: datetime) -> list[Change]:
        """Evaluate every alarm and give the transitions."""
        changes = []
        for alarm in self.alarms.values():
            judgement = judge(alarm, points_in_range(alarm, self._metrics, now))
            if judgement.state is None or judgement.state is alarm.standing.state:
                continue
            reason = alarm_words.reason(alarm, judgement)
            data = alarm_words.reason_data(alarm, judgement, now)
            changes.append(self.transition(alarm, Standing(judgement.state, reason, data, now)))
        return changes

    def transition(self, alarm: Alarm, after: Standing) -> Change:
        """Move an alarm to a new standing and note it in its history."""
        change = Change(alarm, alarm.standing, after)
        alarm.standing = after
        if change.before.state is not after.state:
            alarm.transitioned_at = after.at
            alarm.history.append(alarm_words.updated(change))
        return change
