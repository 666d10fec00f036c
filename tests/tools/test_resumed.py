"""A claim that is taken up again before its call was made looks again at what it would change."""

import pytest

from memory.records.outcome import Execution, ExecutionState
from tests.tools.dials import BY_ITSELF, WITH_APPROVAL, Dials, approve, executor, incident, plan
from tests.tools.memory_table import Killed, MemoryTable
from tools.policy import Circumstances


def _stored(table: MemoryTable, dials: Dials, action_id: str) -> ExecutionState | None:
    found = executor(table, dials).executions.get(incident().scope, incident().incident_id, action_id)
    return found.state if found else None


def _claimed(table: MemoryTable, dials: Dials, around: Circumstances = BY_ITSELF) -> None:
    """Act, killed right after the claim: that is the second write, after the lease."""
    table.dies_at, table.after_writing = table.writes + 2, True
    with pytest.raises(Killed):
        executor(table, dials).execute(incident(), plan(), 0, around)
    table.bury()
    assert _stored(table, dials, f"{plan().plan_hash[:12]}-0") is ExecutionState.CLAIMED


def _undo_claimed(table: MemoryTable, dials: Dials) -> Execution:
    """Undo, killed right after the claim of the undo."""
    done = executor(table, dials).execute(incident(), plan(), 0, BY_ITSELF)
    table.dies_at, table.after_writing = table.writes + 2, True
    with pytest.raises(Killed):
        executor(table, dials).revert(incident(), done, BY_ITSELF)
    table.bury()
    assert _stored(table, dials, f"{done.action_id}-undo") is ExecutionState.CLAIMED
    return done


@pytest.mark.parametrize("value", [50, 9])
@pytest.mark.parametrize("around", [BY_ITSELF, WITH_APPROVAL], ids=["permitted", "approved"])
def test_what_somebody_changed_since_the_claim_is_left_as_it_is(around: Circumstances, value: int) -> None:
    dials, table = Dials(), MemoryTable()
    if around is WITH_APPROVAL:
        approve(executor(table, dials), plan(), incident())
    _claimed(table, dials, around)
    dials.values["main"] = value

    left = executor(table, dials).execute(incident(), plan(), 0, around)

    assert (left.state, dials.sent, dials.values["main"]) == (ExecutionState.FAILED, 0, value)
    assert "the target has changed since it was claimed" in left.detail
    assert f"value: 7 -> {value}" in left.detail
    assert not left.was_accepted
    assert executor(table, dials).execute(incident(), plan(), 0, around) == left


def test_a_claim_whose_target_is_as_it_was_goes_on() -> None:
    dials, table = Dials(), MemoryTable()
    _claimed(table, dials)

    done = executor(table, dials).execute(incident(), plan(), 0, BY_ITSELF)

    assert (done.state, done.before["value"], dials.writes) == (ExecutionState.DONE, 7, [("main", 9)])


@pytest.mark.parametrize("value", [50, 7])
def test_an_undo_that_was_only_claimed_looks_again_as_well(value: int) -> None:
    dials, table = Dials(), MemoryTable()
    done = _undo_claimed(table, dials)
    dials.values["main"] = value

    left = executor(table, dials).revert(incident(), done, BY_ITSELF)

    assert (left.state, dials.sent, dials.values["main"]) == (ExecutionState.FAILED, 1, value)
    assert f"value: 9 -> {value}" in left.detail


def test_an_undo_that_was_only_claimed_goes_on_where_nothing_changed() -> None:
    dials, table = Dials(), MemoryTable()
    done = _undo_claimed(table, dials)

    assert executor(table, dials).revert(incident(), done, BY_ITSELF).state is ExecutionState.DONE
    assert dials.writes == [("main", 9), ("main", 7)]
