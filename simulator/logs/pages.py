"""Pages of log events and of names, and the tokens that continue them.

An event token names the last event given, so pages stay right while events keep arriving.
"""

import base64
import binascii
import json
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from simulator.logs.store import LogEvent
from simulator.wire.protocol import AwsError

Item = TypeVar("Item")
_LARGEST_PAGE_BYTES = 1_048_576


@dataclass(frozen=True)
class Page(Generic[Item]):
    """Some items, and the token of what follows (None where nothing does)."""

    items: list[Item]
    next_token: str | None


@dataclass(frozen=True)
class EventPage(Page[LogEvent]):
    """A page of events; its two other tokens continue it in time and against time."""

    forward_token: str
    backward_token: str

    @property
    def oldest_first(self) -> list[LogEvent]:
        """The page's events by time, whatever its direction."""
        return sorted(self.items, key=lambda event: event.order)


def name_page(names: Sequence[str], token: str | None, limit: int) -> Page[str]:
    """The names after the token's, at most `limit`."""
    start = 0
    if token is not None:
        last = str(_read(token).get("after", ""))
        if last not in names:
            raise _bad_token()
        start = list(names).index(last) + 1
    items = list(names[start : start + limit])
    more = start + limit < len(names)
    return Page(items, _written({"after": items[-1]}) if more and items else None)


def event_page(events: Sequence[LogEvent], token: str | None, limit: int, forward: bool) -> EventPage:
    """A page of events (given oldest first) from a token, or from the head or the tail."""
    orders = [event.order for event in events]
    edge = 0 if forward else len(events)
    position: int | None = None
    if token is not None:
        forward, position = _position(token)
        edge = bisect_right(orders, position) if forward else bisect_left(orders, position)
    waiting = events[edge:] if forward else events[:edge][::-1]
    items = _within_a_page(waiting[:limit])
    rest = _resting_place(position, orders, forward)
    # From an empty page the way back starts with the event it stands on.
    newest, oldest = (rest, rest + 1) if forward else (max(rest - 1, 0), rest)
    if items:
        newest, oldest = max(items[0].order, items[-1].order), min(items[0].order, items[-1].order)
    return EventPage(
        items=items,
        next_token=_event_token(forward, items[-1].order) if len(items) < len(waiting) else None,
        forward_token=_event_token(True, newest),
        backward_token=_event_token(False, oldest),
    )


def _resting_place(position: int | None, orders: list[int], forward: bool) -> int:
    """Where an empty page stands: where its token stood, so that the same token comes back."""
    if position is not None:
        return position
    if not orders:
        return 0
    return orders[-1] if forward else orders[0]


def _within_a_page(events: Sequence[LogEvent]) -> list[LogEvent]:
    size = 0
    kept: list[LogEvent] = []
    for event in events:
        size += len(event.message) + 26
        if kept and size > _LARGEST_PAGE_BYTES:
            break
        kept.append(event)
    return kept


def _event_token(forward: bool, order: int) -> str:
    return ("f/" if forward else "b/") + f"{order:056d}"


def _position(token: str) -> tuple[bool, int]:
    direction, _, digits = token.partition("/")
    if direction not in {"f", "b"} or not (digits.isascii() and digits.isdigit() and len(digits) == 56):
        raise _bad_token()
    return direction == "f", int(digits)


def _written(content: dict[str, str]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode()


def _read(token: str) -> dict[str, object]:
    try:
        content = json.loads(base64.urlsafe_b64decode(token.encode()))
    except (binascii.Error, ValueError):
        raise _bad_token() from None
    if not isinstance(content, dict):
        raise _bad_token()
    return content


def _bad_token() -> AwsError:
    return AwsError("InvalidParameterException", "The specified nextToken is invalid.")
