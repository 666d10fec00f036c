"""Judge recovery on the alarm that opened the incident, its metric, the service's level and what was promised."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from memory.records.config import Service
from memory.records.incident import Incident
from memory.records.outcome import Execution, ExecutionState, Recovery, Signal, SignalState, Verification
from tools.actions.registry import ACTIONS, Catalogue
from tools.observe.alarm_metric import metric_of
from tools.observe.describe_alarm import DescribeAlarm, describe_alarm
from tools.observe.sources import Sources
from tools.signals import (
    SETTLING,
    WORSE_FACTOR,
    Moment,
    is_silent,
    is_well,
    promised_signals,
    read_metric,
    service_signals,
    unread_of,
)

EPOCH = "1970-01-01T00:00:00+00:00"
_BACK = "the alarm returned to OK"


@dataclass(frozen=True)
class _Seen:
    """The alarm and its metric as they are now."""

    state: str
    changed_at: datetime
    facts: dict[str, Any]
    before: float | None
    after: float | None
    unread: tuple[str, ...] = ()


def verify_recovery(
    sources: Sources,
    incident: Incident,
    done: Sequence[Execution],
    window: timedelta,
    service: Service | None = None,
    catalogue: Catalogue = ACTIONS,
    last: Verification | None = None,
) -> Verification:
    """Say whether the alarm came back to OK after a plan's actions, within a window from the last of them.

    UNKNOWN means the window is still open; a metric or a service level that got much worse ends it early, also under
    an alarm that is OK. An alarm that was OK before the action proves nothing, so its change to OK must be younger
    than the action. An alarm is OK also where nothing comes any more, so it is held open while requests are awaited:
    until 8 minutes after the action at most, when `service_signals` calls absent ones WORSE. So it is while something
    that the action promised is not due yet, also where the alarm still rings: a slow rollout is not undone in its
    middle. Once that is there, the alarm has the time that it needs; `last`, the look before, knows until when it was
    waited for. An alarm that is OK over a service outside its level, or over a promise that is due and not seen, is no
    recovery: it is waited for until the window ends. Where all of that is much better than before it is BETTER then,
    and undoing it would do harm; else the action was no help. What cannot be read, and what was known before and is
    not published any more, is not well: while the window is open it may be seen yet. When it ends, an alarm that is
    seen to be OK, with nothing seen that speaks against it, is UNVERIFIED: nobody knows of a recovery, and nothing
    says that undoing would help. An action that AWS accepted and did not finish has left something half done, whatever
    the alarm says.
    """
    now = sources.clock.now()
    acted_at = max(one.done_at or one.claimed_at for one in done)
    moment = Moment(acted_at, now)
    seen = _look(sources, incident, moment)
    level = tuple(service_signals(sources, service, moment)) if service else ()
    promised = tuple(one for action in done for one in promised_signals(sources, catalogue, action, moment))
    signals = (*level, *promised)
    awaited_at = _awaited_at(promised, moment, last)
    found = partial(_found, seen, now, tuple(moment.evidence_ids), signals, awaited_at=awaited_at)
    failed = next((one for one in done if one.state is ExecutionState.FAILED), None)
    if failed is not None:
        return found(Recovery.NO_BETTER, f"{failed.action} was accepted and failed afterwards")
    worse = _what_got_worse(seen, signals)
    if worse:
        return found(Recovery.WORSE, worse)
    recovery, detail = _judged(seen, moment, _end(seen, moment, window, awaited_at), signals)
    return found(recovery, detail)


def _judged(seen: _Seen, moment: Moment, end: datetime, signals: Sequence[Signal]) -> tuple[Recovery, str]:
    """Return what stands while nothing got worse, and why: see `verify_recovery`."""
    unread = (*seen.unread, *_unread(signals))
    silent = [one for one in signals if is_silent(one)]
    is_back = seen.state == "OK" and seen.changed_at >= moment.acted_at
    short = [one for one in signals if one.state is SignalState.NOT_MET]
    is_open = moment.now < end
    late = (*short, *silent) if is_open else ()
    awaited = [one for one in signals if one.state is SignalState.AWAITED or one in late]
    if is_back and awaited:
        return Recovery.UNKNOWN, "; ".join((_BACK, *(f"not yet seen: {one}" for one in awaited), *unread))
    if is_back and not (unread or silent or short):
        return Recovery.RECOVERED, _BACK
    if is_open:
        return Recovery.UNKNOWN, "; ".join(("the window is still open", *unread))
    recovery = _at_its_end(short, is_back=is_back, is_seen=not (unread or silent))
    ended = _end_told(seen, moment, recovery, is_back=is_back)
    return recovery, "; ".join((ended, *unread, *(f"not seen: {one}" for one in (*short, *silent))))


def _awaited_at(promised: Sequence[Signal], moment: Moment, last: Verification | None) -> datetime | None:
    """Return when something promised was last seen not to be there and not to be due; None where it did not come."""
    states = {one.state for one in promised}
    if SignalState.AWAITED in states:
        return moment.now
    before = last.awaited_at if last is not None and SignalState.NOT_MET not in states else None
    return before if before is not None and before >= moment.acted_at else None


def _end(seen: _Seen, moment: Moment, window: timedelta, awaited_at: datetime | None) -> datetime:
    """Return when the window ends: not before the alarm could see what came last of what was promised."""
    least = _least_window(seen.facts)
    end = moment.acted_at + max(window, least)
    return end if awaited_at is None else max(end, awaited_at + least)


def verify_unaided(
    sources: Sources,
    incident: Incident,
    since: datetime,
    window: timedelta,
    service: Service | None = None,
) -> Verification:
    """Say whether an alarm cleared with nothing done, and its service is well again, in a window from `since`.

    The alarm may have cleared before it was watched, so its change to OK counts from the start of its episode. A part
    of the service's level that cannot be read is not well. UNKNOWN means the window is still open.
    """
    now = sources.clock.now()
    moment = Moment(since, now)
    seen = _look(sources, incident, moment)
    signals = tuple(service_signals(sources, service, moment)) if service else ()
    found = partial(_found, seen, now, tuple(moment.evidence_ids), signals)
    worse = _what_got_worse(seen, signals)
    if worse:
        return found(Recovery.WORSE, worse)
    unwell = [f"not well: {one}" for one in signals if not is_well(one)]
    if seen.state == "OK" and seen.changed_at >= incident.episode_started_at and not (unwell or seen.unread):
        return found(Recovery.RECOVERED, "it recovered by itself, nothing was done: the alarm returned to OK")
    window = max(window, _least_window(seen.facts))
    if now < since + window:
        return found(Recovery.UNKNOWN, "the window is still open")
    minutes = int((now - since).total_seconds() // 60)
    said = f"nothing was done, and the alarm is {seen.state} after {minutes} minutes of watching"
    return found(Recovery.NO_BETTER, "; ".join((said, *seen.unread, *unwell)))


def _look(sources: Sources, incident: Incident, moment: Moment) -> _Seen:
    """Read the alarm, and its metric before the action and since it has had time to take effect."""
    evidence = describe_alarm(sources, DescribeAlarm(alarm_name=incident.alarm.name))
    moment.evidence_ids.append(evidence.evidence_id)
    facts = evidence.result if isinstance(evidence.result, dict) else {}
    before = after = None
    unread = (
        []
        if "state" in facts
        else [f"the alarm could not be read: {unread_of(evidence) or evidence.gap_detail}"]
    )
    question = metric_of(incident.alarm, facts, moment.minutes)
    if question is not None:
        read = read_metric(sources, question, moment)
        worst = min if "Less" in str(facts.get("comparison")) else max
        before = moment.before(read.points, worst)
        after = moment.after(read.points, timedelta(seconds=question.period_seconds))
        unread += [f"the alarm's metric could not be read: {read.unread}"] if read.unread else []
    unread += altered(facts, incident.episode_started_at)
    changed_at = datetime.fromisoformat(facts.get("state_updated_at") or EPOCH)
    return _Seen(str(facts.get("state", "unknown")), changed_at, facts, before, after, tuple(unread))


def altered(facts: dict[str, Any], rang_at: datetime) -> list[str]:
    """Say that an alarm is not the one that rang, or nothing: another threshold may be all that its OK means."""
    configured_at = datetime.fromisoformat(facts.get("configured_at") or EPOCH)
    if configured_at <= rang_at:
        return []
    told = f"{configured_at:%Y-%m-%d %H:%M:%S} UTC"
    return [
        f"the alarm itself was changed at {told}, after it rang: its state does not tell whether it is over"
    ]


def _what_got_worse(seen: _Seen, signals: Sequence[Signal]) -> str:
    """Name what is much worse than before the action, or nothing. The alarm's word ends with its return to OK."""
    before, after = seen.before, seen.after
    if seen.state != "OK" and before is not None and after is not None:
        less = "Less" in str(seen.facts.get("comparison"))
        if (after * WORSE_FACTOR < before) if less else (after > before * WORSE_FACTOR):
            return f"the alarm's metric got worse: {before:g} before, {after:g} now"
    worse = next((one for one in signals if one.state is SignalState.WORSE), None)
    return f"it got worse: {worse}" if worse else ""


def _at_its_end(short: Sequence[Signal], *, is_back: bool, is_seen: bool) -> Recovery:
    """Return what stands when the window has ended without a recovery: see `verify_recovery`."""
    if not is_back or not all(one.improved for one in short):
        return Recovery.NO_BETTER
    return Recovery.BETTER if is_seen else Recovery.UNVERIFIED


def _end_told(seen: _Seen, moment: Moment, recovery: Recovery, *, is_back: bool) -> str:
    """Say how it stands when the window has ended without a recovery, by the time of this look, which may be late."""
    after = f"{int((moment.now - moment.acted_at).total_seconds() // 60)} minutes after the action"
    if not is_back and seen.changed_at < moment.acted_at:
        return f"the alarm is still {seen.state} {after}"
    if not is_back:
        return f"the alarm is {seen.state} since {seen.changed_at:%H:%M:%S} UTC, {after}"
    match recovery:
        case Recovery.UNVERIFIED:
            return f"{_BACK}, and {after} it is not known whether all is well"
        case Recovery.BETTER:
            return f"{_BACK}, and {after} all is much better and not yet well"
        case _:
            return f"{_BACK}, and {after} not all is well"


def _unread(signals: Sequence[Signal]) -> list[str]:
    return [str(one) for one in signals if one.unread]


def _least_window(facts: dict[str, Any]) -> timedelta:
    """Return how long an alarm needs to see that all its periods are calm: before that, ALARM proves nothing."""
    periods = int(facts.get("evaluation_periods") or 1)
    return SETTLING + periods * timedelta(seconds=int(facts.get("period_seconds") or 60))


def _found(
    seen: _Seen,
    now: datetime,
    evidence_ids: tuple[str, ...],
    signals: tuple[Signal, ...],
    recovery: Recovery,
    detail: str,
    awaited_at: datetime | None = None,
) -> Verification:
    return Verification(
        recovery=recovery,
        alarm_state=seen.state,
        value_before=seen.before,
        value_after=seen.after,
        checked_at=now,
        recovered_at=now if recovery is Recovery.RECOVERED else None,
        detail=detail,
        evidence_ids=evidence_ids,
        signals=signals,
        unread=(*seen.unread, *_unread(signals)),
        awaited_at=awaited_at,
    )
