"""Values with a label, found in a text: JSON, tagged sections, and `label: value` lines."""

import json
import re
from collections.abc import Iterator
from typing import Any

from simulator.bedrock.models.facts import Path

_TAGGED = re.compile(r"<([A-Za-z][\w.-]{0,40})(?:\s[^<>]*)?>(.*?)</\1>", re.DOTALL)
# A label may stand in a list, a quote, a heading, in bold or in backticks.
_LABEL = r"[ \t>*#-]*\**`?([A-Za-z][\w .\-/]{0,40}?)`?\**"
_LINE = re.compile(rf"^{_LABEL}(?::\**[ \t]+|[ \t]*=[ \t]*)(\S.*?)[ \t]*$", re.MULTILINE)
_LABEL_BEFORE = re.compile(rf"(?:^|\n){_LABEL}[ \t]*[:=]?\**(?:[ \t]*\n){{0,3}}[ \t]*$")
_FENCE = re.compile(r"```[\w-]*[ \t]*\n?")
_MOST_WORDS = 4
_DECODER = json.JSONDecoder()


def labelled(text: str) -> Iterator[tuple[Path, Any]]:
    """Every labelled value of a text, in the order of the text within each form."""
    rest = text
    for match in _TAGGED.finditer(text):
        yield from _section(match.group(1), match.group(2))
        rest = rest.replace(match.group(0), "\n")
    yield from _untagged(rest)


def _section(tag: str, inner: str) -> Iterator[tuple[Path, Any]]:
    found = list(labelled(inner))
    if not found:
        yield (tag,), inner.strip()
    for path, value in found:
        yield (tag, *path), value


def _untagged(text: str) -> Iterator[tuple[Path, Any]]:
    bare = _FENCE.sub("\n", text)
    rest, start = "", 0
    for begin, end, value in _json_values(bare):
        before = bare[start:begin]
        label = _label_before(before)
        if label is None and not _has_record(value):
            continue  # brackets in a sentence, such as a footnote
        rest += (before[: -len(label[1])] if label and label[1] else before) + "\n"
        start = end
        yield ((label[0],) if label else ()), value
    yield from _lines(rest + bare[start:])


def _label_before(before: str) -> tuple[str, str] | None:
    """The label that the text before a JSON value ends with, and the text it takes."""
    match = _LABEL_BEFORE.search(before)
    if match is None or len(match.group(1).split()) > _MOST_WORDS:
        return None
    marked = any(sign in match.group(0) for sign in ":=#")
    return (match.group(1).strip(), match.group(0).lstrip("\n")) if marked else None


def _has_record(value: Any) -> bool:
    return isinstance(value, dict) or any(isinstance(item, dict) for item in value)


def _json_values(text: str) -> Iterator[tuple[int, int, Any]]:
    """Objects and lists of objects or scalars; a bracket that does not parse is prose."""
    at = 0
    while (match := re.compile(r"[{\[]").search(text, at)) is not None:
        try:
            value, end = _DECODER.raw_decode(text, match.start())
        except json.JSONDecodeError:
            at = match.end()
            continue
        if value:
            yield match.start(), end, value
        at = end


def _lines(text: str) -> Iterator[tuple[Path, Any]]:
    for match in _LINE.finditer(text):
        if len(match.group(1).split()) <= _MOST_WORDS:
            yield (match.group(1).strip(),), scalar(match.group(2))


def scalar(written: str) -> Any:
    """A value as it stands after a label: a JSON literal if it is one, else the text."""
    bare = written.strip().strip("`").strip()
    try:
        value = json.loads(bare)
    except json.JSONDecodeError:
        return bare.strip("\"'*").strip()
    return bare if isinstance(value, dict | list) else value
