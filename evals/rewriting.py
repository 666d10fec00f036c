"""Rewrite every string in a document, and write a document back as TOML."""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

Document = dict[str, Any]
_BARE = re.compile(r"[A-Za-z0-9_-]+")


def each_string(value: Any, change: Callable[[str], str]) -> Any:
    """Return a document with every string changed; keys stay."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {key: each_string(inner, change) for key, inner in value.items()}
    if isinstance(value, list):
        return [each_string(inner, change) for inner in value]
    return value


def exchange(words: Mapping[str, str]) -> Callable[[str], str]:
    """Return a change that exchanges whole words, all at once, the longest first."""
    if not words:
        return lambda text: text
    longest = sorted(words, key=len, reverse=True)
    pattern = re.compile(r"(?<![A-Za-z0-9])(?:" + "|".join(map(re.escape, longest)) + r")(?![A-Za-z0-9])")
    return lambda text: pattern.sub(lambda found: words[found[0]], text)


def write_toml(document: Document, path: Path) -> None:
    """Write a document as TOML, one line for each key at the top."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"{_key(key)} = {_value(value)}\n" for key, value in document.items()]
    path.write_text("".join(lines), encoding="utf-8")


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(key)} = {_value(inner)}" for key, inner in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    # Strings, numbers and truth values are written in TOML as in JSON.
    return json.dumps(value, ensure_ascii=False)


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else json.dumps(key, ensure_ascii=False)
