"""What is found out before anybody is asked: by IAM, a dry run and a change calendar."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from memory.records.incident import Severity
from memory.records.scope import Scope
from tests.simulated import SimulatedAccount
from tests.tools.dials import (
    Dials,
    around,
    executor,
    incident,
    plan,
)
from tests.tools.memory_table import MemoryTable
from tests.tools.stand_ins import ScriptedAccess
from tools.actions.base import IamStatement, Rehearsed
from tools.actions.registry import ACTIONS
from tools.ahead import Ahead, permitted, previewed
from tools.aws.access import AwsAccess
from tools.freeze import closed_calendar

OTHER_INCIDENT = "5f0a3ad8-91c1-8a55-8e6d-6f4ad7b9a002"
CALENDAR = """BEGIN:VCALENDAR
PRODID:-//AWS//Change Calendar 1.0//EN
VERSION:2.0
X-CALENDAR-TYPE:{}
END:VCALENDAR
"""


@pytest.fixture
def account(shared_accounts: Callable[..., SimulatedAccount]) -> SimulatedAccount:
    return shared_accounts("bad-deployment")


def _access(account: SimulatedAccount) -> AwsAccess:
    who = account.credentials
    return AwsAccess(account.local["region"], account.endpoint, who.access_key_id, who.secret_access_key)


def _role(access: AwsAccess) -> str:
    return f"arn:aws:iam::{access.client('sts').get_caller_identity()['Account']}:role/cloudops-executor"


class Refusing:
    """A client whose every call is refused."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(**_: Any) -> Any:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, name)

        return call


def test_the_role_may_do_every_action_of_the_catalogue(account: SimulatedAccount) -> None:
    access = _access(account)
    role = _role(access)
    scope = Scope(account=role.split(":")[4], region=access.region)

    for action in ACTIONS:
        params = action.parameters.model_validate(action.example)
        assert permitted(access, role, action.permissions(params, scope)) == Ahead(), action.name


def test_what_the_role_may_not_do_is_named(account: SimulatedAccount) -> None:
    access = _access(account)
    asked = (IamStatement(actions=("iam:CreateUser", "ecs:DescribeServices"), resources=("*",)),)

    found = permitted(access, _role(access), asked)

    assert found == Ahead(denied=("the role may not iam:CreateUser on *",))


def test_a_permission_that_cannot_be_asked_about_is_no_yes() -> None:
    access = ScriptedAccess("us-east-1", clients={"iam": Refusing()})
    asked = (IamStatement(actions=("a:B",), resources=("*",)),)

    assert permitted(access, "arn:aws:iam::1:role/r", asked).unanswered
    assert permitted(access, None, asked).denied


class Lacking:
    """IAM that denies everything, and says of which conditions it knows nothing, as a whole or of the resource."""

    def simulate_principal_policy(self, ActionNames: list[str], **_: Any) -> dict[str, Any]:
        lacked = {
            "a:Region": {"MissingContextValues": ["aws:RequestedRegion"]},
            "a:Tag": {"ResourceSpecificResults": [{"MissingContextValues": ["aws:PrincipalTag/incident"]}]},
        }
        return {
            "EvaluationResults": [
                {"EvalActionName": one, "EvalDecision": "implicitDeny", **lacked.get(one, {})}
                for one in ActionNames
            ]
        }


def test_what_depends_on_a_condition_that_only_the_call_has_is_no_denial() -> None:
    found = _asking(Lacking(), [(("a:Region", "a:Do"), ("one",))], [(("a:Tag", "a:Undo"), ("two",))])

    said = "whether the role may {} depends on {}, which only the call has"
    assert found == Ahead(
        denied=("the role may not a:Do on one",),
        unanswered=(
            said.format("a:Region on one", "aws:RequestedRegion"),
            said.format("a:Tag on two", "aws:PrincipalTag/incident"),
        ),
        no_way_back=("it could not be taken back: the role may not a:Undo on two",),
    )


def test_a_role_bound_to_a_cluster_is_not_taken_for_one_without_the_permission(
    account: SimulatedAccount,
) -> None:
    access = _access(account)
    iam, role = account.client("iam"), _role(access)
    bound = {
        "Effect": "Deny",
        "Action": "ecs:UpdateService",
        "Resource": "*",
        "Condition": {"StringNotEquals": {"ecs:cluster": "arn:of:storefront"}},
    }
    named = {"RoleName": role.rpartition("/")[2], "PolicyName": "cluster"}
    iam.put_role_policy(**named, PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [bound]}))

    found = permitted(access, role, (IamStatement(actions=("ecs:UpdateService",), resources=("*",)),))
    iam.delete_role_policy(**named)

    assert found.denied == ()
    assert "depends on ecs:cluster" in found.unanswered[0]


class Counting:
    """IAM that denies some actions, and remembers what it was asked."""

    def __init__(self, *denied: str) -> None:
        self.denied = denied
        self.asked: list[tuple[tuple[str, ...], str]] = []

    def simulate_principal_policy(
        self, ActionNames: list[str], ResourceArns: list[str], **_: Any
    ) -> dict[str, Any]:
        self.asked.append((tuple(ActionNames), ResourceArns[0]))
        decisions = {one: "implicitDeny" if one in self.denied else "allowed" for one in ActionNames}
        return {
            "EvaluationResults": [
                {"EvalActionName": one, "EvalDecision": said} for one, said in decisions.items()
            ]
        }


def _asking(iam: Any, forth: Any, back: Any) -> Ahead:
    def statements(given: Any) -> tuple[IamStatement, ...]:
        return tuple(IamStatement(actions=actions, resources=resources) for actions, resources in given)

    access = ScriptedAccess("us-east-1", clients={"iam": iam})
    return permitted(access, "arn:aws:iam::1:role/r", statements(forth), statements(back))


def test_the_way_back_is_asked_about_beside_the_way_there_and_nothing_twice() -> None:
    iam = Counting("a:Undo", "b:Undo")

    found = _asking(
        iam,
        [(("a:Get", "a:Do"), ("one",)), (("a:Get",), ("two",))],
        [(("a:Get", "a:Undo"), ("one", "two")), (("b:Undo",), ("one",))],
    )

    assert sorted(iam.asked) == [
        (("a:Get", "a:Do", "a:Undo"), "one"),
        (("a:Get", "a:Undo"), "two"),
        (("b:Undo",), "one"),
    ]
    assert found == Ahead(
        no_way_back=(
            "it could not be taken back: the role may not a:Undo on one",
            "it could not be taken back: the role may not a:Undo on two",
            "it could not be taken back: the role may not b:Undo on one",
        )
    )


def test_what_both_ways_need_is_said_once() -> None:
    found = _asking(Counting("a:Do"), [(("a:Do",), ("one",))], [(("a:Do",), ("one",))])

    assert found == Ahead(denied=("the role may not a:Do on one",))


def test_a_way_back_that_cannot_be_asked_about_is_said_so() -> None:
    found = _asking(Refusing(), [], [(("a:Undo",), ("one",))])

    assert found.unanswered == ("iam:SimulatePrincipalPolicy cannot be asked: AccessDenied",)


def test_no_action_of_the_catalogue_needs_more_requests_for_its_way_back() -> None:
    scope = Scope(account="111122223333", region="us-east-1")
    for action in ACTIONS:
        iam = Counting()
        statements = action.permissions(action.parameters.model_validate(action.example), scope)
        access = ScriptedAccess("us-east-1", clients={"iam": iam})

        permitted(access, "arn:aws:iam::1:role/r", statements, statements)

        assert len(iam.asked) <= sum(len(one.resources) for one in statements), action.name
        pairs = [(one, to) for actions, to in iam.asked for one in actions]
        assert len(pairs) == len(set(pairs)), action.name


def test_an_automation_document_is_tried_before_it_is_started(account: SimulatedAccount) -> None:
    access = _access(account)
    (name,) = [one["Name"] for one in _own_documents(account)][:1]

    before = len(account.calls("StartAutomationExecution"))
    with pytest.raises(ClientError):
        previewed(access, name, "$DEFAULT", {"NoSuchParameter": ["1"]})
    assert len(account.calls("StartAutomationExecution")) == before
    assert {action.name for action in ACTIONS if isinstance(action, Rehearsed)} >= {
        "dynamodb_set_write_capacity"
    }


class Previewing:
    """Systems Manager, with the states that a preview goes through."""

    def __init__(self, *states: str) -> None:
        self.states = list(states)

    def start_execution_preview(self, **_: Any) -> dict[str, Any]:
        return {"ExecutionPreviewId": "p-1"}

    def get_execution_preview(self, **_: Any) -> dict[str, Any]:
        return {"Status": self.states.pop(0), "StatusMessage": "no such table"}


@pytest.mark.parametrize(
    ("states", "said"),
    [
        (("Success",), ()),
        (("InProgress", "InProgress", "Success"), ()),
        (("Pending", "Failed"), ("the preview of Set failed: no such table",)),
        (("Pending", *["InProgress"] * 6), ("the preview of Set does not end",)),
    ],
)
def test_a_preview_speaks_for_a_document_only_once_it_succeeded(
    states: tuple[str, ...], said: tuple[str, ...]
) -> None:
    ssm, waits = Previewing(*states), list[float]()

    access = ScriptedAccess("us-east-1", clients={"ssm": ssm})

    assert previewed(access, "Set", "1", {}, waits.append) == said
    assert ssm.states == []
    assert len(waits) == len(states) and waits[0] == 0


def test_a_preview_is_given_the_seconds_that_systems_manager_takes_for_it() -> None:
    waits = list[float]()
    access = ScriptedAccess("us-east-1", clients={"ssm": Previewing(*["InProgress"] * 20)})

    previewed(access, "Set", "1", {}, waits.append)

    assert 5 <= sum(waits) <= 15


def _own_documents(account: SimulatedAccount) -> list[Any]:
    filters = [{"Key": "Owner", "Values": ["Self"]}, {"Key": "DocumentType", "Values": ["Automation"]}]
    return list(account.client("ssm").list_documents(Filters=filters)["DocumentIdentifiers"])


@pytest.mark.parametrize(("kind", "is_closed"), [("DEFAULT_OPEN", False), ("DEFAULT_CLOSED", True)])
def test_a_closed_change_calendar_freezes(account: SimulatedAccount, kind: str, is_closed: bool) -> None:
    account.client("ssm").create_document(
        Name=f"Own-{kind}",
        Content=CALENDAR.format(kind).replace("\n", "\r\n"),
        DocumentType="ChangeCalendar",
        DocumentFormat="TEXT",
    )

    assert (closed_calendar(_access(account), (f"Own-{kind}",)) is not None) == is_closed


def test_a_change_calendar_that_cannot_be_read_is_closed(account: SimulatedAccount) -> None:
    assert "counts as closed" in (closed_calendar(_access(account), ("NoSuchCalendar",)) or "")
    assert closed_calendar(AwsAccess("us-east-1"), ()) is None


def test_every_review_says_what_it_found_ahead() -> None:
    acting = executor(MemoryTable(), Dials())

    (review,) = acting.review(incident(), plan(), around(Severity.LOW))

    assert review.ruling.value == "permit"
