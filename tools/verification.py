"""Judge recovery on the alarm that opened the incident, and on its metric before and after the action."""

from datetime import timedelta

from memory.records.evidence import Evidence
from memory.records.incident import Incident
from memory.records.outcome import Execution, Recovery, Verification
from tools.observe.describe_alarm import DescribeAlarm, describe_alarm
from tools.observe.sources import Sources

WORSE_FACTOR = 1.5


def verify_recovery(
    sources: Sources, incident: Incident, execution: Execution, window: timedelta
) -> Verification:
    """Say whether the alarm came back to OK after the action, within a window from it.

    UNKNOWN means the window is still open. An alarm that was OK before the action proves nothing, so its
    change to OK must be younger than the action.
    """
    now = sources.clock.now()
    seen = describe_alarm(sources, DescribeAlarm(alarm_name=incident.alarm.name))
    facts = seen.result if isinstance(seen.result, dict) else {}
    state = str(facts.get("state", "unknown"))
    acted_at = execution.done_at or execution.claimed_at
    changed_at = str(facts.get("state_updated_at", ""))
    before, after = _values(execution, facts)
    if state == "OK" and changed_at >= acted_at.isoformat():
        return _found(Recovery.RECOVERED, state, before, after, sources, seen, "the alarm returned to OK")
    if now < acted_at + window:
        return _found(Recovery.UNKNOWN, state, before, after, sources, seen, "the window is still open")
    if before is not None and after is not None and after > before * WORSE_FACTOR:
        return _found(Recovery.WORSE, state, before, after, sources, seen, "the alarm's metric got worse")
    minutes = int(window.total_seconds() // 60)
    detail = f"the alarm is still {state} {minutes} minutes after the action"
    return _found(Recovery.NO_BETTER, state, before, after, sources, seen, detail)


def _values(execution: Execution, facts: dict[str, object]) -> tuple[float | None, float | None]:
    before, after = execution.before.get("alarm_value"), facts.get("latest_value")
    return (
        float(before) if isinstance(before, int | float) else None,
        float(after) if isinstance(after, int | float) else None,
    )


def _found(
    recovery: Recovery,
    state: str,
    before: float | None,
    after: float | None,
    sources: Sources,
    seen: Evidence,
    detail: str,
) -> Verification:
    now = sources.clock.now()
    return Verification(
        recovery=recovery,
        alarm_state=state,
        value_before=before,
        value_after=after,
        checked_at=now,
        recovered_at=now if recovery is Recovery.RECOVERED else None,
        detail=detail,
        evidence_ids=(seen.evidence_id,),
    )
