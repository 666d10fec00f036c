"""What is found out before anybody is asked: by IAM, a dry run and a change calendar; and who else is at a target."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from memory.records.incident import Severity
from memory.records.outcome import ExecutionState
from memory.records.plan import PlannedAction
from memory.records.scope import Scope
from tests.simulated import SimulatedAccount
from tests.tools.dials import (
    BY_ITSELF,
    SIGNER,
    Dials,
    Fate,
    around,
    decision_on,
    executor,
    incident,
    plan,
    request_for,
)
from tests.tools.memory_table import Killed, MemoryTable
from tests.tools.stand_ins import NOW, SCOPE, ScriptedAccess
from tools.actions.base import IamStatement, Rehearsed
from tools.actions.registry import ACTIONS
from tools.ahead import Ahead, permitted, previewed
from tools.aws.access import AwsAccess
from tools.freeze import closed_calendar
from tools.inspection import planned_targets
from tools.once import UNDER_WAY
from tools.signing import signed_request

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


# Who else is at a target.


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


def test_every_review_says_what_it_found_ahead() -> None:
    acting = executor(MemoryTable(), Dials())

    (review,) = acting.review(incident(), plan(), around(Severity.LOW))

    assert review.ruling.value == "permit"
