"""The string a schema gets when no fact states it."""

import re
from typing import Any

from simulator.bedrock.models.facts import FactBook
from simulator.bedrock.models.patterns import plainest
from simulator.bedrock.models.prose import is_free_text, sentence
from simulator.bedrock.models.scalars import least_moment
from simulator.bedrock.models.schema import Schema

_UNKNOWN = "unknown"
_FORMATS = {
    "uuid": "00000000-0000-0000-0000-000000000000",
    "uri": "about:blank",
    "email": "unknown@example.invalid",
}
_LONGEST = 400


def least_string(name: str, schema: Schema, book: FactBook) -> str:
    """Prose of the facts at hand for a text, a plain `unknown` for a name or a code."""
    node = schema.node
    if node.get("format") in ("date-time", "date"):
        return least_moment(node["format"])
    if "pattern" in node:
        return _matching(node, book)
    most = node.get("maxLength", _LONGEST)
    text = sentence(book, most) if is_free_text(name, schema.description) else _UNKNOWN
    text = _FORMATS.get(node.get("format", ""), text)[:most]
    return text.ljust(node.get("minLength", 0), ".")


def _matching(node: dict[str, Any], book: FactBook) -> str:
    least, most = node.get("minLength", 0), node.get("maxLength", _LONGEST)
    for fact in reversed(book.facts):
        value = fact.value
        if isinstance(value, str) and least <= len(value) <= most and re.search(node["pattern"], value):
            return value
    return plainest(node["pattern"], least)
