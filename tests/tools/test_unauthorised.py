"""Nothing is done that nobody authorised: plans, approvals and tamperings, one check at a time and at random."""

import random
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from memory import keys
from memory.records.approval import ApprovalStatus, Decision
from memory.records.outcome import Execution, ExecutionState
from memory.records.scope import STS, Role
from tests.tools.combined import SPOILINGS, drawn
from tests.tools.dials import (
    APPROVER,
    BY_ITSELF,
    Dials,
    Fate,
    GivenSessions,
    SetDialAction,
    approve,
    around,
    decision_on,
    executor,
    incident,
    plan,
)
from tests.tools.memory_table import Killed, MemoryTable
from tests.tools.stand_ins import NOW, SCOPE
from tests.tools.tampering import BY_CHECK, MINUTE, OTHER, PLAN, Spoil, Stage
from tools import authority, undo
from tools.actions.sqs_redrive import SqsRedrive, SqsRedriveDeadLetters
from tools.aws.sessions import ScopedCall, Session
from tools.executor import Executor

FEW, MANY = 300, 20_000
BREAKER = APPROVER.model_copy(update={"id": "mary", "roles": (Role.BREAK_GLASS,)})


def _is_refused(at: Stage, execution: Execution) -> bool:
    """Refused, with nothing claimed, used or sent."""
    return (
        execution.state is ExecutionState.REFUSED
        and bool(execution.detail)
        and at.stored == at.stored_before
        and at.dials.sent == at.sent_before
    )


def test_what_nobody_spoiled_is_done() -> None:
    at = Stage()

    done = at.attempt()

    assert (done.state, at.dials.writes) == (ExecutionState.DONE, [("main", 9)])
    assert done.approved_by == ("ada",) and done.approval == PLAN.plan_hash
    assert at.request.used == (done.action_id,)


def test_every_check_has_a_case() -> None:
    names = {check.__name__ for check in (*authority.CHECKS, *authority.OF_AN_APPROVAL)}

    assert {name for name, _, _ in BY_CHECK} == names


@pytest.mark.parametrize(("name", "says", "spoil"), BY_CHECK, ids=[name for name, _, _ in BY_CHECK])
def test_each_check_refuses_what_it_is_there_for(name: str, says: str, spoil: Spoil) -> None:
    for seed in range(6):
        at = Stage()
        spoil(at, random.Random(seed))
        refused = at.attempt()

        assert _is_refused(at, refused), (name, seed)
        assert says in refused.detail, (name, seed)


def test_what_was_asked_within_a_freeze_is_done_within_one() -> None:
    at = Stage()
    at.ask_anew(freeze="the change calendar year is closed")
    at.circumstances = replace(at.circumstances, freeze=True, freeze_reason="the freeze year holds")

    assert at.attempt().state is ExecutionState.DONE


@pytest.mark.parametrize("index", [-2, -1, 2, 10**6])
def test_a_step_that_the_plan_has_not_is_refused(index: int) -> None:
    at = Stage(index=index)
    refused = at.attempt()

    assert _is_refused(at, refused) and "no such action" in refused.detail


def _done_at_random(seeds: range) -> list[tuple[int, list[str]]]:
    """Try so many ways, one to three spoils each, and return what was not refused, by its seed and its spoils."""
    done = []
    for seed in seeds:
        rng, at = random.Random(seed), Stage()
        chosen = drawn(rng, SPOILINGS[seed % len(SPOILINGS)])
        for one in chosen:
            one.spoil(at, rng)
        if not _is_refused(at, at.attempt()):
            done.append((seed, [one.spoils for one in chosen]))
    return done


def test_every_case_of_a_check_is_among_those_that_are_combined() -> None:
    assert {spoil for _, _, spoil in BY_CHECK} <= {one.spoil for one in SPOILINGS}
    assert len({one.spoils for one in SPOILINGS}) == len(SPOILINGS)


def test_three_hundred_tamperings_do_nothing() -> None:
    assert _done_at_random(range(FEW)) == []


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_twenty_thousand_tamperings_do_nothing() -> None:
    assert _done_at_random(range(FEW, FEW + MANY)) == []


# What people have to be enough for, and what stands in for them.


def _asked_of_two(quorum: int = 2) -> tuple[Stage, Executor]:
    at = Stage()
    at.ask_anew(quorum=quorum)
    at.forget(keys.decision)
    at.put_request(status=ApprovalStatus.PENDING)
    return at, executor(at.table, at.dials)


def test_two_have_to_approve_and_one_person_is_not_two() -> None:
    at, acting = _asked_of_two()

    first = acting.approvals.decide(SCOPE, decision_on(at.request))
    with pytest.raises(Exception, match="ada has decided already"):
        acting.approvals.decide(SCOPE, decision_on(at.request))
    early = at.attempt()
    second = acting.approvals.decide(SCOPE, decision_on(at.request, by=OTHER, at=NOW + MINUTE))

    assert (first.status.value, second.status.value) == ("pending", "approved")
    assert early.state is ExecutionState.REFUSED
    done = at.attempt()
    assert (done.state, done.approved_by) == (ExecutionState.DONE, ("ada", "grace"))


def test_sessions_whose_names_their_callers_chose_are_one_person_also_once_they_are_stored() -> None:
    at = Stage()
    at.ask_anew(quorum=2)
    at.forget(keys.decision)
    for role, name in (("approver", "ada"), ("approver", "ada-2"), ("lead", "grace")):
        session = f"arn:aws:sts::{SCOPE.account}:assumed-role/{role}/{name}"
        at.add_decision(
            decision_on(at.request, by=APPROVER.model_copy(update={"id": session, "issuer": STS}))
        )

    refused = at.attempt()

    assert _is_refused(at, refused) and "1 of 2 people approved it" in refused.detail


def test_one_denial_ends_it_whoever_has_approved() -> None:
    at, acting = _asked_of_two()

    acting.approvals.decide(SCOPE, decision_on(at.request))
    closed = acting.approvals.decide(SCOPE, decision_on(at.request, approved=False, by=OTHER))

    assert closed.status.value == "denied"
    assert _is_refused(at, at.attempt())


def test_break_glass_stands_for_the_quorum_and_is_listed() -> None:
    at, acting = _asked_of_two(3)

    acting.approvals.decide(SCOPE, decision_on(at.request, by=BREAKER, break_glass=True))

    assert at.attempt().state is ExecutionState.DONE
    assert [one.decision.by.id for one in acting.approvals.break_glass(SCOPE.tenant)] == ["mary"]


def test_break_glass_opens_no_door_that_policy_closes() -> None:
    at, acting = _asked_of_two()
    acting.approvals.decide(SCOPE, decision_on(at.request, by=BREAKER, break_glass=True))
    at.circumstances = around(kill_switch=True)

    assert _is_refused(at, at.attempt())


def test_an_approval_is_used_once_even_when_the_action_is_forgotten() -> None:
    at = Stage()
    done = at.attempt()
    at.table.delete(keys.execution(SCOPE, incident().incident_id, done.action_id))
    at.dials.values["main"] = 7

    again = at.attempt()

    assert again.state is ExecutionState.REFUSED and "nothing is stored of it" in again.detail
    assert at.dials.writes == [("main", 9)]


def test_each_step_of_a_plan_uses_the_approval_for_itself() -> None:
    at = Stage(planned=PLAN)
    done = at.attempt()
    at.index = 1
    at.dials.values["other"] = 30
    drifted = at.attempt()
    at.dials.values["other"] = 3
    then = at.attempt()

    assert drifted.state is ExecutionState.REFUSED and "value: 3 -> 30" in drifted.detail
    assert (done.state, then.state) == (ExecutionState.DONE, ExecutionState.DONE)
    assert at.dials.writes == [("main", 9), ("other", 11)]
    assert at.request.used == (done.action_id, then.action_id)


def test_a_plan_changes_a_target_once() -> None:
    dials, table = Dials(), MemoryTable()
    acting, twice = executor(table, dials), plan(9, 11)
    first, second = acting.review(incident(), twice, BY_ITSELF)

    done = [acting.execute(incident(), twice, index, BY_ITSELF) for index in (0, 1)]

    assert (first.ruling, second.ruling) == ("permit", "refuse")
    told = "set_dial of the same plan changes dial main: a plan changes a target once"
    assert told in second.reasons and told in done[1].detail
    assert done[1].state is ExecutionState.REFUSED and dials.writes == [("main", 9)]


def test_drift_is_refused_with_the_difference() -> None:
    at = Stage()
    at.dials.values["main"] = 30

    refused = at.attempt()

    assert refused.detail.endswith("for approval: value: 7 -> 30")


def test_the_kill_switch_is_read_again_before_the_call() -> None:
    at, answers = Stage(), iter([None, "the kill switch is on"])
    acting = executor(at.table, at.dials)
    switched = Executor(**{**vars(acting), "stopped": lambda: next(answers)})

    stopped = switched.execute(at.about, at.planned, 0, at.circumstances)

    assert (stopped.state, at.dials.sent) == (ExecutionState.FAILED, 0)
    assert "kill switch" in stopped.detail


def test_an_approval_that_changes_between_the_checks_and_the_claim_is_not_used() -> None:
    at = Stage()
    acting = executor(at.table, at.dials)
    standing = at.request
    at.put_request(status=ApprovalStatus.DENIED)

    with pytest.raises(Exception, match="changed while it was used"):
        acting.approvals.use(standing, "a-0")


@dataclass
class Overtaken(GivenSessions):
    """Sessions during whose opening another incident acts on the same target."""

    other: Executor
    acted: list[Execution] = field(default_factory=list)

    def open(self, call: ScopedCall) -> Session:
        if not self.acted:
            about = incident(incident_id="5f0a3ad8-91c1-8a55-8e6d-6f4ad7b9a002")
            self.acted.append(self.other.execute(about, plan(30), 0, BY_ITSELF))
        return super().open(call)


def test_a_claim_that_is_lost_sends_nothing() -> None:
    at = Stage()
    other = executor(at.table, at.dials)
    at.options["sessions"] = Overtaken(other)
    at.circumstances = BY_ITSELF

    refused = at.attempt()

    assert refused.state is ExecutionState.REFUSED and "first" in refused.detail
    assert at.dials.writes == [("main", 30)]


def test_what_may_have_been_sent_is_not_sent_again() -> None:
    dials, table = Dials(fates=[Fate.KILLED_BEFORE]), MemoryTable()
    with pytest.raises(Killed):
        executor(table, dials, repeatable=False).execute(incident(), plan(), 0, BY_ITSELF)
    table.bury()

    left = executor(table, dials, repeatable=False).execute(incident(), plan(), 0, BY_ITSELF)

    assert (left.state, dials.sent) == (ExecutionState.UNDECIDED, 1)


def test_what_is_undecided_stays_with_people_though_it_could_be_sent_again() -> None:
    dials, table = Dials(fates=[Fate.KILLED_BEFORE]), MemoryTable()
    with pytest.raises(Killed):
        executor(table, dials).execute(incident(), plan(), 0, BY_ITSELF)
    table.bury()
    acting = executor(table, dials)
    (called,) = acting.executions.all(SCOPE, incident().incident_id)
    undecided = called.model_copy(update={"state": ExecutionState.UNDECIDED})
    acting.executions.advance(SCOPE, called, undecided, at=NOW)

    left = acting.execute(incident(), plan(), 0, BY_ITSELF)

    assert (left.state, dials.sent, dials.writes) == (ExecutionState.UNDECIDED, 1, [])


# The way back.

ELSEWHERE = incident(incident_id="6f0a3ad8-91c1-8a55-8e6d-6f4ad7b9a002")


def _done(dials: Dials) -> tuple[Executor, Execution]:
    acting = executor(MemoryTable(), dials)
    return acting, acting.execute(incident(), plan(), 0, BY_ITSELF)


def _is_not_undone(acting: Executor, done: Execution, dials: Dials, refused: Execution) -> bool:
    stored = acting.executions.get(SCOPE, incident().incident_id, f"{done.action_id}-undo")
    return refused.state is ExecutionState.REFUSED and stored is None and dials.sent == 1


def test_every_check_of_an_undo_is_tried_below() -> None:
    assert [check.__name__ for check in undo.CHECKS] == [
        "in_its_account",
        "not_stopped",
        "was_done",
        "claimed_by_us",
        "as_the_audit_tells",
        "not_refused_by_policy",
        "nobody_else_acts",
        "not_under_way",
        "as_it_was_left",
    ]


def test_an_undo_is_refused_in_another_account() -> None:
    dials = Dials()
    acting, done = _done(dials)

    assert _is_not_undone(
        acting, done, dials, acting.revert(incident(), done, around(account="210987654321"))
    )


def test_an_undo_is_refused_while_the_stored_kill_switch_is_on() -> None:
    dials = Dials()
    acting, done = _done(dials)
    stopped = Executor(**{**vars(acting), "stopped": lambda: "the kill switch is on"})

    assert _is_not_undone(acting, done, dials, stopped.revert(incident(), done, BY_ITSELF))


def test_what_is_about_to_be_called_is_not_undone() -> None:
    dials = Dials()
    acting, done = _done(dials)
    about_to = done.model_copy(update={"state": ExecutionState.CALLED})
    acting.executions.advance(SCOPE, done, about_to, at=NOW)

    refused = acting.revert(incident(), done, BY_ITSELF)

    assert _is_not_undone(acting, done, dials, refused) and refused.detail == "the action is called"


def test_an_undo_that_policy_refuses_is_not_done() -> None:
    dials = Dials()
    acting, done = _done(dials)

    assert _is_not_undone(acting, done, dials, acting.revert(incident(), done, around(kill_switch=True)))


def test_an_undo_is_refused_for_now_while_another_action_on_its_target_is_not_over() -> None:
    dials = Dials()
    acting, done = _done(dials)
    dials.fates = [Fate.LOST_ON_THE_WAY]
    unsure = replace(acting, catalogue=(SetDialAction(dials, repeatable=False),))
    unsure.execute(ELSEWHERE, plan(11), 0, BY_ITSELF)

    refused = acting.revert(incident(), done, BY_ITSELF)

    assert (refused.state, refused.passing, dials.sent) == (ExecutionState.REFUSED, True, 2)
    assert refused.detail == "set_dial of incident 6f0a3ad8 is undecided" and dials.values["main"] == 9


@pytest.mark.parametrize("is_undo_late", [True, False])
def test_an_undo_and_another_action_on_its_target_are_not_begun_at_once(is_undo_late: bool) -> None:
    dials, begun = Dials(), list[Execution]()
    acting, done = _done(dials)

    def act(by: Executor) -> Execution:
        return by.execute(ELSEWHERE, plan(11), 0, BY_ITSELF)

    def undo_it(by: Executor) -> Execution:
        return by.revert(incident(), done, BY_ITSELF)

    def other_begins() -> None:
        """Let the other one begin between the look at the target and the claim."""
        if not begun:
            begun.append(done)
            begun.append(act(acting) if is_undo_late else undo_it(acting))

    hooked = replace(acting, stopped=other_begins)
    lost = undo_it(hooked) if is_undo_late else act(hooked)

    assert lost.state is ExecutionState.REFUSED and "somebody else was first" in lost.detail
    assert (lost.passing, begun[1].state, dials.sent) == (is_undo_late, ExecutionState.DONE, 2)


def test_an_undo_that_was_cut_off_stays_begun_while_a_precondition_does_not_hold() -> None:
    dials, table = Dials(fates=[Fate.ANSWERED, Fate.KILLED_BEFORE]), MemoryTable()
    done = executor(table, dials).execute(incident(), plan(), 0, BY_ITSELF)
    with pytest.raises(Killed):
        executor(table, dials).revert(incident(), done, BY_ITSELF)
    table.bury()
    dials.busy = "the dial is being turned"

    waiting = executor(table, dials).revert(incident(), done, BY_ITSELF)
    dials.busy = ""
    undone = executor(table, dials).revert(incident(), done, BY_ITSELF)

    assert (waiting.state, undone.state) == (ExecutionState.CALLED, ExecutionState.DONE)
    assert dials.writes == [("main", 9), ("main", 7)]


@dataclass(frozen=True)
class Throttled(SetDialAction):
    """Its target cannot be read just now."""

    def read_state(self, access: Any, params: Any) -> Any:
        raise ClientError({"Error": {"Code": "Throttling", "Message": "slowly"}}, "GetDial")


def test_only_what_may_pass_is_a_refusal_of_an_undo_for_now() -> None:
    dials = Dials()
    acting, done = _done(dials)
    dials.busy = "the dial is being turned"

    busy = acting.revert(incident(), done, BY_ITSELF)
    unread = replace(acting, catalogue=(Throttled(dials),)).revert(incident(), done, BY_ITSELF)
    stopped = acting.revert(incident(), done, around(kill_switch=True))
    dials.busy, dials.values["main"] = "", 30
    changed = acting.revert(incident(), done, BY_ITSELF)

    assert [one.passing for one in (busy, unread, stopped, changed)] == [True, True, False, False]
    assert "the dial is being turned" in busy.detail and "cannot be read" in unread.detail


def test_what_may_yet_take_effect_is_not_called_undone() -> None:
    dials = Dials()
    acting, done = _done(dials)
    dials.values["main"], dials.settles = 7, None

    assert _is_not_undone(acting, done, dials, acting.revert(incident(), done, BY_ITSELF))


def test_what_somebody_changed_since_is_not_overwritten() -> None:
    dials = Dials()
    acting, done = _done(dials)
    dials.values["main"] = 30

    assert _is_not_undone(acting, done, dials, acting.revert(incident(), done, BY_ITSELF))


def test_an_undo_is_not_undone_itself() -> None:
    dials = Dials()
    acting, done = _done(dials)
    undone = acting.revert(incident(), done, BY_ITSELF)
    # Even with a way back on its record.
    forged = undone.model_copy(update={"inverse": {"dial": "main", "value": 9}})
    acting.executions.advance(SCOPE, undone, forged, at=NOW)

    refused = acting.revert(incident(), forged, BY_ITSELF)

    assert refused.state is ExecutionState.REFUSED and "nothing done that can be undone" in refused.detail
    assert dials.writes == [("main", 9), ("main", 7)]


def test_an_undo_names_who_stood_behind_the_action() -> None:
    at = Stage()
    done = at.attempt()
    acting = executor(at.table, at.dials, at=NOW + MINUTE)

    undone = acting.revert(at.about, done, at.circumstances)

    assert (undone.approved_by, undone.approval) == (("ada",), PLAN.plan_hash)
    assert undone.session and undone.source_identity == "ada" and undone.policy_ids == ("undo",)


def test_a_plan_can_be_approved_for_an_incident_once() -> None:
    at = Stage()
    before: Decision = at.decision
    with pytest.raises(Exception, match="already approved"):
        approve(executor(at.table, at.dials), at.planned, at.about)

    assert at.decision == before


# What it touches may grow between the question and the call.


def test_what_grew_is_refused_with_both_widths_and_both_counts_of_people() -> None:
    at = Stage(options={"share": 0.9})
    at.circumstances = replace(at.circumstances, approvers=lambda percent: 2 if percent >= 50 else 1)

    refused = at.attempt()

    assert _is_refused(at, refused)
    assert refused.detail == (
        "it touches 90 % now, and 10 % when approval was asked: 2 people have to approve that, and 1 approved it"
    )


def test_a_broken_glass_and_enough_people_stand_for_what_grew() -> None:
    for by, glass in ((BREAKER, True), (APPROVER, False)):
        at, acting = _asked_of_two()
        acting.approvals.decide(SCOPE, decision_on(at.request, by=by, break_glass=glass))
        if not glass:
            acting.approvals.decide(SCOPE, decision_on(at.request, by=OTHER))
        at.options["share"] = 0.9
        at.circumstances = replace(at.circumstances, approvers=lambda percent: 2 if percent >= 50 else 1)

        assert at.attempt().state is ExecutionState.DONE


def test_twice_as_many_things_are_moved_and_no_more() -> None:
    states = []
    for amount in (80, 81):
        at = Stage()
        at.ask_anew(amounts=(40, 40))
        at.options["amount"] = amount
        states.append(at.attempt().state)

    assert states == [ExecutionState.DONE, ExecutionState.REFUSED]


def test_a_redrive_says_how_many_messages_it_moves() -> None:
    redrive = SqsRedriveDeadLetters()
    asked = SqsRedrive(dead_letter_queue="orders-dead", queue="orders", after=0)

    blast = redrive.blast_radius(asked, {"found": True, "put_aside": 12, "waiting": 4})

    assert (blast.amount, blast.percent) == (12, 75)
