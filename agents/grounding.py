"""Find numbers, times and ids in a text that no fact contains."""

import re
from collections.abc import Iterable
from typing import Any

from memory.records.base import canonical_json

_ISO = re.compile(
    r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|\s?UTC|[+-]\d\d:?\d\d)?)?\b", re.I
)
_TIME_OF_DAY = re.compile(r"\b([01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d)?\b")
_ID = re.compile(
    r"(?<![\w-])(?=[\w:/.#-]*\d)(?=[\w:/.#-]*[A-Za-z])[A-Za-z0-9]+(?:[-_:/#.][A-Za-z0-9]+)+"
    r"|(?<!\w)(?=[a-f]*\d)[0-9a-f]{8,}(?!\w)"
    r"|(?<!\w)[A-Za-z][A-Za-z0-9]*(?:[_:/][A-Za-z0-9]+)+"
)
_QUOTED = re.compile(r"`([^`\n]{1,120})`")
_NUMBER = re.compile(r"(?<![\w.])\d+(?:[,.]\d+)*")
_EPSILON = 1e-9
_AND_OR = re.compile(r"^[A-Za-z]+/[A-Za-z]+$")


def unfounded(text: str, facts: Any) -> tuple[str, ...]:
    """Return the numbers, times and ids of a text that stand in no fact, in the order of their kinds.

    A number may be a fact rounded, and a share may be said in percent. Words are not judged.
    """
    known = facts if isinstance(facts, str) else canonical_json(facts)
    strange: list[str] = []
    rest = text
    for pattern, founded in ((_QUOTED, _is_said), (_ISO, _is_time), (_TIME_OF_DAY, _is_said), (_ID, _is_id)):
        for match in pattern.finditer(rest):
            token = (match.group(1) if pattern is _QUOTED else match.group()).strip(".,;:")
            if not founded(token, known):
                strange.append(token)
        rest = pattern.sub(" ", rest)
    said = [match.group() for match in _NUMBER.finditer(rest)]
    numbers = _numbers(known) if said else set()
    strange += [number for number in said if not _is_number(number, numbers)]
    return tuple(dict.fromkeys(strange))


def mentions(facts: Any, name: str) -> bool:
    """Say whether facts name something: the whole word, not a part of another."""
    known = facts if isinstance(facts, str) else canonical_json(facts)
    return bool(name) and re.search(rf"(?<![\w]){re.escape(name)}(?![\w])", known) is not None


def _is_said(token: str, known: str) -> bool:
    return token in known


def _is_id(token: str, known: str) -> bool:
    return token in known or _AND_OR.match(token) is not None


def _is_time(token: str, known: str) -> bool:
    bare = token.upper().replace("UTC", "").replace("Z", "").replace(" ", "T").strip("T ")
    return bare[:16] in known or bare[:16].replace("T", " ") in known


def _numbers(known: str) -> set[float]:
    """Return the numbers of the facts; a digit within a time or an id is not one."""
    for pattern in (_ISO, _TIME_OF_DAY, _ID):
        known = pattern.sub(" ", known)
    return {float(m.group().replace(",", "")) for m in _NUMBER.finditer(known) if _plain(m.group())}


def _plain(token: str) -> bool:
    return token.replace(",", "").count(".") <= 1


def _is_number(token: str, numbers: Iterable[float]) -> bool:
    bare = token.replace(",", "")
    if not _plain(token):
        return False
    said, half = float(bare), 0.5 * 10.0 ** -len(bare.partition(".")[2])
    return any(abs(number * by - said) <= half + _EPSILON for number in numbers for by in (1.0, 100.0))
