"""Tell whether two questions of a model ask for the same, however they are written.

Names that are spelled otherwise, given as an ARN or a URL, in another order, or beside empty fields, are the same; a
number never names anything, so neither a window that is moved nor one of another length makes a new question of it.
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import Any

from memory.records.base import canonical_json
from tools.observe.sources import Question
from tools.reach import FREE

# Texts that say how a part is looked at, and not which.
_HOW = frozenset({"stat", "query"})
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html: a resource's type stands before its name.
_ARN = re.compile(r"arn:[^:]*:[^:]*:[^:]*:[^:]*:(?P<resource>.+)")
_TYPED = re.compile(r"[a-z-]+:(?P<name>.+)")


def mark_of(tool: str, question: Question) -> str:
    """Return the same text for the same question: its words as they are, however they are spaced."""
    return _text(tool, {name: _tidy(value, _spaced) for name, value in question.model_dump().items()})


def part_of(tool: str, question: Question) -> str:
    """Return what a question is about, without how it looks at it."""
    asked = question.model_dump().items()
    return _text(
        tool, {name: _tidy(value, _named) for name, value in asked if name not in _HOW and _is_name(value)}
    )


def place_of(tool: str, question: Question) -> str:
    """Return where a question looks: the names of the account's parts in it, without those that are free to choose."""
    asked = question.model_dump()
    return _text(
        tool, sorted({_named(text) for name in asked.keys() - FREE for text in _texts(asked[name])} - {""})
    )


def _text(tool: str, asked: Any) -> str:
    return f"{tool} {canonical_json(asked)}"


def _is_name(value: Any) -> bool:
    return not isinstance(value, bool | int | float)


def _tidy(value: Any, written: Any) -> Any:
    """Return a value without what is empty in it, and without an order where that means nothing."""
    if isinstance(value, str):
        return written(value)
    if isinstance(value, dict):
        tidy = {written(str(key)): _tidy(inner, written) for key, inner in value.items()}
        return {key: inner for key, inner in tidy.items() if inner not in ("", None, [], {})}
    if isinstance(value, list | tuple | set):
        return sorted({canonical_json(_tidy(inner, written)) for inner in value})
    return value


def _spaced(text: str) -> str:
    return " ".join(text.split())


def _named(text: str) -> str:
    """Return a name without its case, look-alike and invisible characters, and the address that it stands in."""
    shown = "".join(c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) != "Cf")
    plain = _spaced(shown).casefold()
    arn = _ARN.fullmatch(plain)
    if arn is not None:
        typed = _TYPED.fullmatch(arn["resource"])
        return typed["name"] if typed else arn["resource"].rpartition("/")[2]
    return plain.rpartition("/")[2] if "://" in plain else plain


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list | tuple):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)
