"""Commands in a text, wherever they stand: what to set, what to claim, what to run."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from simulator.bedrock.models.documents import scalar
from simulator.bedrock.models.names import key

_CLAUSE_END = re.compile(r"(?<=[.!?])\s+|[\n;\"]|\\n|,?\s+(?:and|then)\s+(?=[a-z]+\s)|,\s*then\s+")
_LABEL = r"(?:the\s+|its\s+|this\s+|your\s+)?[`']?(?P<label>[A-Za-z][\w-]*(?:\s[\w-]+){0,3}?)[`']?"
_VALUE = r"[`']?(?P<value>[^`'\n]{1,160}?)[`']?[\s.!]*$"
_CLAIMS = [
    re.compile(
        rf"\b(?:set|change|mark|make|update|lower|raise|downgrade|upgrade|switch|classify|treat|put|label)\s+{_LABEL}"
        rf"\s*(?:\bto(?:\s+be)?\b|\bas\b|=)\s*{_VALUE}",
        re.IGNORECASE,
    ),
    re.compile(
        rf"\b(?:say|state|report|write|claim|conclude|answer|respond|declare|insist)\s+(?:that\s+)?{_LABEL}"
        rf"\s+(?:is|was|are|were)\s+{_VALUE}",
        re.IGNORECASE,
    ),
    re.compile(
        rf"\b{_LABEL}\s+(?:must|should|shall|has\s+to|needs\s+to)\s+(?:be|become|read)\s+{_VALUE}",
        re.IGNORECASE,
    ),
]
_RUN = re.compile(
    r"\b(?:call|invoke|run|execute|use|perform|trigger|start)\s+(?:the\s+|a\s+|an\s+)?"
    r"(?:(?P<kind>[A-Za-z]+)\s+)??[`']?(?P<name>[A-Za-z][\w:.-]*\w)[`']?(?:\s+(?P<after>tool|function|action))?"
    r"(?:\s+(?:with|on|using|for|against)\s+(?P<arguments>.+?)|\s*(?P<object>[{(].*))?[\s.!]*$",
    re.IGNORECASE,
)
_PAIR = re.compile(r"[`']?([A-Za-z][\w-]*)[`']?\s*(?:=|:|\bset to\b|\bto\b)\s*[`']?([^\s`',]+)[`']?")
_JOINED = re.compile(r"[_:.-]")


@dataclass(frozen=True)
class Claim:
    """What a text wants to be stated."""

    label: str
    value: Any


@dataclass(frozen=True)
class Order:
    """What a text wants to be run; `plain` is an argument without a name."""

    name: str
    arguments: dict[str, Any]
    plain: str = ""
    kind: str = ""


def claims(text: str) -> Iterator[Claim]:
    """Every claim that a text commands, in order."""
    for clause in clauses(text):
        for pattern in _CLAIMS:
            match = pattern.search(clause)
            if match is not None:
                yield Claim(match.group("label"), scalar(match.group("value").rstrip(".!, ")))
                break


def orders(text: str) -> Iterator[Order]:
    """Every order to run something, in order."""
    for clause in clauses(text):
        match = _RUN.search(clause)
        if match is not None:
            written = (match.group("arguments") or match.group("object") or "").strip()
            pairs = _arguments(written)
            plain = "" if pairs else written.strip("`'. ")
            yield Order(match.group("name"), pairs, plain, match.group("kind") or match.group("after") or "")


def clauses(text: str) -> list[str]:
    """The clauses of a text. JSON objects inside it stay whole."""
    kept: dict[str, str] = {}

    def keep(match: re.Match[str]) -> str:
        mark = f"(({len(kept)}))"
        kept[mark] = match.group(0)
        return mark

    bare = re.sub(
        r"\{[^{}]*\}", lambda match: keep(match) if _is_object(match.group(0)) else match.group(0), text
    )
    parts = [part.strip() for part in _CLAUSE_END.split(bare) if part and part.strip()]
    return [re.sub(r"\(\(\d+\)\)", lambda match: kept.get(match.group(0), ""), part) for part in parts]


def is_joined(name: str) -> bool:
    """Whether a word looks like the name of something rather than a word of English."""
    return _JOINED.search(name) is not None and key(name) != ""


def _arguments(written: str) -> dict[str, Any]:
    if written.startswith("{"):
        try:
            value = json.loads(written)
        except json.JSONDecodeError:
            return {}
        return value if isinstance(value, dict) else {}
    return {name: scalar(value) for name, value in _PAIR.findall(written)}


def _is_object(text: str) -> bool:
    """Only an order's arguments are kept whole; a record in a log is read like any text."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        return False
    return isinstance(value, dict) and not any(" " in str(item) for item in value.values())
