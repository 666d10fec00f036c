"""A document's targets are what its steps change, in the words by which other actions name the same."""

from typing import Any

import pytest

from memory.records.outcome import Execution, ExecutionState
from memory.stores.executions import ExecutionStore
from memory.stores.pace import PaceStore
from tests.tools.dials import INCIDENT_ID
from tests.tools.memory_table import MemoryTable
from tests.tools.stand_ins import NOW, SCOPE, StillClock
from tools.actions.base import IamStatement, targets_of
from tools.actions.dynamodb_read_capacity import DynamoDbSetReadCapacity
from tools.actions.registry import ACTIONS, named
from tools.actions.ssm_document import AllowedDocument, SsmRunDocument
from tools.crowd import Crowd, Traffic

CHANGES = ("dynamodb:DescribeTable", "dynamodb:UpdateTable")
HERE = "{region}:{account}"
OTHER = "5f0a3ad8-91c1-8a55-8e6d-6f4ad7b9a002"


def run(values: dict[str, str], *permissions: tuple[tuple[str, ...], str]) -> tuple[str, ...]:
    action = listing(values, *permissions)
    return targets_of(action, action.parameters(document="Rework", values=values, after=""))


def listing(values: dict[str, str], *permissions: tuple[tuple[str, ...], str]) -> SsmRunDocument:
    listed = AllowedDocument(
        name="Rework",
        version="1",
        sha256="0",
        purpose="does something",
        seconds=60,
        share=0.0,
        parameters=dict.fromkeys(values, ".+"),
        permissions=tuple(IamStatement(actions=one, resources=(arn,)) for one, arn in permissions),
        example=values,
    )
    return SsmRunDocument(allowed=(listed,))


@pytest.mark.parametrize("value", ["*", "carts*", "c?rts", "${aws:username}"])
def test_no_value_makes_the_session_wider_than_what_it_names(value: str) -> None:
    values = {"Name": value, "Note": value}
    action = listing(values, (CHANGES, "arn:{partition}:dynamodb:" + HERE + ":table/{Name}"))
    state = {"found": True, "status": "Active", "sha256": "0", "execution_status": "", "newest": ""}

    found = action.problems(action.parameters(document="Rework", values=values, after=""), state)

    assert len(found) == 1 and found[0].startswith("Name holds a wildcard")
    named = {"Name": "carts", "Note": value}
    assert action.problems(action.parameters(document="Rework", values=named, after=""), state) == ()


@pytest.mark.parametrize(
    ("resource", "targets"),
    [
        ("dynamodb:{0}:table/{{Name}}", {"DynamoDB table carts"}),
        ("dynamodb:{0}:table/{{Name}}/index/by-day", {"DynamoDB table carts"}),
        ("ecs:{0}:service/mall/{{Name}}", {"ECS service mall/carts"}),
        ("sqs:{0}:{{Name}}", {"SQS queue carts"}),
        ("ssm:{0}:parameter/mall/{{Name}}", {"parameter /mall/carts"}),
        ("lambda:{0}:function:f:{{Name}}", {"Lambda function f"}),
        ("lambda:{0}:function:{{Name}}", {"Lambda function carts"}),
        ("rds:{0}:db:{{Name}}", {"rds db:carts"}),
        ("dynamodb:{0}:table/{{Missing}}", {"SSM document Rework"}),
    ],
)
def test_what_a_document_changes_is_named_as_others_name_it(resource: str, targets: set[str]) -> None:
    arn = "arn:{partition}:" + resource.format(HERE)

    assert set(run({"Name": "carts"}, (("any:Change",), arn))) == targets


def test_what_is_only_read_or_not_said_is_no_target() -> None:
    table = "arn:{partition}:dynamodb:{region}:{account}:table/"
    reads = (("dynamodb:DescribeTable",), table + "{From}")

    both = run({"From": "a", "To": "b"}, reads, (CHANGES, table + "{To}"), (("x:Change",), "*"))

    assert both == ("DynamoDB table b",)
    assert run({"From": "a"}, reads) == ("SSM document Rework",)


def test_a_document_on_a_table_has_the_target_of_the_tables_own_action() -> None:
    table = "arn:{partition}:dynamodb:{region}:{account}:table/"
    of_document = run({"A": "carts", "B": "sold"}, (CHANGES, table + "{A}"), (CHANGES, table + "{B}"))
    own = DynamoDbSetReadCapacity()
    of_table = targets_of(own, own.parameters(table="carts", read_capacity_units=5))
    table_of_records = MemoryTable()
    traffic = Traffic(PaceStore(table_of_records), ExecutionStore(table_of_records), StillClock())

    before = traffic.around(SCOPE, of_document, OTHER, "a-0", lambda _: False)
    for write in traffic.count(SCOPE, before, OTHER, "a-0"):
        table_of_records.write(write)

    def recent(targets: tuple[str, ...]) -> int:
        return traffic.around(SCOPE, targets, INCIDENT_ID, "b-0", lambda _: False).recent

    assert before.recent == 0
    assert [recent(one) for one in (of_table, ("DynamoDB table sold",), of_document)] == [1, 1, 1]
    assert recent(("DynamoDB table other",)) == 0


TASK, ID = "0f9de17a6465404e8b1b2356dc13c2f8", "d-A1B2C3D4E"
ON_A_SERVICE: list[tuple[str, dict[str, Any]]] = [
    ("ecs_rollback_service", {"task_definition": "basket:3"}),
    ("ecs_force_new_deployment", {"deployment": "ecs-svc/1"}),
    ("ecs_set_desired_count", {"desired_count": 3}),
    ("ecs_stop_task", {"task": TASK}),
    ("ecs_stop_task", {"task": TASK[::-1]}),
]
ON_A_FUNCTION: list[tuple[str, dict[str, Any]]] = [
    ("lambda_shift_alias", {"alias": "live", "version": "3"}),
    ("lambda_shift_alias", {"alias": "night", "version": "3"}),
    ("lambda_set_reserved_concurrency", {"reserved": 10}),
    ("codedeploy_stop", {"application": "a", "group": "g", "deployment": ID}),
]
ON_QUEUES: list[tuple[str, dict[str, Any]]] = [
    ("sqs_quarantine_poison", {"max_receives": 5}),
    ("sqs_redrive", {"after": 0}),
]


@pytest.mark.parametrize(
    ("acts", "part"),
    [
        (ON_A_SERVICE, {"cluster": "shop", "service": "basket"}),
        (ON_A_FUNCTION, {"function": "mailer"}),
        (ON_QUEUES, {"queue": "orders", "dead_letter_queue": "orders-dead"}),
    ],
)
def test_no_two_actions_on_one_service_function_or_queue_run_side_by_side(
    acts: list[tuple[str, dict[str, Any]]], part: dict[str, str]
) -> None:
    table, going_on = MemoryTable(), ExecutionState.CLAIMED
    executions = ExecutionStore(table)
    traffic = Traffic(PaceStore(table), executions, StillClock())

    def targets(name: str, more: dict[str, Any], named_part: dict[str, str]) -> tuple[str, ...]:
        action: Any = named(ACTIONS, name)
        return targets_of(action, action.parameters.model_validate({**named_part, **more}))

    def around(targets: tuple[str, ...]) -> Crowd:
        return traffic.around(SCOPE, targets, INCIDENT_ID, "b-0", lambda _: False)

    first = targets(*acts[0], part)
    claimed = Execution(
        incident_id=OTHER, action_id="a-0", action=acts[0][0], parameters={}, state=going_on, claimed_at=NOW
    )
    executions.claim(SCOPE, claimed, traffic.count(SCOPE, around(first), OTHER, "a-0"))

    assert all(around(targets(*act, part)).busy for act in acts)
    elsewhere = {key: f"{value}-2" for key, value in part.items()}
    assert not any(around(targets(*act, elsewhere)).busy for act in acts)


def test_every_action_has_a_target() -> None:
    for one in ACTIONS:
        action: Any = named(ACTIONS, one.name)
        params = action.parameters.model_validate(action.example)
        assert all(targets_of(action, params)) and action.target(params)
