"""Build the public record from the state and from what is stored beside it."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from graphs.copilot import Records
from memory import keys
from memory.records.approval import ApprovalRequest, ApprovalStatus, Decision
from memory.records.evidence import EvidenceRef
from memory.records.incident import Incident, Status
from memory.records.incident_record import IncidentRecord
from memory.records.message import Message
from memory.records.outcome import Execution
from memory.records.plan import Plan
from memory.records.spend import ModelUse, Spend
from memory.records.timeline import EntryKind, TimelineEntry
from memory.records.trace import Trace
from memory.state import IncidentState
from memory.stores.dossier import Dossier

LEFT = "dead_letters"
"""The fact of a timeline's note that says which dead letters an incident has left."""


def build_record(dossier: Dossier, state: IncidentState, now: datetime) -> IncidentRecord:
    """Assemble the public record; what is stored wins over what the state says.

    What was spent is the state's count, and what steps that waited have left on the timeline.
    """
    incident = state["incident"]
    entries = dossier.of("TIMELINE", TimelineEntry)
    plans = [Plan.model_validate(e.facts["plan"]) for e in _last_words(entries, EntryKind.PLAN)]
    approval = _newest(dossier.of("APPROVAL", ApprovalRequest))
    verifications = [e.facts["verification"] for e in _last_words(entries, EntryKind.VERIFICATION)]
    asks = approval is not None and approval.status is ApprovalStatus.PENDING
    status = state.get("status", Status.OPEN)
    if asks and status is Status.OPEN:
        status = Status.AWAITING_APPROVAL
    first_look, assessment = state.get("first_look"), state.get("assessment")
    assessed = assessment or first_look
    words = list(_words(entries))
    return IncidentRecord.model_validate(
        {
            "incident": incident,
            "status": status,
            "severity": assessed.severity if assessed else None,
            "reason": state.get("reason", ""),
            "first_look": first_look,
            "assessment": assessment,
            "plans": plans,
            "reviews": state.get("reviews")
            or [e.facts["review"] for e in entries if e.kind is EntryKind.REVIEW],
            "approval": approval,
            "decision": _decision(dossier, approval) if approval else None,
            "decisions": sorted(dossier.of("DECISION", Decision), key=lambda one: one.decided_at),
            "executions": sorted(_traced(dossier), key=lambda e: e.claimed_at),
            "verifications": verifications,
            "dead_letters": next((e.facts[LEFT] for e in reversed(entries) if LEFT in e.facts), []),
            "messages": sorted(dossier.of("MESSAGE", Message), key=lambda m: m.queued_at),
            "evidence": dossier.of("EVIDENCE_INDEX", EvidenceRef),
            "failures": state.get("failures", []),
            "spend": state.get("spend", Spend()) + spent_waiting(entries),
            "models": [
                *state.get("models", []),
                *(ModelUse(**use) for told in words for use in told["models"]),
            ],
            "events_joined": sum(e.kind is EntryKind.JOINED for e in entries),
            "updated_at": now,
            "closed_at": next((e.at for e in entries if e.kind is EntryKind.CLOSED), None),
        }
    )


def _traced(dossier: Dossier) -> Iterator[Execution]:
    """Yield the actions, each with CloudTrail's event where that was found by now."""
    found = {one.action_id: one.event_id for one in dossier.of("TRACE", Trace) if one.event_id}
    for execution in dossier.of("ACTION", Execution):
        event_id = execution.event_id or found.get(execution.action_id)
        yield execution.model_copy(update={"event_id": event_id})


def _last_words(entries: Iterable[TimelineEntry], kind: EntryKind) -> list[TimelineEntry]:
    """Return what was told of a kind, without what a go said that was cut off and then said otherwise."""
    said = [entry for entry in entries if entry.kind is kind]
    last = {entry.turn: entry.sequence for entry in said if entry.turn}
    return [entry for entry in said if not entry.turn or last[entry.turn] == entry.sequence]


def spent_waiting(entries: Iterable[TimelineEntry]) -> Spend:
    """Return what steps that waited have spent: they had no update of the state to count it in."""
    return sum((Spend(**told["spend"]) for told in _words(entries)), Spend())


def last_approval(records: Records, incident: Incident) -> ApprovalRequest | None:
    """Return the newest request to people: the plan that came after it may hold no action."""
    return _newest(records.approvals.requests(incident.scope, incident.incident_id))


def save_record(records: Records, state: IncidentState) -> None:
    """Store the public record as it stands after a step; there is none before intake."""
    if "incident" in state and not state.get("joined"):
        dossier = records.incidents.dossier(state["incident"])
        records.incidents.save_record(build_record(dossier, state, records.clock.now()), dossier)


def _newest(requests: Iterable[ApprovalRequest]) -> ApprovalRequest | None:
    return max(requests, key=lambda request: request.requested_at, default=None)


def _decision(dossier: Dossier, approval: ApprovalRequest) -> Decision | None:
    return dossier.at(keys.decision(approval.scope, approval.incident_id, approval.plan_hash), Decision)


def _words(entries: Iterable[TimelineEntry]) -> Iterator[dict[str, Any]]:
    return (one.facts for one in entries if one.kind is EntryKind.MESSAGE and "spend" in one.facts)
