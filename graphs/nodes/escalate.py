"""Hand the incident to people, with everything known and the reason."""

from typing import Any

from graphs.step import Turn
from memory.records.approval import ApprovalStatus
from memory.records.assessment import Verdict
from memory.records.incident import Status
from memory.records.plan import Ruling
from memory.records.timeline import EntryKind, TimerKind
from memory.state import IncidentState


def escalate(turn: Turn) -> dict[str, Any]:
    """End in the safe state: nothing further is done by code, and people are told why."""
    records, incident = turn.copilot.records, turn.state["incident"]
    for kind in TimerKind:
        records.timers.cancel(incident.scope, incident.incident_id, kind)
    for request in records.approvals.requests(incident.scope, incident.incident_id):
        if request.status is ApprovalStatus.PENDING:
            # Nobody would act on it any more, so nobody is to be asked for it.
            records.approvals.withdraw(request, records.clock.now(), "the incident was handed to people")
    for failure in turn.state.get("failures", []):
        text = f"{failure.step} failed: {failure.error}: {failure.detail}"
        turn.copilot.tell(incident, EntryKind.STEP_FAILED, text, failure.step)
    assessment = turn.state.get("assessment")
    failed = bool(turn.state.get("failures"))
    if assessment is not None and assessment.verdict is Verdict.UNRESOLVED and not failed:
        return {"status": Status.UNRESOLVED, "reason": assessment.summary}
    return {"status": Status.ESCALATED, "reason": _reason(turn.state)}


def _reason(state: IncidentState) -> str:
    if state.get("failures"):
        last = state["failures"][-1]
        said, before = f"{last.step} failed: {last.detail}", state.get("reason", "")
        return said if said in before or not before else f"{said}; {before}"
    before, why = state.get("reason", ""), _why_nothing(state)
    if not before:
        return why or "no safe action is known"
    # What was tried first is no reason why nothing further was.
    is_further = state.get("attempt", 1) > 1 and why and why not in before
    return f"{before}; no further plan: {why}" if is_further else before


def _why_nothing(state: IncidentState) -> str:
    """Return why the plan that stands is not acted on: policy refused it, or it holds no action."""
    refused = [r for r in state.get("reviews", []) if r.ruling is Ruling.REFUSE]
    if refused:
        return f"policy refused {refused[0].action}: {'; '.join(refused[0].reasons)}"
    plan = state.get("plan")
    return (plan.no_action_reason if plan else None) or ""
