"""A row on its way through a query: a log event with its discovered fields, or a row that `stats` made."""

import json
from math import isfinite
from typing import Any

from simulator.logs.insights.syntax import Field
from simulator.logs.insights.values import Timestamp, Value
from simulator.logs.store import LogEvent, milliseconds

_UNREAD = object()


class Record:
    """Ephemeral values over an event's own fields. JSON is read only when a field asks for it."""

    __slots__ = ("_json", "account", "event", "values")

    def __init__(self, event: LogEvent | None, account: str, values: dict[str, Value] | None = None) -> None:
        self.event = event
        self.account = account
        self.values = values if values is not None else {}
        self._json: Any = _UNREAD

    def lookup(self, field: Field) -> Value:
        """The field's value, or None where this row has no such field."""
        if field.name in self.values:
            return self.values[field.name]
        if self.event is None:
            return None
        if field.name.startswith("@"):
            return self._system(self.event, field.name)
        return self._discovered(self.event, field.parts)

    def _system(self, event: LogEvent, name: str) -> Value:
        if name == "@timestamp":
            return Timestamp(event.stamp)
        if name == "@message":
            return event.message
        if name == "@logStream":
            return event.stream
        if name == "@log":
            return f"{self.account}:{event.group}"
        if name == "@ingestionTime":
            return Timestamp(milliseconds(event.ingested_at))
        return event.event_id if name == "@ptr" else None

    def _discovered(self, event: LogEvent, parts: tuple[str, ...]) -> Value:
        if self._json is _UNREAD:
            self._json = _read_json(event.message)
        found = self._json
        for part in parts:
            if isinstance(found, dict):
                found = found.get(part)
            elif isinstance(found, list) and part.isascii() and part.isdigit() and len(part) < 7:
                found = found[int(part)] if int(part) < len(found) else None
            else:
                return None
        if isinstance(found, bool):
            return int(found)
        # Only leaves are fields: AWS flattens objects and arrays.
        if isinstance(found, float) and not isfinite(found):
            return None
        return found if isinstance(found, str | int | float) else None


def _read_json(message: str) -> Any:
    """The message as a JSON object, or None where it is not one."""
    if not message.lstrip().startswith("{"):
        return None
    try:
        return json.loads(message, parse_constant=lambda _: None, parse_int=_whole)
    except (ValueError, RecursionError):
        return None


def _whole(digits: str) -> int | float:
    return int(digits) if len(digits) < 19 else float(digits)
