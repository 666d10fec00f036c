"""What a model says, piece by piece, and what the pieces add up to."""

import json
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from simulator.bedrock.request import ConverseRequest

TEXT_DELTA = 24
JSON_DELTA = 32


@dataclass(frozen=True)
class TextPart:
    """A few characters of text; parts of the same block follow each other."""

    text: str


@dataclass(frozen=True)
class ToolStart:
    """A tool call begins."""

    tool_use_id: str
    name: str


@dataclass(frozen=True)
class ToolPart:
    """A fragment of the JSON of the call that began last."""

    fragment: str


@dataclass(frozen=True)
class Stop:
    """The answer ends. Token counts are the model's own where it has any."""

    reason: str
    input_tokens: int | None = None
    output_tokens: int | None = None


Piece = TextPart | ToolStart | ToolPart | Stop


@dataclass(frozen=True)
class ToolCall:
    """One complete tool call."""

    tool_use_id: str
    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """A complete answer: its blocks in order, and why it stopped."""

    blocks: tuple[str | ToolCall, ...]
    stop: Stop

    def content(self) -> list[dict[str, Any]]:
        """The blocks as Converse returns them."""
        return [{"text": block} if isinstance(block, str) else _tool_use(block) for block in self.blocks]

    def texts(self) -> list[str]:
        """The text blocks."""
        return [block for block in self.blocks if isinstance(block, str)]


class Model(Protocol):
    """Answers a request piece by piece, as it makes them."""

    def pieces(self, request: ConverseRequest) -> AsyncIterator[Piece]:
        """The answer; the last piece is a `Stop`."""
        ...


def split(answer: Answer) -> Iterator[Piece]:
    """A complete answer in small pieces."""
    for block in answer.blocks:
        if isinstance(block, str):
            yield from (TextPart(part) for part in _chunks(block, TEXT_DELTA))
        else:
            yield ToolStart(block.tool_use_id, block.name)
            yield from (ToolPart(part) for part in _chunks(json.dumps(block.arguments), JSON_DELTA))
    yield answer.stop


def assemble(pieces: Iterable[Piece]) -> Answer:
    """What the pieces add up to."""
    blocks: list[str | tuple[ToolStart, list[str]]] = []
    stop = Stop("end_turn")
    for piece in pieces:
        if isinstance(piece, Stop):
            stop = piece
        elif isinstance(piece, ToolStart):
            blocks.append((piece, []))
        elif isinstance(piece, ToolPart):
            last = blocks[-1]
            assert not isinstance(last, str), "a fragment follows its call's start"
            last[1].append(piece.fragment)
        elif blocks and isinstance(blocks[-1], str):
            blocks[-1] += piece.text
        else:
            blocks.append(piece.text)
    return Answer(tuple(_whole(block) for block in blocks), stop)


def _whole(block: str | tuple[ToolStart, list[str]]) -> str | ToolCall:
    if isinstance(block, str):
        return block
    start, fragments = block
    return ToolCall(start.tool_use_id, start.name, json.loads("".join(fragments) or "{}"))


def _tool_use(call: ToolCall) -> dict[str, Any]:
    return {"toolUse": {"toolUseId": call.tool_use_id, "name": call.name, "input": call.arguments}}


def _chunks(text: str, size: int) -> Iterator[str]:
    for start in range(0, len(text), size):
        yield text[start : start + size]
