"""Which tools are called with what: those whose required parameters the facts name."""

import json
from typing import Any

from simulator.bedrock.models.facts import Fact, FactBook
from simulator.bedrock.models.filling import Scope, fit
from simulator.bedrock.models.scalars import MISSING
from simulator.bedrock.models.schema import Schema
from simulator.bedrock.request import ConverseRequest, ToolSpec

MOST_CALLS = 6

Call = tuple[str, dict[str, Any]]


def ready_calls(request: ConverseRequest, tools: list[ToolSpec], book: FactBook) -> list[Call]:
    """Calls not made before, within the conversation's limit; a tool that failed is left alone."""
    turns = request.tool_turns()
    offered = {tool.name for tool in tools}
    made = {mark(turn.name, turn.arguments) for turn in turns}
    failed = {turn.name for turn in turns if turn.failed}
    left = MOST_CALLS - sum(turn.name in offered for turn in turns)
    calls = []
    for tool in tools:
        arguments = arguments_of(tool, book)
        if arguments is not None and tool.name not in failed and mark(tool.name, arguments) not in made:
            calls.append((tool.name, arguments))
    return calls[: max(left, 0)]


def arguments_of(tool: ToolSpec, book: FactBook) -> dict[str, Any] | None:
    """The arguments the facts name, or None if a required one is not among them."""
    schema, scope = Schema.of(tool.schema), Scope((book,))
    arguments = {}
    for name, node in schema.properties.items():
        inner, needed = schema.at(node), name in schema.required
        facts = [*book.named(name), *book.mentioned(inner.description)]
        value = _first(name, facts if needed else _outside_lists(facts), inner, scope)
        if value is not MISSING:
            arguments[name] = value
        elif needed:
            return None
    return arguments


def _first(name: str, facts: list[Fact], schema: Schema, scope: Scope) -> Any:
    values = (fit(name, fact.value, schema, scope) for fact in facts if fact.value is not None)
    return next((value for value in values if value is not MISSING), MISSING)


def _outside_lists(facts: list[Fact]) -> list[Fact]:
    return [fact for fact in facts if not fact.in_list]


def mark(name: str, arguments: dict[str, Any]) -> str:
    """The same text for the same call."""
    return name + json.dumps(arguments, sort_keys=True)
