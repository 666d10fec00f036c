"""What the audit tells of actions: each entry bears its own time, and what was refused is told too."""

from datetime import timedelta

from memory import keys
from memory.audit_chain import Link
from memory.records.audit import AuditPayload, Deed
from memory.records.outcome import ExecutionState
from memory.stores.audit import AuditTrail
from tests.tools.dials import (
    BY_ITSELF,
    WITH_APPROVAL,
    Dials,
    Fate,
    approve,
    executor,
    incident,
    plan,
)
from tests.tools.memory_table import MemoryTable
from tests.tools.stand_ins import NOW, SCOPE

LATER = NOW + timedelta(minutes=20)
SWITCHED = "the kill switch is on"


def links(table: MemoryTable) -> list[Link]:
    trail = AuditTrail(table)
    chain, checked = trail.hold(keys.incident(SCOPE, incident().incident_id).pk)
    assert checked.broken is None, checked.why
    return list(chain.links())


def payload(link: Link) -> AuditPayload:
    assert link.payload is not None
    return link.payload


def test_an_undo_is_told_at_its_own_time_and_leaves_when_the_action_was_done() -> None:
    table, dials = MemoryTable(), Dials()
    approve(executor(table, dials), plan(), incident())
    done = executor(table, dials).execute(incident(), plan(), 0, WITH_APPROVAL)

    executor(table, dials, at=LATER).revert(incident(), done, WITH_APPROVAL)

    last = links(table)[-1]
    assert (payload(last).what, last.entry.at) == ("set_dial: reverted", LATER)
    assert [link.entry.at for link in links(table)] == sorted(link.entry.at for link in links(table))
    stored = executor(table, dials).executions.get(SCOPE, incident().incident_id, done.action_id)
    assert stored is not None and (stored.state, stored.done_at) == (ExecutionState.REVERTED, NOW)


def test_what_is_found_of_a_call_later_is_told_when_it_is_found() -> None:
    table, dials = MemoryTable(), Dials()
    done = executor(table, dials).execute(incident(), plan(), 0, BY_ITSELF)
    found = done.model_copy(update={"event_id": "an event of CloudTrail"})

    executor(table, dials).executions.advance(SCOPE, done, found, at=LATER)

    last = links(table)[-1]
    assert (payload(last).event_id, last.entry.at) == ("an event of CloudTrail", LATER)


def test_a_refused_attempt_is_told_with_who_approved_it_and_why_it_was_refused() -> None:
    table, dials = MemoryTable(), Dials()
    approve(executor(table, dials), plan(), incident())

    refused = executor(table, dials, stopped=SWITCHED).execute(incident(), plan(), 0, WITH_APPROVAL)

    assert refused.state is ExecutionState.REFUSED and dials.writes == []
    last = links(table)[-1]
    told = payload(last)
    assert (last.entry.deed, last.entry.at) == (Deed.REFUSED, NOW)
    assert told.what == "set_dial: refused" and SWITCHED in told.why
    assert (told.approval, told.facts["approved_by"]) == (plan().plan_hash, ["ada"])
    assert told.facts["parameters"] == {"dial": "main", "value": 9}


def test_the_same_refusal_again_is_told_once_and_stands_in_the_way_of_nothing() -> None:
    table, dials = MemoryTable(), Dials()
    approve(executor(table, dials), plan(), incident())
    for _ in range(3):
        executor(table, dials, stopped=SWITCHED).execute(incident(), plan(), 0, WITH_APPROVAL)
    assert [link.entry.deed for link in links(table)].count(Deed.REFUSED) == 1

    done = executor(table, dials).execute(incident(), plan(), 0, WITH_APPROVAL)

    assert done.state is ExecutionState.DONE
    undone = executor(table, dials, stopped=SWITCHED).revert(incident(), done, WITH_APPROVAL)
    assert undone.state is ExecutionState.REFUSED
    assert payload(links(table)[-1]).what == "undo, set_dial: refused"
    assert executor(table, dials).revert(incident(), done, WITH_APPROVAL).state is ExecutionState.DONE


def test_a_refusal_stands_where_a_broken_audit_takes_no_entry() -> None:
    table, dials = MemoryTable(), Dials()
    approve(executor(table, dials), plan(), incident())
    table.delete(keys.audit_head(keys.incident(SCOPE, incident().incident_id).pk))

    refused = executor(table, dials).execute(incident(), plan(), 0, WITH_APPROVAL)

    assert refused.state is ExecutionState.REFUSED and "audit" in refused.detail and dials.writes == []


def test_an_action_is_told_with_what_it_acts_on() -> None:
    table, dials = MemoryTable(), Dials(fates=[Fate.REFUSED])
    failed = executor(table, dials).execute(incident(), plan(), 0, BY_ITSELF)

    assert failed.targets == ("dial main",)
    assert all(payload(link).facts["targets"] == ["dial main"] for link in links(table))
