import threading
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memory.records.config import Autonomy
from memory.records.incident import Severity
from memory.records.outcome import Execution, ExecutionState
from memory.stores.leases import IncidentBusyError
from tests.tools.dials import (
    BY_ITSELF,
    WITH_APPROVAL,
    Dials,
    Fate,
    approve,
    around,
    decision_on,
    executor,
    incident,
    plan,
    request_for,
)
from tests.tools.memory_table import Killed, MemoryTable
from tests.tools.stand_ins import NOW, SCOPE
from tools.policy import Circumstances

MINUTE = timedelta(minutes=1)


def test_an_action_that_policy_permits_is_done_once_and_remembered() -> None:
    dials = Dials()
    acting = executor(MemoryTable(), dials)

    first = acting.execute(incident(), plan(), 0, BY_ITSELF, {"alarm_value": 41.0})
    second = acting.execute(incident(), plan(), 0, BY_ITSELF)

    assert (first.state, dials.writes) == (ExecutionState.DONE, [("main", 9)])
    assert second == first
    assert first.before["value"] == 7 and first.before["alarm_value"] == 41.0
    assert first.inverse == {"dial": "main", "value": 7}


def test_an_action_that_needs_a_person_waits_for_one() -> None:
    dials = Dials()
    acting = executor(MemoryTable(), dials)

    refused = acting.execute(incident(), plan(), 0, WITH_APPROVAL)
    approve(acting, plan(), incident())
    done = acting.execute(incident(), plan(), 0, WITH_APPROVAL)

    assert (refused.state, done.state) == (ExecutionState.REFUSED, ExecutionState.DONE)
    assert dials.writes == [("main", 9)]


def test_a_denied_plan_is_not_done_even_where_policy_would_permit_it() -> None:
    dials = Dials()
    acting = executor(MemoryTable(), dials)
    request = request_for(acting, plan(), incident())
    acting.approvals.request(request)
    acting.approvals.decide(SCOPE, decision_on(request, approved=False))

    assert acting.execute(incident(), plan(), 0, BY_ITSELF).state is ExecutionState.REFUSED
    assert dials.sent == 0


@pytest.mark.parametrize(
    "circumstances",
    [
        around(autonomy=Autonomy.OBSERVE),
        around(kill_switch=True),
        around(account="210987654321"),
    ],
)
def test_an_approval_opens_no_door_that_settings_close(circumstances: Circumstances) -> None:
    dials = Dials()
    acting = executor(MemoryTable(), dials)
    approve(acting, plan(), incident())

    assert acting.execute(incident(), plan(), 0, circumstances).state is ExecutionState.REFUSED
    assert dials.sent == 0


def test_an_incident_of_another_region_is_refused() -> None:
    dials = Dials()
    acting = executor(MemoryTable(), dials, region="eu-west-1")

    assert acting.execute(incident(), plan(), 0, BY_ITSELF).state is ExecutionState.REFUSED
    assert dials.sent == 0


@pytest.mark.parametrize(
    ("decided", "acted", "state"),
    [
        (29, 29, ExecutionState.DONE),
        (29, 38, ExecutionState.DONE),
        (29, 40, ExecutionState.REFUSED),
        (5, 29, ExecutionState.DONE),
        (5, 31, ExecutionState.REFUSED),
        (30, 31, ExecutionState.REFUSED),
        (-1, 5, ExecutionState.REFUSED),
    ],
)
def test_an_approval_lapses(decided: int, acted: int, state: ExecutionState) -> None:
    dials, table = Dials(), MemoryTable()
    acting = executor(table, dials, at=NOW + acted * MINUTE)
    request = request_for(acting, plan(), incident())
    acting.approvals.request(request)
    decision = decision_on(request, at=NOW + decided * MINUTE)
    acting.approvals.decide(SCOPE, decision)

    assert acting.execute(incident(), plan(), 0, WITH_APPROVAL).state is state
    assert len(dials.writes) == (state is ExecutionState.DONE)


# Once: whatever becomes of the calls and wherever the process dies, the effect is there at most once.


def _run(table: MemoryTable, dials: Dials, *, repeatable: bool = True) -> Execution | None:
    try:
        return executor(table, dials, repeatable=repeatable).execute(incident(), plan(), 0, BY_ITSELF)
    except Killed:
        table.bury()
        return None


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.sampled_from(Fate), max_size=6),
    st.integers(0, 8),
    st.booleans(),
    st.booleans(),
)
def test_an_action_takes_effect_at_most_once(
    fates: list[Fate], dies_at: int, after_writing: bool, repeatable: bool
) -> None:
    dials = Dials(fates=list(fates))
    table = MemoryTable(dies_at, after_writing=after_writing)

    ends = [_run(table, dials, repeatable=repeatable) for _ in range(8)]

    assert len(dials.writes) <= 1
    last = ends[-1]
    assert last is not None
    if last.state is ExecutionState.DONE:
        assert dials.writes == [("main", 9)]
    if last.state is ExecutionState.FAILED:
        assert dials.writes == []


@pytest.mark.parametrize("after_writing", [False, True])
@pytest.mark.parametrize("dies_at", range(1, 6))
def test_a_killed_process_leaves_an_action_that_another_finishes(dies_at: int, after_writing: bool) -> None:
    dials = Dials()
    table = MemoryTable(dies_at, after_writing=after_writing)

    killed = _run(table, dials)
    finished = _run(table, dials)

    assert killed is None
    assert finished is not None
    assert (finished.state, dials.writes, dials.sent) == (ExecutionState.DONE, [("main", 9)], 1)


@pytest.mark.parametrize(
    ("fate", "state", "sent"),
    [
        (Fate.ANSWER_LOST, ExecutionState.DONE, 1),
        (Fate.BROKEN_AFTER, ExecutionState.DONE, 1),
        (Fate.REFUSED, ExecutionState.FAILED, 1),
        (Fate.NOT_CONNECTED, ExecutionState.DONE, 2),
        (Fate.LOST_ON_THE_WAY, ExecutionState.UNDECIDED, 1),
        (Fate.BROKEN_BEFORE, ExecutionState.UNDECIDED, 1),
    ],
)
def test_a_lost_answer_is_settled_by_asking_the_account(fate: Fate, state: ExecutionState, sent: int) -> None:
    dials = Dials(fates=[fate])

    execution = _run(MemoryTable(), dials, repeatable=False)

    assert execution is not None
    assert (execution.state, dials.sent) == (state, sent)


@pytest.mark.parametrize(
    ("fates", "state"),
    [
        ((Fate.NOT_CONNECTED, Fate.NOT_CONNECTED), ExecutionState.FAILED),
        ((Fate.LOST_ON_THE_WAY, Fate.LOST_ON_THE_WAY), ExecutionState.UNDECIDED),
        ((Fate.LOST_ON_THE_WAY, Fate.NOT_CONNECTED), ExecutionState.UNDECIDED),
        # The refusal is of the second call: it says nothing of the first.
        ((Fate.LOST_ON_THE_WAY, Fate.REFUSED), ExecutionState.UNDECIDED),
        ((Fate.NOT_CONNECTED, Fate.REFUSED), ExecutionState.FAILED),
    ],
)
def test_only_a_call_that_found_no_connection_is_said_not_to_have_reached_aws(
    fates: tuple[Fate, ...], state: ExecutionState
) -> None:
    dials = Dials(fates=list(fates))

    execution = _run(MemoryTable(), dials)

    assert execution is not None
    assert (execution.state, dials.sent) == (state, 2)


def test_what_could_not_be_decided_is_settled_once_the_account_shows_it() -> None:
    dials, table = Dials(fates=[Fate.LOST_ON_THE_WAY]), MemoryTable()

    undecided = _run(table, dials, repeatable=False)
    again = _run(table, dials, repeatable=False)
    dials.values["main"] = 9
    settled = _run(table, dials, repeatable=False)

    assert [e.state for e in (undecided, again, settled) if e] == [
        ExecutionState.UNDECIDED,
        ExecutionState.UNDECIDED,
        ExecutionState.DONE,
    ]
    assert dials.sent == 1


def test_a_claim_left_behind_is_not_carried_out_when_it_is_no_longer_permitted() -> None:
    dials, table = Dials(), MemoryTable(dies_at=2, after_writing=True)
    assert _run(table, dials) is None

    stopped = executor(table, dials).execute(incident(), plan(), 0, around(kill_switch=True))

    assert (stopped.state, dials.sent) == (ExecutionState.FAILED, 0)


def test_many_callers_at_once_act_once() -> None:
    dials, table = Dials(), MemoryTable()
    ends: list[str] = []

    def act() -> None:
        try:
            ends.append(executor(table, dials).execute(incident(), plan(), 0, BY_ITSELF).state.value)
        except IncidentBusyError:
            ends.append("busy")

    threads = [threading.Thread(target=act) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(ends) == 40 and set(ends) <= {"done", "busy"}
    assert (dials.writes, dials.sent) == ([("main", 9)], 1)


# The way back.


def test_an_undo_brings_back_what_was_there_once() -> None:
    dials, table = Dials(), MemoryTable()
    acting = executor(table, dials)
    done = acting.execute(incident(), plan(), 0, BY_ITSELF)

    first = acting.revert(incident(), done, BY_ITSELF)
    second = acting.revert(incident(), done, BY_ITSELF)

    assert first.state is ExecutionState.DONE and first.is_revert and second == first
    assert dials.writes == [("main", 9), ("main", 7)]
    stored = acting.executions.get(SCOPE, incident().incident_id, done.action_id)
    assert stored is not None and stored.state is ExecutionState.REVERTED


@settings(deadline=None)
@given(st.integers(), st.sampled_from(["main", "other"]))
def test_an_undo_believes_the_stored_account_only(value: int, dial: str) -> None:
    dials, table = Dials(), MemoryTable()
    acting = executor(table, dials)
    done = acting.execute(incident(), plan(), 0, BY_ITSELF)
    forged = done.model_copy(update={"inverse": {"dial": dial, "value": value}, "state": ExecutionState.DONE})

    acting.revert(incident(), forged, BY_ITSELF)

    assert dials.writes == [("main", 9), ("main", 7)]


def test_what_was_never_done_cannot_be_undone() -> None:
    dials = Dials()
    acting = executor(MemoryTable(), dials)
    refused = acting.execute(incident(), plan(), 0, WITH_APPROVAL)
    forged = refused.model_copy(
        update={"state": ExecutionState.DONE, "inverse": {"dial": "other", "value": 1}}
    )

    assert acting.revert(incident(), forged, BY_ITSELF).state is ExecutionState.REFUSED
    assert dials.sent == 0


def test_nothing_is_undone_when_somebody_else_has_changed_the_target() -> None:
    dials = Dials()
    acting = executor(MemoryTable(), dials)
    done = acting.execute(incident(), plan(), 0, BY_ITSELF)
    dials.values["main"] = 30

    refused = acting.revert(incident(), done, BY_ITSELF)

    assert refused.state is ExecutionState.REFUSED
    assert dials.values["main"] == 30


def test_an_undo_finds_the_target_as_it_was_and_calls_nothing() -> None:
    dials = Dials()
    acting = executor(MemoryTable(), dials)
    done = acting.execute(incident(), plan(), 0, BY_ITSELF)
    dials.values["main"] = 7

    undone = acting.revert(incident(), done, BY_ITSELF)

    assert (undone.state, dials.sent) == (ExecutionState.DONE, 1)


def test_the_kill_switch_stops_an_undo_too() -> None:
    dials = Dials()
    acting = executor(MemoryTable(), dials)
    done = acting.execute(incident(), plan(), 0, BY_ITSELF)

    assert acting.revert(incident(), done, around(kill_switch=True)).state is ExecutionState.REFUSED
    assert dials.values["main"] == 9


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(Fate), max_size=4), st.integers(0, 8), st.booleans())
def test_an_undo_takes_effect_at_most_once(fates: list[Fate], dies_at: int, after_writing: bool) -> None:
    dials, table = Dials(), MemoryTable()
    done = executor(table, dials).execute(incident(), plan(), 0, BY_ITSELF)
    dials.fates = list(fates)
    table.dies_at = table.writes + dies_at if dies_at else 0
    table.after_writing = after_writing

    for _ in range(8):
        try:
            last = executor(table, dials).revert(incident(), done, BY_ITSELF)
        except Killed:
            table.bury()

    assert dials.writes[1:] in ([], [("main", 7)])
    if last.state is ExecutionState.DONE:
        assert dials.values["main"] == 7


@pytest.mark.parametrize("severity", [Severity.CRITICAL, Severity.HIGH, Severity.NONE])
def test_without_an_approval_only_low_and_medium_severity_is_acted_on(severity: Severity) -> None:
    dials = Dials()
    acting = executor(MemoryTable(), dials)

    assert acting.execute(incident(), plan(), 0, around(severity)).state is ExecutionState.REFUSED
    assert dials.sent == 0
