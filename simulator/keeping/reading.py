"""Takes up what was written down, inside an account that was just opened.

What the account made when it opened is filled anew and stays what it is, so that whoever holds it goes on holding
the right thing; what came into being later is made. Nothing that is read is ever called.
"""

import asyncio
import itertools
import re
from base64 import b64decode
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import cache
from random import Random
from typing import Any

from pydantic import BaseModel

from simulator.keeping.kinds import Snapshot, UnkeptError, class_of, fields_of, forget_computed, is_ours

_DICTS: dict[str, Callable[[], dict[Any, Any]]] = {"dict": dict, "counter": Counter, "ordered": OrderedDict}
_NOTHING = object()


class Reader:
    """Reads one graph."""

    def __init__(self) -> None:
        self._seen: list[Any] = []
        # Held until the end, so that no id is given out twice.
        self._claimed: list[Any] = []
        self._claims: set[int] = set()
        self._path: list[object] = []
        self._simple: dict[str, Callable[..., Any]] = {
            "enum": lambda name, value: class_of(name)(value),
            "time": datetime.fromisoformat,
            "date": date.fromisoformat,
            "span": timedelta,
            "bytes": b64decode,
            "count": itertools.count,
            "pattern": re.compile,
        }

    def read(self, kept: Any, into: Any = None) -> Any:
        """What was written, in place of `into` or in it."""
        if not isinstance(kept, list):
            return kept
        kind, *rest = kept
        simple = self._simple.get(kind)
        if simple is not None:
            return simple(*rest)
        if kind == "part":
            if into is None:
                raise UnkeptError(f"{self._where()} is a part of the machine that this account has not made")
            return into
        if kind == "seen":
            found = self._seen[rest[0]]
            if found is _NOTHING:
                raise UnkeptError(f"{self._where()} holds itself")
            return found
        return self._shared(kind, rest, into)

    def _shared(self, kind: str, rest: list[Any], into: Any) -> Any:
        place = len(self._seen)
        self._seen.append(_NOTHING)
        into = self._claim(into)
        match kind:
            case "list":
                return self._list(place, rest, into)
            case "set":
                return self._set(place, rest, into)
            case "dict" | "counter" | "ordered":
                return self._dict(place, kind, rest, into)
            case "object" | "model":
                return self._object(place, rest[0], rest[1], into)
        found = self._whole(kind, rest, into)
        self._seen[place] = found
        return found

    def _claim(self, into: Any) -> Any:
        """What is still free to be filled: two things that are one in a new account may be two by now."""
        if into is None or id(into) in self._claims:
            return None
        self._claims.add(id(into))
        self._claimed.append(into)
        return into

    def _whole(self, kind: str, rest: list[Any], into: Any) -> Any:
        """What is made at once, when all of it is known."""
        match kind:
            case "tuple":
                olds = into if isinstance(into, tuple) and len(into) == len(rest) else [None] * len(rest)
                found = tuple(self.read(one, old) for one, old in zip(rest, olds, strict=True))
                return into if all(map(_is_same, found, olds)) and into == found else found
            case "frozenset":
                return frozenset(self._items(rest))
            case "named":
                return class_of(rest[0])(*self._items(rest[1:]))
            case "deque":
                return deque(self._items(rest[1:]), rest[0])
            case "random":
                chance = into if isinstance(into, Random) else Random()
                chance.setstate(self.read(rest[0]))
                return chance
            case "future":
                return _future(self._items(rest))
            case "snapshot":
                return self._snapshot(rest[0], rest[1], into)
        raise UnkeptError(f"{self._where()} is a {kind}, which this version does not know")

    def _items(self, items: list[Any]) -> list[Any]:
        return [self.read(one) if isinstance(one, list) else one for one in items]

    def _list(self, place: int, items: list[Any], into: Any) -> list[Any]:
        found = into if isinstance(into, list) else []
        self._seen[place] = found
        found[:] = self._items(items)
        return found

    def _set(self, place: int, items: list[Any], into: Any) -> set[Any]:
        found = into if isinstance(into, set) else set()
        self._seen[place] = found
        fresh = self._items(items)
        found.clear()
        found.update(fresh)
        return found

    def _dict(self, place: int, kind: str, pairs: list[Any], into: Any) -> dict[Any, Any]:
        found = into if isinstance(into, dict) else _DICTS[kind]()
        self._seen[place] = found
        fresh = {}
        for kept_key, kept in pairs:
            key = self.read(kept_key) if isinstance(kept_key, list) else kept_key
            if isinstance(kept, list):
                old = found.get(key)
                self._path.append(key)
                fresh[key] = self.read(kept, old if kept == ["part"] else _ours(old))
                self._path.pop()
            else:
                fresh[key] = kept
        found.clear()
        found.update(fresh)
        return found

    def _object(self, place: int, name: str, kept: dict[str, Any], into: Any) -> Any:
        kind: Any = class_of(name)
        frozen = _is_frozen(kind)
        old = into if type(into) is kind else None
        olds = dict(fields_of(old)) if old is not None else {}
        found = old if old is not None and not frozen else object.__new__(kind)
        if not frozen:
            self._seen[place] = found
        fields = self._fields(kept, olds)
        if frozen and old is not None and all(_is_same(olds.get(key), one) for key, one in fields.items()):
            found = old
        elif issubclass(kind, BaseModel):
            # It was checked when it was read from the world's files, and is made as it was.
            found = kind.model_construct(**fields)
        else:
            for key, one in fields.items():
                object.__setattr__(found, key, one)
            forget_computed(found)
        self._seen[place] = found
        return found

    def _fields(self, kept: dict[str, Any], olds: dict[str, Any]) -> dict[str, Any]:
        fields = {}
        for key, one in kept.items():
            if isinstance(one, list):
                self._path.append(key)
                fields[key] = self.read(one, olds.get(key))
                self._path.pop()
            else:
                fields[key] = one
        return fields

    def _snapshot(self, name: str, kept: dict[str, Any], into: Any) -> Any:
        if not isinstance(into, class_of(name)) or not isinstance(into, Snapshot):
            raise UnkeptError(f"{self._where()} is a {name} that this account has not made")
        into.restore(kept)
        return into

    def _where(self) -> str:
        return "/".join(str(one) for one in ("account", *self._path))


def _future(result: list[Any]) -> "asyncio.Future[Any]":
    future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    if result:
        future.set_result(result[0])
    else:
        future.cancel()
    return future


def _ours(value: Any) -> Any:
    """What an account has made of its own; the plain data inside its data is made anew."""
    kind: Any = type(value)
    return value if is_ours(kind) else None


@cache
def _is_frozen(kind: Any) -> bool:
    if issubclass(kind, BaseModel):
        return True
    parameters = getattr(kind, "__dataclass_params__", None)
    return parameters is not None and bool(parameters.frozen)


def _is_same(old: Any, new: Any) -> bool:
    """Whether a field is what it was: the same thing, or one that is as good as it."""
    kind: Any = type(new)
    if isinstance(new, list | dict | set) or is_ours(kind):
        return old is new
    return type(old) is type(new) and bool(old == new)
