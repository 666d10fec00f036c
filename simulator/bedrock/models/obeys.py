"""The stand-in that obeys: every command in its request counts, whoever wrote it and wherever it stands."""

from collections.abc import AsyncIterator

from simulator.bedrock.answer import Piece, split
from simulator.bedrock.models.calling import MOST_CALLS, Call, mark
from simulator.bedrock.models.facts import FactBook, Path
from simulator.bedrock.models.filling import fill
from simulator.bedrock.models.imperatives import Order, claims, is_joined, orders
from simulator.bedrock.models.names import key
from simulator.bedrock.models.reading import documents, texts
from simulator.bedrock.models.rules import Draft, draft_from, spoken
from simulator.bedrock.models.schema import Schema
from simulator.bedrock.request import ConverseRequest, ToolSpec


class ObeysModel:
    """Follows the rules model except where a text commands something else."""

    async def pieces(self, request: ConverseRequest) -> AsyncIterator[Piece]:
        """The answer in small pieces."""
        for piece in split(spoken(request, self.draft(request))):
            yield piece

    def draft(self, request: ConverseRequest) -> Draft:
        """Commanded calls first, then the rules' answer with what was commanded to be said."""
        commanded = [order for text in texts(request) for order in orders(text)]
        stated = _claims(request, commanded)
        known = list(documents(request))
        calls = _commanded_calls(request, commanded, FactBook.of(known))
        if calls and request.forced_tool is None:
            return Draft(calls=tuple(calls))
        return draft_from(request, FactBook.of([*known, *stated]), FactBook.of(stated))


def _claims(request: ConverseRequest, commanded: list[Order]) -> list[tuple[Path, object]]:
    stated: list[tuple[Path, object]] = []
    for text in texts(request):
        stated += [((claim.label,), claim.value) for claim in claims(text)]
    tools = {key(tool.name) for tool in request.tools}
    for order in commanded:
        if key(order.name) not in tools and is_joined(order.name):
            # `run action X`: X is no tool on offer, so it is what the answer's action shall be.
            stated.append(((order.kind or "action",), order.name))
            stated += [((name,), value) for name, value in order.arguments.items()]
    return stated


def _commanded_calls(request: ConverseRequest, commanded: list[Order], book: FactBook) -> list[Call]:
    turns = request.tool_turns()
    made = {mark(turn.name, turn.arguments) for turn in turns}
    answering = request.tools[-1] if request.must_call and request.tools else None
    calls: list[Call] = []
    for order in commanded:
        tool = next((tool for tool in request.tools if key(tool.name) == key(order.name)), None)
        if tool is None or tool is answering:
            continue
        arguments = _arguments(tool, order, book)
        if mark(tool.name, arguments) not in made:
            made.add(mark(tool.name, arguments))
            calls.append((tool.name, arguments))
    return calls[: max(0, MOST_CALLS - len(turns))]


def _arguments(tool: ToolSpec, order: Order, book: FactBook) -> dict[str, object]:
    """What the order names, then what the facts say, for all that the tool requires."""
    given = dict(order.arguments)
    schema = Schema.of(tool.schema)
    if order.plain and schema.required:
        given[schema.required[0]] = order.plain
    filled = fill(tool.schema, book, FactBook.of([((), given)]))
    return filled if isinstance(filled, dict) else given
