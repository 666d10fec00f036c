"""Flag text that gives orders to whoever reads it.

Rules of the first line only: nothing rests on their being complete. Text from outside is fenced wherever a model reads
it, no model can change anything, and what a hypothesis rests on is dropped when it is flagged. So a rule looks for what
ordinary operations text does not say: not for imperatives, of which runbooks and logs are full, but for orders about
the reader's own instructions, judgement or words. `tests/tools/test_injection.py` measures it.

Text is looked at as it stands, with what hides its words undone and as what it decodes to (`tools/disguises.py`), and
joined with the lines beside it.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from tools.disguises import decoded, forms, shown
from tools.orders import ANY, JOINED

FLAG = "prompt_injection"

# What tells one line of a log from the next: too short to hold an order, in whatever form.
_OWN = re.compile(r"(?i)\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b(?=\w*\d)[0-9a-f]{8,23}\b|\d+")
_ROT13 = re.compile(
    r"(?i)\b(?:vtaber|qvfertneq|sbetrg|bireevqr)\b.{0,64}\b(?:vafgehpgvbaf?|cebzcgf?|thvqryvarf?)\b"
)
# A line that may be a part of something packed.
_PACKED = re.compile(r"[A-Za-z0-9+/_-]{16,1024}={0,2}")
LINES_TOGETHER, LINE_CHARS = 4, 300
DEPTH = 2


def flags_of(value: Any) -> tuple[str, ...]:
    """Return the flags that the texts in a JSON value deserve: none, or that somebody gives orders in it."""
    # Digits may be what an order is written in: only what is the same to the letter is looked at once.
    found = any(_orders(text) for text in dict.fromkeys(_texts(value)))
    found = found or any(JOINED.in_text(text) for lines in _logs(value) for text in _neighbours(lines))
    found = found or any(JOINED.in_text(shown(text)) for text in _pairs(value))
    found = found or any(_orders(text) for text in _runs(list(_values(value))))
    return (FLAG,) if found else ()


def _orders(text: str, depth: int = DEPTH) -> bool:
    """Say whether a text, or what is written in it in another form, gives orders."""
    if any(ANY.in_text(form) for form in forms(text)) or _ROT13.search(text):
        return True
    return depth > 0 and any(_orders(inner, depth - 1) for inner in decoded(text))


def _logs(value: Any) -> Iterator[list[str]]:
    """Yield lines that stand below each other: the first of each kind, and all that have the same name."""
    kinds: dict[str, str] = {}
    columns: dict[str, list[str]] = {}
    for name, text in _named(value):
        kinds.setdefault(_OWN.sub("0", text), text)
        columns.setdefault(name, []).append(text)
    yield list(kinds.values())
    yield from columns.values()


def _neighbours(texts: Sequence[str]) -> Iterator[str]:
    """Yield short texts that stand together, in both directions: an order may be spread over lines of a log."""
    short = [shown(text[:LINE_CHARS]) for text in texts]
    for lines in (short, short[::-1]):
        yield "\n".join(" ".join(lines[at : at + LINES_TOGETHER]) for at in range(len(lines)))


def _runs(texts: Sequence[str]) -> Iterator[str]:
    """Yield lines that may be pieces of one that was packed, put together; what says when they came is left out."""
    run: list[str] = []
    for text in texts:
        if _PACKED.fullmatch(text):
            run.append(text)
        elif not _is_moment(text):
            yield from [f"{''.join(run)}"] * (len(run) > 1)
            run = []
    yield from [f"{''.join(run)}"] * (len(run) > 1)


def _is_moment(text: str) -> bool:
    return len(text) < 40 and not re.sub(r"[\d\s:.,+TZ-]", "", text)


def _pairs(value: Any) -> Iterator[str]:
    """Yield short keys with their texts, such as of tags: an order may be begun in the one and ended in the other."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(inner, str) and " " in str(key) and len(inner) <= LINE_CHARS:
                yield f"{key} {inner}"
            yield from _pairs(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _pairs(inner)


def _values(value: Any) -> Iterator[str]:
    """Yield the texts of a JSON value without its keys, which stand between the lines of a log."""
    return (text for _, text in _named(value))


def _named(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Yield the texts of a JSON value, each with the nearest key above it."""
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _named(inner, str(key))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _named(inner, name)


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for key, inner in value.items() for text in (str(key), *_texts(inner))]
    if isinstance(value, list | tuple):
        return [text for inner in value for text in _texts(inner)]
    return []
