"""Build the public record from the state and from what is stored beside it."""

from graphs.copilot import Records
from memory.records.approval import ApprovalRequest, ApprovalStatus
from memory.records.incident import Incident, Status
from memory.records.incident_record import IncidentRecord
from memory.records.plan import Plan
from memory.records.spend import Spend
from memory.records.timeline import EntryKind
from memory.state import IncidentState


def build_record(records: Records, state: IncidentState) -> IncidentRecord:
    """Assemble the public record; what is stored wins over what the state says."""
    incident = state["incident"]
    scope, key = incident.scope, incident.incident_id
    entries = list(records.timeline.entries(scope, key))
    plans = [Plan.model_validate(e.facts["plan"]) for e in entries if e.kind is EntryKind.PLAN]
    approval = last_approval(records, incident)
    verifications = [e.facts["verification"] for e in entries if e.kind is EntryKind.VERIFICATION]
    asks = approval is not None and approval.status is ApprovalStatus.PENDING
    status = state.get("status", Status.OPEN)
    if asks and status is Status.OPEN:
        status = Status.AWAITING_APPROVAL
    first_look, assessment = state.get("first_look"), state.get("assessment")
    assessed = assessment or first_look
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
            "decision": records.approvals.decision(scope, key, approval.plan_hash) if approval else None,
            "executions": sorted(records.executions.all(scope, key), key=lambda e: e.claimed_at),
            "verifications": verifications,
            "messages": list(records.outbox.all(scope, key)),
            "evidence": list(records.evidence.index(scope, key)),
            "failures": state.get("failures", []),
            "spend": state.get("spend", Spend()),
            "models": state.get("models", []),
            "events_joined": sum(e.kind is EntryKind.JOINED for e in entries),
            "updated_at": records.clock.now(),
            "closed_at": next((e.at for e in entries if e.kind is EntryKind.CLOSED), None),
        }
    )


def last_approval(records: Records, incident: Incident) -> ApprovalRequest | None:
    """Return the newest request to people: the plan that came after it may hold no action."""
    asked = records.approvals.requests(incident.scope, incident.incident_id)
    return max(asked, key=lambda request: request.requested_at, default=None)


def save_record(records: Records, state: IncidentState) -> None:
    """Store the public record as it stands after a step; there is none before intake."""
    if "incident" in state and not state.get("joined"):
        records.incidents.save_record(build_record(records, state))
