"""Previews of executions: how many of a runbook's steps would change something.

https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_StartExecutionPreview.html
Which steps count as what is the simulator's own: calls that only read and steps that call nothing change nothing.
"""

import uuid
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from simulator.ssm.documents import SsmDocuments
from simulator.ssm.runbook_parameters import read_parameters
from simulator.ssm.runbooks import Runbook, Step
from simulator.wire.protocol import REGION, AwsError, Call

_READING = ("Get", "List", "Describe", "Head", "Lookup", "Filter", "BatchGet", "Query", "Scan", "Select")
_CHANGING_NOTHING = frozenset(
    {"aws:approve", "aws:assertAwsResourceProperty", "aws:branch", "aws:pause", "aws:sleep"}
    | {"aws:waitForAwsResourceProperty", "aws:updateVariable"}
)
_CHANGING = frozenset(
    {"aws:changeInstanceState", "aws:copyImage", "aws:createImage", "aws:createStack", "aws:createTags"}
    | {"aws:deleteImage", "aws:deleteStack", "aws:runInstances"}
)


class Previews:
    """Answers the operations on execution previews. A preview is done when it is asked for."""

    def __init__(self, documents: SsmDocuments) -> None:
        self._documents = documents
        self._previews: dict[str, tuple[datetime, dict[str, int]]] = {}

    async def start(self, call: Call) -> Mapping[str, Any]:
        """StartExecutionPreview."""
        given = call.parameters
        runbook = self._documents.runbook(given["DocumentName"], given.get("DocumentVersion"))
        if runbook is None:
            raise AwsError("ValidationException", f"Document {given['DocumentName']} does not exist.")
        inputs = given.get("ExecutionInputs", {}).get("Automation", {})
        unsupported = sorted(set(inputs) - {"Parameters"})
        if unsupported:
            raise AwsError("ValidationException", f"Not supported: {', '.join(unsupported)}")
        _check(runbook, inputs.get("Parameters", {}))
        preview_id = str(uuid.uuid4())
        self._previews[preview_id] = call.at, Counter(_kind(step) for step in runbook.steps)
        return {"ExecutionPreviewId": preview_id}

    async def get(self, call: Call) -> Mapping[str, Any]:
        """GetExecutionPreview."""
        preview_id = call.parameters["ExecutionPreviewId"]
        if preview_id not in self._previews:
            raise AwsError("ResourceNotFoundException", f"Execution preview {preview_id} does not exist.")
        ended, steps = self._previews[preview_id]
        automation = {"StepPreviews": dict(steps), "Regions": [REGION], "TotalAccounts": 1}
        return {
            "ExecutionPreviewId": preview_id,
            "EndedAt": ended,
            "Status": "Success",
            "ExecutionPreview": {"Automation": automation},
        }


def _check(runbook: Runbook, parameters: Mapping[str, Any]) -> None:
    try:
        read_parameters(runbook, parameters)
    except AwsError as error:
        raise AwsError("ValidationException", error.message) from error


def _kind(step: Step) -> str:
    if step.action in _CHANGING_NOTHING:
        return "NonMutating"
    if step.action == "aws:executeAwsApi":
        # A step may write the API's name as describe_services too.
        api = str(step.inputs.get("Api", "")).title().replace("_", "")
        return "NonMutating" if api.startswith(tuple(one.title() for one in _READING)) else "Mutating"
    return "Mutating" if step.action in _CHANGING else "Undetermined"
