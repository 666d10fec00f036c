"""Every action of the catalogue in a real account: bound to what was approved, least privilege, done once, undone."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from memory.records.assessment import CauseKind
from memory.records.incident import Severity
from memory.records.outcome import ExecutionState
from memory.records.plan import Plan, PlannedAction, Ruling
from memory.table import table_definition
from tests.simulated import Credentials, SimulatedAccount, accounts
from tests.tools.bench import HIGH, TABLE, Bench, bench
from tests.tools.dials import around
from tests.tools.stages import ALIAS, DEAD, FUNCTION, LIMIT, QUEUE, ROUTE, STAGES, Stage
from tools.actions.base import IamStatement, Reversibility, differences
from tools.actions.registry import ACTIONS, named
from tools.actions.ssm_parameter import SsmRevert, SsmRevertParameter
from tools.aws.access import AwsAccess
from tools.aws.sessions import session_policy
from tools.inspection import inspect
from tools.options import Options
from tools.runbook_drift import LOOKS, drift_of

QUICK = frozenset({"ecs_set_desired_count", "lambda_shift_alias", "ssm_revert_parameter"})
"""Actions whose permissions are tried at every `make test`; all others with `make deep`."""
USER = "one-permission-less"
NOTHING = IamStatement(actions=("sts:GetCallerIdentity",), resources=("*",))

each = pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.action)
some_slow = pytest.mark.parametrize(
    "stage",
    [
        pytest.param(stage, id=stage.action, marks=() if stage.action in QUICK else pytest.mark.slow)
        for stage in STAGES
    ],
)


@pytest.fixture(scope="module")
def account() -> Iterator[SimulatedAccount]:
    with accounts() as start:
        started = start("false-alarm")
        started.client("dynamodb").create_table(**table_definition(TABLE))
        yield started


@pytest.fixture(scope="module")
def caller(account: SimulatedAccount) -> Credentials:
    """A user without policies, who is given one for each try."""
    iam = account.client("iam")
    iam.create_user(UserName=USER)
    key = iam.create_access_key(UserName=USER)["AccessKey"]
    return Credentials(key["AccessKeyId"], key["SecretAccessKey"])


def planned(stage: Stage, account: SimulatedAccount) -> PlannedAction:
    return PlannedAction(action=stage.action, parameters=stage.ready(account))


def written(account: SimulatedAccount, stage: Stage) -> int:
    return len([one for one in account.calls(stage.writes) if not one["error_code"]])


def test_every_action_has_its_stage() -> None:
    assert [stage.action for stage in STAGES] == [action.name for action in ACTIONS]


@each
def test_what_somebody_changed_after_the_approval_is_named_and_nothing_is_done(
    account: SimulatedAccount, stage: Stage
) -> None:
    at = bench(account, f"drift-{stage.action}")
    action = planned(stage, account)
    plan = Plan(actions=(action,))
    before = inspect(at.access, action, ACTIONS)
    assert before.problems == ()
    assert before.action is not None and before.state.keys() == before.action.example_state.keys()
    at.approve(plan)
    stage.meddle(account, action.parameters)
    seen = written(account, stage)

    refused = at.executor.execute(at.incident, plan, 0, HIGH)

    changed = differences(before.bound, inspect(at.access, action, ACTIONS).bound)
    assert refused.state is ExecutionState.REFUSED
    assert changed and any(one in refused.detail for one in changed), (refused.detail, changed)
    assert written(account, stage) == seen


# What an action declares is enough, and all of it is needed.


def policy(account: SimulatedAccount, statements: tuple[IamStatement, ...]) -> None:
    account.client("iam").put_user_policy(
        UserName=USER, PolicyName="tried", PolicyDocument=session_policy(statements)
    )


def without(statements: tuple[IamStatement, ...], gone: str) -> tuple[IamStatement, ...]:
    kept = (
        one.model_copy(update={"actions": tuple(call for call in one.actions if call != gone)})
        for one in statements
    )
    return tuple(one for one in kept if one.actions)


def tried(account: SimulatedAccount, access: AwsAccess, action: PlannedAction) -> str:
    """Read, call and look how it went as the caller; what stood in the way, or nothing."""
    entry = named(ACTIONS, action.action)
    assert entry is not None
    params = entry.parameters.model_validate(action.parameters)
    try:
        state = entry.read_state(access, params)
        problems = entry.problems(params, state)
        if problems:
            return "; ".join(problems)
        answer = entry.call(access, params, state, str(uuid4()))
        for _ in range(40):
            settled = entry.settled(access, params, answer)
            if settled is not None:
                return "" if settled else "it failed after AWS had accepted it"
            account.advance(30)
    except ClientError as error:
        return f"denied: {error}" if "Denied" in error.response["Error"]["Code"] else f"refused: {error}"
    return "it never came to its end"


@some_slow
def test_the_declared_permissions_are_enough_and_none_is_more_than_needed(
    account: SimulatedAccount, caller: Credentials, stage: Stage
) -> None:
    at = bench(account, f"least-{stage.action}")
    entry = named(ACTIONS, stage.action)
    assert entry is not None

    def access() -> AwsAccess:
        return AwsAccess("us-east-1", account.endpoint, caller.access_key_id, caller.secret_access_key)

    action = planned(stage, account)
    params = entry.parameters.model_validate(action.parameters)
    statements = entry.permissions(params, at.incident.scope)
    calls = sorted({call for one in statements for call in one.actions})
    useless = []
    for gone in calls:
        policy(account, without(statements, gone))
        if not tried(account, access(), planned(stage, account)):
            useless.append(gone)
    policy(account, statements)
    again = planned(stage, account)
    beside = again.model_copy(update={"parameters": {**again.parameters, **stage.elsewhere}})

    assert useless == []
    # A document begins, and its step is denied what lies outside.
    assert tried(account, access(), beside).startswith(("denied", "it failed after AWS had accepted it"))
    assert tried(account, access(), planned(stage, account)) == ""


def test_what_the_role_could_not_take_back_is_asked_about_beforehand(account: SimulatedAccount) -> None:
    given = {**stage_of("lambda_set_reserved_concurrency").ready(account), "reserved": None}
    plan = Plan(actions=(PlannedAction(action="lambda_set_reserved_concurrency", parameters=given),))
    at, calm, iam = bench(account, "no-way-back"), around(Severity.LOW), account.client("iam")
    (free,) = at.executor.review(at.incident, plan, calm)
    seen = at.calls("DeleteFunctionConcurrency")
    function = f"arn:aws:lambda:us-east-1:{account.local['account']}:function:{FUNCTION}"
    told = f"it could not be taken back: the role may not lambda:PutFunctionConcurrency on {function}"
    held = {"RoleName": "cloudops-executor", "PolicyName": "no-reservations"}
    deny = {"Effect": "Deny", "Action": "lambda:PutFunctionConcurrency", "Resource": "*"}
    iam.put_role_policy(**held, PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [deny]}))
    try:
        (review,) = at.executor.review(at.incident, plan, calm)
        alone = at.executor.execute(at.incident, plan, 0, calm)
        sent_alone = at.calls("DeleteFunctionConcurrency")
        at.approve(plan, (told,))
        done = at.executor.execute(at.incident, plan, 0, calm)
        back = at.executor.revert(at.incident, done, calm)
    finally:
        iam.delete_role_policy(**held)

    assert free.ruling is Ruling.PERMIT
    assert review.ruling is Ruling.ASK and {"there is no way back", told} <= set(review.reasons)
    assert (alone.state, sent_alone) == (ExecutionState.REFUSED, seen)
    assert done.state is ExecutionState.DONE, done.detail
    assert back.state is not ExecutionState.DONE and "AccessDenied" in back.detail, back.detail


# Done once, and undone where the entry says that it can be.


@pytest.mark.slow
@each
def test_an_action_takes_effect_once_and_its_way_back_is_what_it_says(
    account: SimulatedAccount, stage: Stage
) -> None:
    at = bench(account, f"once-{stage.action}")
    action = planned(stage, account)
    plan, seen = Plan(actions=(action,)), written(account, stage)
    entry = named(ACTIONS, stage.action)
    assert entry is not None
    at.approve(plan)

    done = at.executor.execute(at.incident, plan, 0, HIGH)
    again = at.executor.execute(at.incident, plan, 0, HIGH)

    assert done.state is ExecutionState.DONE, done.detail
    assert again.state is ExecutionState.DONE and written(account, stage) == seen + 1
    assert over(account, lambda: not at.executor.is_under_way(at.incident, done))
    assert at.executor.confirm(at.incident, done).state is ExecutionState.DONE
    if entry.reversibility is Reversibility.INVERSE:
        assert undone(at, account, entry, done)
    else:
        assert done.inverse == {}


@pytest.mark.slow
def test_a_deployment_whose_stop_was_not_answered_is_stopped_once(account: SimulatedAccount) -> None:
    stage = stage_of("codedeploy_stop")
    at = bench(account, "lost-codedeploy_stop")
    plan, seen = Plan(actions=(planned(stage, account),)), written(account, stage)
    at.approve(plan)
    account.faults([{"service": "codedeploy", "operation": stage.writes, "kind": "lose_answer", "times": 1}])

    done = at.executor.execute(at.incident, plan, 0, HIGH)
    account.clear_faults()

    assert done.state is ExecutionState.DONE, done.detail
    assert "the effect is there" in done.detail
    assert written(account, stage) == seen + 1
    assert over(account, lambda: not at.executor.is_under_way(at.incident, done))
    assert at.executor.confirm(at.incident, done).state is ExecutionState.DONE


def undone(at: Bench, account: SimulatedAccount, entry: Any, done: Any) -> bool:
    """Undo an action, and say whether the account is as before it."""
    back = at.executor.revert(at.incident, done, HIGH)
    assert back.state is ExecutionState.DONE, back.detail
    params = entry.parameters.model_validate(done.inverse)
    as_before = over(account, lambda: entry.holds(params, entry.read_state(at.access, params)))
    return as_before and over(account, lambda: not at.executor.is_under_way(at.incident, back))


def over(account: SimulatedAccount, holds: Callable[[], bool]) -> bool:
    for _ in range(40):
        if holds():
            return True
        account.advance(30)
    return holds()


# What a runbook names is looked at in the account before anybody follows it.

THERE = {
    "documents": ["Storefront-SetTableWriteCapacity@1"],
    "log_groups": ["/ecs/storefront/web"],
    "ecs_services": ["storefront/web"],
    "functions": ["orders-events"],
    "queues": ["order-events.fifo"],
    "roles": ["cloudops-executor"],
    "alarms": ["web-cpu-high"],
}


def test_what_a_runbook_names_is_there(account: SimulatedAccount) -> None:
    at = bench(account, "runbook")

    assert THERE.keys() == LOOKS.keys()
    assert drift_of(at.access, "book", THERE) == ()


@pytest.mark.parametrize("label", THERE)
def test_what_a_runbook_names_and_the_account_lacks_is_drift(account: SimulatedAccount, label: str) -> None:
    name = {"ecs_services": "storefront/gone"}.get(label, "gone-since")

    (drift,) = drift_of(bench(account, "runbook").access, "book", {label: [name]})

    assert (drift.runbook, drift.problem) == ("book", "it is not there") and name in drift.subject


def test_another_version_of_a_document_is_drift(account: SimulatedAccount) -> None:
    access = bench(account, "runbook").access

    (drift,) = drift_of(access, "book", {"documents": ["Storefront-SetTableWriteCapacity@2"]})

    assert drift.problem == "its version is 1, not 2"


def test_what_may_not_be_looked_at_is_said_and_not_passed_over(
    account: SimulatedAccount, caller: Credentials
) -> None:
    account.client("iam").put_user_policy(
        UserName=USER, PolicyName="tried", PolicyDocument=session_policy([NOTHING])
    )
    access = AwsAccess("us-east-1", account.endpoint, caller.access_key_id, caller.secret_access_key)

    found = drift_of(access, "book", THERE)

    assert len(found) == len(THERE)
    assert all(one.problem.startswith("it could not be looked at: AccessDenied") for one in found)


# Each kind of cause has its remedy, with parameters as the account has them.


def offered(at: Bench, kind: CauseKind, component: str, change: str | None = None) -> list[tuple[str, Any]]:
    return [(one.action, one.parameters) for one in at.options(kind, component, change)]


def test_a_bad_version_of_a_function_is_answered_by_the_version_before(account: SimulatedAccount) -> None:
    account.client("lambda").update_alias(
        FunctionName=FUNCTION, Name=ALIAS, FunctionVersion="7", RoutingConfig={"AdditionalVersionWeights": {}}
    )
    at = bench(account, "version")

    assert offered(at, CauseKind.DEPLOYMENT, FUNCTION, f"{FUNCTION}:7") == [
        ("lambda_shift_alias", {"function": FUNCTION, "alias": ALIAS, "version": "6"})
    ]
    left, *_ = at.looked_for(CauseKind.DEPLOYMENT, FUNCTION, f"{FUNCTION}:5").considered
    assert "no alias" in left.why_not and left.cause == f"deployment of {FUNCTION}"


def test_dead_letters_go_back_once_their_cause_is_gone_and_the_function_works(
    account: SimulatedAccount,
) -> None:
    # The version before it fails now and then, and so does this one, though seldom.
    stage_of("lambda_shift_alias").ready(account)
    given, at = stage_of("sqs_redrive").ready(account), bench(account, "letters")

    def put_back() -> Options:
        return at.looked_for(CauseKind.DEPLOYMENT, FUNCTION, f"{FUNCTION}:5")

    account.advance(minutes=6)
    over(account, lambda: put_back().offers != ())
    found = put_back()

    assert [(one.action, one.parameters) for one in found.offers] == [("sqs_redrive", given)], found
    assert "sqs_redrive" not in {name for name, _ in offered(at, CauseKind.DEPLOYMENT, FUNCTION)}


def test_a_changed_parameter_is_answered_by_the_value_before(account: SimulatedAccount) -> None:
    given = stage_of("ssm_revert_parameter").ready(account)

    found = offered(bench(account, "parameter"), CauseKind.CONFIGURATION, LIMIT, "1900")

    assert found == [("ssm_revert_parameter", given)]


def test_a_reverted_parameter_has_all_that_its_version_had_and_so_has_the_undone(
    account: SimulatedAccount,
) -> None:
    ssm, keys, action = account.client("ssm"), account.root, SsmRevertParameter()
    access = AwsAccess("us-east-1", account.endpoint, keys.access_key_id, keys.secret_access_key)
    guarded: Any = {"Description": "in ms", "AllowedPattern": "^[0-9]+$", "Tier": "Advanced"}
    name = "/storefront/web/limit"
    ssm.put_parameter(Name=name, Value="1", Type="String", **guarded)
    ssm.put_parameter(Name=name, Value="fast", Type="String", Overwrite=True, Description="any")

    def reverted(version: int) -> Any:
        asked = SsmRevert(name=name, version=version)
        action.call(access, asked, action.read_state(access, asked), "t")
        (now,) = ssm.describe_parameters(ParameterFilters=[{"Key": "Name", "Values": [name]}])["Parameters"]
        return [now.get(key, "") for key in ("Description", "AllowedPattern", "Tier")]

    state = action.read_state(access, SsmRevert(name=name, version=1))
    assert "its pattern none to ^[0-9]+$" in action.blast_radius(SsmRevert(name=name, version=1), state).text
    assert reverted(1) == ["in ms", "^[0-9]+$", "Advanced"]
    assert reverted(2) == ["any", "", "Advanced"]


def test_a_system_outside_is_done_without_where_the_team_declares_how(account: SimulatedAccount) -> None:
    given = stage_of("ssm_set_allowed_value").ready(account)

    (option,) = bench(account, "outside").options(CauseKind.DEPENDENCY, "acquirer-a")

    assert (option.action, option.parameters) == ("ssm_set_allowed_value", given)
    assert "as its team declares" in option.why


def test_a_declared_switch_that_the_parameter_no_longer_allows_is_left(account: SimulatedAccount) -> None:
    account.client("ssm").put_parameter(
        Name=ROUTE, Value="a", Type="String", AllowedPattern="^(a|c)$", Overwrite=True
    )

    found = bench(account, "drifted").looked_for(CauseKind.DEPENDENCY, "acquirer-a")

    assert found.offers == () and found.considered[0].why_not == "b is none of its values: a, c"


def test_a_task_that_is_ill_is_stopped_and_one_that_is_gone_is_not(account: SimulatedAccount) -> None:
    given, at = stage_of("ecs_stop_task").ready(account), bench(account, "task")

    found = offered(at, CauseKind.TASK, "checkout", given["task"])
    looked = at.looked_for(CauseKind.TASK, "checkout", "0" * 32)

    assert found[0] == ("ecs_stop_task", given)
    assert [name for name, _ in found] == ["ecs_stop_task", "ecs_force_new_deployment"]
    assert [one.action for one in looked.offers] == ["ecs_force_new_deployment"]
    assert any("ECS knows no task" in one.why_not for one in looked.considered)


def test_a_message_that_nobody_can_read_is_put_aside(account: SimulatedAccount) -> None:
    given = stage_of("sqs_quarantine_poison").ready(account)

    assert offered(bench(account, "message"), CauseKind.MESSAGE, QUEUE) == [("sqs_quarantine_poison", given)]
    (left,) = bench(account, "message").looked_for(CauseKind.MESSAGE, DEAD).considered
    assert "no dead-letter queue" in left.why_not


def test_a_small_reservation_is_answered_by_what_was_before_it_and_by_more(account: SimulatedAccount) -> None:
    # The trail is in whole seconds, so what others set in the same one could not be told from what was before.
    account.advance(1)
    account.client("lambda").delete_function_concurrency(FunctionName=FUNCTION)
    account.advance(1)
    stage_of("lambda_set_reserved_concurrency").ready(account)

    found = offered(bench(account, "reserved"), CauseKind.CAPACITY, FUNCTION)

    assert found == [
        ("lambda_set_reserved_concurrency", {"function": FUNCTION, "reserved": None}),
        ("lambda_set_reserved_concurrency", {"function": FUNCTION, "reserved": 20}),
    ]


def test_tasks_that_fill_their_memory_are_replaced_and_idle_ones_are_not_multiplied(
    account: SimulatedAccount,
) -> None:
    account.advance(minutes=10)
    at = bench(account, "tasks")

    ((name, parameters),) = offered(at, CauseKind.CAPACITY, "payments", "memory")
    (left,) = at.looked_for(CauseKind.TRAFFIC, "payments").considered

    assert name == "ecs_force_new_deployment" and parameters["service"] == "payments"
    assert "more tasks would not help" in left.why_not


@pytest.mark.parametrize(
    ("kind", "said"),
    [(CauseKind.DEPENDENCY, "not in this account"), (CauseKind.UNKNOWN, "no change answers")],
)
def test_without_a_safe_action_the_reason_is_said(
    account: SimulatedAccount, kind: CauseKind, said: str
) -> None:
    found = bench(account, "nothing").looked_for(kind, "acquirer")

    assert found.offers == () and said in found.considered[0].why_not


def test_what_is_offered_says_what_is_seen_if_it_works_and_what_would_refute_it(
    account: SimulatedAccount,
) -> None:
    stage_of("ssm_revert_parameter").ready(account)
    (option,) = bench(account, "signals").options(CauseKind.CONFIGURATION, LIMIT)

    assert option.expected and option.expected[0].text in option.falsified_by
    assert f"configuration of {LIMIT} was not the cause" in option.falsified_by


def stage_of(action: str) -> Stage:
    return next(stage for stage in STAGES if stage.action == action)
