import asyncio
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from simulator.clock import AccountClock
from simulator.logs.overlay import LogsOverlay
from simulator.logs.store import LogStore
from simulator.ssm.overlay import AutomationOverlay
from simulator.ssm.placeholders import SelectorError, select
from simulator.ssm.runbooks import parse_runbook, read_content
from simulator.wire.protocol import ACCOUNT, REGION, AwsError, Call
from tests.simulator.overlay_host import CALLER, Host, hosted

START = datetime(2026, 11, 23, 9, tzinfo=UTC)
# Published by awslabs/aws-systems-manager (MIT-0); kept beside the checkout, not in it.
PUBLISHED = Path(__file__).parents[2].parent / "shared" / "data" / "ssm_documents"
OVER = {"Success", "Failed", "TimedOut", "Cancelled"}
TOKEN = "0f8fad5b-d9cb-469f-a165-70867728950e"


class Account:
    def __init__(self, host: Host, automation: AutomationOverlay) -> None:
        self.ssm, self.logs = host.client("ssm"), host.client("logs")
        self._host, self._automation = host, automation
        self._made = 0

    def document(self, steps: list[dict[str, Any]], **more: Any) -> str:
        self._made += 1
        name = f"Runbook-{self._made}"
        content = {"schemaVersion": "0.3", "mainSteps": steps, **more}
        self.ssm.create_document(Name=name, DocumentType="Automation", Content=json.dumps(content))
        return name

    def start(self, steps: list[dict[str, Any]], values: Any = None, **more: Any) -> str:
        given_parameters = {"Parameters": values} if values else {}
        started = self.ssm.start_automation_execution(
            DocumentName=self.document(steps, **more), **given_parameters
        )
        return str(started["AutomationExecutionId"])

    def get(self, execution_id: str) -> Any:
        answer = self.ssm.get_automation_execution(AutomationExecutionId=execution_id)
        return answer["AutomationExecution"]

    def ended(self, execution_id: str) -> Any:
        return self.when(execution_id, lambda execution: execution["AutomationExecutionStatus"] in OVER)

    def when(self, execution_id: str, holds: Any) -> Any:
        for _ in range(200):
            execution = self.get(execution_id)
            if holds(execution):
                return execution
            time.sleep(0.01)
        raise TimeoutError(execution["AutomationExecutionStatus"])

    def advance(self, seconds: float) -> None:
        self._host.run(self._advance(seconds))

    async def _advance(self, seconds: float) -> None:
        self._host.clock.move_to(self._host.clock.now() + timedelta(seconds=seconds))
        await self._automation.clock_moved()


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    clock = AccountClock(START)
    host = Host(clock)
    automation = AutomationOverlay(clock, host.client)
    with hosted(host, [automation, LogsOverlay(LogStore(), clock)]):
        yield Account(host, automation)


def refused(call: Any, **parameters: Any) -> Any:
    with pytest.raises(ClientError) as refusal:
        call(**parameters)
    return refusal.value.response["Error"]


def sleep(name: str, duration: str = "PT10M", **more: Any) -> dict[str, Any]:
    return {"name": name, "action": "aws:sleep", "inputs": {"Duration": duration}, **more}


def api(name: str, operation: str, outputs: Any = None, **inputs: Any) -> dict[str, Any]:
    step = {
        "name": name,
        "action": "aws:executeAwsApi",
        "inputs": {"Service": "logs", "Api": operation, **inputs},
    }
    return {**step, "outputs": outputs} if outputs else step


def statuses(execution: Any) -> dict[str, str]:
    return {step["StepName"]: step["StepStatus"] for step in execution["StepExecutions"]}


def test_an_execution_changes_the_account_and_gives_its_outputs(account: Account) -> None:
    arn = {"Name": "Arn", "Selector": "$.logGroups[0].logGroupArn", "Type": "String"}
    execution_id = account.start(
        [
            api("make", "CreateLogGroup", logGroupName="{{ Group }}"),
            api("find", "describe_log_groups", [arn], logGroupNamePrefix="{{Group}}"),
            api("keep", "PutRetentionPolicy", logGroupName="{{ Group }}", retentionInDays="{{ Days }}"),
        ],
        {"Group": ["/made/by/ssm"], "Days": ["30"]},
        parameters={"Group": {"type": "String"}, "Days": {"type": "Integer", "default": 7}},
        outputs=["find.Arn"],
    )
    execution = account.ended(execution_id)
    assert execution["AutomationExecutionStatus"] == "Success"
    assert set(statuses(execution).values()) == {"Success"}
    assert execution["Outputs"]["find.Arn"][0].endswith("log-group:/made/by/ssm")
    assert execution["Parameters"] == {"Group": ["/made/by/ssm"], "Days": ["30"]}
    assert execution["ExecutedBy"] == CALLER
    assert execution["ProgressCounters"]["SuccessSteps"] == 3
    assert execution["StepExecutions"][2]["Inputs"]["retentionInDays"] == "30"
    (group,) = account.logs.describe_log_groups(logGroupNamePrefix="/made/by/ssm")["logGroups"]
    assert group["retentionInDays"] == 30


def test_a_failing_call_fails_the_step_with_awss_words_and_stops(account: Account) -> None:
    account.logs.create_log_group(logGroupName="/taken")
    execution = account.ended(
        account.start([api("make", "CreateLogGroup", logGroupName="/taken"), sleep("rest")])
    )
    assert execution["AutomationExecutionStatus"] == "Failed"
    assert statuses(execution) == {"make": "Failed", "rest": "Pending"}
    assert execution["FailureMessage"].startswith(
        "Step fails when it is Execute/Cancelling action. An error occurred"
    )
    assert "ResourceAlreadyExistsException" in execution["FailureMessage"]


def test_a_failure_that_may_be_passed_over_leads_on(account: Account) -> None:
    failing = api("make", "CreateLogGroup", logGroupName="/taken/too")
    account.logs.create_log_group(logGroupName="/taken/too")
    passed = account.ended(
        account.start([{**failing, "onFailure": "Continue"}, api("after", "DescribeLogGroups")])
    )
    assert passed["AutomationExecutionStatus"] == "Success"
    assert statuses(passed) == {"make": "Failed", "after": "Success"}
    steps = [{**failing, "onFailure": "step:mend"}, sleep("skipped"), api("mend", "DescribeLogGroups")]
    mended = account.ended(account.start(steps))
    assert mended["AutomationExecutionStatus"] == "Failed"
    assert statuses(mended) == {"make": "Failed", "skipped": "Pending", "mend": "Success"}


def test_a_step_sleeps_on_the_accounts_clock(account: Account) -> None:
    execution_id = account.start([sleep("rest", "PT90S"), api("after", "DescribeLogGroups")])
    account.advance(0)
    account.advance(60)
    assert statuses(account.get(execution_id)) == {"rest": "InProgress", "after": "Pending"}
    account.advance(30)
    execution = account.get(execution_id)
    assert execution["AutomationExecutionStatus"] == "Success"
    assert execution["ExecutionEndTime"] - execution["ExecutionStartTime"] == timedelta(seconds=90)


def test_a_step_waits_until_the_resource_is_as_desired(account: Account) -> None:
    account.logs.create_log_group(logGroupName="/awaited")
    waiting = {
        "name": "await",
        "action": "aws:waitForAwsResourceProperty",
        "timeoutSeconds": 600,
        "inputs": {
            "Service": "logs",
            "Api": "DescribeLogGroups",
            "logGroupNamePrefix": "/awaited",
            "PropertySelector": "$.logGroups[0].metricFilterCount",
            "DesiredValues": ["1"],
        },
    }
    retention = json.loads(
        json.dumps(waiting).replace("metricFilterCount", "retentionInDays").replace('"1"', "30")
    )
    account.logs.put_retention_policy(logGroupName="/awaited", retentionInDays=7)
    execution_id = account.start([retention])
    account.advance(10)
    assert account.get(execution_id)["AutomationExecutionStatus"] == "InProgress"
    account.logs.put_retention_policy(logGroupName="/awaited", retentionInDays=30)
    account.advance(10)
    assert account.get(execution_id)["AutomationExecutionStatus"] == "Success"
    never = account.start([waiting])
    account.when(never, lambda execution: execution["AutomationExecutionStatus"] == "InProgress")
    account.advance(0)
    account.advance(600)
    assert account.get(never)["AutomationExecutionStatus"] == "TimedOut"


@pytest.mark.parametrize(("desired", "status"), [(["STANDARD"], "Success"), (["DELIVERY"], "Failed")])
def test_an_assertion_holds_or_fails_the_execution(account: Account, desired: list[str], status: str) -> None:
    name = f"/asserted/{status}"
    account.logs.create_log_group(logGroupName=name)
    step = {
        "name": "check",
        "action": "aws:assertAwsResourceProperty",
        "inputs": {
            "Service": "logs",
            "Api": "DescribeLogGroups",
            "logGroupNamePrefix": name,
            "PropertySelector": "$.logGroups[0].logGroupClass",
            "DesiredValues": desired,
        },
    }
    assert account.ended(account.start([step]))["AutomationExecutionStatus"] == status


@pytest.mark.parametrize(
    ("choice", "taken"),
    [
        ({"Variable": "{{ Word }}", "StringEquals": "blue"}, True),
        ({"Variable": "{{ Word }}", "EqualsIgnoreCase": "BLUE"}, True),
        ({"Variable": "{{ Word }}", "StartsWith": "red"}, False),
        ({"Variable": "{{ Count }}", "NumericGreaterOrEquals": 3}, True),
        ({"Variable": "{{ Count }}", "NumericLesser": 3}, False),
        ({"Variable": "{{ Flag }}", "BooleanEquals": True}, True),
        ({"Not": {"Variable": "{{ Word }}", "Contains": "lu"}}, False),
        (
            {
                "And": [
                    {"Variable": "{{ Word }}", "EndsWith": "e"},
                    {"Variable": "{{ Count }}", "NumericEquals": 3},
                ]
            },
            True,
        ),
        (
            {
                "Or": [
                    {"Variable": "{{ Word }}", "Contains": "x"},
                    {"Variable": "{{ Count }}", "NumericGreater": 9},
                ]
            },
            False,
        ),
    ],
)
def test_a_branch_takes_the_first_true_choice_or_the_default(
    account: Account, choice: dict[str, Any], taken: bool
) -> None:
    steps = [
        {
            "name": "choose",
            "action": "aws:branch",
            "inputs": {"Choices": [{"NextStep": "chosen", **choice}], "Default": "other"},
            "isEnd": True,
        },
        api("chosen", "DescribeLogGroups") | {"isEnd": True},
        api("other", "DescribeLogGroups"),
    ]
    kinds = {"Word": {"type": "String"}, "Count": {"type": "Integer"}, "Flag": {"type": "Boolean"}}
    given_parameters = {"Word": ["blue"], "Count": ["3"], "Flag": ["true"]}
    execution = account.ended(account.start(steps, given_parameters, parameters=kinds))
    after = statuses(execution)
    assert (after["chosen"], after["other"]) == (("Success", "Pending") if taken else ("Pending", "Success"))


def test_system_variables_and_step_outputs_stand_in_for_placeholders(account: Account) -> None:
    steps = [
        api(
            "make",
            "CreateLogGroup",
            logGroupName="/{{global:REGION}}/{{ global:DATE }}/{{automation:EXECUTION_ID}}",
        ),
        api(
            "list",
            "DescribeLogGroups",
            [{"Name": "Names", "Selector": "$.logGroups[*].logGroupName", "Type": "StringList"}],
            logGroupNamePrefix="/us-east-1/",
        ),
        api("again", "CreateLogStream", logGroupName="{{ missing.Name }}", logStreamName="x"),
    ]
    assert refused(account.document, steps=steps)["Code"] == "InvalidDocumentContent"
    steps[2]["inputs"]["logGroupName"] = "{{ list.Missing }}"
    execution = account.ended(account.start(steps, outputs=["list.Names", "again.Any"]))
    assert execution["Outputs"]["list.Names"] == [
        f"/us-east-1/2026-11-23/{execution['AutomationExecutionId']}"
    ]
    assert execution["Outputs"]["again.Any"] == [
        "No output available yet because the step is not successfully executed"
    ]
    assert "list.Missing" in execution["FailureMessage"]


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({}, "Size"),
        ({"Size": ["3"], "Colour": ["red"]}, "Colour"),
        ({"Size": ["three"]}, "Size"),
        ({"Size": ["3", "4"]}, "Size"),
        ({"Size": ["3"], "Mode": ["slow"]}, "Mode"),
        ({"Size": ["3"], "Table": ["no spaces"]}, "Table"),
        ({"Size": ["3"], "Flag": ["maybe"]}, "Flag"),
        ({"Size": ["3"], "Names": ["a", "b", "c"]}, "Names"),
        ({"Size": ["3"], "Map": ["[]"]}, "Map"),
    ],
)
def test_parameters_the_document_does_not_allow_are_refused(
    account: Account, parameters: dict[str, list[str]], named: str
) -> None:
    kinds = {
        "Size": {"type": "Integer"},
        "Mode": {"type": "String", "allowedValues": ["fast", "safe"], "default": "safe"},
        "Table": {"type": "String", "allowedPattern": "^[A-Za-z]+$", "default": "orders"},
        "Flag": {"type": "Boolean", "default": False},
        "Names": {"type": "StringList", "maxItems": 2, "default": []},
        "Map": {"type": "StringMap", "default": {}},
    }
    name = account.document([sleep("rest")], parameters=kinds)
    given_parameters = {"Parameters": parameters} if parameters else {}
    error = refused(account.ssm.start_automation_execution, DocumentName=name, **given_parameters)
    assert error["Code"] == "InvalidAutomationExecutionParametersException"
    assert named in error["Message"]


def test_an_action_that_is_not_simulated_is_refused_by_name_before_any_step(account: Account) -> None:
    steps = [
        api("make", "CreateLogGroup", logGroupName="/must/not/be"),
        {"name": "script", "action": "aws:executeScript", "inputs": {"Runtime": "python3.11"}},
    ]
    name = account.document(steps)
    error = refused(account.ssm.start_automation_execution, DocumentName=name)
    assert error["Code"] == "InvalidAutomationExecutionParametersException"
    assert "aws:executeScript" in error["Message"]
    assert account.logs.describe_log_groups(logGroupNamePrefix="/must/not")["logGroups"] == []


@pytest.mark.parametrize(
    "more",
    [
        {"Targets": [{"Key": "ParameterValues", "Values": ["a"]}]},
        {"Mode": "Interactive"},
        {"AlarmConfiguration": {"Alarms": [{"Name": "a"}]}},
    ],
)
def test_a_way_of_running_that_is_not_simulated_is_refused(account: Account, more: dict[str, Any]) -> None:
    error = refused(
        account.ssm.start_automation_execution, DocumentName=account.document([sleep("rest")]), **more
    )
    assert error["Code"] == "InvalidAutomationExecutionParametersException"


def test_the_same_token_and_request_is_the_same_execution(account: Account) -> None:
    name, other = account.document([sleep("rest")]), account.document([sleep("rest")])
    start = account.ssm.start_automation_execution
    first = start(DocumentName=name, ClientToken=TOKEN)["AutomationExecutionId"]
    assert start(DocumentName=name, ClientToken=TOKEN.upper())["AutomationExecutionId"] == first
    assert start(DocumentName=name)["AutomationExecutionId"] != first
    assert refused(start, DocumentName=other, ClientToken=TOKEN)["Code"] == "IdempotentParameterMismatch"


def test_an_execution_can_be_stopped_once(account: Account) -> None:
    execution_id = account.start([sleep("rest"), api("after", "DescribeLogGroups")])
    account.ssm.stop_automation_execution(AutomationExecutionId=execution_id)
    stopped = account.get(execution_id)
    assert stopped["AutomationExecutionStatus"] == "Cancelled"
    assert statuses(stopped) in (
        {"rest": "Cancelled", "after": "Pending"},
        {"rest": "Pending", "after": "Pending"},
    )
    error = refused(account.ssm.stop_automation_execution, AutomationExecutionId=execution_id)
    assert error["Code"] == "InvalidAutomationStatusUpdateException"
    account.advance(3600)
    assert account.get(execution_id)["AutomationExecutionStatus"] == "Cancelled"


def test_executions_are_listed_newest_first_and_by_status(account: Account) -> None:
    account.ended(account.start([api("before", "DescribeLogGroups")]))
    sleeping = account.start([sleep("rest", "PT2H")])
    done = account.start([api("look", "DescribeLogGroups")])
    account.ended(done)
    listed = account.ssm.describe_automation_executions(MaxResults=2)
    ids = [item["AutomationExecutionId"] for item in listed["AutomationExecutionMetadataList"]]
    assert ids == [done, sleeping]
    assert "NextToken" in listed
    running = account.ssm.describe_automation_executions(
        Filters=[
            {"Key": "ExecutionStatus", "Values": ["InProgress"]},
            {"Key": "ExecutionId", "Values": [sleeping]},
        ]
    )
    assert len(running["AutomationExecutionMetadataList"]) == 1
    error = refused(
        account.ssm.describe_automation_executions, Filters=[{"Key": "OpsItemId", "Values": ["a"]}]
    )
    assert error["Code"] == "InvalidFilterKey"


def test_a_document_is_described_read_and_listed(account: Account) -> None:
    content = {
        "schemaVersion": "0.3",
        "description": "Rests",
        "parameters": {"Time": {"type": "String", "default": "PT1M", "description": "How long"}},
        "mainSteps": [sleep("rest", "{{ Time }}")],
    }
    account.ssm.create_document(
        Name="Shop-Rest", DocumentType="Automation", DocumentFormat="YAML", Content=yaml.safe_dump(content)
    )
    described = account.ssm.describe_document(Name="Shop-Rest")["Document"]
    assert (described["Description"], described["SchemaVersion"], described["Status"]) == (
        "Rests",
        "0.3",
        "Active",
    )
    assert described["Parameters"] == [
        {"Name": "Time", "Type": "String", "Description": "How long", "DefaultValue": "PT1M"}
    ]
    assert described["CreatedDate"] >= START
    read = account.ssm.get_document(Name="Shop-Rest", DocumentFormat="JSON")
    assert json.loads(read["Content"]) == content
    listed = account.ssm.list_documents(Filters=[{"Key": "Name", "Values": ["Shop-"]}])["DocumentIdentifiers"]
    assert [document["Name"] for document in listed] == ["Shop-Rest"]


def test_what_does_not_exist_or_exists_already_is_named(account: Account) -> None:
    name = account.document([sleep("rest")])
    ssm, absent = account.ssm, "00000000-0000-0000-0000-000000000000"
    answers = {
        "DocumentAlreadyExists": refused(account.ssm.create_document, Name=name, Content="{}"),
        "InvalidDocument": refused(ssm.get_document, Name="Nothing"),
        "InvalidDocumentVersion": refused(ssm.describe_document, Name=name, DocumentVersion="9"),
        "AutomationDefinitionNotFoundException": refused(
            ssm.start_automation_execution, DocumentName="Nothing"
        ),
        "AutomationDefinitionVersionNotFoundException": refused(
            ssm.start_automation_execution, DocumentName=name, DocumentVersion="9"
        ),
        "AutomationExecutionNotFoundException": refused(
            ssm.get_automation_execution, AutomationExecutionId=absent
        ),
    }
    assert {code: error["Code"] for code, error in answers.items()} == {code: code for code in answers}


@pytest.mark.parametrize(
    "change",
    [
        {"mainSteps": []},
        {"mainSteps": [sleep("same"), sleep("same")]},
        {"mainSteps": [{"name": "odd", "action": "aws:teleport", "inputs": {}}]},
        {"mainSteps": [sleep("rest", nextStep="nowhere")]},
        {"mainSteps": [sleep("rest", onFailure="step:nowhere")]},
        {"mainSteps": [sleep("rest", onFailure="Shrug")]},
        {"mainSteps": [sleep("rest", colour="red")]},
        {"mainSteps": [sleep("rest", "{{ Undeclared }}")]},
        {
            "mainSteps": [
                {"name": "b", "action": "aws:branch", "inputs": {"Choices": [{"NextStep": "b", "Like": 1}]}}
            ]
        },
        {"mainSteps": [sleep("rest")], "parameters": {"P": {"type": "Colour"}}},
        {"mainSteps": [sleep("rest")], "surprise": 1},
        {"mainSteps": [sleep("rest")], "outputs": ["nowhere.Value"]},
    ],
)
def test_content_that_is_no_runbook_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(AwsError) as refusal:
        parse_runbook({"schemaVersion": "0.3", **change})
    assert refusal.value.code == "InvalidDocumentContent"


def test_another_schema_version_is_refused() -> None:
    with pytest.raises(AwsError) as refusal:
        parse_runbook({"schemaVersion": "2.2", "mainSteps": [sleep("rest")]})
    assert refusal.value.code == "InvalidDocumentSchemaVersion"


@given(st.recursive(st.none() | st.booleans() | st.text(max_size=5) | st.integers(), st.lists, max_leaves=5))
def test_any_content_is_a_runbook_or_refused(content: Any) -> None:
    for document in (content, {"schemaVersion": "0.3", "mainSteps": content}, {"parameters": content}):
        with pytest.raises(AwsError):
            parse_runbook(document)


def test_published_documents_are_understood() -> None:
    documents = sorted(PUBLISHED.glob("*.json"))
    if not documents:
        pytest.skip(f"no published documents under {PUBLISHED}")
    parsed = {path.name: parse_runbook(read_content(path.read_text(), "JSON")) for path in documents}
    assert len(parsed) == 8
    assert all(runbook.steps for runbook in parsed.values())


@pytest.mark.parametrize(
    ("selector", "picked"),
    [
        ("$", {"a": [{"b": 1}, {"b": 2}], "c d": True}),
        ("$.a[1].b", 2),
        ("$.a[*].b", [1, 2]),
        ("$['c d']", True),
    ],
)
def test_a_selector_picks_from_the_response(selector: str, picked: Any) -> None:
    assert select(selector, {"a": [{"b": 1}, {"b": 2}], "c d": True}) == picked


@pytest.mark.parametrize("selector", ["a.b", "$..b", "$.a[?(@.b==1)]", "$.a[5].b", "$.x"])
def test_a_selector_that_is_not_understood_or_picks_nothing_is_an_error(selector: str) -> None:
    with pytest.raises(SelectorError):
        select(selector, {"a": [{"b": 1}]})


def call(operation: str, **parameters: Any) -> Call:
    return Call("ssm", operation, parameters, CALLER, "AKIDEXAMPLE", REGION, ACCOUNT, START)


async def test_an_execution_stopped_before_its_first_step_holds_nobody_up() -> None:
    overlay = AutomationOverlay(AccountClock(START), lambda service: service)
    content = json.dumps({"schemaVersion": "0.3", "mainSteps": [sleep("rest")]})
    await overlay.answer(call("CreateDocument", Name="Rest", DocumentType="Automation", Content=content))
    started = await overlay.answer(call("StartAutomationExecution", DocumentName="Rest"))
    await overlay.answer(call("StopAutomationExecution", **started))
    await asyncio.wait_for(overlay.clock_moved(), timeout=1)
    execution = (await overlay.answer(call("GetAutomationExecution", **started)))["AutomationExecution"]
    assert execution["AutomationExecutionStatus"] == "Cancelled"
