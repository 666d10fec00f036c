"""The calls that configure, describe and set alarms."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from simulator.cloudwatch.alarm_answers import composite_answer, metric_answer
from simulator.cloudwatch.alarm_book import AlarmBook
from simulator.cloudwatch.alarm_validation import ACTION_LISTS, check_composite_alarm, check_metric_alarm
from simulator.cloudwatch.alarms import Alarm, AlarmState, Change, Standing
from simulator.cloudwatch.composites import CompositeAlarm
from simulator.cloudwatch.queries import dimensions_of, invalid
from simulator.wire.paging import UnknownTokenError, page
from simulator.wire.protocol import AwsError, Call

_ONLY_PAGED = {"MaxRecords", "NextToken"}


@dataclass(frozen=True)
class AlarmCalls:
    """Answers the alarm operations. `announce` hears of transitions that a call made."""

    book: AlarmBook
    announce: Callable[[Change], None]

    def put_metric_alarm(self, call: Call) -> Alarm | None:
        """API_PutMetricAlarm. The alarm, where it is new."""
        check_metric_alarm(call.parameters)
        name = call.parameters["AlarmName"]
        if name in self.book.composites:
            raise invalid(f"{name} is the name of a composite alarm.")
        known = name in self.book.alarms
        alarm = self.book.put(call.parameters, call.at)
        return None if known else alarm

    def put_composite_alarm(self, call: Call) -> Alarm | None:
        """API_PutCompositeAlarm. The alarm, where it is new."""
        known = self.book.all()
        parents = {name: len(self.book.parents(name)) for name in known}
        check_composite_alarm(call.parameters, list(known), parents)
        name = call.parameters["AlarmName"]
        if name in self.book.alarms:
            raise invalid(f"{name} is the name of a metric alarm.")
        alarm = self.book.put_composite(call.parameters, call.at)
        return None if name in known else alarm

    def describe(self, call: Call) -> Mapping[str, Any]:
        """API_DescribeAlarms."""
        parameters = call.parameters
        for kin in ("ChildrenOfAlarmName", "ParentsOfAlarmName"):
            if kin in parameters:
                return self._describe_kin(kin, parameters)
        if "AlarmNames" in parameters and "AlarmNamePrefix" in parameters:
            raise invalid("AlarmNames and AlarmNamePrefix cannot be specified together.")
        kinds = parameters.get("AlarmTypes", ["MetricAlarm"])
        found = [
            alarm
            for kind, alarms in (("MetricAlarm", self.book.alarms), ("CompositeAlarm", self.book.composites))
            if kind in kinds
            for _, alarm in sorted(alarms.items())
            if _is_asked_for(alarm, parameters)
        ]
        listed, token = _page(found, parameters, 50)
        return {
            "MetricAlarms": [metric_answer(one) for one in listed if not isinstance(one, CompositeAlarm)],
            "CompositeAlarms": [composite_answer(one) for one in listed if isinstance(one, CompositeAlarm)],
            "NextToken": token,
        }

    def _describe_kin(self, kin: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        others = sorted(set(parameters) - {kin} - _ONLY_PAGED)
        if others:
            raise invalid(f"{kin} cannot be specified together with {others[0]}.")
        alarm = self._alarm(parameters[kin])
        alarms = self.book.all()
        if kin == "ParentsOfAlarmName":
            found: list[Alarm] = [one for one in self.book.parents(alarm.name)]
            members = ["AlarmName", "AlarmArn"]
        elif isinstance(alarm, CompositeAlarm):
            found = [alarms[name] for name in alarm.rule.children if name in alarms]
            members = ["AlarmName", "AlarmArn", "StateValue", "StateUpdatedTimestamp"]
        else:
            raise invalid(f"{alarm.name} is not a composite alarm.")
        listed, token = _page(found, parameters, 50)
        composites = [composite_answer(one) for one in listed if isinstance(one, CompositeAlarm)]
        metrics = [metric_answer(one) for one in listed if not isinstance(one, CompositeAlarm)]
        return {
            "MetricAlarms": [{name: one[name] for name in members} for one in metrics],
            "CompositeAlarms": [{name: one[name] for name in members} for one in composites],
            "NextToken": token,
        }

    def describe_for_metric(self, call: Call) -> Mapping[str, Any]:
        """API_DescribeAlarmsForMetric: alarms on the metric itself, not on expressions that use it."""
        parameters = call.parameters
        wanted = (parameters["Namespace"], parameters["MetricName"], dimensions_of(parameters))
        stat = parameters.get("Statistic") or parameters.get("ExtendedStatistic")
        found = [
            metric_answer(one)
            for _, one in sorted(self.book.alarms.items())
            if one.metric is not None
            and (one.metric.namespace, one.metric.name, one.dimensions) == wanted
            and stat in (None, one.stat)
            and parameters.get("Period") in (None, one.period)
            and parameters.get("Unit") in (None, one.parameters.get("Unit"))
        ]
        return {"MetricAlarms": found}

    def history(self, call: Call) -> Mapping[str, Any]:
        """API_DescribeAlarmHistory."""
        parameters = call.parameters
        name, kind = parameters.get("AlarmName"), parameters.get("HistoryItemType")
        since, until = parameters.get("StartDate"), parameters.get("EndDate")
        kinds = parameters.get("AlarmTypes", ["MetricAlarm"])
        found = [
            item
            for of_kind, item in self.book.history(call.at)
            if of_kind in kinds
            and name in (None, item["AlarmName"])
            and kind in (None, item["HistoryItemType"])
            and (since is None or item["Timestamp"] >= since)
            and (until is None or item["Timestamp"] <= until)
        ]
        oldest_first = parameters.get("ScanBy") == "TimestampAscending"
        found.sort(key=lambda item: item["Timestamp"])
        if not oldest_first:
            found.reverse()
        listed, token = _page(found, parameters, 100)
        return {"AlarmHistoryItems": listed, "NextToken": token}

    def set_state(self, call: Call) -> Mapping[str, Any]:
        """API_SetAlarmState."""
        alarm, value = self._alarm(call.parameters["AlarmName"]), call.parameters["StateValue"]
        if value not in [one.value for one in AlarmState]:
            raise invalid(f"The value {value} for parameter StateValue is not supported.")
        data = call.parameters.get("StateReasonData", "")
        standing = Standing(AlarmState(value), call.parameters["StateReason"], data, call.at)
        for change in self.book.set_state(alarm.name, standing):
            if change.is_transition or change.actions:
                self.announce(change)
        return {}

    def delete(self, call: Call) -> Mapping[str, Any]:
        """API_DeleteAlarms. Names that are not known do not keep the others from being deleted."""
        names = list(dict.fromkeys(call.parameters["AlarmNames"]))
        if len(names) > 100:
            raise invalid("The collection AlarmNames must have at most 100 members.")
        if len([one for one in names if one in self.book.composites]) > 1:
            raise invalid("At most one composite alarm can be deleted with one call.")
        alarms = self.book.all()
        needed = [one for one in names if one in alarms and self._is_needed(one, names)]
        if needed:
            them = "them" if len(needed) > 1 else "it"
            text = f"Cannot delete {','.join(needed)} as there are composite alarm(s) depending on {them}."
            raise invalid(text)
        # A composite alarm goes first, so that its children can go with it.
        for name in sorted((one for one in names if one in alarms), key=lambda one: one in self.book.alarms):
            self.book.delete(name, call.at)
        unknown = [one for one in names if one not in alarms]
        if unknown:
            raise AwsError("ResourceNotFound", f"Unknown alarm: {unknown[0]}", 404)
        return {}

    def _is_needed(self, name: str, going: list[str]) -> bool:
        """Whether a composite alarm that stays depends on it; one in a cycle depends on itself."""
        return any(one.name not in going or one.name == name for one in self.book.parents(name))

    def switch_actions(self, call: Call, *, enabled: bool) -> Mapping[str, Any]:
        """API_EnableAlarmActions and API_DisableAlarmActions."""
        alarms = self.book.all()
        for name in call.parameters["AlarmNames"]:
            if name in alarms:
                self.book.switch_actions(alarms[name], call.at, enabled=enabled)
        return {}

    def _alarm(self, name: str) -> Alarm:
        found = self.book.all().get(name)
        if found is None:
            raise AwsError("ResourceNotFound", f"Unknown alarm: {name}", 404)
        return found


def _is_asked_for(alarm: Alarm, parameters: Mapping[str, Any]) -> bool:
    names, prefix = parameters.get("AlarmNames"), parameters.get("ActionPrefix")
    actions = [one for kind in ACTION_LISTS for one in alarm.parameters.get(kind, [])]
    return (
        (names is None or alarm.name in names)
        and alarm.name.startswith(parameters.get("AlarmNamePrefix", ""))
        and parameters.get("StateValue") in (None, alarm.standing.state.value)
        and (prefix is None or any(one.startswith(prefix) for one in actions))
    )


def _page(found: list[Any], parameters: Mapping[str, Any], usual: int) -> tuple[list[Any], str | None]:
    size = parameters.get("MaxRecords", usual)
    if not 1 <= size <= 100:
        raise invalid("The parameter MaxRecords must be between 1 and 100.")
    try:
        return page(found, parameters.get("NextToken"), size)
    except UnknownTokenError as error:
        raise AwsError("InvalidNextToken", "The next token is invalid.") from error
