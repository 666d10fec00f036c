"""Values of the query language: what is a number, what is equal, what comes first, how it is written.

True and false are 1 and 0. A missing field is None: it equals nothing and compares with nothing, and
`!=`, `not like` and `not` are exact complements, which AWS leaves undocumented for missing fields.
"""

import re
from datetime import UTC, datetime
from math import isfinite
from typing import TypeAlias


class Timestamp(int):
    """Milliseconds since 1970 that are written as a date."""


Value: TypeAlias = str | int | float | Timestamp | None

_NUMBER = re.compile(r"[+-]?(?:\d{1,18}|\d+\.\d*|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
_LONGEST_NUMBER = 40
_CHUNK = re.compile(r"\d+|\D+")
SortKey: TypeAlias = tuple[int, float, tuple[tuple[int, int, str], ...]]


def number(value: Value) -> int | float | None:
    """The value as a number, where it is one or a string that says one."""
    if isinstance(value, int | float):
        return value
    if value is None or len(value) > _LONGEST_NUMBER or not _NUMBER.fullmatch(value.strip()):
        return None
    text = value.strip()
    if text.lstrip("+-").isdigit():
        return int(text)
    parsed = float(text)
    return parsed if isfinite(parsed) else None


def text(value: Value) -> str | None:
    """The value as it is written in results; None stays None."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, Timestamp):
        return written_time(value)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e16 else repr(value)
    return str(int(value))


def written_time(stamp: int) -> str:
    """`2026-11-23 09:00:00.000`, as Logs Insights writes a time in UTC."""
    try:
        moment = datetime.fromtimestamp(stamp // 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return str(int(stamp))
    return f"{moment:%Y-%m-%d %H:%M:%S}.{stamp % 1000:03d}"


def equal(left: Value, right: Value) -> bool:
    """Equal as numbers where both are numbers, else as text. A missing value equals nothing."""
    if left is None or right is None:
        return False
    if isinstance(left, str) and isinstance(right, str) and left == right:
        return True
    one, other = number(left), number(right)
    if one is not None and other is not None:
        return one == other
    return text(left) == text(right)


def ordered(left: Value, right: Value) -> int | None:
    """-1, 0 or 1, or None where the two cannot be compared."""
    if left is None or right is None:
        return None
    one, other = number(left), number(right)
    if one is not None and other is not None:
        return (one > other) - (one < other)
    if isinstance(left, str) and isinstance(right, str):
        return (left > right) - (left < right)
    return None


def sort_key(value: Value) -> SortKey:
    """AWS's natural order: text before numbers, digits inside text by their value. Missing comes first."""
    if value is None:
        return (0, 0.0, ())
    as_number = number(value)
    if as_number is not None:
        return (2, as_number, ())
    chunks = _CHUNK.findall(str(value))
    return (1, 0.0, tuple(_chunk_key(chunk) for chunk in chunks))


def _chunk_key(chunk: str) -> tuple[int, int, str]:
    if chunk.isascii() and chunk.isdigit() and len(chunk) <= _LONGEST_NUMBER:
        return (0, int(chunk), chunk)
    return (1, 0, chunk)
