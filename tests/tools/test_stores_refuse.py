"""What the stores of approvals and of actions refuse by themselves, whatever the executor and the door have checked."""

from datetime import timedelta

import pytest

from memory import keys
from memory.records.approval import ApprovalStatus, GlassReview
from memory.records.audit import Deed
from memory.records.outcome import ExecutionState
from memory.records.trace import Trace
from memory.stores.approvals import ApprovalStore
from memory.stores.audit import AuditTrail
from memory.table import ConflictError
from tests.tools.dials import BY_ITSELF, Dials, decision_on, executor, incident, plan
from tests.tools.memory_table import MemoryTable
from tests.tools.stand_ins import NOW, SCOPE
from tests.tools.tampering import FIRST, OTHER, Stage

REVIEW = GlassReview(by=OTHER, note="fine", at=NOW)


def test_an_approval_that_is_gone_or_was_used_is_not_used() -> None:
    at = Stage()
    approvals, request = ApprovalStore(at.table), at.request
    at.put_request(used=(FIRST,))

    with pytest.raises(ConflictError, match="changed while it was used"):
        approvals.use(at.request, FIRST)
    at.forget(keys.approval)
    with pytest.raises(ConflictError, match="changed while it was used"):
        approvals.use(request, FIRST)


def test_what_nobody_asked_takes_no_decision_and_has_none() -> None:
    at = Stage()
    approvals, decision = ApprovalStore(at.table), at.decision
    assert approvals.decision(SCOPE, incident().incident_id, at.planned.plan_hash) == decision
    at.forget(keys.approval, keys.decision)

    with pytest.raises(ConflictError, match="nobody asked to approve plan"):
        approvals.decide(SCOPE, decision)
    assert approvals.decision(SCOPE, incident().incident_id, at.planned.plan_hash) is None


def test_a_broken_glass_is_reviewed_once_and_only_where_it_is_listed() -> None:
    at = Stage()
    approvals = ApprovalStore(at.table)
    unlisted, broken = at.decision, decision_on(at.request, by=OTHER, break_glass=True)
    at.ask_anew(quorum=2)
    at.put_request(status=ApprovalStatus.PENDING)
    at.forget(keys.decision)
    approvals.decide(SCOPE, broken)

    with pytest.raises(ConflictError, match="it is not listed"):
        approvals.review(SCOPE, unlisted.model_copy(update={"decided_at": NOW + timedelta(hours=1)}), REVIEW)
    assert approvals.review(SCOPE, broken, REVIEW).review == REVIEW
    with pytest.raises(ConflictError, match="it was reviewed before"):
        approvals.review(SCOPE, broken, REVIEW)


def test_an_action_that_moved_on_or_is_gone_is_not_moved() -> None:
    table = MemoryTable()
    acting = executor(table, Dials())
    done = acting.execute(incident(), plan(), 0, BY_ITSELF)
    failed = done.model_copy(update={"state": ExecutionState.FAILED})
    acting.executions.advance(SCOPE, done, failed, at=NOW)

    with pytest.raises(ConflictError, match="moved on by somebody else"):
        acting.executions.advance(SCOPE, done, done.model_copy(update={"detail": "late"}), at=NOW)
    table.delete(keys.execution(SCOPE, incident().incident_id, done.action_id))
    with pytest.raises(ConflictError, match="moved on by somebody else"):
        acting.executions.advance(SCOPE, failed, done, at=NOW)


def test_a_search_for_its_event_that_stands_already_stops_no_settling() -> None:
    table = MemoryTable()
    standing = Trace(
        incident_id=incident().incident_id,
        action_id=f"{plan().plan_hash[:12]}-0",
        what="set_dial",
        session="another",
        since=NOW,
        settled_at=NOW,
        next_at=NOW,
    )
    table.put(keys.trace(SCOPE, standing.incident_id, standing.action_id), standing.model_dump(mode="json"))

    done = executor(table, Dials()).execute(incident(), plan(), 0, BY_ITSELF)

    assert done.state is ExecutionState.DONE


def test_an_entry_tells_what_it_tells_of_its_own_deed_and_while_its_words_are_there() -> None:
    at = Stage()
    chain = AuditTrail(at.table).read(keys.incident(SCOPE, incident().incident_id).pk)
    asked = next(iter(chain.links()))
    assert asked.payload is not None
    told = asked.payload.model_dump(exclude={"salt"})

    assert asked.tells(Deed.ASKED, told)
    assert not asked.tells(Deed.REFUSED, told)
    assert not type(asked)(asked.entry, None).tells(Deed.ASKED, told)
