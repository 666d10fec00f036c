"""Composite alarms: which state their rule calls for, and what holds their actions back.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Create_Composite_Alarm_Suppression.html
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from simulator.cloudwatch.alarm_rules import Rule, alarm_of, parsed_rule
from simulator.cloudwatch.alarms import Alarm, AlarmState

WAIT, EXTENSION, SUPPRESSOR = "WaitPeriod", "ExtensionPeriod", "Alarm"


@dataclass
class Suppression:
    """What holds a composite alarm's actions back, and until when.

    `acted` is the state that actions were last taken for: back in it, nothing is left to be done.
    """

    acted: AlarmState
    by: str = ""
    until: datetime | None = None
    in_alarm: bool = False
    left: datetime | None = None


@dataclass
class CompositeAlarm(Alarm):
    """An alarm on the states of others. `seen` are the states that it was last evaluated with."""

    suppression: Suppression = field(
        default_factory=lambda: Suppression(AlarmState.INSUFFICIENT_DATA), kw_only=True
    )
    seen: dict[str, AlarmState] | None = field(default=None, kw_only=True)

    kind = "CompositeAlarm"

    @property
    def rule(self) -> Rule:
        """Its rule, parsed."""
        return parsed_rule(str(self.parameters["AlarmRule"]))

    @property
    def suppressor(self) -> str | None:
        """The name of the alarm that suppresses its actions."""
        given = self.parameters.get("ActionsSuppressor")
        return None if given is None else alarm_of(given)

    def _seconds(self, name: str) -> timedelta:
        return timedelta(seconds=self.parameters.get(name, 0))

    def configure(self, parameters: dict[str, Any], at: datetime) -> None:
        """Take a new configuration; the state stays until it is evaluated anew."""
        self.parameters, self.configured_at, self.seen = parameters, at, None
        if self.suppressor is None:
            self.suppression = Suppression(self.standing.state)

    def enter(self, state: AlarmState, now: datetime) -> bool:
        """Whether the actions of a state that is just entered are due; `suppression.by` holds them back."""
        holding = self.suppression
        holding.by, holding.until = "", None
        if self.suppressor is not None and state is holding.acted:
            return False
        extended = holding.left is not None and now < holding.left + self._seconds(_EXTENSION)
        if self.suppressor is not None and holding.in_alarm:
            holding.by = SUPPRESSOR
        elif extended and holding.left is not None:
            holding.by, holding.until = EXTENSION, holding.left + self._seconds(_EXTENSION)
        elif state is AlarmState.ALARM and self._seconds(_WAIT):
            holding.by, holding.until = WAIT, now + self._seconds(_WAIT)
        else:
            holding.acted = state
        return not holding.by

    def look_at_suppressor(self, alarms: Mapping[str, Alarm], now: datetime) -> None:
        """Notice that the suppressor entered or left ALARM."""
        suppressor = alarms.get(self.suppressor or "")
        in_alarm = suppressor is not None and suppressor.standing.state is AlarmState.ALARM
        if self.suppression.in_alarm and not in_alarm:
            self.suppression.left = now
        self.suppression.in_alarm = in_alarm

    def let_go(self, now: datetime) -> str | None:
        """What now holds back actions that were held back; nothing once they are due; None if none were."""
        holding = self.suppression
        if not holding.by:
            return None
        if holding.in_alarm:
            holding.by, holding.until = SUPPRESSOR, None
        elif holding.by == SUPPRESSOR and holding.left is not None:
            holding.by, holding.until = EXTENSION, holding.left + self._seconds(_EXTENSION)
        if holding.until is not None and now >= holding.until:
            holding.by, holding.until, holding.acted = "", None, self.standing.state
        return holding.by


_WAIT = "ActionsSuppressorWaitPeriod"
_EXTENSION = "ActionsSuppressorExtensionPeriod"


def in_order(composites: Mapping[str, CompositeAlarm]) -> list[CompositeAlarm]:
    """Composite alarms with those they depend on before them. A cycle, and what hangs on it, is left out."""
    order: list[CompositeAlarm] = []
    waiting = {name: set(one.rule.children) & set(composites) for name, one in composites.items()}
    while ready := [name for name, children in waiting.items() if not children & waiting.keys()]:
        order += [composites[name] for name in ready]
        for name in ready:
            del waiting[name]
    return order
