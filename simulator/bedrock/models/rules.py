"""The rule-based stand-in: calls tools whose parameters are known, then states facts in the form asked."""

import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from simulator.bedrock.answer import Answer, Piece, Stop, ToolCall, split
from simulator.bedrock.models.calling import Call, ready_calls
from simulator.bedrock.models.facts import FactBook
from simulator.bedrock.models.filling import NOTHING, fill
from simulator.bedrock.models.prose import report
from simulator.bedrock.models.reading import read
from simulator.bedrock.request import ConverseRequest, ToolSpec
from simulator.bedrock.usage import output_tokens


@dataclass(frozen=True)
class Draft:
    """What to say: tool calls, or a filled schema (as a tool's arguments or as text), or prose."""

    calls: tuple[Call, ...] = ()
    filled: Any = None
    schema: dict[str, Any] | None = None
    tool: str | None = None
    prose: str = ""


class RulesModel:
    """Sees one request and answers it the same way every time."""

    async def pieces(self, request: ConverseRequest) -> AsyncIterator[Piece]:
        """The answer in small pieces."""
        for piece in split(spoken(request, self.draft(request))):
            yield piece

    def draft(self, request: ConverseRequest) -> Draft:
        """What this model says to a request."""
        return draft_from(request, read(request))


def draft_from(request: ConverseRequest, book: FactBook, claims: FactBook = NOTHING) -> Draft:
    """Tool calls first; when none is left, the output that the request demands."""
    forced = next((tool for tool in request.tools if tool.name == request.forced_tool), None)
    if forced is not None:
        return _filled_tool(forced, book, claims)
    answering = request.tools[-1] if request.must_call and request.tools else None
    # Agents append the tool that takes the final answer, so under `any` the last one is it.
    others = [tool for tool in request.tools if tool is not answering]
    calls = ready_calls(request, others, book)
    if calls:
        return Draft(calls=tuple(calls))
    if answering is not None:
        return _filled_tool(answering, book, claims)
    schema = request.output_schema
    if schema is not None:
        return Draft(filled=fill(schema, book, claims), schema=schema)
    return Draft(prose=report(FactBook((*book.facts, *claims.facts))))


def spoken(request: ConverseRequest, draft: Draft) -> Answer:
    """A draft as an answer, within the request's token limit and stop sequences."""
    calls = [(draft.tool, draft.filled)] if draft.tool else list(draft.calls)
    if calls:
        blocks = tuple(ToolCall(_use_id(request, place), *call) for place, call in enumerate(calls))
        return _limited(request, Answer(blocks, Stop("tool_use")))
    text = draft.prose if draft.schema is None else json.dumps(draft.filled, ensure_ascii=False)
    return _limited(request, _stopped(request, text))


def digest(request: ConverseRequest) -> bytes:
    """The same bytes for the same request."""
    return hashlib.sha256((request.model_id + json.dumps(request.body, sort_keys=True)).encode()).digest()


def _filled_tool(tool: ToolSpec, book: FactBook, claims: FactBook) -> Draft:
    return Draft(filled=fill(tool.schema, book, claims), schema=tool.schema, tool=tool.name)


def _use_id(request: ConverseRequest, place: int) -> str:
    return "tooluse_" + hashlib.sha256(digest(request) + bytes([place])).hexdigest()[:22]


def _stopped(request: ConverseRequest, text: str) -> Answer:
    ends = [text.index(stop) for stop in request.stop_sequences if stop and stop in text]
    return Answer((text[: min(ends)],), Stop("stop_sequence")) if ends else Answer((text,), Stop("end_turn"))


def _limited(request: ConverseRequest, answer: Answer) -> Answer:
    """What fits into the limit; a tool call that does not fit is not begun."""
    limit = request.max_tokens
    if limit is None or output_tokens(answer) <= limit:
        return answer
    kept: list[str | ToolCall] = []
    for block in answer.blocks:
        room = limit - output_tokens(Answer(tuple(kept), answer.stop))
        if isinstance(block, str):
            kept.append(block.encode()[: room * 4].decode(errors="ignore"))
        elif output_tokens(Answer((block,), answer.stop)) <= room:
            kept.append(block)
        else:
            break
    return Answer(tuple(kept), Stop("max_tokens"))
