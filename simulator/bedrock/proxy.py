"""A real local model behind an OpenAI-compatible URL, spoken to as Bedrock speaks.

Chat completions: https://platform.openai.com/docs/api-reference/chat . A server that cannot be
reached or answers nonsense is an error of Bedrock's; nothing is ever said in its place.
"""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx

from simulator.bedrock.answer import Piece, Stop, TextPart, ToolPart, ToolStart
from simulator.bedrock.request import ConverseRequest
from simulator.wire.protocol import AwsError

TIMEOUT = httpx.Timeout(300.0, connect=3.0)
_STOPS = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "content_filter": "content_filtered",
}


@dataclass(frozen=True)
class ProxyModel:
    """The model at `base_url` (the part before `/chat/completions`), under its own name."""

    base_url: str
    name: str

    async def pieces(self, request: ConverseRequest) -> AsyncIterator[Piece]:
        """The server's answer, piece by piece as it sends it."""
        reply = _Reply()
        try:
            async with (
                httpx.AsyncClient(timeout=TIMEOUT, trust_env=False) as client,
                client.stream("POST", self._url, json=completion_request(request, self.name)) as response,
            ):
                await _check_status(response)
                async for chunk in _chunks(response):
                    for piece in reply.pieces_of(chunk):
                        yield piece
        except httpx.HTTPError as error:
            raise _unavailable(error) from error
        yield reply.stop()

    @property
    def _url(self) -> str:
        return f"{self.base_url.rstrip('/')}/chat/completions"


def completion_request(request: ConverseRequest, name: str) -> dict[str, Any]:
    """A Converse request as a chat completion request."""
    system = "\n\n".join(_text(block) for block in request.system if _text(block))
    messages = [{"role": "system", "content": system}] if system else []
    for message in request.messages:
        messages += _assistant(message) if message["role"] == "assistant" else _user(message)
    body: dict[str, Any] = {
        "model": name,
        "messages": messages,
        "stream": True,
        "stream_options": {"include_usage": True},
        **_sampling(request),
    }
    if request.tools:
        body["tools"] = [
            {
                "type": "function",
                "function": {"name": t.name, "description": t.description, "parameters": t.schema},
            }
            for t in request.tools
        ]
        body["tool_choice"] = _tool_choice(request)
    if request.output_schema is not None:
        schema = {"name": "answer", "schema": request.output_schema, "strict": True}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    return body


@dataclass
class _Reply:
    """What has come so far."""

    finish: str | None = None
    usage: dict[str, Any] = field(default_factory=dict)
    fragments: dict[int, str] = field(default_factory=dict)

    def pieces_of(self, chunk: dict[str, Any]) -> list[Piece]:
        """The pieces in one chunk of the answer."""
        self.usage = chunk.get("usage") or self.usage
        pieces: list[Piece] = []
        for choice in chunk.get("choices", [])[:1]:
            self.finish = choice.get("finish_reason") or self.finish
            delta = choice.get("delta") or choice.get("message") or {}
            if delta.get("content"):
                pieces.append(TextPart(delta["content"]))
            for place, call in enumerate(delta.get("tool_calls") or []):
                pieces += self._call_pieces(call.get("index", place), call)
        return pieces

    def _call_pieces(self, index: int, call: dict[str, Any]) -> list[Piece]:
        function = call.get("function", {})
        pieces: list[Piece] = []
        if index not in self.fragments:
            self.fragments[index] = ""
            pieces.append(ToolStart(call.get("id") or f"tooluse_{index}", function.get("name", "")))
        if function.get("arguments"):
            self.fragments[index] += function["arguments"]
            pieces.append(ToolPart(function["arguments"]))
        return pieces

    def stop(self) -> Stop:
        """Why the answer ended; ModelErrorException where it is not whole."""
        for written in self.fragments.values():
            try:
                whole = isinstance(json.loads(written or "{}"), dict)
            except json.JSONDecodeError:
                whole = False
            if not whole:
                raise _model_error("The model made a tool call whose input is not a JSON object.")
        if self.finish is None:
            raise _model_error("The model's answer ended before it was complete.")
        reason = "tool_use" if self.fragments else _STOPS.get(self.finish, "end_turn")
        return Stop(reason, self.usage.get("prompt_tokens"), self.usage.get("completion_tokens"))


async def _chunks(response: httpx.Response) -> AsyncIterator[dict[str, Any]]:
    """The JSON documents of an event stream, or the one of a plain answer."""
    if "event-stream" not in response.headers.get("content-type", ""):
        yield _document((await response.aread()).decode())
        return
    async for line in response.aiter_lines():
        written = line.removeprefix("data:").strip()
        if line.startswith("data:") and written != "[DONE]":
            yield _document(written)


def _document(written: str) -> dict[str, Any]:
    try:
        document = json.loads(written)
    except json.JSONDecodeError as error:
        raise _model_error("The model's answer is not JSON.") from error
    if not isinstance(document, dict) or "error" in document:
        raise _model_error("The model answered with an error.")
    return document


async def _check_status(response: httpx.Response) -> None:
    if response.status_code == 429:
        text = "Too many requests, please wait before trying again."
        raise AwsError("ThrottlingException", text, 429)
    if response.status_code in (502, 503, 504):
        raise AwsError("ServiceUnavailableException", "The model is not available at the moment.", 503)
    if response.status_code != 200:
        raise _model_error(f"The model answered with status {response.status_code}.")


def _unavailable(error: httpx.HTTPError) -> AwsError:
    if isinstance(error, httpx.ReadTimeout):
        return AwsError("ModelTimeoutException", "The model took too long to answer.", 408)
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        return AwsError("ServiceUnavailableException", "The model cannot be reached.", 503)
    return _model_error("The connection to the model broke.")


def _model_error(text: str) -> AwsError:
    return AwsError("ModelErrorException", text, 424)


def _sampling(request: ConverseRequest) -> dict[str, Any]:
    config = request.body.get("inferenceConfig", {})
    names = {
        "maxTokens": "max_tokens",
        "temperature": "temperature",
        "topP": "top_p",
        "stopSequences": "stop",
    }
    return {theirs: config[ours] for ours, theirs in names.items() if config.get(ours) not in (None, [])}


def _tool_choice(request: ConverseRequest) -> Any:
    if request.forced_tool is not None:
        return {"type": "function", "function": {"name": request.forced_tool}}
    return "required" if request.must_call else "auto"


def _assistant(message: dict[str, Any]) -> list[dict[str, Any]]:
    text = "".join(_text(block) for block in message["content"])
    uses = [block["toolUse"] for block in message["content"] if "toolUse" in block]
    said: dict[str, Any] = {"role": "assistant", "content": text or None}
    if uses:
        said["tool_calls"] = [
            {
                "id": use["toolUseId"],
                "type": "function",
                "function": {"name": use["name"], "arguments": json.dumps(use["input"])},
            }
            for use in uses
        ]
    return [said]


def _user(message: dict[str, Any]) -> list[dict[str, Any]]:
    results = [block["toolResult"] for block in message["content"] if "toolResult" in block]
    said: list[dict[str, Any]] = [
        {
            "role": "tool",
            "tool_call_id": result["toolUseId"],
            "content": "\n".join(map(_text, result["content"])),
        }
        for result in results
    ]
    text = "\n\n".join(filter(None, map(_text, message["content"])))
    return [*said, {"role": "user", "content": text}] if text else said


def _text(block: dict[str, Any]) -> str:
    if "json" in block:
        return json.dumps(block["json"])
    guarded = block.get("guardContent", {}).get("text", {}).get("text")
    return str(guarded or block.get("text", ""))
