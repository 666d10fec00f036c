"""The account's alarms: configured by calls, evaluated as account time goes on."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from simulator.cloudwatch import alarm_words, composite_words
from simulator.cloudwatch.alarms import Alarm, AlarmState, Change, MetricAlarm, Standing, judge
from simulator.cloudwatch.composites import CompositeAlarm, in_order
from simulator.cloudwatch.datapoints import watched
from simulator.cloudwatch.metrics import MetricStore
from simulator.cloudwatch.retention import MINUTE

CREATED = "Unchecked: Initial alarm creation"
HISTORY_KEPT = timedelta(days=30)


class AlarmBook:
    """All alarms of the account. Metric alarms and composite ones share one space of names."""

    def __init__(self, metrics: MetricStore) -> None:
        self._metrics = metrics
        self.alarms: dict[str, MetricAlarm] = {}
        self.composites: dict[str, CompositeAlarm] = {}
        self._departed: list[tuple[str, list[dict[str, Any]]]] = []
        self._minute = 0

    def put(self, parameters: dict[str, Any], at: datetime) -> MetricAlarm:
        """Create a metric alarm, or configure it anew; its state stays until the next evaluation."""
        known = self.alarms.get(str(parameters["AlarmName"]))
        if known is not None:
            known.configure(parameters, at)
            known.history.append(alarm_words.configured(known, at, "updated"))
            return known
        alarm = MetricAlarm(parameters, _unchecked(at), at, at)
        alarm.history.append(alarm_words.configured(alarm, at, "created"))
        self.alarms[alarm.name] = alarm
        return alarm

    def put_composite(self, parameters: dict[str, Any], at: datetime) -> CompositeAlarm:
        """Create a composite alarm, or configure it anew."""
        known = self.composites.get(str(parameters["AlarmName"]))
        if known is not None:
            known.configure(parameters, at)
            known.history.append(alarm_words.configured(known, at, "updated"))
            return known
        alarm = CompositeAlarm(parameters, _unchecked(at), at, at)
        alarm.history.append(alarm_words.configured(alarm, at, "created"))
        self.composites[alarm.name] = alarm
        return alarm

    def all(self) -> dict[str, Alarm]:
        """Every alarm by its name."""
        return {**self.alarms, **self.composites}

    def is_alarming(self, name: str) -> bool | None:
        """Whether an alarm is in ALARM; None where there is no alarm of that name."""
        found = self.all().get(name)
        return None if found is None else found.standing.state is AlarmState.ALARM

    def parents(self, name: str) -> list[CompositeAlarm]:
        """The composite alarms that depend on an alarm, by their rule or as its suppressor."""
        found = [one for _, one in sorted(self.composites.items())]
        return [one for one in found if name in one.rule.children or name == one.suppressor]

    def delete(self, name: str, at: datetime) -> None:
        """Delete an alarm. Its history stays."""
        alarm = self.alarms.pop(name, None) or self.composites.pop(name)
        alarm.history.append(alarm_words.configured(alarm, at, "deleted"))
        self._departed.append((alarm.kind, alarm.history))

    def switch_actions(self, alarm: Alarm, at: datetime, *, enabled: bool) -> None:
        """Let an alarm's actions be carried out, or not. Nothing else of it changes."""
        if alarm.parameters.get("ActionsEnabled", True) is enabled:
            return
        alarm.parameters = {**alarm.parameters, "ActionsEnabled": enabled}
        alarm.configured_at = at
        alarm.history.append(alarm_words.configured(alarm, at, "updated"))

    def history(self, now: datetime) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every history item that is still kept, with the kind of its alarm."""
        alive = [(one.kind, one.history) for one in self.all().values()]
        for kind, items in [*self._departed, *alive]:
            yield from ((kind, item) for item in items if item["Timestamp"] >= now - HISTORY_KEPT)

    def evaluate(self, now: datetime) -> list[Change]:
        """Evaluate the alarms that are due and give the transitions, those of children first."""
        minute = int(now.timestamp()) // MINUTE
        whole, self._minute = minute != self._minute, minute
        changes = []
        for alarm in self.alarms.values():
            if not whole and alarm.period >= MINUTE:
                continue
            points = watched(alarm, self._metrics, now)
            if points is None:
                continue
            judgement = judge(alarm, points)
            if judgement.state is None or judgement.state is alarm.standing.state:
                continue
            reason = alarm_words.reason(alarm, judgement)
            data = alarm_words.reason_data(alarm, judgement, now)
            changes.append(_moved(alarm, Standing(judgement.state, reason, data, now)))
        return changes + (self._follow(now) if self.composites else [])

    def set_state(self, name: str, standing: Standing) -> list[Change]:
        """Set a state by hand, until the next evaluation; composite alarms follow."""
        alarm = self.all()[name]
        change = _entered(alarm, standing) if isinstance(alarm, CompositeAlarm) else _moved(alarm, standing)
        return [change, *self._follow(standing.at)]

    def _follow(self, now: datetime) -> list[Change]:
        """Let composite alarms follow the alarms that they depend on."""
        alarms = self.all()
        ordered = in_order(self.composites)
        changes = []
        for alarm in ordered:
            states = {name: alarms[name].standing.state for name in alarm.rule.children if name in alarms}
            if states == alarm.seen:
                # Set by hand, it stays so until one of its children changes.
                continue
            holds = alarm.rule.holds(partial(_state, states))
            wanted = AlarmState.ALARM if holds else AlarmState.OK
            if wanted is not alarm.standing.state:
                reason, data = composite_words.reason(alarm, states, alarms, wanted)
                alarm.look_at_suppressor(alarms, now)
                changes.append(_entered(alarm, Standing(wanted, reason, data, now)))
            alarm.seen = states
        return changes + [one for alarm in ordered if (one := _let_go(alarm, alarms, now)) is not None]


def _state(states: dict[str, AlarmState], name: str) -> AlarmState:
    return states.get(name, AlarmState.INSUFFICIENT_DATA)


def _unchecked(at: datetime) -> Standing:
    return Standing(AlarmState.INSUFFICIENT_DATA, CREATED, "", at)


def _moved(alarm: Alarm, after: Standing, *, due: bool = True) -> Change:
    """Move an alarm to a new standing and note it in its history."""
    change = Change(alarm, alarm.standing, after, due)
    alarm.standing = after
    if change.is_transition:
        alarm.transitioned_at = after.at
        alarm.history.append(alarm_words.updated(change))
    return change


def _entered(alarm: CompositeAlarm, after: Standing) -> Change:
    if after.state is alarm.standing.state:
        return _moved(alarm, replace(after, suppressed_by=alarm.suppression.by), due=False)
    due = alarm.enter(after.state, after.at)
    return _moved(alarm, replace(after, suppressed_by=alarm.suppression.by), due=due)


def _let_go(alarm: CompositeAlarm, alarms: dict[str, Alarm], now: datetime) -> Change | None:
    """The end of what held an alarm's actions back, if that is now."""
    alarm.look_at_suppressor(alarms, now)
    by = alarm.let_go(now)
    if by is None or by == alarm.standing.suppressed_by:
        return None
    before, alarm.standing = alarm.standing, replace(alarm.standing, suppressed_by=by, at=now)
    return Change(alarm, before, alarm.standing) if not by else None
