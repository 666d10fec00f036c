"""What took effect counts as such, whatever AWS answered and however it went on."""

import pytest

from memory.records.outcome import ExecutionState
from tests.tools.dials import BY_ITSELF, Dials, Fate, executor, incident, plan
from tests.tools.memory_table import Killed, MemoryTable
from tests.tools.stand_ins import NOW
from tools.executor import Executor


def _restarted(table: MemoryTable, dials: Dials) -> Executor:
    """Act, killed after the call, and let another process find what it did."""
    with pytest.raises(Killed):
        executor(table, dials).execute(incident(), plan(), 0, BY_ITSELF)
    table.bury()
    return executor(table, dials)


@pytest.mark.parametrize("fate", [Fate.ANSWERED, Fate.ANSWER_LOST, Fate.BROKEN_AFTER, Fate.KILLED_AFTER])
def test_what_took_effect_and_fails_later_was_accepted_and_can_be_undone(fate: Fate) -> None:
    dials, table = Dials(fates=[fate], settles=None), MemoryTable()
    acting = _restarted(table, dials) if fate is Fate.KILLED_AFTER else executor(table, dials)
    done = acting.execute(incident(), plan(), 0, BY_ITSELF)
    dials.settles = False

    failed = acting.confirm(incident(), done)
    dials.settles = True

    assert (done.state, failed.state) == (ExecutionState.DONE, ExecutionState.FAILED)
    assert done.was_accepted and failed.was_accepted
    assert acting.revert(incident(), failed, BY_ITSELF).state is ExecutionState.DONE
    assert dials.writes == [("main", 9), ("main", 7)]


def test_what_an_older_copilot_found_done_counts_as_accepted_once_it_fails() -> None:
    dials, table = Dials(fates=[Fate.ANSWER_LOST], settles=None), MemoryTable()
    acting = executor(table, dials)
    done = acting.execute(incident(), plan(), 0, BY_ITSELF)
    older = acting.executions.advance(
        incident().scope, done, done.model_copy(update={"accepted": False}), at=NOW
    )
    dials.settles = False

    assert acting.confirm(incident(), older).was_accepted


@pytest.mark.parametrize("fate", [Fate.REFUSED, Fate.NOT_CONNECTED])
def test_what_never_took_effect_was_not_accepted(fate: Fate) -> None:
    failed = executor(MemoryTable(), Dials(fates=[fate, fate])).execute(incident(), plan(), 0, BY_ITSELF)

    assert failed.state is ExecutionState.FAILED and not failed.was_accepted
