"""The way of a call: who calls, which faults it meets, who answers it, and that it is remembered."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from simulator.clock import AccountClock
from simulator.control.faults import Asking, Faults
from simulator.control.meeting import Suffered, suffer
from simulator.emulator import BOTOCORE_NAMES, Emulator, HttpResult, ServiceCode
from simulator.iam.gate import Gate, UnauthenticatedError
from simulator.trail.calls import CallLog
from simulator.wire.limits import keep_limits
from simulator.wire.protocol import (
    ACCOUNT,
    REGION,
    Answer,
    AwsError,
    Call,
    Overlay,
    json_answer,
    operation_model,
    read_parameters,
    unknown_operation,
)
from simulator.wire.query import query_answer
from simulator.wire.refusals import refused
from simulator.wire.requests import Asked, Form, read_request
from simulator.wire.rest import rest_answer

# What a call gets that hung until it was given up; nobody sees it.
_GIVEN_UP = Answer(500)
_WRITERS = {Form.JSON: json_answer, Form.QUERY: query_answer, Form.REST: rest_answer}


@dataclass
class Dispatch:
    """Stands before every service of the emulator."""

    emulator: Emulator
    clock: AccountClock
    log: CallLog
    faults: Faults
    gate: Gate
    overlays: dict[str, Overlay] = field(default_factory=dict)

    def install(self, overlays: list[Overlay]) -> None:
        """Put the overlays in force, and stand before all services."""
        self.overlays = {one.service: one for one in overlays}
        known = self.emulator.services()
        for name, code in known.items():
            self.emulator.replace(name, self._standing_before(BOTOCORE_NAMES.get(name, name), code))
        for service in self.overlays.keys() - {BOTOCORE_NAMES.get(name, name) for name in known}:
            # Nothing of it is the emulator's, so the overlay answers all of it.
            self.emulator.add(service, self._standing_before(service, self._absent(service)))
        self.emulator.otherwise(self._absent)

    def _absent(self, service: str) -> ServiceCode:
        """What answers for a service that nobody here has: callers are judged first, as everywhere."""

        async def answer(
            method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]
        ) -> HttpResult:
            asked = read_request(service, method, path, headers, body, query)
            call = self.call_of(service, asked, self.emulator.access_key(headers, query))
            kept_out = self.kept_out(asked, call)
            error = AwsError("UnknownOperationException", f"The simulated account has no {service}.")
            return _parts(kept_out or refused(service, asked.form, error))

        return answer

    def _standing_before(self, service: str, code: ServiceCode) -> ServiceCode:
        async def answer(
            method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]
        ) -> HttpResult:
            asked = read_request(service, method, path, headers, body, query)
            call = self.call_of(service, asked, self.emulator.access_key(headers, query))
            if (kept_out := self.kept_out(asked, call)) is not None:
                return _parts(kept_out)
            suffered = await self.meet(service, asked.operation, call.caller_arn)
            if suffered.hung:
                return _parts(_GIVEN_UP)
            if suffered.refusal is not None:
                self.log.record(call, suffered.refusal.code, suffered.refusal.message)
                return _parts(refused(service, asked.form, suffered.refusal))
            overlay = self.overlays.get(service)
            if overlay is not None and (overlay.exclusive or asked.operation in overlay.operations):
                return _parts(await self._overlaid(overlay, call, asked))
            status, sent, answer = await code(method, path, headers, body, query)
            error_code, message = _inner_error(status, sent, answer)
            self.log.record(call, error_code, message)
            if (service, asked.operation) == ("sts", "AssumeRole") and error_code is None:
                answer = self.gate.assumed(asked, answer)
            return status, sent, answer

        return answer

    def kept_out(self, asked: Asked, call: Call) -> Answer | None:
        """The answer to a caller who may not do this, or to what nobody may ask; nothing where it may be done."""
        try:
            self.gate.check(call.service, asked)
            keep_limits(call.service, call.operation, call.parameters)
        except UnauthenticatedError as error:
            return refused(call.service, asked.form, error.refusal)
        except AwsError as error:
            self.log.record(call, error.code, error.message)
            return refused(call.service, asked.form, error)
        return None

    async def _overlaid(self, overlay: Overlay, call: Call, asked: Asked) -> Answer:
        try:
            result = await self._performed(overlay, call, asked.parameters)
        except AwsError as error:
            self.log.record(call, error.code, error.message)
            return refused(call.service, asked.form, error)
        self.log.record(call)
        return _WRITERS[asked.form](call.service, call.operation, result)

    async def _performed(self, overlay: Overlay, call: Call, raw: Any) -> Mapping[str, Any]:
        if call.operation not in overlay.operations:
            raise unknown_operation(call.operation)
        parameters = read_parameters(call.service, call.operation, raw)
        checked = Call(**{**vars(call), "parameters": parameters})
        return await overlay.answer(checked)

    async def perform(
        self, caller_arn: str, access_key: str, service: str, operation: str, parameters: dict[str, Any]
    ) -> Mapping[str, Any]:
        """Call an overlay from inside, as someone, and remember it."""
        call = self._made(service, operation, parameters, caller_arn, access_key)
        result = await self._performed(self.overlays[service], call, parameters)
        self.log.record(call)
        return result

    def note(
        self,
        operation: str,
        parameters: Mapping[str, Any],
        access_key: str,
        error_code: str | None,
    ) -> None:
        """Remember a call to Bedrock, which answers on routes of its own."""
        asked = Asked(operation, dict(parameters), Form.REST)
        self.log.record(self.call_of(bedrock_service(operation), asked, access_key), error_code)

    async def meet(self, service: str, operation: str, caller_arn: str) -> Suffered:
        """Let a call suffer the faults it meets now: it waits, or is refused, or will not be answered."""
        asking = Asking(service, operation, caller_arn, self.clock.now())
        return await suffer(self.faults.meeting(asking), service, operation)

    def call_of(self, service: str, asked: Asked, access_key: str) -> Call:
        """What is asked, as a call by whoever the key belongs to."""
        parameters = asked.parameters if isinstance(asked.parameters, dict) else {}
        arn = self.emulator.caller_arn(access_key)
        return self._made(service, asked.operation, parameters, arn, access_key)

    def _made(
        self, service: str, operation: str, parameters: dict[str, Any], arn: str, access_key: str
    ) -> Call:
        return Call(service, operation, parameters, arn, access_key, REGION, ACCOUNT, self.clock.now())


def bedrock_service(operation: str) -> str:
    """Which of Bedrock's two APIs has the operation: both are signed alike and share a host here."""
    return "bedrock" if operation_model("bedrock", operation) is not None else "bedrock-runtime"


def _parts(answer: Answer) -> HttpResult:
    return answer.status, dict(answer.headers), answer.body


def _inner_error(status: int, headers: Mapping[str, str], body: Any) -> tuple[str | None, str | None]:
    """Code and message of the emulator's own error."""
    if status < 400:
        return None, None
    named = {key.lower(): value for key, value in headers.items()}.get("x-amzn-errortype")
    text = body.decode(errors="replace") if isinstance(body, bytes) else str(body)
    try:
        given = json.loads(text)
    except ValueError:
        code, message = (re.search(rf"<{tag}>(.*?)</{tag}>", text) for tag in ("Code", "Message"))
        return named or (code[1] if code else str(status)), message[1] if message else None
    found = given if isinstance(given, dict) else {}
    code_text = str(named or found.get("__type") or status).rpartition("#")[2]
    return code_text, found.get("message") or found.get("Message")
