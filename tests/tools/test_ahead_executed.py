"""What is found out beforehand holds for the executor too: it asks again, and believes no review."""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from pydantic import Field

from memory.records.outcome import ExecutionState
from memory.records.plan import Risk, Ruling
from memory.records.scope import Scope
from tests.tools.dials import BY_ITSELF, Dials, SetDial, SetDialAction, approve, executor, incident, plan
from tests.tools.memory_table import MemoryTable
from tests.tools.stand_ins import SCOPE, ScriptedAccess
from tools.actions.base import IamStatement, State
from tools.aws.access import AwsAccess
from tools.executor import Executor

DONE, REFUSED = ExecutionState.DONE, ExecutionState.REFUSED


@dataclass
class Iam:
    """IAM with one decision for every call `but` some, which it denies, or without an answer."""

    decision: str | None = "allowed"
    but: tuple[str, ...] = ()

    def simulate_principal_policy(self, ActionNames: list[str], **_: Any) -> dict[str, Any]:
        if self.decision is None:
            raise ClientError({"Error": {"Code": "Throttling", "Message": "slow"}}, "SimulatePrincipalPolicy")
        return {
            "EvaluationResults": [
                {"EvalActionName": one, "EvalDecision": "implicitDeny" if one in self.but else self.decision}
                for one in ActionNames
            ]
        }


@dataclass(frozen=True)
class TriedDial(SetDialAction):
    """A dial that needs a permission, and that can be tried."""

    says: list[str] = field(default_factory=list)
    answers: bool = True

    def permissions(self, params: SetDial, scope: Scope) -> tuple[IamStatement, ...]:
        return (IamStatement(actions=("dial:Set",), resources=("*",)),)

    def rehearse(self, access: AwsAccess, params: SetDial, state: State) -> tuple[str, ...]:
        if not self.answers:
            raise ClientError({"Error": {"Code": "Throttling", "Message": "slow"}}, "StartExecutionPreview")
        return tuple(self.says)


@dataclass(frozen=True)
class TwoWayDial(SetDialAction):
    """A dial that is turned up with one permission, and down with another."""

    def permissions(self, params: SetDial, scope: Scope) -> tuple[IamStatement, ...]:
        turned = "dial:Raise" if params.value > 7 else "dial:Lower"
        return (IamStatement(actions=("dial:Read", turned), resources=(params.dial,)),)


@dataclass(frozen=True)
class WideDial(SetDialAction):
    """A dial of which one direction takes more permissions than a session's policy holds."""

    up: bool = True

    def permissions(self, params: SetDial, scope: Scope) -> tuple[IamStatement, ...]:
        is_wide = (params.value > 7) is self.up
        return (IamStatement(actions=("dial:Set",), resources=("d" * (2000 if is_wide else 20),)),)


@pytest.mark.parametrize(("up", "ruling"), [(True, Ruling.REFUSE), (False, Ruling.ASK)])
def test_nobody_is_asked_for_what_no_session_can_hold(up: bool, ruling: Ruling) -> None:
    access = ScriptedAccess(SCOPE.region, clients={"iam": Iam()})
    asked = replace(executor(MemoryTable(), Dials()), access=access, catalogue=(WideDial(Dials(), up=up),))

    (review,) = asked.review(incident(), plan(), BY_ITSELF)

    assert review.ruling is ruling
    named = (
        "session policy of set_dial" if up else "could not be taken back: the session policy of the undo of"
    )
    assert named in "; ".join(review.reasons)


class LowDial(SetDial):
    """The parameters of a dial that stands lower than they allow."""

    value: int = Field(ge=8)


def acting(iam: Iam, dials: Dials, **tried: Any) -> Executor:
    catalogue = (TriedDial(dials, **tried),)
    access = ScriptedAccess(SCOPE.region, clients={"iam": iam})
    return replace(executor(MemoryTable(), dials), access=access, catalogue=catalogue)


@pytest.mark.parametrize(
    ("decision", "tried", "alone", "approved", "why"),
    [
        ("allowed", {}, DONE, DONE, ""),
        ("implicitDeny", {}, REFUSED, REFUSED, "may not dial:Set"),
        (None, {}, REFUSED, DONE, "nobody was asked"),
        ("allowed", {"says": ["the dial would break"]}, REFUSED, REFUSED, "the dial would break"),
        ("allowed", {"answers": False}, REFUSED, DONE, "nobody was asked"),
    ],
)
def test_what_is_found_out_beforehand_is_asked_again_before_the_call(
    decision: str | None, tried: dict[str, Any], alone: ExecutionState, approved: ExecutionState, why: str
) -> None:
    iam, dials = Iam(decision), Dials()
    by_itself = acting(iam, dials, **tried).execute(incident(), plan(), 0, BY_ITSELF)
    assert (by_itself.state, bool(dials.writes)) == (alone, alone is DONE)
    assert why in by_itself.detail

    dials = Dials()
    at = acting(iam, dials, **tried)
    approve(at, plan(), incident())
    by_a_person = at.execute(incident(), plan(), 0, BY_ITSELF)
    assert (by_a_person.state, bool(dials.writes)) == (approved, approved is DONE)


def test_a_permission_that_was_taken_away_since_the_review_is_noticed() -> None:
    iam, dials = Iam(), Dials()
    at = acting(iam, dials)

    (review,) = at.review(incident(), plan(), BY_ITSELF)
    iam.decision = "explicitDeny"
    late = at.execute(incident(), plan(), 0, BY_ITSELF)

    assert review.ruling.value == "permit"
    assert (late.state, dials.sent) == (REFUSED, 0)


# The way back is asked about before it is needed.

LOWER = "it could not be taken back: the role may not dial:Lower on main"
UNFIT = (
    "it could not be taken back: set_dial cannot bring back what dial main has now: value: Input should be"
)


def two_way(iam: Iam, dials: Dials, **given: Any) -> Executor:
    access = ScriptedAccess(SCOPE.region, clients={"iam": iam})
    return replace(
        executor(MemoryTable(), dials), access=access, catalogue=(TwoWayDial(dials, risk=Risk.LOW, **given),)
    )


@pytest.mark.parametrize(
    ("iam", "given", "said"),
    [(Iam(but=("dial:Lower",)), {}, LOWER), (Iam(), {"parameters": LowDial}, UNFIT)],
    ids=["denied", "unfit"],
)
def test_what_the_role_could_not_take_back_is_done_by_people_only_and_they_are_told(
    iam: Iam, given: dict[str, Any], said: str
) -> None:
    dials = Dials()
    at = two_way(iam, dials, **given)
    (review,) = at.review(incident(), plan(), BY_ITSELF)
    alone = at.execute(incident(), plan(), 0, BY_ITSELF)
    sent_alone = dials.sent
    (told,) = [one for one in review.reasons if one.startswith(said)]
    approve(at, plan(), incident(), no_way_back=(told,))
    approved = at.execute(incident(), plan(), 0, BY_ITSELF)

    assert review.ruling is Ruling.ASK and "no-way-back-needs-a-person" in review.policy_ids
    assert review.inverse.startswith(f"none: {said}")
    assert (alone.state, sent_alone) == (REFUSED, 0)
    assert (approved.state, dials.values["main"]) == (DONE, 9)
    # What was there is captured all the same: whether it can be brought back is AWS's to say then.
    assert approved.inverse == {"dial": "main", "value": 7}


def test_what_the_role_can_take_back_is_done_by_itself() -> None:
    dials = Dials()

    done = two_way(Iam(), dials).execute(incident(), plan(), 0, BY_ITSELF)

    assert (done.state, dials.sent) == (DONE, 1)


def test_a_way_back_that_was_closed_since_the_review_is_noticed() -> None:
    iam, dials = Iam(), Dials()
    at = two_way(iam, dials)

    (review,) = at.review(incident(), plan(), BY_ITSELF)
    iam.but = ("dial:Lower",)
    late = at.execute(incident(), plan(), 0, BY_ITSELF)

    assert review.ruling is Ruling.PERMIT
    assert (late.state, dials.sent) == (REFUSED, 0)


def test_who_approved_what_could_be_taken_back_did_not_approve_what_cannot() -> None:
    iam, dials = Iam(), Dials()
    at = two_way(iam, dials)
    approve(at, plan(), incident())
    iam.but = ("dial:Lower",)

    refused = at.execute(incident(), plan(), 0, BY_ITSELF)

    assert (refused.state, dials.sent) == (REFUSED, 0)
    assert refused.detail == f"{LOWER}; that was not known when approval was asked"


def test_an_undo_is_not_held_up_by_what_iam_says_beforehand() -> None:
    iam, dials = Iam(), Dials()
    at = two_way(iam, dials)
    done = at.execute(incident(), plan(), 0, BY_ITSELF)
    iam.but = ("dial:Lower", "dial:Raise")

    undone = at.revert(incident(), done, BY_ITSELF)

    assert (undone.state, dials.values["main"]) == (DONE, 7)
