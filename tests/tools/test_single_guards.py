"""What single guards of the executor are there for: each of these is the only test that notices one of them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, NoCredentialsError, ReadTimeoutError

from memory import keys
from memory.audit_chain import Chain, Checked
from memory.audit_told import Told
from memory.records.approval import ApprovalRequest, ApprovalStatus
from memory.records.outcome import Execution, ExecutionState
from memory.records.plan import Plan, PlannedAction
from memory.records.trace import TraceState
from memory.stores.audit import AuditTrail
from memory.stores.traces import TraceStore
from tests.tools.dials import (
    BY_ITSELF,
    SIGNER,
    URL,
    WITH_APPROVAL,
    Dials,
    Fate,
    GivenSessions,
    SetDial,
    SetDialAction,
    approve,
    decision_on,
    executor,
    incident,
    plan,
    request_for,
)
from tests.tools.memory_table import Killed, MemoryTable
from tests.tools.stand_ins import NOW, SCOPE, ScriptedAccess
from tests.tools.tampering import OTHER, Stage
from tools.actions.base import State
from tools.authority import (
    Attempt,
    approved_by_enough,
    approved_by_enough_now,
    as_it_was_approved,
    asked_about_this_plan,
    no_more_than_was_shown,
    objection,
    signed_at_the_door,
    signed_when_asked,
)
from tools.aws.access import AwsAccess
from tools.aws.sessions import NotAssumedError, RoleSessions, ScopedCall, Session
from tools.errors import Misconfigured
from tools.executor import Executor
from tools.inspection import inspect
from tools.once import UNDER_WAY
from tools.policy import FOLDER, Policy
from tools.rehearsal import rehearsed
from tools.signing import LocalKey

UNFIT = Plan(actions=(PlannedAction(action="set_dial", parameters={"dial": 5}),))
DENIED = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "Any")


class NoSessions:
    role_arn: str | None = "arn:aws:iam::123456789012:role/cloudops-executor"

    def open(self, call: ScopedCall) -> Session:
        raise NotAssumedError("STS does not answer")


@dataclass(frozen=True)
class Unsendable(SetDialAction):
    def call(self, access: AwsAccess, params: SetDial, state: State, token: str) -> dict[str, Any]:
        self.dials.sent += 1
        raise NoCredentialsError


@dataclass(frozen=True)
class TimedOut(SetDialAction):
    """AWS gave up on the call with 408, done or not."""

    def call(self, access: AwsAccess, params: SetDial, state: State, token: str) -> dict[str, Any]:
        super().call(access, params, state, token)
        answer: Any = {"Error": {"Code": "RequestTimeout"}, "ResponseMetadata": {"HTTPStatusCode": 408}}
        raise ClientError(answer, "SetDial")


@dataclass(frozen=True)
class LostWhileOthersTurn(SetDialAction):
    def call(self, access: AwsAccess, params: SetDial, state: State, token: str) -> dict[str, Any]:
        self.dials.sent += 1
        self.dials.turned_by_others += 1
        raise ReadTimeoutError(endpoint_url=URL)


@dataclass(frozen=True)
class Unreadable(SetDialAction):
    """A dial that nobody may read any more once it was written."""

    def read_state(self, access: AwsAccess, params: SetDial) -> State:
        if self.dials.sent:
            raise DENIED
        return super().read_state(access, params)

    def settled(self, access: AwsAccess, params: SetDial, answer: Mapping[str, Any]) -> bool | None:
        raise DENIED


@dataclass(frozen=True)
class FailingKey(LocalKey):
    """A key that cannot be asked about some signatures."""

    deaf_to: frozenset[str] = frozenset()

    def knows(self, text: str, signature: str) -> bool:
        if signature in self.deaf_to:
            raise DENIED
        return super().knows(text, signature)


class SilentSts:
    def assume_role(self, **given: Any) -> None:
        raise DENIED


def acting_on(action: SetDialAction) -> Executor:
    return replace(executor(MemoryTable(), action.dials), catalogue=(action,))


# What cannot be done is refused with its reason, and nothing is sent.


@pytest.mark.parametrize(
    ("planned", "why"), [(plan(action="turn_back_time"), "there is no action"), (UNFIT, "do not fit")]
)
def test_what_the_catalogue_does_not_have_is_refused_with_the_reason(planned: Plan, why: str) -> None:
    dials = Dials()
    acting = executor(MemoryTable(), dials)

    refused = acting.execute(incident(), planned, 0, BY_ITSELF)
    behind = Plan(actions=(*planned.actions, *plan().actions))
    later = acting.execute(incident(), behind, 1, BY_ITSELF)
    (ruled,) = acting.review(incident(), planned, BY_ITSELF)

    assert refused.state is ExecutionState.REFUSED and why in refused.detail
    assert (later.state, dials.sent) == (ExecutionState.DONE, 1)
    assert ruled.policy_ids == () and why in "; ".join(ruled.reasons)


def test_without_a_session_nothing_is_done_and_nothing_undone() -> None:
    dials, table = Dials(), MemoryTable()
    without = executor(table, dials, sessions=NoSessions())

    refused = without.execute(incident(), plan(), 0, BY_ITSELF)
    done = executor(table, dials).execute(incident(), plan(), 0, BY_ITSELF)
    not_undone = without.revert(incident(), done, BY_ITSELF)

    for one in (refused, not_undone):
        assert one.state is ExecutionState.REFUSED and "STS does not answer" in one.detail
    assert dials.writes == [("main", 9)]


@dataclass(frozen=True)
class GoesBackTo(SetDialAction):
    """Its way back is what a test says."""

    back: dict[str, Any] | None = None

    def inverse(self, params: SetDial, state: State) -> dict[str, Any] | None:
        return self.back


@pytest.mark.parametrize(("back", "said"), [(None, 0), ({"dial": "main", "value": 7}, 0), ({"dial": 7}, 1)])
def test_a_way_back_that_does_not_fit_is_said_beforehand_and_none_is_not_asked_about(
    back: dict[str, Any] | None, said: int
) -> None:
    action = GoesBackTo(Dials(), back=back)
    found = inspect(AwsAccess(SCOPE.region), plan().actions[0], (action,))

    assert len(rehearsed(AwsAccess(SCOPE.region), None, SCOPE, found).ahead.no_way_back) == said


def test_sts_that_does_not_answer_opens_no_session() -> None:
    silent = RoleSessions(
        ScriptedAccess("us-east-1", clients={"sts": SilentSts()}), "arn:aws:iam::123456789012:role/one"
    )

    with pytest.raises(NotAssumedError, match="cannot be assumed"):
        silent.open(ScopedCall("i", "a", "n", ()))


@dataclass
class Denying(GivenSessions):
    """Sessions during whose opening the approval is denied after all."""

    at: Stage

    def open(self, call: ScopedCall) -> Session:
        self.at.put_request(status=ApprovalStatus.DENIED)
        return super().open(call)


def test_an_approval_that_is_lost_just_before_the_claim_is_a_refusal() -> None:
    at = Stage()
    at.options["sessions"] = Denying(at)

    refused = at.attempt()

    assert refused.state is ExecutionState.REFUSED and "somebody else was first" in refused.detail
    assert at.dials.sent == 0


def test_an_action_that_was_cut_off_stays_as_it_is_while_its_target_cannot_be_read() -> None:
    action = Unreadable(Dials(fates=[Fate.KILLED_BEFORE]))
    table = MemoryTable()
    acting = replace(executor(table, action.dials), catalogue=(action,))
    with pytest.raises(Killed):
        acting.execute(incident(), plan(), 0, BY_ITSELF)
    table.bury()
    (left,) = acting.executions.all(SCOPE, incident().incident_id)

    assert left.state is ExecutionState.CALLED
    assert acting.execute(incident(), plan(), 0, BY_ITSELF) == left


def test_an_action_without_a_captured_way_back_is_not_undone() -> None:
    dials = Dials()
    acting = executor(MemoryTable(), dials)
    done = acting.execute(incident(), plan(), 0, BY_ITSELF)
    bare = acting.executions.advance(SCOPE, done, done.model_copy(update={"inverse": {}}), at=NOW)

    refused = acting.revert(incident(), bare, BY_ITSELF)

    assert refused.state is ExecutionState.REFUSED and "nothing was found before it" in refused.detail
    assert dials.sent == 1


# What may have been sent is not sent again.


def test_a_call_whose_effect_nobody_can_tell_is_not_sent_again_though_it_could_be_repeated() -> None:
    dials, table = Dials(fates=[Fate.KILLED_BEFORE]), MemoryTable()
    with pytest.raises(Killed):
        executor(table, dials).execute(incident(), plan(), 0, BY_ITSELF)
    table.bury()
    dials.turned_by_others = 1

    left = executor(table, dials).execute(incident(), plan(), 0, BY_ITSELF)

    assert (left.state, dials.sent) == (ExecutionState.UNDECIDED, 1)


def test_a_lost_answer_on_a_target_that_others_changed_is_left_to_people() -> None:
    action = LostWhileOthersTurn(Dials())

    left = acting_on(action).execute(incident(), plan(), 0, BY_ITSELF)

    assert (left.state, action.dials.sent) == (ExecutionState.UNDECIDED, 1)


def test_a_lost_answer_on_a_target_that_cannot_be_read_is_left_to_people() -> None:
    action = Unreadable(Dials(fates=[Fate.ANSWER_LOST]))

    left = acting_on(action).execute(incident(), plan(), 0, BY_ITSELF)

    assert (left.state, action.dials.sent) == (ExecutionState.UNDECIDED, 1)


def test_a_call_that_timed_out_at_aws_is_looked_for_in_the_account() -> None:
    action = TimedOut(Dials())

    done = acting_on(action).execute(incident(), plan(), 0, BY_ITSELF)

    assert (done.state, done.was_accepted, action.dials.sent) == (ExecutionState.DONE, True, 1)


def test_a_call_that_could_not_be_sent_failed_and_is_not_tried_again() -> None:
    action = Unsendable(Dials())

    failed = acting_on(action).execute(incident(), plan(), 0, BY_ITSELF)

    assert (failed.state, action.dials.sent) == (ExecutionState.FAILED, 1)
    assert "could not be sent" in failed.detail


# How an accepted call went on.


def test_what_aws_accepted_and_failed_is_recorded_so_at_once() -> None:
    failed = executor(MemoryTable(), Dials(settles=False)).execute(incident(), plan(), 0, BY_ITSELF)

    assert failed.state is ExecutionState.FAILED and failed.was_accepted


def test_an_accepted_call_that_cannot_be_asked_about_goes_on() -> None:
    done = acting_on(Unreadable(Dials())).execute(incident(), plan(), 0, BY_ITSELF)

    assert (done.state, done.detail) == (ExecutionState.DONE, UNDER_WAY)


def test_what_is_over_is_under_way_no_more_and_what_failed_later_failed() -> None:
    dials = Dials(settles=None)
    acting = executor(MemoryTable(), dials)
    done = acting.execute(incident(), plan(), 0, BY_ITSELF)
    dials.settles = True
    over = acting.confirm(incident(), done)
    dials.settles = False

    assert (done.detail, over.detail) == (UNDER_WAY, "")
    assert acting.confirm(incident(), over).state is ExecutionState.FAILED


def test_what_failed_is_not_under_way_whatever_aws_says_of_its_answer() -> None:
    dials = Dials(settles=False)
    acting = executor(MemoryTable(), dials)
    failed = acting.execute(incident(), plan(), 0, BY_ITSELF)
    dials.settles = None

    assert failed.state is ExecutionState.FAILED
    assert not acting.is_under_way(incident(), failed)
    assert acting.is_under_way(incident(), failed.model_copy(update={"state": ExecutionState.DONE}))


def test_only_what_is_stored_as_done_is_asked_about() -> None:
    dials = Dials(fates=[Fate.LOST_ON_THE_WAY], settles=False)
    undecided = executor(MemoryTable(), dials, repeatable=False)
    left = undecided.execute(incident(), plan(), 0, BY_ITSELF)
    elsewhere: Execution = executor(MemoryTable(), Dials()).execute(incident(), plan(30), 0, BY_ITSELF)

    assert left.state is ExecutionState.UNDECIDED and undecided.confirm(incident(), left) == left
    assert undecided.confirm(incident(), elsewhere) == elsewhere


# Records that are not whole, keys and audits that cannot be asked.


def approved() -> tuple[Attempt, ApprovalRequest]:
    """An attempt that nothing speaks against, and the request behind it."""
    acting = executor(MemoryTable(), Dials())
    approve(acting, plan(), incident())
    at = acting._attempt(incident(), plan(), 0, acting._look(incident(), plan(), 0), WITH_APPROVAL)
    assert at.request is not None and objection(at) is None
    return at, at.request


def test_a_key_that_cannot_be_asked_lets_nothing_through() -> None:
    at, request = approved()
    deaf = FailingKey(SIGNER.key, frozenset({request.signature}))
    to_decisions = FailingKey(SIGNER.key, frozenset(one.signature for one in at.decisions))

    assert "request cannot be checked" in (objection(replace(at, signer=deaf)) or "")
    assert "decision cannot be checked" in (objection(replace(at, signer=to_decisions)) or "")


def test_who_signed_with_another_key_is_told_that_it_is_another_key() -> None:
    at, request = approved()
    (decision,) = at.decisions
    other = replace(at, signer=LocalKey(b"o" * 32))

    assert "signed with the key local:" in (signed_when_asked(other, request) or "")
    assert "signed with the key local:" in (signed_at_the_door(other, request) or "")
    nobodys = replace(at, decisions=(decision.model_copy(update={"key_id": ""}),))
    assert "of nobody" in (signed_at_the_door(nobodys, request) or "")


def test_a_denial_counts_nobody_towards_a_quorum_and_stands_behind_nothing() -> None:
    at, request = approved()
    (yes,) = at.decisions
    no = decision_on(request, approved=False, by=OTHER)
    both = replace(at, decisions=(yes, no), quorum=2)
    wanted = request.model_copy(update={"quorum": 2})

    assert "1 of 2 people approved it" in (approved_by_enough(both, wanted) or "")
    assert "2 people have to approve that, and 1 approved it" in (approved_by_enough_now(both, request) or "")
    assert both.approved_by == ("ada",)


def test_what_was_withdrawn_is_that_plan_alone() -> None:
    at = Stage()
    acting = executor(at.table, at.dials)
    other = acting.approvals.request(request_for(acting, plan(11, attempt=2), incident()))
    acting.approvals.withdraw(other, NOW, "it has passed")

    assert at.attempt().state is ExecutionState.DONE


def test_who_decided_may_be_forgotten_and_what_they_approved_is_done() -> None:
    at = Stage()
    trail = AuditTrail(at.table)

    forgotten = trail.erase_about(keys.incident(SCOPE, incident().incident_id).pk, NOW, "tester", "ada")

    assert (forgotten, at.attempt().state) == (1, ExecutionState.DONE)


def test_what_cloudtrail_shows_of_an_action_stands_in_the_way_of_no_undo() -> None:
    at = Stage()
    done, traces = at.attempt(), TraceStore(at.table)
    (owed,) = traces.owed(SCOPE, incident().incident_id)
    found = owed.trace.model_copy(update={"state": TraceState.FOUND, "event_id": "e-9"})

    assert traces.settle(SCOPE, owed, found, NOW)
    undone = executor(at.table, at.dials).revert(incident(), done, WITH_APPROVAL)
    assert undone.state is ExecutionState.DONE, undone.detail


def test_the_same_actions_in_another_attempt_are_another_plan() -> None:
    at, _ = approved()
    again = request_for(executor(MemoryTable(), Dials()), plan(attempt=2), incident())

    assert "not the one that people were asked about" in (asked_about_this_plan(at, again) or "")


def test_an_approval_that_does_not_say_for_which_state_is_none() -> None:
    at, request = approved()
    bare = request.model_copy(update={"fingerprints": ()})
    empty = request.model_copy(update={"fingerprints": ("",)})

    assert as_it_was_approved(at, request) is None
    assert "does not say which state" in (as_it_was_approved(at, bare) or "")
    assert "does not say which state" in (as_it_was_approved(replace(at, fingerprint=""), empty) or "")


def test_a_request_of_an_earlier_version_is_held_against_what_it_has() -> None:
    found, request = approved()
    at = replace(found, fingerprint="f" * 64)
    older = request.model_copy(update={"states": (), "amounts": ()})

    assert (as_it_was_approved(at, older) or "").endswith("looked at for approval")
    assert no_more_than_was_shown(at, older) is None


def test_an_audit_that_cannot_be_read_tells_nothing() -> None:
    _, request = approved()
    unread = Told.by(Chain((("key-00000001", {}),), {}, None), Checked(1, 0, ""))

    assert "cannot be read" in unread.fault
    assert unread.against_request(request) == unread.against("a-0", None) == unread.fault


def test_policies_without_a_schema_and_a_schema_without_policies_are_not_loaded(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for folder, name in ((one, "schema.cedarschema"), (other, "forbid.cedar")):
        folder.mkdir()
        (folder / name).write_text((FOLDER / name).read_text())

        with pytest.raises(Misconfigured, match="holds no policies with a schema"):
            Policy.load(folder)


@pytest.mark.parametrize("name", ["schema.cedarschema", "forbid.cedar"])
def test_policies_that_are_no_text_are_an_error_of_the_settings(tmp_path: Path, name: str) -> None:
    for one in ("schema.cedarschema", "forbid.cedar"):
        (tmp_path / one).write_text((FOLDER / one).read_text())
    (tmp_path / name).write_bytes(b"\xff\xfe")

    with pytest.raises(Misconfigured, match="cannot be read"):
        Policy.load(tmp_path)
