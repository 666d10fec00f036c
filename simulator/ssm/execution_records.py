"""Executions and steps as GetAutomationExecution and DescribeAutomationExecutions give them."""

import json
from typing import Any

from simulator.ssm.executions import Execution, Status, StepRecord
from simulator.ssm.placeholders import as_text
from simulator.ssm.step_results import StepFailedError

_NO_OUTPUT = "No output available yet because the step is not successfully executed"


def metadata(execution: Execution) -> dict[str, Any]:
    """The execution as it stands in a list."""
    current = execution.current
    return {
        "AutomationExecutionId": execution.execution_id,
        "DocumentName": execution.document,
        "DocumentVersion": execution.version,
        "AutomationExecutionStatus": execution.status.value,
        "ExecutionStartTime": execution.started,
        "ExecutionEndTime": execution.ended,
        "ExecutedBy": execution.caller_arn,
        "Mode": "Auto",
        "Outputs": {name: _output(execution, name) for name in execution.runbook.outputs},
        "CurrentStepName": current.name if current else None,
        "CurrentAction": current.action if current else None,
        "FailureMessage": execution.failure,
        "Targets": [],
    }


def whole(execution: Execution) -> dict[str, Any]:
    """The execution with its steps."""
    records = list(execution.steps.values())
    statuses = [record.status for record in records]
    return {
        **metadata(execution),
        "Parameters": {name: _texts(value) for name, value in execution.parameters.items()},
        "StepExecutions": [_step(record) for record in records],
        "StepExecutionsTruncated": False,
        "ProgressCounters": {
            "TotalSteps": len(records),
            "SuccessSteps": statuses.count(Status.SUCCESS),
            "FailedSteps": statuses.count(Status.FAILED),
            "CancelledSteps": statuses.count(Status.CANCELLED),
            "TimedOutSteps": statuses.count(Status.TIMED_OUT),
        },
    }


def _texts(value: Any) -> list[str]:
    if isinstance(value, list):
        return [as_text(item) for item in value]
    return [as_text(value)]


def _step(record: StepRecord) -> dict[str, Any]:
    step, result = record.step, record.result
    outputs = result.outputs if result else {}
    return {
        "StepName": step.name,
        "Action": step.action,
        "TimeoutSeconds": step.timeout_seconds,
        "OnFailure": step.on_failure,
        "MaxAttempts": step.max_attempts,
        "ExecutionStartTime": record.started,
        "ExecutionEndTime": record.ended,
        "StepStatus": record.status.value,
        "ResponseCode": "0" if record.status is Status.SUCCESS else None,
        "Inputs": {name: json.dumps(value, default=str) for name, value in record.inputs.items()},
        "Outputs": {name: _texts(value) for name, value in outputs.items()},
        "Response": result.response if result else None,
        "FailureMessage": record.failure,
        "StepExecutionId": record.step_id,
        "IsEnd": step.is_end,
        "NextStep": step.next_step,
        "IsCritical": step.is_critical,
    }


def _output(execution: Execution, name: str) -> list[str]:
    try:
        return _texts(execution.resolve(name))
    except StepFailedError:
        return [_NO_OUTPUT]
