"""Read the body of a delivered event, within limits that no interpreter decides."""

import json
from typing import Any

from memory.records.base import canonical_json

LIMIT_BYTES = 256 * 1024
# The deepest event published by AWS has eight levels.
MOST_NESTED = 64


class RefusedEvent(Exception):
    """A body that starts nothing: 400 when it is malformed, 413 when too large, 422 when nothing here knows it."""

    def __init__(self, reason: str, status: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status


def read_body(event: bytes | str | dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Return the body, and its canonical text: the same event gives the same digest however it was spaced.

    Raises `RefusedEvent`.
    """
    if isinstance(event, bytes | str) and len(event) > LIMIT_BYTES:
        raise RefusedEvent(f"the body has more than {LIMIT_BYTES} bytes", 413)
    try:
        text = canonical_json(event) if isinstance(event, dict) else event
        parsed = read_json(text)
        raw = canonical_json(parsed).encode()
    except (ValueError, TypeError, RecursionError) as error:
        raise RefusedEvent(f"the body is not JSON: {str(error)[:200]}", 400) from error
    if not isinstance(parsed, dict):
        raise RefusedEvent("the body is JSON but no object", 400)
    if len(raw) > LIMIT_BYTES:
        raise RefusedEvent(f"the body has more than {LIMIT_BYTES} bytes", 413)
    return parsed, raw


def read_json(text: bytes | str) -> Any:
    """Parse JSON whose numbers a checkpoint can hold; raise `RefusedEvent` where it is nested too deep."""
    parsed = json.loads(text, parse_int=_integer)
    level = [parsed]
    for _ in range(MOST_NESTED):
        level = [inner for value in level for inner in _inside(value)]
        if not level:
            return parsed
    raise RefusedEvent(f"the body is nested more than {MOST_NESTED} levels deep", 400)


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _integer(text: str) -> int:
    value = int(text)
    if not -(2**63) <= value < 2**64:
        raise ValueError("a number has more than 64 bits")
    return value
