"""The review of approvals by break-glass: another person says what they found."""

from collections.abc import Iterable

from graphs.copilot import Records
from graphs.decision import TELL_APART, DecisionRefusedError, NotAllowedError
from memory.records.approval import MOST_REASON, BrokenGlass, GlassReview
from memory.records.scope import Principal, PrincipalKind, Role
from memory.records.timeline import EntryKind
from memory.table import ConflictError


def review_glass(records: Records, incident_id: str, by: Principal, note: str) -> tuple[BrokenGlass, ...]:
    """Mark every approval by break-glass of an incident that waits for review as reviewed.

    Raises `NotAllowedError` for who gave one of them, cannot be told apart from who did, lacks the role of an
    approver, or is no person; `DecisionRefusedError` when none waits, or the note is empty.
    """
    scope = records.incidents.scope_of(incident_id)
    mine = [
        one for one in records.approvals.break_glass(scope.tenant) if one.decision.incident_id == incident_id
    ]
    waiting = [one.decision for one in mine if one.review is None]
    if not waiting:
        told = (
            "its break-glass approval was reviewed before"
            if mine
            else "nothing in it was approved by break-glass"
        )
        raise DecisionRefusedError(f"incident {incident_id}: {told}")
    if not note.strip():
        raise DecisionRefusedError("a review needs a note: say what you found")
    if len(note) > MOST_REASON:
        raise DecisionRefusedError(f"a note has at most {MOST_REASON} characters, and this has {len(note)}")
    _check_reviewer(by, scope.tenant, [one.by for one in waiting])
    review = GlassReview(by=by, note=note, at=records.clock.now())
    try:
        found = tuple(records.approvals.review(scope, one, review) for one in waiting)
    except ConflictError as error:
        raise DecisionRefusedError(f"it is not taken: {error}") from error
    text = f"{by.id} reviewed the break-glass approval: {note}"
    records.timeline.append(scope, incident_id, EntryKind.NOTE, text, facts=review.model_dump(mode="json"))
    return found


def _check_reviewer(by: Principal, tenant: str, broke: Iterable[Principal]) -> None:
    if by.tenant != tenant:
        raise NotAllowedError(f"{by.id} belongs to another tenant")
    if by.kind in {PrincipalKind.COPILOT, PrincipalKind.STUDIO}:
        raise NotAllowedError(f"{by.id} is no person: people review what was approved by break-glass")
    for one in broke:
        if by.is_same_as(one):
            also = "" if by.id == one.id else f", as {one.id}"
            raise NotAllowedError(f"{by.id} broke the glass{also}: another person has to review it")
        if not by.is_surely_another(one):
            raise NotAllowedError(
                f"{by.id} cannot be told apart from {one.id}, who broke the glass, and another person has to review "
                f"it: {TELL_APART}"
            )
    if not by.has(Role.APPROVER):
        raise NotAllowedError(f"{by.id} does not hold the role {Role.APPROVER.value}")
