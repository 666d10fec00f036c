import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memory.records.assessment import CauseKind
from memory.records.base import canonical_json
from memory.records.incident import Severity
from memory.records.outcome import ExecutionState
from memory.records.plan import Plan, Ruling
from memory.table import ConflictError, Item, Key, RecordTable, Write, table_definition
from tests.simulated import SimulatedAccount, accounts
from tests.tools.bench import bench
from tests.tools.dials import around
from tests.tools.memory_table import MemoryTable
from tests.tools.stand_ins import SCOPE
from tools.actions.capacity_document import CapacityDocument, find_document, read_document
from tools.actions.dynamodb_capacity import DynamoDbCapacity, DynamoDbSetWriteCapacity
from tools.actions.ecs_rollback import EcsRollback, EcsRollbackService
from tools.actions.registry import ACTIONS
from tools.aws.access import AwsAccess
from tools.aws.unrepeated import unrepeated
from tools.inspection import inspect

LOW, HIGH = around(Severity.LOW), around(Severity.HIGH)


def test_calls_that_change_something_are_sent_once_by_clients_of_their_own() -> None:
    access = AwsAccess("us-east-1", "http://127.0.0.1:1", "id", "secret")
    reading = access.client("ecs")

    writing = unrepeated(access).client("ecs")

    assert writing is not reading and writing is not unrepeated(access).client("ecs")
    assert writing.meta.config.retries["total_max_attempts"] == 1
    assert reading.meta.config.retries["total_max_attempts"] > 1
    assert writing.meta.config.read_timeout == reading.meta.config.read_timeout


def test_every_action_names_exact_resources_for_what_it_changes() -> None:
    rollback = EcsRollback(cluster="c", service="s", task_definition="f:1")
    capacity = DynamoDbCapacity(table="orders", write_capacity_units=5, document="Doc")

    statements = [
        *EcsRollbackService().permissions(rollback, SCOPE),
        *DynamoDbSetWriteCapacity().permissions(capacity, SCOPE),
    ]

    for statement in statements:
        writes = [a for a in statement.actions if a.split(":")[1].startswith(("Update", "Start"))]
        assert not writes or all(resource.startswith("arn:aws:") for resource in statement.resources)


# ECS: what may be returned to.


def service_state(**update: Any) -> dict[str, Any]:
    wanted = {"task_definition": "shop:4", "status": "ACTIVE", "containers_sha256": "a"}
    return {
        "found": True,
        "service_arn": "arn:s",
        "status": "ACTIVE",
        "controller": "ECS",
        "task_definition": "shop:5",
        "desired": 4,
        "running": 4,
        "deployment": "d-5",
        "rollout": "COMPLETED",
        "minimum_healthy_percent": 100,
        "cluster_running": 16,
        "ran_before": ["shop:5", "shop:4", "shop:3"],
        "wanted": wanted,
    } | update


ROLLBACK = EcsRollback(cluster="c", service="shop", task_definition="shop:4")


def test_a_rollback_to_what_ran_before_has_no_problem_and_a_way_back() -> None:
    action, state = EcsRollbackService(), service_state()

    assert action.problems(ROLLBACK, state) == ()
    assert action.inverse(ROLLBACK, state) == {
        "cluster": "c",
        "service": "shop",
        "task_definition": "shop:5",
    }
    assert action.blast_radius(ROLLBACK, state).share == 0.25


@pytest.mark.parametrize(
    "update",
    [
        {"found": False},
        {"status": "DRAINING"},
        {"controller": "CODE_DEPLOY"},
        {"task_definition": "shop:4"},
        {"task_definition": "store:9"},
        {"task_definition": "shop:3"},
        {"wanted": None},
        {"wanted": {"task_definition": "shop:4", "status": "INACTIVE", "containers_sha256": "a"}},
        {"ran_before": ["shop:5"]},
    ],
)
def test_a_rollback_that_does_not_fit_the_service_is_a_problem(update: dict[str, Any]) -> None:
    assert EcsRollbackService().problems(ROLLBACK, service_state(**update))


def test_only_an_undo_may_go_to_a_newer_revision() -> None:
    state = service_state(task_definition="shop:3")

    assert EcsRollbackService().problems(ROLLBACK, state)
    assert EcsRollbackService().problems(ROLLBACK, state, undoing=True) == ()


@pytest.mark.parametrize(
    ("update", "bound"),
    [
        ({"running": 3}, False),
        ({"rollout": "IN_PROGRESS"}, False),
        ({"cluster_running": 99}, False),
        ({"ran_before": []}, False),
        ({"deployment": "d-6"}, True),
        ({"task_definition": "shop:6"}, True),
        ({"desired": 9}, True),
        ({"wanted": {"task_definition": "shop:4", "status": "ACTIVE", "containers_sha256": "b"}}, True),
    ],
)
def test_an_approval_is_bound_to_what_matters(update: dict[str, Any], bound: bool) -> None:
    action = EcsRollbackService()

    assert (action.bound(service_state()) != action.bound(service_state(**update))) is bound


# DynamoDB: bounds, and documents known by what their steps call.


def document(**update: Any) -> dict[str, Any]:
    capacity = {"ReadCapacityUnits": "{{ Read }}", "WriteCapacityUnits": "{{ Units }}"}
    return {
        "schemaVersion": "0.3",
        "assumeRole": "{{ Role }}",
        "parameters": {
            "Name": {"type": "String"},
            "Units": {"type": "Integer"},
            "Read": {"type": "Integer", "default": 10},
            "Role": {"type": "String", "default": ""},
        },
        "mainSteps": [
            api_step("UpdateTable", ProvisionedThroughput=capacity),
            {**api_step("DescribeTable"), "action": "aws:waitForAwsResourceProperty"},
        ],
    } | update


def api_step(
    operation: str, service: str = "dynamodb", table: str = "{{ Name }}", **more: Any
) -> dict[str, Any]:
    inputs = {"Service": service, "Api": operation, "TableName": table, **more}
    return {"name": operation, "action": "aws:executeAwsApi", "inputs": inputs}


@dataclass
class OneDocument:
    """An SSM client that knows one document."""

    content: str
    kind: str = "Automation"

    def get_document(self, **_: Any) -> dict[str, Any]:
        return {
            "Name": "Doc",
            "Content": self.content,
            "DocumentVersion": "3",
            "Status": "Active",
            "DocumentType": self.kind,
        }

    def list_documents(self, **_: Any) -> dict[str, Any]:
        return {"DocumentIdentifiers": [{"Name": "Doc"}]}


def read(content: Any, kind: str = "Automation") -> CapacityDocument:
    text = content if isinstance(content, str) else json.dumps(content)
    found = read_document(OneDocument(text, kind), "Doc")
    assert found is not None
    return found


def test_a_document_is_known_by_where_its_placeholders_stand() -> None:
    found = read(document())

    assert found.problems == ()
    assert (found.table_parameter, found.write_parameter, found.read_parameter) == ("Name", "Units", "Read")
    assert found.version == "3"


UPDATE = api_step(
    "UpdateTable",
    ProvisionedThroughput={"ReadCapacityUnits": "{{ Read }}", "WriteCapacityUnits": "{{ Units }}"},
)


@pytest.mark.parametrize(
    "steps",
    [
        [],
        [UPDATE, UPDATE],
        [UPDATE, "a step that is none"],
        [UPDATE, {"name": "x", "action": "aws:runCommand", "inputs": {}}],
        [UPDATE, {"name": "x", "action": "aws:executeScript", "inputs": {"Script": "boom"}}],
        [UPDATE, api_step("DeleteTable")],
        [UPDATE, api_step("TerminateInstances", service="ec2")],
        [UPDATE, api_step("DescribeTable", table="another")],
        [{**UPDATE, "inputs": {**UPDATE["inputs"], "TableName": "orders"}}],
        [{**UPDATE, "inputs": {**UPDATE["inputs"], "BillingMode": "PAY_PER_REQUEST"}}],
        [{**UPDATE, "inputs": {**UPDATE["inputs"], "ProvisionedThroughput": {"WriteCapacityUnits": "7"}}}],
        [{**UPDATE, "action": "aws:waitForAwsResourceProperty"}],
    ],
)
def test_a_document_that_does_anything_else_is_refused(steps: list[Any]) -> None:
    assert read(document(mainSteps=steps)).problems


def test_a_document_that_needs_more_is_refused() -> None:
    needy = document()["parameters"] | {"Ticket": {"type": "String"}}

    assert read(document(parameters=needy)).problems
    assert read(document(), kind="Command").problems
    assert find_document(OneDocument(json.dumps(document(parameters=needy)))) is None


@pytest.mark.parametrize("role", ["arn:aws:iam::111122223333:role/other", "{{ Role }}"])
def test_a_document_whose_steps_run_as_another_role_is_refused(role: str) -> None:
    named = document()["parameters"] | {"Role": {"type": "String", "default": "arn:aws:iam::1:role/other"}}

    found = read(document(parameters=named, assumeRole=role))

    assert found.problems == ("its steps run as a role of its own",)


@settings(deadline=None, max_examples=400)
@given(
    st.one_of(
        st.text(),
        st.sampled_from(["2001-99-99", "{a: 2001-99-99}", "[" * 3000, "!!python/name:os.system", "&a [*a]"]),
        st.recursive(
            st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5)),
            lambda inner: st.one_of(
                st.lists(inner, max_size=3),
                st.dictionaries(
                    st.sampled_from(["mainSteps", "parameters", "inputs", "action", "Api", "Service"]),
                    inner,
                    max_size=4,
                ),
            ),
            max_leaves=12,
        ),
    )
)
def test_no_content_breaks_the_reader(content: Any) -> None:
    assert read(content).problems


def table_state(**update: Any) -> dict[str, Any]:
    known = read(document()).model_dump(mode="json")
    return {
        "found": True,
        "table_arn": "arn:t",
        "status": "ACTIVE",
        "billing": "PROVISIONED",
        "write": 20,
        "read": 10,
        "document": known,
    } | update


def capacity(units: int) -> DynamoDbCapacity:
    return DynamoDbCapacity(table="orders", write_capacity_units=units, document="Doc")


@given(st.integers(1, 40_000), st.integers(1, 2_000))
def test_capacity_is_only_raised_and_by_a_bounded_step(units: int, now: int) -> None:
    problems = DynamoDbSetWriteCapacity().problems(capacity(units), table_state(write=now))

    assert (problems == ()) == (now < units <= 4 * now)


@pytest.mark.parametrize(
    "update",
    [
        {"found": False},
        {"status": "UPDATING"},
        {"billing": "PAY_PER_REQUEST"},
        {"document": None},
        {"document": read(document(mainSteps=[])).model_dump(mode="json")},
    ],
)
def test_a_table_or_document_that_does_not_fit_is_a_problem(update: dict[str, Any]) -> None:
    assert DynamoDbSetWriteCapacity().problems(capacity(40), table_state(**update))


def test_an_undo_may_lower_the_capacity_again() -> None:
    action = DynamoDbSetWriteCapacity()

    assert action.inverse(capacity(40), table_state()) == capacity(20).model_dump()
    assert action.problems(capacity(20), table_state(write=40), undoing=True) == ()
    assert action.blast_radius(capacity(20), table_state(write=40)).share == 0.5


# Both tables of records keep the same promises.


@pytest.fixture(scope="module")
def broken_release() -> Iterator[SimulatedAccount]:
    with accounts() as start:
        account = start("bad-deployment")
        account.client("dynamodb").create_table(**table_definition("bench-records"))
        account.advance(minutes=8)
        yield account


@pytest.fixture(scope="module")
def small_table() -> Iterator[SimulatedAccount]:
    with accounts() as start:
        account = start("throttled-table")
        account.client("dynamodb").create_table(**table_definition("bench-records"))
        account.advance(minutes=10)
        yield account


@pytest.fixture(params=["memory", "dynamodb"])
def table(request: pytest.FixtureRequest) -> RecordTable:
    if request.param == "memory":
        return MemoryTable()
    account: SimulatedAccount = request.getfixturevalue("broken_release")
    return RecordTable(account.client("dynamodb"), "bench-records")


def test_writes_are_conditional_in_memory_as_in_dynamodb(table: RecordTable) -> None:
    key, other = Key("p", "a#1"), Key("p", "a#2")

    assert table.create(key, {"n": 1}, Key("g", "1")) and not table.create(key, {"n": 2})
    read_once = table.get(key)
    assert read_once is not None
    table.replace(read_once, {"n": 3})
    with pytest.raises(ConflictError):
        table.replace(read_once, {"n": 4})
    with pytest.raises(ConflictError):
        table.transact([Write(Item(other, {}), 0), Write(Item(key, {}), 0)])

    assert table.get(other) is None
    assert [item.body for item in table.query("p", "a#")] == [{"n": 3}]
    assert list(table.by_time("g")) == []
    table.delete(key)


# The simulated account.


def running(account: SimulatedAccount) -> str:
    service = account.client("ecs").describe_services(cluster="storefront", services=["checkout"])[
        "services"
    ][0]
    return str(service["taskDefinition"].rpartition("/")[2])


def units(account: SimulatedAccount) -> int:
    table = account.client("dynamodb").describe_table(TableName="orders")["Table"]
    return int(table["ProvisionedThroughput"]["WriteCapacityUnits"])


def test_a_bad_release_is_rolled_back_once_and_the_rollback_undone(broken_release: SimulatedAccount) -> None:
    at = bench(broken_release, "rollback")
    bad, before = running(broken_release), at.calls("UpdateService")
    (offered,) = at.options(CauseKind.DEPLOYMENT, "checkout", bad)
    plan = Plan(actions=(offered,))
    (review,) = at.executor.policy.review(at.access, plan, HIGH)

    refused = at.executor.execute(at.incident, plan, 0, HIGH)
    at.approve(plan)
    done = at.executor.execute(at.incident, plan, 0, HIGH)
    again = at.executor.execute(at.incident, plan, 0, HIGH)

    assert review.ruling is Ruling.ASK
    assert (refused.state, done.state) == (ExecutionState.REFUSED, ExecutionState.DONE)
    assert again == done and at.calls("UpdateService") == before + 1
    assert running(broken_release) == offered.parameters["task_definition"] != bad

    undone = at.executor.revert(at.incident, done, HIGH)

    assert undone.state is ExecutionState.DONE
    assert running(broken_release) == bad and at.calls("UpdateService") == before + 2
    at.finish(undone)


def test_a_lost_answer_of_update_service_is_not_sent_again(broken_release: SimulatedAccount) -> None:
    at = bench(broken_release, "lost")
    (offered,) = at.options(CauseKind.DEPLOYMENT, "checkout", running(broken_release))
    plan, before = Plan(actions=(offered,)), at.calls("UpdateService")
    at.approve(plan)
    broken_release.control(
        "POST",
        "faults",
        [{"service": "ecs", "operation": "UpdateService", "kind": "lose_answer", "times": 1}],
    )

    done = at.executor.execute(at.incident, plan, 0, HIGH)

    assert done.state is ExecutionState.DONE, done.detail
    assert at.calls("UpdateService") == before + 1
    undone = at.executor.revert(at.incident, done, HIGH)
    assert undone.state is ExecutionState.DONE
    at.finish(undone)


def test_a_service_that_moved_on_since_the_approval_is_left_alone(broken_release: SimulatedAccount) -> None:
    at = bench(broken_release, "moved")
    (offered,) = at.options(CauseKind.DEPLOYMENT, "checkout", running(broken_release))
    plan = Plan(actions=(offered,))
    at.approve(plan)
    broken_release.client("ecs").update_service(
        cluster="storefront", service="checkout", forceNewDeployment=True
    )
    before = at.calls("UpdateService")

    refused = at.executor.execute(at.incident, plan, 0, HIGH)

    assert refused.state is ExecutionState.REFUSED and "changed" in refused.detail
    assert at.calls("UpdateService") == before


def test_no_option_is_offered_for_what_is_not_there(broken_release: SimulatedAccount) -> None:
    at = bench(broken_release, "none")

    assert at.options(CauseKind.DEPLOYMENT, "nobody", "nobody:1") == ()
    assert at.options(CauseKind.DEPLOYMENT, "checkout", "checkout:1") == ()
    assert at.options(CauseKind.CAPACITY, "no-table") == ()
    assert at.options(CauseKind.DEPENDENCY, "checkout") == ()


def test_the_state_of_an_action_is_plain_json(
    broken_release: SimulatedAccount, small_table: SimulatedAccount
) -> None:
    for account, kind, component in (
        (broken_release, CauseKind.DEPLOYMENT, "checkout"),
        (small_table, CauseKind.CAPACITY, "orders"),
    ):
        at = bench(account, "json")
        for offered in at.options(kind, component):
            looked = inspect(at.access, offered, ACTIONS)
            assert json.loads(canonical_json(looked.state)) == looked.state


def eventually(holds: Callable[[], bool], account: SimulatedAccount) -> bool:
    for _ in range(20):
        if holds():
            return True
        account.advance(5)
    return holds()


def test_capacity_is_offered_of_the_kind_that_is_limited(
    small_table: SimulatedAccount,
) -> None:
    at = bench(small_table, "limit")

    (writes,) = at.options(CauseKind.CAPACITY, "orders", "WriteCapacityUnits")
    (reads,) = at.options(CauseKind.CAPACITY, "orders", "ReadCapacityUnits")
    assert (writes.action, reads.action) == ("dynamodb_set_write_capacity", "dynamodb_set_read_capacity")


def test_a_throttled_table_gets_the_capacity_it_needs_and_gives_it_back(
    small_table: SimulatedAccount,
) -> None:
    at = bench(small_table, "capacity")
    before = units(small_table)
    (offered,) = at.options(CauseKind.CAPACITY, "orders")
    plan = Plan(actions=(offered,))

    done = at.executor.execute(at.incident, plan, 0, LOW)
    again = at.executor.execute(at.incident, plan, 0, LOW)

    wanted = offered.parameters["write_capacity_units"]
    assert before * 1.5 <= wanted <= before * 4
    assert done.state is ExecutionState.DONE and again == done
    assert eventually(lambda: units(small_table) == wanted, small_table)
    assert at.calls("StartAutomationExecution") == 1
    assert at.executor.confirm(at.incident, done).state is ExecutionState.DONE
    assert (
        small_table.client("dynamodb").describe_table(TableName="orders")["Table"]["ProvisionedThroughput"][
            "ReadCapacityUnits"
        ]
        == done.before["read"]
    )

    small_table.advance(60)
    undone = at.executor.revert(at.incident, done, LOW)

    assert undone.state is ExecutionState.DONE, undone.detail
    assert eventually(lambda: units(small_table) == before, small_table)


def test_a_lost_answer_of_the_automation_starts_no_second_one(small_table: SimulatedAccount) -> None:
    # What another test has changed must have settled: a table that is being updated is offered no change.
    small_table.advance(minutes=1)
    at = bench(small_table, "lost-automation")
    (offered,) = at.options(CauseKind.CAPACITY, "orders")
    small_table.control(
        "POST",
        "faults",
        [{"service": "ssm", "operation": "StartAutomationExecution", "kind": "lose_answer", "times": 1}],
    )
    ssm = small_table.client("ssm")
    before = len(ssm.describe_automation_executions()["AutomationExecutionMetadataList"])

    done = at.executor.execute(at.incident, Plan(actions=(offered,)), 0, LOW)

    assert done.state is ExecutionState.DONE, done.detail
    after = len(ssm.describe_automation_executions()["AutomationExecutionMetadataList"])
    assert after == before + 1
