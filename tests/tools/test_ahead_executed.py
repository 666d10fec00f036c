"""What is found out beforehand holds for the executor too: it asks again, and believes no review."""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from memory.records.outcome import ExecutionState
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
    """IAM with one decision for every call, or without an answer."""

    decision: str | None = "allowed"

    def simulate_principal_policy(self, ActionNames: list[str], **_: Any) -> dict[str, Any]:
        if self.decision is None:
            raise ClientError({"Error": {"Code": "Throttling", "Message": "slow"}}, "SimulatePrincipalPolicy")
        return {
            "EvaluationResults": [
                {"EvalActionName": one, "EvalDecision": self.decision} for one in ActionNames
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
