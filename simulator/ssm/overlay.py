"""SSM Automation over the account: documents and executions whose steps call the account's own APIs.

Schema 0.3 with the steps approve, assertAwsResourceProperty, branch, changeInstanceState, executeAwsApi, sleep
and waitForAwsResourceProperty. AWS would run every other action too; here a document may hold it, but an execution
of that document is refused with InvalidAutomationExecutionParametersException, which names the action.
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_StartAutomationExecution.html
"""

import re
import uuid
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

from simulator.clock import AccountClock
from simulator.ssm.acting import Identify, acting, nobody
from simulator.ssm.approvals import Approvals, bad_signal
from simulator.ssm.documents import SsmDocuments
from simulator.ssm.execution_records import metadata, whole
from simulator.ssm.executions import Execution, Runner
from simulator.ssm.ops_items import OpsItems
from simulator.ssm.placeholders import SelectorError, check_selector, substitute
from simulator.ssm.previews import Previews
from simulator.ssm.runbook_parameters import read_parameters, refused_parameters
from simulator.ssm.runbook_steps import ClientFactory, StepActions
from simulator.ssm.runbooks import SIMULATED_ACTIONS, Runbook, Step
from simulator.ssm.settings import Settings
from simulator.waits import AccountWaits
from simulator.wire.paging import UnknownTokenError, page
from simulator.wire.protocol import AwsError, Call, aware, unknown_operation

Answering = Callable[[Call], Awaitable[Mapping[str, Any]]]

_TOKEN = re.compile(r"[a-fA-F0-9]{8}-(?:[a-fA-F0-9]{4}-){3}[a-fA-F0-9]{12}")
_UNSIMULATED = (
    "TargetParameterName",
    "Targets",
    "TargetMaps",
    "MaxConcurrency",
    "MaxErrors",
    "TargetLocations",
    "TargetLocationsURL",
    "AlarmConfiguration",
)
_LIST_SIZE = 50
_SETTLING_SECONDS = 5.0


class AutomationOverlay:
    """Answers SSM's documents, automation and `settings`; every other operation of SSM goes to the emulator."""

    service = "ssm"
    exclusive = False

    def __init__(
        self,
        clock: AccountClock,
        client_factory: ClientFactory,
        settings: Settings | None = None,
        identify: Identify = nobody,
    ) -> None:
        self._identify = identify
        self._clock = clock
        self._documents = SsmDocuments(clock)
        self._waits = AccountWaits(clock)
        self._approvals = Approvals(clock, self._waits)
        actions = StepActions(clock, self._waits, client_factory, self._approvals)
        self._runner = Runner(clock, self._waits, actions)
        previews = Previews(self._documents)
        self._executions: dict[str, Execution] = {}
        self._tokens: dict[str, tuple[dict[str, Any], str]] = {}
        self._answers: dict[str, Answering] = {
            "CreateDocument": self._documents.create,
            "DeleteDocument": self._documents.delete,
            "DescribeDocument": self._documents.describe,
            "GetDocument": self._documents.read,
            "ListDocumentVersions": self._documents.versions,
            "ListDocuments": self._documents.list,
            "StartAutomationExecution": self._start,
            "GetAutomationExecution": self._get,
            "DescribeAutomationExecutions": self._describe,
            "StopAutomationExecution": self._stop,
            "SendAutomationSignal": self._signal,
            "StartExecutionPreview": previews.start,
            "GetExecutionPreview": previews.get,
            "GetCalendarState": self._documents.calendar_state,
            **OpsItems().answers(),
        }
        if settings is not None:
            self._answers |= {
                "DescribeParameters": settings.describe,
                "GetParameterHistory": settings.history,
                "PutParameter": settings.put,
            }

    @property
    def operations(self) -> frozenset[str]:
        """The operations answered here."""
        return frozenset(self._answers)

    async def answer(self, call: Call) -> Mapping[str, Any]:
        """The operation's result, or AwsError."""
        answering = self._answers.get(call.operation)
        if answering is None:
            raise unknown_operation(call.operation)
        return await answering(call)

    async def clock_moved(self) -> None:
        """To be awaited after the account's clock has moved: what became due is done when this returns.

        Steps call the account back over HTTP, so the caller must not hold up the account's answers meanwhile;
        a step whose call takes longer than five seconds of the wall's time is left to end by itself.
        """
        self._waits.clock_moved()
        await self._waits.rest(_SETTLING_SECONDS)

    def interrupt(self) -> None:
        """End what was under way when the account's process ended; nothing of it is undone."""
        for execution in self._executions.values():
            if not execution.is_over:
                self._runner.cancel(execution)

    async def _start(self, call: Call) -> Mapping[str, Any]:
        given = call.parameters
        token = given.get("ClientToken")
        if token is not None and not _TOKEN.fullmatch(token):
            raise AwsError("ValidationException", "ClientToken must be a UUID")
        known = self._tokens.get(token.lower()) if token is not None else None
        request = {name: value for name, value in given.items() if name != "ClientToken"}
        if known is not None:
            return {"AutomationExecutionId": _repeated(known, request)}
        name, runbook = self._definition(given)
        _check_request(given)
        _check_simulated(runbook)
        execution = _execution(call, name, runbook)
        role = str(substitute({"role": runbook.assume_role}, execution.resolve)["role"])
        as_whom = acting.set(await self._identify(call, role))
        self._executions[execution.execution_id] = execution
        if token is not None:
            self._tokens[token.lower()] = (request, execution.execution_id)
        # The task that is made here keeps the credentials as its context; nothing else does.
        self._runner.start(execution)
        acting.reset(as_whom)
        return {"AutomationExecutionId": execution.execution_id}

    async def _get(self, call: Call) -> Mapping[str, Any]:
        return {"AutomationExecution": whole(self._execution(call))}

    async def _stop(self, call: Call) -> Mapping[str, Any]:
        execution = self._execution(call)
        if call.parameters.get("Type", "Cancel") != "Cancel":
            raise _bad_update("Only the stop request type Cancel is supported.")
        if execution.is_over:
            raise _bad_update(f"Automation execution is already in a terminal status: {execution.status}")
        self._runner.cancel(execution)
        return {}

    async def _describe(self, call: Call) -> Mapping[str, Any]:
        given = call.parameters
        chosen = [
            execution
            for execution in reversed(self._executions.values())
            if all(_passes(execution, item["Key"], item["Values"]) for item in given.get("Filters", []))
        ]
        try:
            shown, token = page(chosen, given.get("NextToken"), given.get("MaxResults", _LIST_SIZE))
        except UnknownTokenError as error:
            raise AwsError("InvalidNextToken", "The specified token isn't valid.") from error
        records = [{**metadata(execution), "AutomationType": "Local"} for execution in shown]
        return {"AutomationExecutionMetadataList": records, "NextToken": token}

    async def _signal(self, call: Call) -> Mapping[str, Any]:
        execution, given = self._execution(call), call.parameters
        signal, payload = given["SignalType"], given.get("Payload", {})
        if signal not in ("Approve", "Reject"):
            raise bad_signal(f"The signal {signal} isn't valid for the current Automation execution.")
        comment = " ".join(payload.get("Comment", []))
        self._approvals.decide(execution.execution_id, call.caller_arn, signal, comment, call.at)
        await self._waits.rest(_SETTLING_SECONDS)
        return {}

    def _definition(self, given: Mapping[str, Any]) -> tuple[str, Runbook]:
        """The runbook to run, and the name of its document."""
        name, version = given["DocumentName"], given.get("DocumentVersion")
        if not self._documents.exists(name):
            message = f"Document with name {name} does not exist."
            raise AwsError("AutomationDefinitionNotFoundException", message)
        document = self._documents.get(name, version)
        if document is None:
            message = f"Document version {version} does not exist."
            raise AwsError("AutomationDefinitionVersionNotFoundException", message)
        if not isinstance(document.means, Runbook):
            message = f"Document {name} is not of type Automation."
            raise AwsError("AutomationDefinitionNotFoundException", message)
        return document.name, document.means

    def _execution(self, call: Call) -> Execution:
        execution_id = call.parameters["AutomationExecutionId"]
        execution = self._executions.get(execution_id)
        if execution is None:
            message = f"Automation execution with id {execution_id} does not exist."
            raise AwsError("AutomationExecutionNotFoundException", message)
        return execution


def _execution(call: Call, document: str, runbook: Runbook) -> Execution:
    given = call.parameters.get("Parameters", {})
    return Execution(
        execution_id=str(uuid.uuid4()),
        document=document,
        version="1",
        runbook=runbook,
        parameters=read_parameters(runbook, given),
        caller_arn=call.caller_arn,
        region=call.region,
        account=call.account,
        started=call.at,
    )


def _repeated(known: tuple[dict[str, Any], str], request: dict[str, Any]) -> str:
    first_request, execution_id = known
    if first_request != request:
        raise AwsError(
            "IdempotentParameterMismatch",
            "The parameters do not match the original call with the same idempotency token.",
        )
    return execution_id


def _check_request(given: Mapping[str, Any]) -> None:
    unsimulated = [name for name in _UNSIMULATED if name in given]
    if unsimulated:
        raise refused_parameters(f"Not supported: {', '.join(unsimulated)}")
    if given.get("Mode", "Auto") != "Auto":
        raise refused_parameters(f"Not supported: Mode {given['Mode']}")


def _check_simulated(runbook: Runbook) -> None:
    """Refuse, by name, what no step here can do: before any step has done anything."""
    if runbook.variables:
        raise refused_parameters("Not supported: variables")
    for step in runbook.steps:
        if step.action not in SIMULATED_ACTIONS:
            raise refused_parameters(f"Step {step.name} has an action that is not supported: {step.action}")
        if step.on_cancel != "Abort":
            raise refused_parameters(f"Step {step.name} has an onCancel that is not supported")
        _check_selectors(step)


def _check_selectors(step: Step) -> None:
    selectors = [output.selector for output in step.outputs]
    if "PropertySelector" in step.inputs:
        selectors.append(str(step.inputs["PropertySelector"]))
    for selector in selectors:
        try:
            check_selector(selector)
        except SelectorError as error:
            raise refused_parameters(f"Step {step.name}: {error}") from error


def _passes(execution: Execution, key: str, values: list[str]) -> bool:
    current = execution.current.action if execution.current else None
    if key == "DocumentNamePrefix":
        return any(execution.document.startswith(value) for value in values)
    if key in {"StartTimeBefore", "StartTimeAfter"}:
        moment = _moment(values[0])
        return execution.started <= moment if key == "StartTimeBefore" else execution.started >= moment
    matched: dict[str, str | None] = {
        "ExecutionStatus": execution.status.value,
        "ExecutionId": execution.execution_id,
        "CurrentAction": current,
        "AutomationType": "Local",
    }
    if key not in matched:
        raise AwsError("InvalidFilterKey", f"The specified key isn't valid: {key}")
    return matched[key] in values


def _moment(text: str) -> datetime:
    try:
        return aware(text)
    except ValueError as error:
        raise AwsError("InvalidFilterValue", f"The filter value isn't valid: {text}") from error


def _bad_update(message: str) -> AwsError:
    return AwsError("InvalidAutomationStatusUpdateException", message)
