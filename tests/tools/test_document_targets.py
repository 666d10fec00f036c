"""A document's targets are what its steps change, in the words by which other actions name the same."""

from typing import Any

import pytest

from memory.stores.executions import ExecutionStore
from memory.stores.pace import PaceStore
from tests.tools.dials import INCIDENT_ID
from tests.tools.memory_table import MemoryTable
from tests.tools.stand_ins import SCOPE, StillClock
from tools.actions.base import IamStatement, targets_of
from tools.actions.dynamodb_read_capacity import DynamoDbSetReadCapacity
from tools.actions.registry import ACTIONS, named
from tools.actions.ssm_document import AllowedDocument, SsmRunDocument
from tools.crowd import Traffic

CHANGES = ("dynamodb:DescribeTable", "dynamodb:UpdateTable")
HERE = "{region}:{account}"
OTHER = "5f0a3ad8-91c1-8a55-8e6d-6f4ad7b9a002"


def run(values: dict[str, str], *permissions: tuple[tuple[str, ...], str]) -> tuple[str, ...]:
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
    action = SsmRunDocument(allowed=(listed,))
    return targets_of(action, action.parameters(document="Rework", values=values, after=""))


@pytest.mark.parametrize(
    ("resource", "targets"),
    [
        ("dynamodb:{0}:table/{{Name}}", {"DynamoDB table carts"}),
        ("dynamodb:{0}:table/{{Name}}/index/by-day", {"DynamoDB table carts"}),
        ("ecs:{0}:service/mall/{{Name}}", {"ECS service mall/carts"}),
        ("sqs:{0}:{{Name}}", {"SQS queue carts"}),
        ("ssm:{0}:parameter/mall/{{Name}}", {"parameter /mall/carts"}),
        ("lambda:{0}:function:f:{{Name}}", {"alias carts of Lambda function f"}),
        (
            "lambda:{0}:function:{{Name}}",
            {"Lambda function carts", "reserved concurrency of Lambda function carts"},
        ),
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


def test_every_action_has_a_target() -> None:
    for one in ACTIONS:
        action: Any = named(ACTIONS, one.name)
        params = action.parameters.model_validate(action.example)
        assert all(targets_of(action, params)) and action.target(params)
