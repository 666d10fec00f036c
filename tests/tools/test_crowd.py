"""Who else is at a target: what goes on there or was left undecided, and how often it was changed."""

from datetime import timedelta

import pytest

from memory.records.outcome import Execution, ExecutionState
from memory.records.plan import PlannedAction
from tests.tools.dials import (
    BY_ITSELF,
    SIGNER,
    Dials,
    Fate,
    decision_on,
    executor,
    incident,
    plan,
    request_for,
)
from tests.tools.memory_table import Killed, MemoryTable
from tests.tools.stand_ins import NOW, SCOPE
from tools.actions.registry import ACTIONS
from tools.inspection import planned_targets
from tools.once import UNDER_WAY
from tools.signing import signed_request

OTHER_INCIDENT = "5f0a3ad8-91c1-8a55-8e6d-6f4ad7b9a002"


def test_two_incidents_do_not_act_on_one_target_at_once() -> None:
    dials, table = Dials(fates=[Fate.LOST_ON_THE_WAY]), MemoryTable()
    acting = executor(table, dials, repeatable=False)
    first = acting.execute(incident(), plan(), 0, BY_ITSELF)

    refused = acting.execute(incident(incident_id=OTHER_INCIDENT), plan(11), 0, BY_ITSELF)
    elsewhere = acting.execute(incident(incident_id=OTHER_INCIDENT), plan(11, dial="other"), 0, BY_ITSELF)

    assert first.state is ExecutionState.UNDECIDED
    assert refused.state is ExecutionState.REFUSED and "is undecided" in refused.detail
    assert elsewhere.state is ExecutionState.DONE


def test_what_aws_has_accepted_and_not_finished_keeps_its_target_busy() -> None:
    dials, table = Dials(settles=None), MemoryTable()
    acting, other = executor(table, dials), incident(incident_id=OTHER_INCIDENT)
    first = acting.execute(incident(), plan(9, 11), 0, BY_ITSELF)

    refused = acting.execute(other, plan(13), 0, BY_ITSELF)
    (elsewhere,) = acting.review(other, plan(13, dial="other"), BY_ITSELF)
    own_next_plan = acting.execute(incident(), plan(11, attempt=2), 0, BY_ITSELF)
    dials.settles = True
    (over,) = acting.review(other, plan(13), BY_ITSELF)

    assert first.state is ExecutionState.DONE and first.detail == UNDER_WAY
    assert refused.state is ExecutionState.REFUSED
    assert "set_dial of incident 5f0a3ad8 is done and still under way" in refused.detail
    assert (elsewhere.ruling, own_next_plan.state) == ("permit", ExecutionState.DONE)
    assert over.ruling == "permit"


def test_both_capacities_of_a_table_are_one_target_and_what_is_unknown_is_none() -> None:
    table = {"table": "orders"}
    write = {**table, "write_capacity_units": 8, "document": "Set"}
    named = [
        planned_targets(PlannedAction(action=name, parameters=given), ACTIONS)
        for name, given in (
            ("dynamodb_set_write_capacity", write),
            ("dynamodb_set_read_capacity", {**table, "read_capacity_units": 20}),
            ("dynamodb_set_read_capacity", table),
            ("nothing", table),
        )
    ]
    assert named[0] == named[1] != () and named[2:] == [(), ()]


def test_what_was_seen_to_be_over_is_not_asked_about_again() -> None:
    dials, table = Dials(), MemoryTable()
    acting = executor(table, dials)
    acting.execute(incident(), plan(), 0, BY_ITSELF)
    dials.settles = None

    (after,) = acting.review(incident(incident_id=OTHER_INCIDENT), plan(11), BY_ITSELF)

    assert after.ruling == "permit"


@pytest.mark.parametrize(
    "update", [{"state": ExecutionState.FAILED}, {"state": ExecutionState.REVERTED}, {"accepted": False}]
)
def test_what_aws_did_not_accept_or_has_ended_is_not_waited_for(update: dict[str, object]) -> None:
    acting = executor(MemoryTable(), Dials(settles=None))
    done = acting.execute(incident(), plan(), 0, BY_ITSELF)

    def busy(stored: Execution) -> str:
        return acting.traffic.around(SCOPE, ("dial main",), OTHER_INCIDENT, "a-0", lambda _: True).busy

    before = busy(done)
    ended = acting.executions.advance(SCOPE, done, done.model_copy(update=update), at=NOW)

    assert (before, busy(ended)) == ("set_dial of incident 5f0a3ad8 is done and still under way", "")


def test_an_undo_that_goes_on_keeps_its_target_busy() -> None:
    dials, table = Dials(), MemoryTable()
    acting = executor(table, dials)
    done = acting.execute(incident(), plan(), 0, BY_ITSELF)
    dials.settles = None
    acting.revert(incident(), done, BY_ITSELF)

    (during,) = acting.review(incident(incident_id=OTHER_INCIDENT), plan(11), BY_ITSELF)
    dials.settles = True
    (after,) = acting.review(incident(incident_id=OTHER_INCIDENT), plan(11), BY_ITSELF)

    assert "the undo of set_dial of incident 5f0a3ad8 is done and still under way" in during.reasons
    assert (during.ruling, after.ruling) == ("refuse", "permit")


def test_what_aws_never_calls_finished_needs_a_person_after_an_hour_and_nobody_after_a_day() -> None:
    dials, table = Dials(settles=None), MemoryTable()
    executor(table, dials).execute(incident(), plan(), 0, BY_ITSELF)

    def ruling(after: timedelta) -> str:
        late = executor(table, dials, at=NOW + after)
        (found,) = late.review(incident(incident_id=OTHER_INCIDENT), plan(11), BY_ITSELF)
        return found.ruling.value

    told = [ruling(timedelta(minutes=minutes)) for minutes in (59, 61, 25 * 60)]

    assert told == ["refuse", "ask", "permit"]


def test_an_action_that_was_left_undecided_needs_a_person_however_long_ago_it_was() -> None:
    dials, table = Dials(fates=[Fate.LOST_ON_THE_WAY]), MemoryTable()
    left = executor(table, dials, repeatable=False).execute(incident(), plan(), 0, BY_ITSELF)
    other, far = incident(incident_id=OTHER_INCIDENT), NOW + timedelta(days=2)

    (within,) = executor(table, dials, at=NOW + timedelta(minutes=10)).review(other, plan(11), BY_ITSELF)
    then = NOW + timedelta(minutes=61)
    late = executor(table, dials, at=then)
    (after,) = late.review(other, plan(11), BY_ITSELF)
    until = {"requested_at": then, "expires_at": then + timedelta(minutes=30)}
    asked = request_for(late, plan(11), other).model_copy(update=until)
    request = late.approvals.request(signed_request(SIGNER, asked))
    late.approvals.decide(SCOPE, decision_on(request, at=then))
    done = late.execute(other, plan(11), 0, BY_ITSELF)
    (long_after,) = executor(table, dials, at=far).review(other, plan(12), BY_ITSELF)

    assert (left.state, done.state) == (ExecutionState.UNDECIDED, ExecutionState.DONE)
    assert [one.ruling.value for one in (within, after, long_after)] == ["refuse", "ask", "ask"]
    assert all(any("is undecided" in why for why in one.reasons) for one in (within, after, long_after))


def test_an_action_that_goes_on_blocks_its_target_however_long_ago_it_began() -> None:
    dials, table = Dials(fates=[Fate.KILLED_AFTER]), MemoryTable()
    with pytest.raises(Killed):
        executor(table, dials).execute(incident(), plan(), 0, BY_ITSELF)
    late = executor(table, dials, at=NOW + timedelta(hours=5))

    (review,) = late.review(incident(incident_id=OTHER_INCIDENT), plan(11), BY_ITSELF)

    assert review.ruling.value == "refuse" and any("is called" in why for why in review.reasons)


def test_a_target_is_changed_so_often_an_hour_and_then_by_people_only() -> None:
    dials, table = Dials(), MemoryTable()
    ends = [
        executor(table, dials).execute(incident(), plan(value), 0, BY_ITSELF).state for value in range(10, 16)
    ]
    later = executor(table, dials, at=NOW + timedelta(minutes=61))

    assert ends == [ExecutionState.DONE] * 4 + [ExecutionState.REFUSED] * 2
    assert later.execute(incident(), plan(16), 0, BY_ITSELF).state is ExecutionState.DONE


def test_a_claim_on_a_target_that_another_has_just_claimed_is_lost() -> None:
    dials, table = Dials(), MemoryTable()
    acting = executor(table, dials)
    crowd = acting.traffic.around(SCOPE, ("dial main",), OTHER_INCIDENT, "a-0", lambda _: False)
    (counted,) = acting.traffic.count(SCOPE, crowd, OTHER_INCIDENT, "a-0")
    (late,) = acting.traffic.count(SCOPE, crowd, OTHER_INCIDENT, "b-0")
    table.write(counted)

    with pytest.raises(Exception, match="is not at version"):
        table.write(late)
