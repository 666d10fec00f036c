"""A row on its way through a query: a log event with its discovered fields, or a row that `stats` made."""

from simulator.logs.insights.discovery import discovered
from simulator.logs.insights.syntax import Field
from simulator.logs.insights.values import Timestamp, Value
from simulator.logs.store import LogEvent, milliseconds


class Record:
    """Ephemeral values over an event's own fields. A message is looked into only when a field asks for it."""

    __slots__ = ("_discovered", "account", "event", "values")

    def __init__(self, event: LogEvent | None, account: str, values: dict[str, Value] | None = None) -> None:
        self.event = event
        self.account = account
        self.values = values if values is not None else {}
        self._discovered: dict[str, Value] | None = None

    def lookup(self, field: Field) -> Value:
        """The field's value, or None where this row has no such field."""
        if field.name in self.values:
            return self.values[field.name]
        if self.event is None:
            return None
        found = self._system(self.event, field.name)
        if found is not None:
            return found
        if self._discovered is None:
            self._discovered = discovered(self.event.group, self.event.message)
        return self._discovered.get(field.name)

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
