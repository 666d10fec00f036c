"""Writes an object graph down as plain JSON: what is shared stays shared, and nothing in it can run.

Everything but numbers, strings, booleans and null is a list that begins with its kind. Whatever can be shared
counts, in the order in which it is first met, and is afterwards named by that number.
"""

import asyncio
import itertools
import re
from base64 import b64encode
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from enum import Enum
from random import Random
from typing import Any

from pydantic import BaseModel

from simulator.keeping.kinds import Snapshot, UnkeptError, fields_of, is_ours, is_part, name_of

_DICTS: dict[type[Any], str] = {
    dict: "dict",
    defaultdict: "dict",
    Counter: "counter",
    OrderedDict: "ordered",
}
_LISTS: dict[type[Any], str] = {list: "list", set: "set", frozenset: "frozenset", tuple: "tuple"}
_SETS = frozenset({set, frozenset})


class Writer:
    """Writes one graph. `left_out` names what belongs to the machine, with where it was met."""

    def __init__(self, parts: tuple[type, ...] = ()) -> None:
        self._parts = parts
        self._numbers: dict[int, int] = {}
        # Held until the end, so that no id is given out twice.
        self._held: list[object] = []
        self._path: list[object] = []

    def written(self, value: Any) -> Any:
        """A value as plain JSON."""
        kind: Any = type(value)
        if kind in _PLAIN:
            return value
        simple = _SIMPLE.get(kind)
        if simple is not None:
            return simple(value)
        if isinstance(value, Enum):
            return ["enum", name_of(kind), value.value]
        if is_part(kind) or isinstance(value, self._parts):
            return ["part"]
        known = self._numbers.get(id(value))
        if known is not None:
            return ["seen", known]
        self._numbers[id(value)] = len(self._held)
        self._held.append(value)
        return self._shared(value, kind)

    def _shared(self, value: Any, kind: Any) -> list[Any]:
        if kind in _LISTS:
            # A set's order is chance, and the same account is to be written the same way.
            return [_LISTS[kind], *self._items(sorted(value, key=repr) if kind in _SETS else value)]
        if kind in _DICTS:
            return [_DICTS[kind], *self._pairs(value)]
        if isinstance(value, deque):
            return ["deque", value.maxlen, *self._items(value)]
        if isinstance(value, Random):
            return ["random", self.written(value.getstate())]
        if isinstance(value, asyncio.Future):
            return ["future", *self._result(value)]
        if isinstance(value, BaseModel):
            return ["model", name_of(kind), self._fields(value.__dict__.items())]
        if is_ours(kind):
            return self._object(value, kind)
        raise UnkeptError(f"{self._where()} holds a {kind.__qualname__}, which cannot be written down")

    def _object(self, value: Any, kind: Any) -> list[Any]:
        if isinstance(value, Snapshot):
            return ["snapshot", name_of(kind), value.kept()]
        if issubclass(kind, tuple):
            return ["named", name_of(kind), *self._items(value)]
        return ["object", name_of(kind), self._fields(fields_of(value))]

    def _fields(self, fields: Iterable[tuple[str, Any]]) -> dict[str, Any]:
        found = {}
        for name, field in fields:
            self._path.append(name)
            found[name] = self.written(field)
            self._path.pop()
        return found

    def _items(self, items: Iterable[Any]) -> list[Any]:
        return [one if type(one) in _PLAIN else self.written(one) for one in items]

    def _pairs(self, value: Mapping[Any, Any]) -> list[Any]:
        found = []
        for key, item in value.items():
            if type(key) in _PLAIN and type(item) in _PLAIN:
                found.append([key, item])
                continue
            self._path.append(key)
            found.append([self.written(key), self.written(item)])
            self._path.pop()
        return found

    def _result(self, value: "asyncio.Future[Any]") -> list[Any]:
        """What work came to. Work that is under way or failed ends with the process."""
        if not value.done() or value.cancelled() or value.exception() is not None:
            return []
        return [self.written(value.result())]

    def _where(self) -> str:
        return "/".join(str(one) for one in ("account", *self._path))


def _count(value: "itertools.count[int]") -> list[Any]:
    # Its next number can be read only by taking it, or in how it shows itself.
    return ["count", int(re.findall(r"\d+", repr(value))[0])]


# Never shared, because nobody can change them.
_PLAIN = frozenset({type(None), bool, int, float, str})
_SIMPLE: dict[type[Any], Callable[[Any], list[Any]]] = {
    datetime: lambda value: ["time", value.isoformat()],
    date: lambda value: ["date", value.isoformat()],
    timedelta: lambda value: ["span", value.days, value.seconds, value.microseconds],
    bytes: lambda value: ["bytes", b64encode(value).decode()],
    itertools.count: _count,
    re.Pattern: lambda value: ["pattern", value.pattern, value.flags],
}
