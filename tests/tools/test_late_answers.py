"""What AWS tells late, in parts or no longer: the catalogue's actions take none of it for something else."""

import json
from typing import Any, cast

import pytest
from botocore.exceptions import PaginationError, ParamValidationError

from memory.records.plan import PlannedAction
from memory.records.scope import Scope
from tools.actions.base import happened
from tools.actions.registry import ACTIONS
from tools.actions.sqs_quarantine import SqsQuarantine, SqsQuarantinePoison
from tools.actions.sqs_redrive import SqsRedrive, SqsRedriveDeadLetters
from tools.actions.ssm_allowed_value import SsmAllowedValue, SsmSetAllowedValue
from tools.actions.ssm_document import SsmDocument, SsmRunDocument
from tools.actions.ssm_parameter import SsmRevert, SsmRevertParameter
from tools.inspection import inspect


class Told:
    """Every client of an account at once: each operation answers with its next answer, and with the last for good."""

    def __init__(self, **answers: list[Any]) -> None:
        self.answers = answers
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def client(self, _: str) -> "Told":
        return self

    def __getattr__(self, operation: str) -> Any:
        def ask(**given: Any) -> Any:
            self.asked.append((operation, dict(given)))
            left = self.answers[operation]
            return left.pop(0) if len(left) > 1 else left[0]

        return ask

    def count(self, operation: str) -> int:
        return len([one for one, _ in self.asked if one == operation])


def told(**answers: list[Any]) -> Any:
    return cast(Any, Told(**answers))


def version(number: int, value: str) -> dict[str, Any]:
    return {"Name": "/shop/limit", "Type": "String", "Version": number, "Value": value}


def test_a_version_that_left_the_history_since_the_look_is_not_sent() -> None:
    action, asked = SsmRevertParameter(), SsmRevert(name="/shop/limit", version=1)
    before = {"Parameters": [version(1, "5"), version(2, "6")]}
    access = told(get_parameter_history=[before, {"Parameters": [version(2, "6"), version(3, "7")]}])
    state = action.read_state(access, asked)

    with pytest.raises(ParamValidationError, match="no version 1 any more"):
        action.call(access, asked, state, "t")

    assert access.count("put_parameter") == 0


def test_a_history_is_read_to_its_end_however_short_its_pages() -> None:
    action, asked = SsmRevertParameter(), SsmRevert(name="/shop/limit", version=1)
    pages = [{"Parameters": [version(one, str(one))], "NextToken": "t"} for one in range(1, 8)]

    state = action.read_state(told(get_parameter_history=[*pages, {"Parameters": []}]), asked)
    assert (state["version"], state["value"]) == (7, "7")

    with pytest.raises(PaginationError, match="does not end"):
        action.read_state(told(get_parameter_history=pages), asked)


def test_a_parameter_behind_an_empty_page_is_there() -> None:
    action, asked = SsmSetAllowedValue(), SsmAllowedValue(name="/shop/providers", value="second")
    described = {"Name": asked.name, "Type": "String", "Version": 1, "AllowedPattern": "^(first|second)$"}
    empty = {"Parameters": [], "NextToken": "t"}
    now = {"Parameter": {"Value": "first", "Version": 1}}

    state = action.read_state(
        told(describe_parameters=[empty, {"Parameters": [described]}], get_parameter=[now]), asked
    )
    assert state["found"] and state["value"] == "first"

    assert action.read_state(told(describe_parameters=[empty, {"Parameters": []}]), asked) == {"found": False}
    with pytest.raises(PaginationError, match="parameter /shop/providers does not end after 20 pages"):
        action.read_state(told(describe_parameters=[empty]), asked)


@pytest.mark.parametrize(
    ("action", "more"),
    [
        ("ecs_rollback_service", {"task_definition": "basket:7"}),
        ("ecs_force_new_deployment", {"deployment": "ecs-svc/1"}),
    ],
)
def test_a_service_without_a_task_definition_of_its_own_is_refused(action: str, more: dict[str, str]) -> None:
    service = {
        "serviceArn": "arn:aws:ecs:eu-west-1:111122223333:service/shop/basket",
        "serviceName": "basket",
        "status": "ACTIVE",
        "deploymentController": {"type": "EXTERNAL"},
        "desiredCount": 2,
        "runningCount": 2,
    }
    wanted = {"taskDefinitionArn": "a/basket:7", "status": "ACTIVE", "containerDefinitions": []}
    access = told(
        describe_services=[{"services": [service]}],
        describe_clusters=[{"clusters": []}],
        list_service_deployments=[{"serviceDeployments": []}],
        describe_task_definition=[{"taskDefinition": wanted}],
    )
    planned = PlannedAction(action=action, parameters={"cluster": "shop", "service": "basket", **more})

    assert "its deployments are made by EXTERNAL, not by ECS" in inspect(access, planned, ACTIONS).problems


@pytest.mark.parametrize(
    ("status", "over"),
    [
        ("Success", True),
        ("CompletedWithSuccess", True),
        ("Cancelled", False),
        ("CompletedWithFailure", False),
        ("ChangeCalendarOverrideRejected", False),
        ("Cancelling", None),
        ("RunbookInProgress", None),
        ("PendingChangeCalendarOverride", None),
    ],
)
def test_a_document_that_still_runs_is_neither_over_nor_run_again(status: str, over: bool | None) -> None:
    action = SsmRunDocument()
    asked = SsmDocument.model_validate(action.example)
    access = told(get_automation_execution=[{"AutomationExecution": {"AutomationExecutionStatus": status}}])

    problems = action.problems(asked, {**action.example_state, "execution_status": status})

    assert action.settled(access, asked, {"automation_execution_id": "e-1"}) is over
    assert ("an execution of it is under way" in problems) is (over is None)


@pytest.mark.parametrize(
    ("keys", "is_refused"),
    [
        (({}, {}), False),
        (({"KmsMasterKeyId": "alias/aws/sqs"}, {"KmsMasterKeyId": ""}), False),
        (({"KmsMasterKeyId": "alias/orders"}, {}), True),
        (({}, {"KmsMasterKeyId": "0f9de17a-0000-4000-8000-000000000001"}), True),
    ],
)
def test_messages_that_a_key_of_the_team_encrypts_are_moved_by_people(
    keys: tuple[dict[str, str], dict[str, str]], is_refused: bool
) -> None:
    action, arn = SqsRedriveDeadLetters(), "arn:aws:sqs:eu-west-1:111122223333:"
    asked = SqsRedrive(dead_letter_queue="dead", queue="orders", after=0)
    dead = {"QueueArn": f"{arn}dead", "ApproximateNumberOfMessages": "3", **keys[0]}
    policy = json.dumps({"deadLetterTargetArn": f"{arn}dead", "maxReceiveCount": 5})
    access = told(
        get_queue_url=[{"QueueUrl": "u"}],
        get_queue_attributes=[
            {"Attributes": dead},
            {"Attributes": {"QueueArn": f"{arn}orders", "RedrivePolicy": policy, **keys[1]}},
        ],
        list_message_move_tasks=[{"Results": []}],
    )

    problems = action.problems(asked, action.read_state(access, asked))

    assert [("a key of KMS" in one) for one in problems] == [True] * is_refused


@pytest.mark.parametrize("name", ["ssm_run_document", "dynamodb_set_write_capacity"])
def test_a_document_may_be_started_by_either_way_in_which_aws_decides(name: str) -> None:
    action = next(one for one in ACTIONS if one.name == name)
    asked = action.parameters.model_validate(action.example)

    statements = action.permissions(asked, Scope(account="111122223333", region="eu-west-1"))
    (started,) = [one for one in statements if "ssm:StartAutomationExecution" in one.actions]

    kinds = [arn.rpartition(":ssm:eu-west-1:111122223333:")[2] for arn in started.resources]
    assert [one.partition("/")[0] for one in kinds] == [
        "automation-definition",
        "document",
        "automation-execution",
    ]
    assert kinds[1] == f"document/{action.example['document']}"


def test_a_function_on_a_later_page_is_counted_among_those_that_fail_whole_batches() -> None:
    action, arn = SqsQuarantinePoison(), "arn:aws:sqs:eu-west-1:111122223333:orders"
    asked = SqsQuarantine(queue="orders", dead_letter_queue="dead", max_receives=5)
    first = {"EventSourceMappings": [{"BatchSize": 1, "State": "Enabled"}], "NextMarker": "m"}
    second = {"EventSourceMappings": [{"BatchSize": 10, "State": "Enabled"}]}

    def state(*pages: Any) -> Any:
        attributes = [{"Attributes": {"QueueArn": arn}}]
        access = told(
            get_queue_url=[{"QueueUrl": "u"}],
            get_queue_attributes=attributes,
            list_event_source_mappings=list(pages),
        )
        return action.read_state(access, asked)

    assert state(first, second)["along"] == 9
    with pytest.raises(PaginationError, match=r"what consumes .* does not end after 20 pages"):
        state(first)


def table(status: str, read: int) -> dict[str, Any]:
    units = {"ReadCapacityUnits": read, "WriteCapacityUnits": 10}
    return {"Table": {"TableArn": "arn:t", "TableStatus": status, "ProvisionedThroughput": units}}


@pytest.mark.parametrize(
    ("now", "took"),
    [
        (table("ACTIVE", 10), False),
        (table("UPDATING", 10), None),
        (table("UPDATING", 20), True),
        (table("ACTIVE", 20), True),
    ],
)
def test_a_table_that_is_being_updated_does_not_say_that_nothing_was_done(
    now: dict[str, Any], took: bool | None
) -> None:
    action = next(one for one in ACTIONS if one.name == "dynamodb_set_read_capacity")
    asked = action.parameters.model_validate(action.example)
    before = action.read_state(told(describe_table=[table("ACTIVE", 10)]), asked)

    assert happened(action, told(describe_table=[now]), asked, before) is took
