"""What stands around a call beside the checks: one caller at a time, nobody else on the target, one sending."""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from memory.records.outcome import Execution, ExecutionState
from memory.stores.leases import IncidentBusyError
from tests.tools.dials import (
    BY_ITSELF,
    Dials,
    Fate,
    GivenSessions,
    SetDial,
    SetDialAction,
    around,
    executor,
    incident,
    plan,
)
from tests.tools.memory_table import Killed, MemoryTable
from tests.tools.stand_ins import SCOPE
from tools.actions.base import State
from tools.aws.access import AwsAccess
from tools.aws.sessions import ScopedCall, Session
from tools.executor import Executor

ANOTHER = incident(incident_id="5f0a3ad8-91c1-8a55-8e6d-6f4ad7b9a002")


@dataclass
class Meanwhile(GivenSessions):
    """Sessions during whose opening another caller comes to the same action."""

    other: Executor
    ends: list[str] = field(default_factory=list)

    def open(self, call: ScopedCall) -> Session:
        if not self.ends:
            self.ends.append("came")
            try:
                self.ends.append(self.other.execute(incident(), plan(), 0, BY_ITSELF).state.value)
            except IncidentBusyError:
                self.ends.append("busy")
        return super().open(call)


def test_who_comes_to_an_action_while_another_is_at_it_is_sent_away() -> None:
    dials, table = Dials(), MemoryTable()
    sessions = Meanwhile(executor(table, dials))

    done = executor(table, dials, sessions=sessions).execute(incident(), plan(), 0, BY_ITSELF)

    assert (sessions.ends, done.state, dials.sent) == (["came", "busy"], ExecutionState.DONE, 1)


def _undecided(table: MemoryTable, dials: Dials) -> Execution:
    """Another incident's action on the dial, of which nobody knows whether it took effect."""
    dials.fates = [Fate.LOST_ON_THE_WAY]
    return executor(table, dials, repeatable=False).execute(ANOTHER, plan(30), 0, BY_ITSELF)


def test_a_target_with_which_another_incident_is_not_done_is_left_alone() -> None:
    dials, table = Dials(), MemoryTable()
    assert _undecided(table, dials).state is ExecutionState.UNDECIDED

    refused = executor(table, dials).execute(incident(), plan(), 0, BY_ITSELF)

    assert refused.state is ExecutionState.REFUSED and "is undecided" in refused.detail
    assert dials.sent == 1


def test_an_undo_leaves_a_target_alone_with_which_another_incident_is_not_done() -> None:
    dials, table = Dials(), MemoryTable()
    done = executor(table, dials).execute(incident(), plan(), 0, BY_ITSELF)
    assert _undecided(table, dials).state is ExecutionState.UNDECIDED

    refused = executor(table, dials).revert(incident(), done, BY_ITSELF)

    assert refused.state is ExecutionState.REFUSED and "is undecided" in refused.detail
    assert dials.writes == [("main", 9)]


def _claimed_undo(table: MemoryTable, dials: Dials, done: Execution) -> None:
    """Undo, killed right after the claim of the undo."""
    table.dies_at, table.after_writing = table.writes + 2, True
    with pytest.raises(Killed):
        executor(table, dials).revert(incident(), done, BY_ITSELF)
    table.bury()


def test_an_undo_that_was_cut_off_is_authorised_again_before_it_goes_on() -> None:
    dials, table = Dials(), MemoryTable()
    done = executor(table, dials).execute(incident(), plan(), 0, BY_ITSELF)
    _claimed_undo(table, dials, done)

    left = executor(table, dials).revert(incident(), done, around(kill_switch=True))

    assert (left.state, dials.writes) == (ExecutionState.FAILED, [("main", 9)])
    assert left.is_revert and "interrupted before it took effect" in left.detail


@dataclass(frozen=True)
class Seen(SetDialAction):
    """A dial that keeps the access that it is set with."""

    by: list[AwsAccess] = field(default_factory=list)

    def call(self, access: AwsAccess, params: SetDial, state: State, token: str) -> dict[str, Any]:
        self.by.append(access)
        return super().call(access, params, state, token)


def test_a_call_is_sent_by_clients_that_do_not_repeat_it() -> None:
    dials = Dials()
    seen = Seen(dials)
    acting = replace(executor(MemoryTable(), dials), catalogue=(seen,))

    done = acting.execute(incident(), plan(), 0, BY_ITSELF)
    acting.revert(incident(), done, BY_ITSELF)

    retries: list[Any] = [access.config().retries for access in seen.by]
    assert [one["total_max_attempts"] for one in retries] == [1, 1]
    assert SCOPE.region == seen.by[0].region


def test_the_second_step_on_a_target_is_refused_whoever_approved_it() -> None:
    dials = Dials()
    acting = executor(MemoryTable(), dials)

    refused = acting.execute(incident(), plan(9, 11), 1, BY_ITSELF)

    assert (refused.state, dials.sent) == (ExecutionState.REFUSED, 0)
    assert "changes a target once" in refused.detail
