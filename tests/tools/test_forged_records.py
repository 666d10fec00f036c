"""Whoever can write the whole table and has no key gets nothing done, and nothing undone."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from memory import keys
from memory.audit_chain import Chain
from memory.records.approval import ApprovalStatus
from memory.records.audit import Deed
from memory.records.outcome import Execution, ExecutionState
from memory.stores.audit import AuditTrail
from memory.table import Item, Key
from tests.tools.dials import BY_ITSELF, Dials, Fate, executor, incident, plan
from tests.tools.memory_table import Killed, MemoryTable
from tests.tools.stand_ins import NOW, SCOPE
from tests.tools.tampering import PLAN, Stage

FIRST = f"{PLAN.plan_hash[:12]}-0"


def _key(action_id: str) -> Key:
    return keys.execution(SCOPE, incident().incident_id, action_id)


def _write(table: MemoryTable, action_id: str, **update: object) -> None:
    """Change what is stored of an action, as somebody does who has the table but no key."""
    table.put(_key(action_id), {**table.items[_key(action_id)].body, **update})


def _never_done(state: ExecutionState) -> Execution:
    return Execution(
        incident_id=incident().incident_id,
        action_id="ffffffffffff-0",
        action="set_dial",
        parameters={"dial": "main", "value": 7},
        state=state,
        claimed_at=NOW,
        done_at=NOW,
        accepted=True,
        inverse={"dial": "main", "value": 666},
    )


@pytest.mark.parametrize("inverse", [{"dial": "main", "value": 666}, {"dial": "other", "value": 3}])
def test_a_way_back_that_was_changed_since_the_claim_is_not_taken(inverse: dict[str, object]) -> None:
    at = Stage()
    done = at.attempt()
    _write(at.table, done.action_id, inverse=inverse)

    refused = executor(at.table, at.dials).revert(at.about, done, at.circumstances)

    assert refused.state is ExecutionState.REFUSED and "was changed after it was signed" in refused.detail
    assert at.dials.writes == [("main", 9)]


@pytest.mark.parametrize("update", [{"signature": ""}, {"key_id": ""}, {"key_id": "local:another"}])
def test_what_is_signed_by_nobody_or_by_another_is_not_undone(update: dict[str, str]) -> None:
    at = Stage()
    done = at.attempt()
    _write(at.table, done.action_id, **update)

    refused = executor(at.table, at.dials).revert(at.about, done, at.circumstances)

    assert refused.state is ExecutionState.REFUSED and at.dials.writes == [("main", 9)]


@pytest.mark.parametrize(
    "state", [ExecutionState.DONE, ExecutionState.FAILED, ExecutionState.UNDECIDED, ExecutionState.REVERTED]
)
def test_what_was_never_done_is_not_undone(state: ExecutionState) -> None:
    at = Stage()
    at.forget(keys.approval, keys.decision)
    forged = _never_done(state)
    at.table.put(_key(forged.action_id), forged.model_dump(mode="json"))

    refused = executor(at.table, at.dials).revert(at.about, forged, BY_ITSELF)

    assert (refused.state, at.dials.sent) == (ExecutionState.REFUSED, 0)


def test_what_was_claimed_and_never_sent_is_not_undone_as_if_it_had_been() -> None:
    """Somebody else has set the dial to the same: that is theirs."""
    at = Stage()
    at.dials.fates = [Fate.REFUSED]
    failed = at.attempt()
    at.dials.values["main"] = 9
    _write(at.table, failed.action_id, state="done", detail="", accepted=True)

    refused = executor(at.table, at.dials).revert(at.about, failed, at.circumstances)

    assert refused.state is ExecutionState.REFUSED and "otherwise than the audit tells" in refused.detail
    assert at.dials.writes == []


def test_a_call_that_failed_and_is_put_back_is_not_found_done_by_what_somebody_else_did() -> None:
    at = Stage()
    at.dials.fates = [Fate.REFUSED]
    failed = at.attempt()
    at.dials.values["main"] = 9
    _write(at.table, failed.action_id, state="called", done_at=None, detail="")

    left = at.attempt()
    refused = executor(at.table, at.dials).revert(at.about, failed, at.circumstances)

    assert (left.state, refused.state) == (ExecutionState.REFUSED, ExecutionState.REFUSED)
    assert at.table.items[_key(failed.action_id)].body["state"] == "called"
    assert at.dials.writes == []


def test_a_claim_of_an_undo_that_was_written_by_hand_is_not_carried_out() -> None:
    at = Stage()
    done = at.attempt()
    forged = done.model_copy(
        update={"action_id": f"{done.action_id}-undo", "is_revert": True, "state": ExecutionState.CLAIMED}
    )
    at.table.put(_key(forged.action_id), forged.model_dump(mode="json"))

    left = executor(at.table, at.dials).revert(at.about, done, at.circumstances)

    assert left.state is not ExecutionState.DONE and at.dials.writes == [("main", 9)]


@pytest.mark.parametrize("state", [ExecutionState.CLAIMED, ExecutionState.CALLED])
@pytest.mark.parametrize("gone", [False, True], ids=["approved", "permitted"])
def test_a_claim_that_was_written_by_hand_is_not_carried_out(state: ExecutionState, gone: bool) -> None:
    at = Stage()
    if gone:
        at.forget(keys.approval, keys.decision)
        at.circumstances = BY_ITSELF
    forged = Execution(
        incident_id=incident().incident_id,
        action_id=FIRST,
        action="set_dial",
        parameters={"dial": "main", "value": 9},
        state=state,
        claimed_at=NOW,
        before={"found": True, "value": 7, "by_others": 0},
    )
    at.table.put(_key(FIRST), forged.model_dump(mode="json"))

    left = at.attempt()

    assert left.state is ExecutionState.REFUSED and "signed with the key of nobody" in left.detail
    assert at.dials.sent == 0


@pytest.mark.parametrize("state", ["claimed", "called"])
def test_what_was_done_and_is_put_back_to_its_claim_is_not_done_again(state: str) -> None:
    at = Stage()
    done = at.attempt()
    at.dials.values["main"] = 7
    _write(at.table, done.action_id, state=state, done_at=None, answer={}, accepted=False)

    left = at.attempt()

    assert left.state is ExecutionState.REFUSED and "otherwise than the audit tells" in left.detail
    assert at.dials.writes == [("main", 9)]


def test_an_undo_that_was_done_and_put_back_to_its_claim_is_not_done_again() -> None:
    at = Stage()
    done = at.attempt()
    acting = executor(at.table, at.dials)
    undone = acting.revert(at.about, done, at.circumstances)
    at.dials.values["main"] = 9
    _write(at.table, undone.action_id, state="claimed", done_at=None, answer={}, accepted=False)

    left = acting.revert(at.about, done, at.circumstances)

    assert left.state is ExecutionState.REFUSED and at.dials.writes == [("main", 9), ("main", 7)]


def test_an_approval_whose_use_and_whose_action_were_wiped_out_is_not_used_again() -> None:
    at = Stage()
    done = at.attempt()
    at.dials.values["main"] = 7
    at.table.delete(_key(done.action_id))
    at.put_request(used=())

    again = at.attempt()

    assert again.state is ExecutionState.REFUSED and "nothing is stored of it" in again.detail
    assert at.dials.writes == [("main", 9)]


def test_a_permitted_action_that_was_wiped_out_is_not_done_again() -> None:
    dials, table = Dials(), MemoryTable()
    done = executor(table, dials).execute(incident(), plan(), 0, BY_ITSELF)
    dials.values["main"] = 7
    table.delete(_key(done.action_id))

    again = executor(table, dials).execute(incident(), plan(), 0, BY_ITSELF)

    assert again.state is ExecutionState.REFUSED and dials.writes == [("main", 9)]


def test_an_undo_that_was_wiped_out_is_not_done_again() -> None:
    at = Stage()
    done = at.attempt()
    acting = executor(at.table, at.dials)
    undone = acting.revert(at.about, done, at.circumstances)
    at.dials.values["main"] = 9
    at.table.delete(_key(undone.action_id))

    again = acting.revert(at.about, done, at.circumstances)

    assert again.state is ExecutionState.REFUSED and at.dials.writes == [("main", 9), ("main", 7)]


@pytest.mark.parametrize("also", [{}, {"withdrawn": ""}])
def test_a_withdrawn_request_that_is_put_back_lets_nothing_through(also: dict[str, str]) -> None:
    at = Stage()
    executor(at.table, at.dials).approvals.withdraw(at.request, NOW, "it has passed")
    at.put_request(status=ApprovalStatus.APPROVED, **also)

    refused = at.attempt()

    assert (
        refused.state is ExecutionState.REFUSED and "the audit tells that it was withdrawn" in refused.detail
    )
    assert at.dials.sent == 0


def _drop_newest(at: Stage, partition: str) -> None:
    at.table.delete(
        max((key for key in at.table.items if key.sk.startswith("AUDIT#")), key=lambda key: key.sk)
    )


def _drop_its_payload(at: Stage, partition: str) -> None:
    told = [key for key in at.table.items if key.sk.startswith("AUDIT_PAYLOAD#")]
    at.table.delete(max(told, key=lambda key: key.sk))


def _drop_all(at: Stage, partition: str) -> None:
    for key in [key for key in at.table.items if key.sk.startswith("AUDIT")]:
        at.table.delete(key)


def _spoil_a_payload(at: Stage, partition: str) -> None:
    key = keys.audit_payload(partition, 1)
    at.table.put(key, {**at.table.items[key].body, "what": "nothing"})


def _spoil_an_entry(at: Stage, partition: str) -> None:
    at.table.put(keys.audit(partition, 1), {"nothing": "of it"})


@pytest.mark.parametrize(
    "spoil", [_drop_newest, _drop_its_payload, _drop_all, _spoil_a_payload, _spoil_an_entry]
)
def test_an_audit_that_is_not_whole_lets_nothing_through(spoil: Callable[[Stage, str], None]) -> None:
    at = Stage()
    executor(at.table, at.dials).approvals.withdraw(at.request, NOW, "it has passed")
    at.put_request(status=ApprovalStatus.APPROVED, withdrawn="")
    spoil(at, _key("").pk)

    refused = at.attempt()

    assert refused.state is ExecutionState.REFUSED and "audit" in refused.detail
    assert at.dials.sent == 0


@pytest.mark.parametrize("fate", [Fate.KILLED_BEFORE, Fate.KILLED_AFTER])
def test_a_run_that_was_killed_in_its_call_still_goes_on(fate: Fate) -> None:
    at = Stage()
    at.dials.fates = [fate]
    with pytest.raises(Killed):
        at.attempt()
    at.table.bury()

    assert at.attempt().state is ExecutionState.DONE
    assert at.dials.writes == [("main", 9)]


def test_why_it_was_done_is_what_people_were_told_and_not_what_the_state_says() -> None:
    at = Stage()
    said = tuple(act.model_copy(update={"why": "the release throws"}) for act in PLAN.actions)
    at.ask_anew(actions=said)
    forged = tuple(act.model_copy(update={"why": "ada told me to"}) for act in PLAN.actions)
    at.planned = PLAN.model_copy(update={"actions": forged})

    done = at.attempt()

    assert (done.state, done.why) == (ExecutionState.DONE, "the release throws")


def test_an_undo_that_was_needless_names_its_policy_and_its_approval() -> None:
    at = Stage()
    done = at.attempt()
    at.dials.values["main"] = 7

    undone = executor(at.table, at.dials).revert(at.about, done, at.circumstances)

    assert (undone.state, undone.detail) == (ExecutionState.DONE, "already as it was before")
    assert (undone.policy_ids, undone.policy_set_sha256) == (("undo",), done.policy_set_sha256)
    assert (undone.approval, undone.approved_by) == (PLAN.plan_hash, ("ada",))
    assert undone.why == f"undo of {done.action_id}" and undone.session is None
    chain, checked = executor(at.table, at.dials).executions.audit(SCOPE, incident().incident_id)
    told = [link.payload for link in chain.links() if link.payload]
    assert checked.broken is None and told[-2].execution_id == undone.action_id
    assert (told[-2].policy_ids, told[-2].approval) == (("undo",), PLAN.plan_hash)


def test_an_audit_whose_words_were_erased_lets_nothing_through() -> None:
    at = Stage()
    acting = executor(at.table, at.dials)
    acting.approvals.withdraw(at.request, NOW, "it has passed")
    at.put_request(status=ApprovalStatus.APPROVED, withdrawn="")
    AuditTrail(at.table).erase(_key("").pk, NOW, "mallory", "nothing to see")

    refused = at.attempt()

    assert refused.state is ExecutionState.REFUSED and "was erased" in refused.detail
    assert at.dials.sent == 0


class Noting(MemoryTable):
    """A table in which somebody notes CloudTrail's event of an action just before its audit is read."""

    note: Callable[[], object] | None = None

    def get(self, key: Key) -> Item | None:
        if key.sk == "AUDIT_HEAD" and self.note is not None:
            note, self.note = self.note, None
            note()
        return super().get(key)


def test_an_event_that_is_noted_meanwhile_is_no_contradiction() -> None:
    at = Stage(table=Noting())
    assert isinstance(at.table, Noting)
    done = at.attempt()
    acting = executor(at.table, at.dials)
    found = done.model_copy(update={"event_id": "event-1"})
    at.table.note = lambda: acting.executions.advance(SCOPE, done, found, at=NOW)

    undone = acting.revert(at.about, done, at.circumstances)

    assert (undone.state, at.dials.writes) == (ExecutionState.DONE, [("main", 9), ("main", 7)])
    stored = acting.executions.get(SCOPE, incident().incident_id, done.action_id)
    assert stored is not None and (stored.event_id, stored.state) == ("event-1", ExecutionState.REVERTED)


def test_what_is_appended_while_an_audit_is_read_is_no_fault_of_it() -> None:
    at = Stage(table=Noting())
    assert isinstance(at.table, Noting)
    trail, partition = AuditTrail(at.table), _key("").pk
    before, _ = trail.hold(partition)
    appended: list[int] = []

    class Appending(AuditTrail):
        def read(self, partition: str) -> Chain:
            chain = super().read(partition)
            if appended:
                return chain
            appended.append(1)
            trail.commit(partition, [], NOW, Deed.RULED, who="ada", what="meanwhile")
            return replace(chain, entries=super().read(partition).entries)

    chain, checked = Appending(at.table).hold(partition)

    assert checked.broken is None and len(chain.entries) == len(before.entries) + 1
