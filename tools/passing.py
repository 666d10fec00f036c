"""Whether harm that began outside the account goes on, eases, or is over, by its newest minutes.

What nobody here caused may end without anybody's help. So it is looked at afresh before a change is proposed for it,
while people are asked, and once more before it is done.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from memory.records.config import Service
from memory.records.incident import Incident
from memory.records.outcome import Signal, SignalState
from tools.analysis.thresholds import threshold_of
from tools.observe.alarm_metric import metric_of
from tools.observe.describe_alarm import DescribeAlarm, describe_alarm
from tools.observe.sources import Sources
from tools.signals import MINUTES, SETTLING, Moment, is_well, read_metric, service_signals
from tools.verification import altered

NEWEST = timedelta(minutes=3)
"""The minutes that are looked at: of them the last two that are over and published count."""
EASED = 0.5
"""Harm that is no more than this share of what it was five minutes before is on its way out."""
_EPOCH = "1970-01-01T00:00:00+00:00"


class Harm(StrEnum):
    """How harm goes on."""

    GOES_ON = "goes on"
    EASES = "eases"
    OVER = "is over"


@dataclass(frozen=True)
class Passing:
    """How the harm goes on, and by what that is seen."""

    harm: Harm
    detail: str


def how_it_passes(sources: Sources, incident: Incident, service: Service | None) -> Passing:
    """Say how the harm of an incident goes on now.

    It is over when the alarm is back to OK, or its metric is on the calm side of its threshold, and every part of the
    service's level is well; where no level is known, the alarm alone decides. What cannot be read is not well. An
    alarm that was changed since it rang says nothing of what rang: it goes on.
    """
    now = sources.clock.now()
    moment = Moment(now - SETTLING - NEWEST, now)
    evidence = describe_alarm(sources, DescribeAlarm(alarm_name=incident.alarm.name))
    facts = evidence.result if isinstance(evidence.result, dict) else {}
    level = tuple(service_signals(sources, service, moment)) if service else ()
    unwell = tuple(one for one in level if not is_well(one))
    told = altered(facts, incident.episode_started_at)
    if not unwell and not told and _is_back(facts, incident.episode_started_at):
        return Passing(Harm.OVER, "the alarm returned to OK")
    if level and not unwell and not told and not _breaches(sources, incident, facts, moment):
        return Passing(Harm.OVER, f"{incident.alarm.name} still rings, and its service is well again")
    if unwell and all(map(_has_eased, unwell)):
        return Passing(Harm.EASES, "; ".join(map(str, unwell)))
    return Passing(
        Harm.GOES_ON, "; ".join((*map(str, unwell), *told)) or f"the alarm is {facts.get('state', 'unread')}"
    )


def _is_back(facts: dict[str, Any], began: datetime) -> bool:
    changed_at = datetime.fromisoformat(facts.get("state_updated_at") or _EPOCH)
    return facts.get("state") == "OK" and changed_at >= began


def _breaches(sources: Sources, incident: Incident, facts: dict[str, Any], moment: Moment) -> bool:
    """Say whether the alarm's metric is beyond its threshold in its newest minutes.

    A metric without points in them does not breach: the service's level, which has to be seen, speaks for it. One that
    cannot be read may.
    """
    question, threshold = metric_of(incident.alarm, facts, MINUTES), threshold_of(facts)
    if question is None or threshold is None:
        return facts.get("state") != "OK"
    read = read_metric(sources, question, moment)
    value = moment.after(read.points, timedelta(seconds=question.period_seconds))
    if value is None:
        return bool(read.unread)
    return threshold.is_breached(value)


def _has_eased(signal: Signal) -> bool:
    before, now = signal.before, signal.now
    if not isinstance(before, int | float) or not isinstance(now, int | float):
        return False
    return signal.state is SignalState.NOT_MET and now <= before * EASED
