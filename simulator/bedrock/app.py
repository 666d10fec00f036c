"""Bedrock's HTTP: the runtime's operations and the control plane's reads, as ASGI.

Paths: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_Operations_Amazon_Bedrock_Runtime.html
"""

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qsl, unquote
from uuid import uuid4

from simulator.bedrock import catalogue
from simulator.bedrock.answer import Model
from simulator.bedrock.conversing import Clock, Conversations
from simulator.bedrock.events import Event
from simulator.bedrock.faults import Orders, StreamException, StreamFault, orders_of
from simulator.bedrock.frames import CONTENT_TYPE, event_frame, exception_frame
from simulator.bedrock.guardrails.definition import DEFAULT_FILE, described, find, load, summaries
from simulator.bedrock.guardrails.operations import apply_guardrail, invoke_checks
from simulator.bedrock.models.invents import InventsModel
from simulator.bedrock.models.obeys import ObeysModel
from simulator.bedrock.models.rules import RulesModel
from simulator.bedrock.request import ConverseRequest
from simulator.bedrock.validation import checked
from simulator.wire.protocol import AwsError

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_ROUTES = [
    ("POST", re.compile(r"/model/([^/]+)/converse"), "Converse"),
    ("POST", re.compile(r"/model/([^/]+)/converse-stream"), "ConverseStream"),
    ("POST", re.compile(r"/guardrail/([^/]+)/version/([^/]+)/apply"), "ApplyGuardrail"),
    ("POST", re.compile(r"/guardrail-checks/invoke"), "InvokeGuardrailChecks"),
    ("GET", re.compile(r"/foundation-models/?"), "ListFoundationModels"),
    ("GET", re.compile(r"/foundation-models/([^/]+)"), "GetFoundationModel"),
    ("GET", re.compile(r"/inference-profiles/?"), "ListInferenceProfiles"),
    ("GET", re.compile(r"/inference-profiles/([^/]+)"), "GetInferenceProfile"),
    ("GET", re.compile(r"/guardrails/?"), "ListGuardrails"),
    ("GET", re.compile(r"/guardrails/([^/]+)"), "GetGuardrail"),
]
_STREAM_ERRORS = {
    "ModelErrorException": StreamException.MODEL_STREAM_ERROR,
    "ServiceUnavailableException": StreamException.SERVICE_UNAVAILABLE,
    "ThrottlingException": StreamException.THROTTLING,
    "ValidationException": StreamException.VALIDATION,
}
_ACCESS_KEY = re.compile(r"Credential=([^/,\s]+)/")


class Record(Protocol):
    """Takes note of one call."""

    def __call__(
        self, operation: str, parameters: Mapping[str, Any], access_key: str, error_code: str | None
    ) -> None:
        """Called once per request, when it is answered."""
        ...


class BedrockApp:
    """Bedrock as an ASGI application. `faults` end the next streams, one each."""

    def __init__(
        self,
        clock: Clock,
        record: Record,
        *,
        model_url: str | None = None,
        model_name: str = "local",
        guardrails_file: Path = DEFAULT_FILE,
    ) -> None:
        self.faults: list[StreamFault] = []
        self._clock = clock
        self._record = record
        self._guardrails = load(guardrails_file)
        self._conversations = Conversations(_models(model_url, model_name), self._guardrails, clock)

    @staticmethod
    def serves(method: str, path: str) -> bool:
        """Whether a request is for this application; `path` is not percent-decoded."""
        return any(method == verb and pattern.fullmatch(path) for verb, pattern, _ in _ROUTES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        operation, parameters, access_key = "", {}, ""
        error_code: str | None = None
        orders = orders_of(scope)
        try:
            access_key = _access_key(scope)
            operation, groups = _route(scope)
            parameters = _parameters(operation, groups, scope, await _body(receive))
            if operation == "ConverseStream":
                note = partial(self._record, operation, parameters, access_key)
                return await self._stream(checked(operation, parameters), orders, send, note)
            status, result = 200, await self._result(operation, parameters, orders)
        except AwsError as error:
            status, result, error_code = error.status, {"message": error.message}, error.code
        # Before the answer leaves, so that who has the answer also finds the call in the log.
        if operation:
            self._record(operation, parameters, access_key, error_code)
        return await _send_json(send, status, result, error_code)

    async def _result(self, operation: str, parameters: dict[str, Any], orders: Orders) -> dict[str, Any]:
        if operation == "Converse":
            request = _request(checked(operation, parameters))
            return await self._conversing(orders).begin(request).answer()
        if operation == "ApplyGuardrail":
            guardrails = self._conversing(orders).guardrails
            return apply_guardrail(guardrails, checked(operation, parameters))
        if operation == "InvokeGuardrailChecks":
            return invoke_checks(checked(operation, parameters))
        return self._control(operation, parameters)

    def _conversing(self, orders: Orders) -> Conversations:
        """The conversations, behind guardrails that intervene whatever they read where that was ordered."""
        if not orders.guarded:
            return self._conversations
        alarmed = [one.model_copy(update={"always_blocks": True}) for one in self._guardrails]
        return replace(self._conversations, guardrails=alarmed)

    def _control(self, operation: str, query: dict[str, str]) -> dict[str, Any]:
        now, present = self._clock.now(), self._conversations.models
        if operation == "ListFoundationModels":
            return catalogue.list_models(present, query)
        if operation == "GetFoundationModel":
            return catalogue.get_model(present, query["identifier"])
        if operation == "ListInferenceProfiles":
            return catalogue.list_profiles(present, query, now)
        if operation == "GetInferenceProfile":
            return catalogue.get_profile(present, query["identifier"], now)
        if operation == "ListGuardrails":
            return summaries(self._guardrails, query.get("guardrailIdentifier"), now)
        version = query.get("guardrailVersion", "DRAFT")
        return described(find(self._guardrails, query["identifier"], version), version, now)

    async def _stream(
        self, parameters: dict[str, Any], orders: Orders, send: Send, note: Callable[[str | None], None]
    ) -> None:
        """Send the events one by one and note what ended them."""
        events = self._conversing(orders).begin(_request(parameters)).events()
        fault = orders.stream or (self.faults.pop(0) if self.faults else None)
        first = await anext(events)  # a model that fails at once fails with an HTTP error
        await _start(send, 200, CONTENT_TYPE)
        ended: StreamFault | None = None
        sent = 0
        try:
            async for name, payload in _chain(first, events):
                if fault is not None and sent >= fault.after_frames:
                    ended = fault
                    break
                await _send_frame(send, event_frame(name, payload))
                sent += 1
        except AwsError as error:
            kind = _STREAM_ERRORS.get(error.code, StreamException.INTERNAL_SERVER)
            ended = StreamFault(kind, sent, error.message)
        note(str(ended.exception) if ended else None)
        if ended is not None and ended.exception is not StreamException.CUT:
            await _send_frame(send, exception_frame(ended.exception, {"message": ended.message}))
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def _models(model_url: str | None, model_name: str) -> dict[str, Model]:
    rules = RulesModel()
    models: dict[str, Model] = {
        catalogue.RULES: rules,
        catalogue.RULES_LARGE: rules,
        catalogue.OBEYS: ObeysModel(),
        catalogue.INVENTS: InventsModel(),
    }
    if model_url is not None:
        # Loaded here alone: the HTTP client it brings is an eighth of the account's start.
        from simulator.bedrock.proxy import ProxyModel

        models[catalogue.OPENAI_COMPATIBLE] = ProxyModel(model_url, model_name)
    return models


def _request(parameters: dict[str, Any]) -> ConverseRequest:
    body = {name: value for name, value in parameters.items() if name != "modelId"}
    return ConverseRequest(parameters["modelId"], body)


def _route(scope: Scope) -> tuple[str, list[str]]:
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    path = raw.split(b"?")[0].decode()
    for method, pattern, operation in _ROUTES:
        match = pattern.fullmatch(path)
        if match and scope["method"] == method:
            return operation, [unquote(group) for group in match.groups()]
    raise AwsError("UnknownOperationException", "The requested operation is not recognized.", 404)


def _access_key(scope: Scope) -> str:
    headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
    authorization = headers.get(b"authorization", "")
    found = _ACCESS_KEY.search(authorization)
    if found is None and not authorization.startswith("Bearer "):
        raise AwsError("MissingAuthenticationTokenException", "Missing Authentication Token", 403)
    return found.group(1) if found else ""


def _parameters(operation: str, groups: list[str], scope: Scope, body: bytes) -> dict[str, Any]:
    if scope["method"] == "GET":
        query = dict(parse_qsl(scope.get("query_string", b"").decode()))
        return {**query, "identifier": groups[0]} if groups else {**query}
    try:
        parameters = json.loads(body or b"{}")
    except ValueError as error:
        raise AwsError("SerializationException", "The request body is not valid JSON.") from error
    if not isinstance(parameters, dict):
        raise AwsError("SerializationException", "Start of structure or map found where not expected.")
    if operation in ("Converse", "ConverseStream"):
        return {**parameters, "modelId": groups[0]}
    if operation == "ApplyGuardrail":
        return {**parameters, "guardrailIdentifier": groups[0], "guardrailVersion": groups[1]}
    return parameters


async def _body(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if not message.get("more_body", False):
            return body


async def _start(
    send: Send, status: int, content_type: str, error: str | None = None, length: int | None = None
) -> None:
    headers = [(b"content-type", content_type.encode()), (b"x-amzn-requestid", str(uuid4()).encode())]
    if length is not None:
        headers.append((b"content-length", str(length).encode()))
    if error is not None:
        headers.append((b"x-amzn-errortype", error.encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})


async def _send_json(send: Send, status: int, body: Mapping[str, Any], error: str | None = None) -> None:
    written = json.dumps(body).encode()
    await _start(send, status, "application/json", error, len(written))
    await send({"type": "http.response.body", "body": written, "more_body": False})


async def _send_frame(send: Send, frame: bytes) -> None:
    await send({"type": "http.response.body", "body": frame, "more_body": True})


async def _chain(first: Event, rest: AsyncIterator[Event]) -> AsyncIterator[Event]:
    yield first
    async for event in rest:
        yield event
