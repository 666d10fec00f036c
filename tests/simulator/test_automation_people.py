"""Runbooks that wait for people, and previews of runbooks.

https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-action-approve.html
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_SendAutomationSignal.html
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_StartExecutionPreview.html
"""

import asyncio
import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest

from simulator.clock import AccountClock
from simulator.ssm.approvals import is_named
from simulator.ssm.instances import InstanceStates
from simulator.ssm.overlay import AutomationOverlay
from simulator.ssm.runbooks import Step
from simulator.ssm.step_results import StepFailedError, StepResult, StepTimedOutError
from simulator.waits import AccountWaits
from tests.simulator.automation_account import START, Desk, code_of
from tests.simulator.overlay_host import CALLER, Host, hosted

OTHER = "arn:aws:iam::123456789012:user/other"


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    clock = AccountClock(START)
    host = Host(clock)
    automation = AutomationOverlay(clock, host.client)
    with hosted(host, [automation]):
        yield Desk(host, automation)


def ask(*approvers: str, needed: Any = 1, **more: Any) -> dict[str, Any]:
    inputs = {"Approvers": list(approvers), "MinRequiredApprovals": needed, "Message": "Shall it be done?"}
    return {"name": "ask", "action": "aws:approve", "inputs": inputs, **more}


def rest(name: str = "then") -> dict[str, Any]:
    return {"name": name, "action": "aws:sleep", "inputs": {"Duration": "PT1M"}}


def test_an_approval_lets_the_execution_go_on(desk: Desk) -> None:
    execution_id = desk.start([ask(CALLER), rest()])
    waiting = desk.when(execution_id, "Waiting")
    assert (waiting["CurrentStepName"], waiting["StepExecutions"][0]["StepStatus"]) == ("ask", "Waiting")

    desk.ssm.send_automation_signal(
        AutomationExecutionId=execution_id, SignalType="Approve", Payload={"Comment": ["Looks good"]}
    )
    execution = desk.when(execution_id, "InProgress")
    assert execution["CurrentStepName"] == "then"
    outputs = execution["StepExecutions"][0]["Outputs"]
    assert outputs["ApprovalStatus"] == ["Approved"]
    (decision,) = [json.loads(one) for one in outputs["ApproverDecisions"]]
    assert (decision["Approver"], decision["Decision"], decision["Comment"]) == (
        CALLER,
        "Approve",
        "Looks good",
    )

    desk.advance(minutes=2)
    assert desk.get(execution_id)["AutomationExecutionStatus"] == "Success"


def test_a_rejection_fails_the_step(desk: Desk) -> None:
    execution_id = desk.start([ask(CALLER, OTHER), rest()])
    desk.when(execution_id, "Waiting")

    desk.ssm.send_automation_signal(AutomationExecutionId=execution_id, SignalType="Reject")

    execution = desk.when(execution_id, "Failed")
    assert execution["FailureMessage"] == "Approval step was rejected."
    assert execution["StepExecutions"][1]["StepStatus"] == "Pending"


def test_enough_must_approve_and_nobody_counts_twice(desk: Desk) -> None:
    execution_id = desk.start([ask(CALLER, OTHER, needed=2), rest()])
    desk.when(execution_id, "Waiting")
    signal = {"AutomationExecutionId": execution_id, "SignalType": "Approve"}

    desk.ssm.send_automation_signal(**signal)

    assert desk.get(execution_id)["AutomationExecutionStatus"] == "Waiting"
    assert code_of(desk.ssm.send_automation_signal, **signal) == "InvalidAutomationSignalException"


def test_nobody_answers_and_the_step_times_out(desk: Desk) -> None:
    execution_id = desk.start([ask(OTHER, timeoutSeconds=600)])
    desk.when(execution_id, "Waiting")

    desk.advance(minutes=9)
    assert desk.get(execution_id)["AutomationExecutionStatus"] == "Waiting"
    desk.advance(minutes=1)
    assert desk.get(execution_id)["AutomationExecutionStatus"] == "TimedOut"


def test_a_waiting_execution_can_be_cancelled(desk: Desk) -> None:
    execution_id = desk.start([ask(CALLER)])
    desk.when(execution_id, "Waiting")

    desk.ssm.stop_automation_execution(AutomationExecutionId=execution_id, Type="Cancel")

    assert desk.get(execution_id)["AutomationExecutionStatus"] == "Cancelled"
    signal = {"AutomationExecutionId": execution_id, "SignalType": "Approve"}
    assert code_of(desk.ssm.send_automation_signal, **signal) == "InvalidAutomationSignalException"


@pytest.mark.parametrize("signal", ["Approve", "Reject", "StartStep", "StopStep", "Resume", "Revoke"])
def test_a_signal_nobody_waits_for_is_refused(desk: Desk, signal: str) -> None:
    execution_id = desk.start([rest()])
    asked = {"AutomationExecutionId": execution_id, "SignalType": signal}

    assert code_of(desk.ssm.send_automation_signal, **asked) == "InvalidAutomationSignalException"
    unknown = {"AutomationExecutionId": "0" * 36, "SignalType": signal}
    assert code_of(desk.ssm.send_automation_signal, **unknown) == "AutomationExecutionNotFoundException"


def test_who_was_not_asked_cannot_approve(desk: Desk) -> None:
    execution_id = desk.start([ask(OTHER)])
    desk.when(execution_id, "Waiting")
    signal = {"AutomationExecutionId": execution_id, "SignalType": "Approve"}

    assert code_of(desk.ssm.send_automation_signal, **signal) == "InvalidAutomationSignalException"


@pytest.mark.parametrize("step", [ask(), ask(CALLER, needed=2), ask(CALLER, needed="two")])
def test_an_approval_nobody_could_give_fails(desk: Desk, step: dict[str, Any]) -> None:
    assert desk.when(desk.start([step]), "Failed")["FailureMessage"]


@pytest.mark.parametrize(
    ("caller", "approver", "named"),
    [
        (OTHER, "other", True),
        (OTHER, OTHER, True),
        (OTHER, "another", False),
        (CALLER, "arn:aws:iam::123456789012:role/tester", True),
        (CALLER, "tester", False),
        (CALLER, "arn:aws:iam::210987654321:role/tester", False),
    ],
)
def test_approvers_are_users_roles_and_sessions(caller: str, approver: str, named: bool) -> None:
    assert is_named(caller, approver) is named


def test_a_preview_counts_what_would_change(desk: Desk) -> None:
    def api(name: str, operation: str) -> dict[str, Any]:
        inputs = {"Service": "ecs", "Api": operation}
        return {"name": name, "action": "aws:executeAwsApi", "inputs": inputs}

    script = {"name": "script", "action": "aws:executeScript", "inputs": {"Runtime": "python3.11"}}
    name = desk.document(
        [ask(CALLER), api("look", "DescribeServices"), api("do", "UpdateService"), script, rest()],
        parameters={"Service": {"type": "String"}},
    )
    values = {"Automation": {"Parameters": {"Service": ["checkout"]}}}

    started = desk.ssm.start_execution_preview(DocumentName=name, ExecutionInputs=values)
    preview = desk.ssm.get_execution_preview(ExecutionPreviewId=started["ExecutionPreviewId"])

    assert preview["Status"] == "Success"
    steps = preview["ExecutionPreview"]["Automation"]["StepPreviews"]
    assert steps == {"NonMutating": 3, "Mutating": 1, "Undetermined": 1}
    assert code_of(desk.ssm.start_execution_preview, DocumentName=name) == "ValidationException"
    assert code_of(desk.ssm.start_execution_preview, DocumentName="Missing") == "ValidationException"
    missing = {"ExecutionPreviewId": "00000000-0000-4000-8000-000000000000"}
    assert code_of(desk.ssm.get_execution_preview, **missing) == "ResourceNotFoundException"


class Ec2:
    """Instances that take `slow` looks to reach the state they were sent to."""

    def __init__(self, state: str, slow: int = 0) -> None:
        self.state, self._slow, self._next = state, slow, state
        self.called: list[str] = []

    async def __call__(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        self.called.append(str(inputs["Api"]))
        if inputs["Api"] != "DescribeInstances":
            self._next = {"StartInstances": "running", "StopInstances": "stopped"}[inputs["Api"]]
        elif self._slow:
            self._slow -= 1
        else:
            self.state = self._next
        return {"Reservations": [{"Instances": [{"State": {"Name": self.state}}]}]}


async def changed(ec2: Ec2, step_timeout: int | None = None, **inputs: Any) -> StepResult:
    clock = AccountClock(START)
    waits = AccountWaits(clock)
    waits.begin()
    step = Step("change", "aws:changeInstanceState", timeout_seconds=step_timeout)
    changing = asyncio.create_task(InstanceStates(clock, waits, ec2).change(step, inputs))
    while not changing.done():
        await asyncio.sleep(0)
        clock.move_to(clock.now() + timedelta(seconds=5))
        waits.clock_moved()
    return await changing


async def test_instances_are_brought_to_a_state() -> None:
    """https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-action-changestate.html"""
    ec2 = Ec2("running", slow=4)

    result = await changed(ec2, InstanceIds=["i-1"], DesiredState="stopped")

    assert result.outputs["InstanceStates"] == ["stopped"]
    assert ec2.called.count("StopInstances") == 1


async def test_a_state_can_be_only_looked_at() -> None:
    ec2 = Ec2("running", slow=100)

    with pytest.raises(StepTimedOutError):
        await changed(ec2, 30, InstanceIds=["i-1"], DesiredState="stopped", CheckStateOnly="true")

    assert set(ec2.called) == {"DescribeInstances"}


@pytest.mark.parametrize(
    "inputs",
    [
        {"InstanceIds": [], "DesiredState": "running"},
        {"InstanceIds": ["i-1"], "DesiredState": "asleep"},
        {"InstanceIds": ["i-1"], "DesiredState": "running", "Force": True},
    ],
)
async def test_a_state_that_cannot_be_reached_fails_the_step(inputs: dict[str, Any]) -> None:
    with pytest.raises(StepFailedError):
        await changed(Ec2("running"), **inputs)
