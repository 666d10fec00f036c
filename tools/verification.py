"""Judge recovery on the alarm that opened the incident, and on its metric before and after the action."""

from datetime import datetime, timedelta
from functools import partial
from statistics import fmean
from typing import Any

from memory.records.incident import Incident
from memory.records.outcome import Execution, ExecutionState, Recovery, Verification
from tools.analysis.series import points_of
from tools.observe.alarm_metric import metric_of
from tools.observe.describe_alarm import DescribeAlarm, describe_alarm
from tools.observe.get_metric import get_metric
from tools.observe.sources import Sources

WORSE_FACTOR = 1.5
MINUTES = 60
BEFORE = timedelta(minutes=3)
SETTLING = timedelta(minutes=2)
LATEST = 2
EPOCH = "1970-01-01T00:00:00+00:00"


def verify_recovery(
    sources: Sources, incident: Incident, execution: Execution, window: timedelta
) -> Verification:
    """Say whether the alarm came back to OK after the action, within a window from it.

    UNKNOWN means the window is still open; a metric that got much worse ends it early. An alarm that was OK before
    the action proves nothing, so its change to OK must be younger than the action. An action that AWS accepted and
    did not finish has left something half done, whatever the alarm says.
    """
    now = sources.clock.now()
    seen = describe_alarm(sources, DescribeAlarm(alarm_name=incident.alarm.name))
    facts = seen.result if isinstance(seen.result, dict) else {}
    state = str(facts.get("state", "unknown"))
    acted_at = execution.done_at or execution.claimed_at
    changed_at = datetime.fromisoformat(facts.get("state_updated_at") or EPOCH)
    before, after, measured = _values(sources, incident, facts, acted_at, now)
    evidence_ids = (seen.evidence_id, *measured)
    found = partial(_found, state, before, after, now, evidence_ids)
    if execution.state is ExecutionState.FAILED:
        return found(Recovery.NO_BETTER, f"{execution.action} was accepted and failed afterwards")
    if state == "OK" and changed_at >= acted_at:
        return found(Recovery.RECOVERED, "the alarm returned to OK")
    if before is not None and after is not None and _is_worse(before, after, facts):
        return found(Recovery.WORSE, f"the alarm's metric got worse: {before:g} before, {after:g} now")
    window = max(window, _least_window(facts))
    if now < acted_at + window:
        return found(Recovery.UNKNOWN, "the window is still open")
    minutes = int(window.total_seconds() // 60)
    return found(Recovery.NO_BETTER, f"the alarm is still {state} {minutes} minutes after the action")


def _least_window(facts: dict[str, Any]) -> timedelta:
    """Return how long an alarm needs to see that all its periods are calm: before that, ALARM proves nothing."""
    periods = int(facts.get("evaluation_periods") or 1)
    return SETTLING + periods * timedelta(seconds=int(facts.get("period_seconds") or 60))


def _values(
    sources: Sources, incident: Incident, facts: dict[str, Any], acted_at: datetime, now: datetime
) -> tuple[float | None, float | None, tuple[str, ...]]:
    """Measure the alarm's metric before the action, and since it has had time to take effect."""
    question = metric_of(incident.alarm, facts, MINUTES)
    if question is None:
        return None, None, ()
    evidence = get_metric(sources, question)
    result = evidence.result if isinstance(evidence.result, dict) else {}
    period = timedelta(seconds=question.period_seconds)
    # A sum over a period that is not over says nothing yet.
    points = [(at, value) for at, value in points_of(result.get("points", [])) if at + period <= now]
    # An incident grows: what it had come to is the worst of its last few minutes, not their mean.
    grown = [value for at, value in points if acted_at - BEFORE <= at < acted_at]
    worst = min if "Less" in str(facts.get("comparison")) else max
    before = worst(grown, default=None)
    settled = [value for at, value in points if at >= acted_at + SETTLING]
    after = fmean(settled[-LATEST:]) if len(settled) >= LATEST else None
    return before, after, (evidence.evidence_id,)


def _is_worse(before: float, after: float, facts: dict[str, Any]) -> bool:
    if "Less" in str(facts.get("comparison")):
        return after * WORSE_FACTOR < before
    return after > before * WORSE_FACTOR


def _found(
    state: str,
    before: float | None,
    after: float | None,
    now: datetime,
    evidence_ids: tuple[str, ...],
    recovery: Recovery,
    detail: str,
) -> Verification:
    return Verification(
        recovery=recovery,
        alarm_state=state,
        value_before=before,
        value_after=after,
        checked_at=now,
        recovered_at=now if recovery is Recovery.RECOVERED else None,
        detail=detail,
        evidence_ids=evidence_ids,
    )
