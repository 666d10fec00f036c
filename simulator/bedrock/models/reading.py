"""What a request states: the labelled facts of its system blocks, user turns and tool results."""

import json
from collections.abc import Iterator
from typing import Any

from simulator.bedrock.models.documents import labelled
from simulator.bedrock.models.facts import FactBook, Path
from simulator.bedrock.request import ConverseRequest


def read(request: ConverseRequest) -> FactBook:
    """The facts of a request, oldest first. What the assistant said before is not a fact."""
    return FactBook.of(list(documents(request)))


def texts(request: ConverseRequest) -> Iterator[str]:
    """Every text of a request that somebody else wrote, tool results included."""
    for block in _said(request):
        if "toolResult" in block:
            yield from (_text(content) for content in block["toolResult"]["content"])
        else:
            yield _text(block)


def documents(request: ConverseRequest) -> Iterator[tuple[Path, Any]]:
    """Every labelled value of a request, oldest first."""
    tools = _tool_names(request)
    for block in _said(request):
        if "toolResult" not in block:
            yield from labelled(_text(block))
        elif block["toolResult"].get("status") != "error":
            tool = tools.get(block["toolResult"]["toolUseId"], "result")
            for content in block["toolResult"]["content"]:
                yield from _result(tool, content)


def _said(request: ConverseRequest) -> Iterator[dict[str, Any]]:
    yield from request.system
    for message in request.messages:
        if message["role"] != "assistant":
            yield from message["content"]


def _tool_names(request: ConverseRequest) -> dict[str, str]:
    uses = [block["toolUse"] for m in request.messages for block in m["content"] if "toolUse" in block]
    return {use["toolUseId"]: use["name"] for use in uses}


def _result(tool: str, content: dict[str, Any]) -> Iterator[tuple[Path, Any]]:
    if "json" in content:
        value = content["json"]
    else:
        text = _text(content)
        try:
            value = json.loads(text)
        except json.JSONDecodeError:
            yield from labelled(text) if any(labelled(text)) else [((tool,), text)]
            return
    # A result that is an object states its fields; anything else is known by the tool's name.
    yield ((), value) if isinstance(value, dict) else ((tool,), value)


def _text(block: dict[str, Any]) -> str:
    if "json" in block:
        return json.dumps(block["json"])
    if "guardContent" in block:
        text: str = block["guardContent"].get("text", {}).get("text", "")
        return text
    plain: str = block.get("text", "")
    return plain
