"""What the steps of a runbook do: call the account's own APIs, wait for it or for people, assert, sleep, branch.

Rules: https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-actions.html
"""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from simulator.clock import AccountClock
from simulator.ssm.acting import acting
from simulator.ssm.approvals import Approvals
from simulator.ssm.instances import InstanceStates
from simulator.ssm.placeholders import SelectorError, as_text, select
from simulator.ssm.runbook_choices import chosen_step
from simulator.ssm.runbooks import Output, Step
from simulator.ssm.step_results import StepFailedError, StepResult, StepTimedOutError
from simulator.waits import AccountWaits

ClientFactory = Callable[[str], Any]

_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
_LONGEST_SLEEP = timedelta(seconds=604_799)
_WAIT_SECONDS = 3600
_MOST_CLIENTS = 6
_POLL = timedelta(seconds=5)
_OWN_INPUTS = frozenset({"Service", "Api", "PropertySelector", "DesiredValues"})
_TYPES: dict[str, type | tuple[type, ...]] = {
    "String": str,
    "Integer": int,
    "Boolean": bool,
    "StringList": list,
    "MapList": list,
    "StringMap": dict,
}


Action = Callable[[Step, Mapping[str, Any]], Awaitable[StepResult]]


class StepActions:
    """Carries out steps against the account."""

    def __init__(
        self, clock: AccountClock, waits: AccountWaits, client_factory: ClientFactory, approvals: Approvals
    ) -> None:
        self._clock = clock
        self._waits = waits
        self._approvals = approvals
        self._client_factory = client_factory
        self._clients: dict[tuple[str, str], Any] = {}
        self._making = Lock()
        self._actions: dict[str, Action] = {
            "aws:assertAwsResourceProperty": self._assert_property,
            "aws:branch": self._branch,
            "aws:changeInstanceState": InstanceStates(clock, waits, self._call).change,
            "aws:executeAwsApi": self._execute_api,
            "aws:sleep": self._sleep,
            "aws:waitForAwsResourceProperty": self._wait_for_property,
        }

    async def carry_out(self, step: Step, inputs: Mapping[str, Any], execution_id: str) -> StepResult:
        """Do what the step of an execution says with its resolved inputs, or StepFailedError."""
        if step.action == "aws:approve":
            await self._notify(inputs)
            return await self._approvals.wait(execution_id, step, inputs)
        return await self._actions[step.action](step, inputs)

    async def _notify(self, inputs: Mapping[str, Any]) -> None:
        """Tell the topic of an approval step that somebody is asked."""
        topic = inputs.get("NotificationArn")
        if topic:
            message = str(inputs.get("Message") or "An approval is required.")
            await self._call({"Service": "sns", "Api": "Publish", "TopicArn": topic, "Message": message})

    async def _execute_api(self, step: Step, inputs: Mapping[str, Any]) -> StepResult:
        response = await self._call(inputs)
        outputs = {output.name: _typed_output(output, response) for output in step.outputs}
        payload = json.dumps(response, default=str)
        return StepResult({**outputs, "OutputPayload": payload}, payload)

    async def _assert_property(self, step: Step, inputs: Mapping[str, Any]) -> StepResult:
        found, wanted = await self._property(inputs)
        if not _among(found, wanted):
            raise StepFailedError(
                f"Step fails when it is verifying resource property. Actual: {as_text(found)}, "
                f"expected one of: {as_text(wanted)}"
            )
        return StepResult()

    async def _wait_for_property(self, step: Step, inputs: Mapping[str, Any]) -> StepResult:
        deadline = self._clock.now() + timedelta(seconds=step.timeout_seconds or _WAIT_SECONDS)
        while True:
            found, wanted = await self._property(inputs)
            if _among(found, wanted):
                return StepResult()
            if self._clock.now() >= deadline:
                raise StepTimedOutError(
                    f"Step timed out while it is waiting for resource property. Last value: {as_text(found)}"
                )
            await self._waits.until(min(self._clock.now() + _POLL, deadline))

    async def _sleep(self, step: Step, inputs: Mapping[str, Any]) -> StepResult:
        until = _wake_time(inputs, self._clock.now())
        deadline = None
        if step.timeout_seconds is not None:
            deadline = self._clock.now() + timedelta(seconds=step.timeout_seconds)
        await self._waits.until(until if deadline is None else min(until, deadline))
        if deadline is not None and deadline < until:
            raise StepTimedOutError("Step timed out while it is sleeping")
        return StepResult()

    async def _branch(self, step: Step, inputs: Mapping[str, Any]) -> StepResult:
        try:
            return StepResult(next_step=chosen_step(inputs))
        except (TypeError, ValueError) as error:
            raise StepFailedError(f"Step fails when it is evaluating choices. {error}") from error

    async def _property(self, inputs: Mapping[str, Any]) -> tuple[Any, list[Any]]:
        selector, wanted = inputs.get("PropertySelector"), inputs.get("DesiredValues")
        if not isinstance(selector, str) or not isinstance(wanted, list) or not wanted:
            raise StepFailedError("PropertySelector and DesiredValues are required")
        response = await self._call(inputs)
        try:
            return select(selector, response), wanted
        except SelectorError as error:
            raise StepFailedError(str(error)) from error

    async def _call(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        service, api = inputs.get("Service"), inputs.get("Api")
        if not isinstance(service, str) or not isinstance(api, str):
            raise StepFailedError("Service and Api are required")
        parameters = {name: value for name, value in inputs.items() if name not in _OWN_INPUTS}
        try:
            return await asyncio.to_thread(self._call_now, service, api, parameters)
        except (ClientError, BotoCoreError) as error:
            raise StepFailedError(
                f"Step fails when it is Execute/Cancelling action. {error}. Please refer to "
                "Automation Service Troubleshooting Guide for more diagnosis details."
            ) from error

    def _call_now(self, service: str, api: str, parameters: dict[str, Any]) -> dict[str, Any]:
        client = self._client(service)
        methods = {operation: method for method, operation in client.meta.method_to_api_mapping.items()}
        method = methods.get(api, api)
        if method not in client.meta.method_to_api_mapping:
            raise StepFailedError(f"{api} is not an API of {service}")
        response: dict[str, Any] = getattr(client, method)(**parameters)
        return {name: value for name, value in response.items() if name != "ResponseMetadata"}

    def _client(self, service: str) -> Any:
        """A client of whoever the execution acts as. The last few are kept: they are slow to make, and large."""
        credentials = acting.get()
        key = (service, credentials.access_key_id if credentials is not None else "")
        with self._making:
            client = self._clients.pop(key, None) or self._client_factory(service)
            self._clients[key] = client
            if len(self._clients) > _MOST_CLIENTS:
                del self._clients[next(iter(self._clients))]
        return client


def _typed_output(output: Output, response: dict[str, Any]) -> Any:
    try:
        value = select(output.selector, response)
    except SelectorError as error:
        raise StepFailedError(str(error)) from error
    if isinstance(value, datetime):
        value = value.isoformat()
    if not isinstance(value, _TYPES[output.type]) or (output.type == "Integer" and isinstance(value, bool)):
        raise StepFailedError(f"Output {output.name} is not of type {output.type}: {as_text(value)}")
    return value


def _among(found: Any, wanted: list[Any]) -> bool:
    return any(found == value or as_text(found).lower() == as_text(value).lower() for value in wanted)


def _wake_time(inputs: Mapping[str, Any], now: datetime) -> datetime:
    duration, timestamp = inputs.get("Duration"), inputs.get("Timestamp")
    if (duration is None) == (timestamp is None):
        raise StepFailedError("aws:sleep needs exactly one of Duration and Timestamp")
    if duration is None:
        return _moment(str(timestamp))
    match = _DURATION.fullmatch(str(duration))
    parts = [int(part or 0) for part in match.groups()] if match and any(match.groups()) else None
    if parts is None:
        raise StepFailedError(f"Duration is not in ISO 8601 format: {duration}")
    try:
        length = timedelta(days=parts[0], hours=parts[1], minutes=parts[2], seconds=parts[3])
    except OverflowError:
        length = timedelta.max
    if length > _LONGEST_SLEEP:
        raise StepFailedError("Duration is longer than 604799 seconds")
    return now + length


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise StepFailedError(f"Timestamp is not in ISO 8601 format: {text}") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
