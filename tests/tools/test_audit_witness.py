"""Who can write the whole table cannot do something, or undo its telling, without `audit verify` showing it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from memory import keys
from memory.audit_chain import Chain
from memory.audit_witness import untold, untold_of_glass, untold_of_switch
from memory.records.approval import ApprovalStatus, Decision, GlassReview
from memory.records.audit import FIRST as BEGIN
from memory.records.audit import AuditEntry, AuditPayload, Deed
from memory.records.base import digest
from memory.records.kill_switch import KillSwitch
from memory.records.outcome import ExecutionState
from memory.records.timeline import EntryKind
from memory.retention import Retention
from memory.stores.approvals import ApprovalStore
from memory.stores.audit import AuditTrail
from memory.stores.dossier import read_dossier
from memory.stores.kill_switch import KillSwitchStore
from memory.stores.timeline import TimelineStore
from memory.table import Item, Key
from tests.tools.dials import WITH_APPROVAL, Fate, decision_on, executor, incident, request_for
from tests.tools.memory_table import Killed, MemoryTable
from tests.tools.stand_ins import SCOPE, StillClock
from tests.tools.tampering import FIRST, OTHER, PLAN, Stage

NOW = 1_800_000_000.0
PARTITION = keys.incident(SCOPE, incident().incident_id).pk


def _chain(table: MemoryTable) -> Chain:
    return AuditTrail(table).read(PARTITION)


def _said(table: MemoryTable) -> list[str]:
    """What is wrong with the audit or what is stored beside it."""
    chain = _chain(table)
    checked = chain.check(NOW)
    if checked.broken is not None:
        return [f"entry {checked.broken}: {checked.why}"]
    return list(untold(list(chain.links()), read_dossier(table, SCOPE, incident().incident_id)))


def _forged(table: MemoryTable, told: list[tuple[Deed, dict[str, Any]]], name: str | None = None) -> None:
    """Lay a chain in the place of the one that stands, every hash and the head as they have to be."""
    at = _chain(table)
    for key, _ in at.entries:
        table.delete(Key(PARTITION, key))
        table.delete(Key(PARTITION, key.replace("AUDIT#", "AUDIT_PAYLOAD#")))
    previous = BEGIN
    for number, (deed, payload) in enumerate(told, start=1):
        entry = AuditEntry(
            sequence=number,
            at=incident().opened_at,
            deed=deed,
            payload_sha256=digest(AuditPayload.model_validate(payload).model_dump(mode="json")),
            previous=previous,
            hash="",
            chain=at.name if name is None else name,
        )
        previous = entry.computed()
        entry = entry.model_copy(update={"hash": previous})
        table.put(keys.audit(PARTITION, number), entry.model_dump(mode="json"))
        table.put(keys.audit_payload(PARTITION, number), payload)
    table.put(keys.audit_head(PARTITION), {"sequence": len(told), "hash": previous})


def _told(table: MemoryTable) -> list[tuple[Deed, dict[str, Any]]]:
    links = list(_chain(table).links())
    return [(one.entry.deed, one.payload.model_dump(mode="json")) for one in links if one.payload]


@pytest.fixture
def done() -> Stage:
    """An action that was asked for, approved and done, and undone after that."""
    at = Stage()
    execution = at.attempt()
    executor(at.table, at.dials).revert(at.about, execution, at.circumstances)
    return at


def test_what_was_done_is_told(done: Stage) -> None:
    deeds = [deed for deed, _ in _told(done.table)]

    assert deeds.count(Deed.CLAIMED) == 2 and {Deed.ASKED, Deed.DECIDED, Deed.SETTLED} <= set(deeds)
    assert _said(done.table) == []


def test_a_forger_who_changes_nothing_is_not_noticed(done: Stage) -> None:
    """So what is noticed below is what was changed, and not that it was forged."""
    _forged(done.table, _told(done.table))

    assert _said(done.table) == []


def test_a_chain_that_was_cut_short_and_given_a_new_head_lacks_what_is_stored(done: Stage) -> None:
    told = _told(done.table)

    for left in range(len(told)):
        _forged(done.table, told[:left])

        assert _said(done.table), f"{left} of {len(told)} entries were left"


def test_an_entry_that_was_taken_out_with_all_hashes_made_anew_is_missed(done: Stage) -> None:
    told = _told(done.table)

    for gone in range(len(told)):
        _forged(done.table, [one for at, one in enumerate(told) if at != gone])

        assert _said(done.table), told[gone]


def test_a_refusal_whose_entry_was_cut_off_is_missed() -> None:
    at = Stage()
    refused = executor(at.table, at.dials, stopped="the kill switch is on").execute(
        incident(), PLAN, 0, WITH_APPROVAL
    )
    facts = {"execution": refused.model_dump(mode="json")}
    timeline = TimelineStore(at.table, StillClock())
    timeline.append(SCOPE, incident().incident_id, EntryKind.ACTION, "refused", facts=facts)
    told = _told(at.table)
    assert told[-1][0] is Deed.REFUSED and _said(at.table) == []

    _forged(at.table, told[:-1])

    assert _said(at.table) == [f"the timeline tells that action {FIRST} was refused, and the audit does not"]


def _said_of_glass(at: Stage) -> list[str]:
    links = list(_chain(at.table).links())
    dossier = read_dossier(at.table, SCOPE, incident().incident_id)
    listed = ApprovalStore(at.table).break_glass
    return list(untold_of_glass(links, dossier, lambda: listed(SCOPE.tenant)))


def _glass() -> tuple[Stage, Key, Decision]:
    """A stage whose plan was approved by break-glass, the key under which that is listed, and the decision."""
    at = Stage()
    for key in [key for key in at.table.items if key.sk.startswith(("APPROVAL", "DECISION", "AUDIT"))]:
        at.table.delete(key)
    approvals, request = ApprovalStore(at.table), request_for(executor(at.table, at.dials), PLAN, incident())
    approvals.request(request)
    made = decision_on(request, break_glass=True)
    approvals.decide(SCOPE, made)
    return at, keys.break_glass(SCOPE.tenant, made.decided_at, made.incident_id), made


def test_a_broken_glass_that_was_taken_off_the_list_for_review_is_told() -> None:
    at, key, _ = _glass()
    assert _said_of_glass(at) == []

    at.table.delete(key)

    assert _said_of_glass(at) == ["the break-glass approval by ada is not listed for review"]


def test_a_review_that_was_written_past_its_door_or_taken_back_is_told() -> None:
    at, key, made = _glass()
    before = at.table.items[key].body
    review = GlassReview(by=OTHER, note="fine", at=made.decided_at)
    at.table.put(key, {**before, "review": review.model_dump(mode="json")})
    assert "is listed as reviewed by grace, and the audit does not" in _said_of_glass(at)[0]

    at.table.put(key, before)
    ApprovalStore(at.table).review(SCOPE, made, review)
    assert _said_of_glass(at) == [] and _said(at.table) == []
    at.table.put(key, before)
    assert "waits for review, and the audit tells that it was reviewed" in _said_of_glass(at)[0]


Edit = Callable[[dict[str, Any]], object]
EDITS: dict[str, tuple[Deed, Edit]] = {
    "what was set": (
        Deed.SETTLED,
        lambda told: told["facts"].update(parameters={"dial": "main", "value": 8}),
    ),
    "how it went": (Deed.SETTLED, lambda told: told.update(what="set_dial: refused")),
    "who stood behind it": (Deed.SETTLED, lambda told: told["facts"].update(approved_by=["grace"])),
    "under which session": (Deed.SETTLED, lambda told: told.update(session="another")),
    "who decided": (Deed.DECIDED, lambda told: told.update(who="grace")),
    "on which request": (Deed.DECIDED, lambda told: told["facts"].update(request_sha256="f" * 64)),
}


@pytest.mark.parametrize(("deed", "edit"), EDITS.values(), ids=EDITS)
def test_an_entry_that_was_edited_with_all_hashes_made_anew_differs_from_what_is_stored(
    done: Stage, deed: Deed, edit: Edit
) -> None:
    told = _told(done.table)
    last = max(at for at, (one, _) in enumerate(told) if one is deed)
    edit(told[last][1])
    _forged(done.table, told)

    assert any("otherwise" in one or "has no entry" in one for one in _said(done.table))


def test_a_record_that_was_edited_differs_from_its_entry(done: Stage) -> None:
    (key,) = [key for key in done.table.items if key.sk.startswith("ACTION#") and "undo" not in key.sk]
    body = done.table.items[key].body
    done.table.put(key, {**body, "parameters": {"dial": "main", "value": 8}})

    assert "otherwise" in _said(done.table)[0]


def test_another_incidents_chain_does_not_pass_for_this_ones(done: Stage) -> None:
    _forged(done.table, _told(done.table), name=digest(["audit", "another"])[:32])

    assert _said(done.table) == ["entry 1: it belongs to another chain"]


def test_an_older_chain_goes_on_under_its_name_and_not_back(done: Stage) -> None:
    told = _told(done.table)
    _forged(done.table, told, name="")
    assert _said(done.table) == []

    AuditTrail(done.table).commit(PARTITION, [], incident().opened_at, Deed.RULED, who="ann", what="one more")
    assert _chain(done.table).check(NOW).broken is None

    number = len(told) + 2
    head = done.table.items[keys.audit_head(PARTITION)].body
    unnamed = AuditEntry.model_validate(
        {
            **_chain(done.table).entries[-1][1],
            "sequence": number,
            "previous": head["hash"],
            "chain": "",
        }
    )
    unnamed = unnamed.model_copy(update={"hash": unnamed.computed()})
    done.table.items[keys.audit(PARTITION, number)] = Item(
        keys.audit(PARTITION, number), unnamed.model_dump(mode="json")
    )
    assert _chain(done.table).check(NOW).why == "it belongs to another chain"


@pytest.mark.parametrize("after_writing", [False, True])
@pytest.mark.parametrize("writes", range(1, 6))
def test_killed_anywhere_around_the_call_the_trail_is_honest(writes: int, after_writing: bool) -> None:
    at = Stage()
    at.table.dies_at, at.table.after_writing = at.table.writes + writes, after_writing
    with pytest.raises(Killed):
        at.attempt()
    assert _said(at.table) == []
    at.table.bury()

    ended = at.attempt()

    assert ended.state is ExecutionState.DONE and at.dials.writes == [("main", 9)]
    assert _said(at.table) == []


@pytest.mark.parametrize("fate", [Fate.KILLED_BEFORE, Fate.KILLED_AFTER])
def test_killed_in_the_call_it_is_told_as_begun_and_then_as_it_was_found(fate: Fate) -> None:
    at = Stage()
    at.dials.fates = [fate]
    with pytest.raises(Killed):
        at.attempt()
    assert [deed for deed, _ in _told(at.table)][-1] is Deed.CLAIMED and _said(at.table) == []
    at.table.bury()

    at.attempt()

    deed, told = _told(at.table)[-1]
    assert deed is Deed.SETTLED and told["what"] == "set_dial: done"
    assert fate is Fate.KILLED_BEFORE or "interrupted, then found done" in told["why"]
    assert _said(at.table) == [] and at.dials.writes == [("main", 9)]


def _switched(*turns: tuple[bool, str]) -> tuple[MemoryTable, KillSwitchStore]:
    table = MemoryTable()
    store = KillSwitchStore(table, SCOPE.tenant)
    for minute, (on, by) in enumerate(turns):
        store.turn(
            KillSwitch(on=on, by=by, reason="seen", at=incident().opened_at + timedelta(minutes=minute))
        )
    return table, store


def _said_of_switch(table: MemoryTable, store: KillSwitchStore) -> list[str]:
    chain = AuditTrail(table).read(keys.tenant_audit(SCOPE.tenant))
    assert chain.check(NOW).broken is None
    return list(untold_of_switch(list(chain.links()), store.read()))


def test_a_turn_of_the_kill_switch_whose_entry_was_cut_off_is_told() -> None:
    table, store = _switched((True, "ada"), (False, "mallory"))
    partition = keys.tenant_audit(SCOPE.tenant)
    assert _said_of_switch(table, store) == []

    first = AuditTrail(table).read(partition)
    table.delete(keys.audit(partition, 2))
    table.delete(keys.audit_payload(partition, 2))
    table.put(keys.audit_head(partition), {"sequence": 1, "hash": first.entries[0][1]["hash"]})

    assert "its last turn is told otherwise" in _said_of_switch(table, store)[0]


def test_a_kill_switch_that_was_written_past_its_door_is_told() -> None:
    table, store = _switched((True, "ada"))
    forged = store.read().model_copy(update={"on": False})
    table.put(keys.kill_switch(SCOPE.tenant), forged.model_dump(mode="json"))

    assert _said_of_switch(table, store) == ["the kill switch stands otherwise than its last entry tells"]


def test_a_switch_that_nobody_turned_or_whose_words_were_erased_needs_no_entry_to_match() -> None:
    assert _said_of_switch(*_switched()) == []
    table, store = _switched((True, "ada"))
    store.erase_about("ada")
    assert _said_of_switch(table, store) == []


def _delete(at: Stage, kind: str) -> None:
    for key in [key for key in at.table.items if key.sk.split("#")[0] == kind and "undo" not in key.sk]:
        at.table.delete(key)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("ACTION", f"the audit tells of action {FIRST}, and nothing is stored of it"),
        ("APPROVAL", "the audit tells that approval of plan"),
        ("DECISION", "the audit tells that ada decided on plan"),
    ],
)
def test_what_the_audit_tells_and_is_stored_no_more_is_told(done: Stage, kind: str, said: str) -> None:
    _delete(done, kind)

    assert any(one.startswith(said) for one in _said(done.table)), _said(done.table)


def test_an_approval_whose_use_was_taken_back_is_told(done: Stage) -> None:
    done.put_request(used=())

    (said,) = _said(done.table)
    assert "is used otherwise than the audit tells" in said and FIRST in said


@pytest.mark.parametrize("status", [ApprovalStatus.APPROVED, ApprovalStatus.PENDING])
def test_a_request_that_was_withdrawn_and_put_back_is_told(status: ApprovalStatus) -> None:
    at = Stage()
    executor(at.table, at.dials).approvals.withdraw(at.request, incident().opened_at, "it has passed")
    assert _said(at.table) == []
    at.put_request(status=status, withdrawn="")

    (said,) = _said(at.table)
    assert said.endswith(f"is {status.value}, and the audit tells that it was withdrawn")


def test_a_denial_that_was_turned_round_is_told() -> None:
    at = Stage()
    at.add_decision(decision_on(at.request, approved=False, by=OTHER))

    assert any("was denied by grace" in one for one in _said(at.table))


def test_what_is_kept_for_less_time_than_its_entry_may_be_gone(done: Stage) -> None:
    _delete(done, "ACTION")
    _delete(done, "APPROVAL")
    _delete(done, "DECISION")
    links = list(_chain(done.table).links())
    dossier = read_dossier(done.table, SCOPE, incident().incident_id)
    days = Retention(actions=30, approvals=30)
    then = incident().opened_at + timedelta(days=31)

    assert list(untold(links, dossier, lambda of, at: days.is_over(of, at, then))) == []
    assert list(untold(links, dossier, lambda of, at: days.is_over(of, at, incident().opened_at)))
