"""Which of the account's things are kept, and by which fields; classes are known by their place in this package."""

import asyncio
import importlib
from collections.abc import Iterator
from functools import cache, cached_property
from types import ModuleType
from typing import Any, Protocol, runtime_checkable

PACKAGE = "simulator"
# What is made with an account and has nothing to remember.
_PARTS = (ModuleType, type, asyncio.Lock, asyncio.Event, asyncio.AbstractEventLoop)
# Locks, and clients that steps of documents call the account with.
_MACHINERY = frozenset({"_thread", "threading", "botocore", "boto3", "concurrent"})


class UnkeptError(RuntimeError):
    """Something cannot be written down, or taken up again, and where it is."""


@runtime_checkable
class Snapshot(Protocol):
    """Says itself what of it is kept. Everything else is kept field by field."""

    def kept(self) -> dict[str, Any]:
        """What is to be remembered, as plain JSON."""
        ...

    def restore(self, kept: dict[str, Any]) -> None:
        """Take up what `kept` gave."""
        ...


@cache
def is_part(kind: Any) -> bool:
    """Whether things of this kind belong to the machine and not to what it holds."""
    if issubclass(kind, _PARTS) or kind.__module__.partition(".")[0] in _MACHINERY:
        return True
    # Functions, methods, partials and the like: what can be called and is no class of ours.
    return not is_ours(kind) and any("__call__" in vars(one) for one in kind.__mro__)


@cache
def is_ours(kind: Any) -> bool:
    """Whether a class is declared in this package."""
    return str(kind.__module__).partition(".")[0] == PACKAGE


@cache
def name_of(kind: Any) -> str:
    """Where a class is declared."""
    return f"{kind.__module__}:{kind.__qualname__}"


@cache
def class_of(name: str) -> type:
    """The class of that name. Nothing outside this package is ever looked up."""
    module, _, qualified = name.partition(":")
    if module.partition(".")[0] != PACKAGE:
        raise UnkeptError(f"{name} is no class of the account")
    found: Any = importlib.import_module(module)
    for part in qualified.split("."):
        found = getattr(found, part, None)
    if not isinstance(found, type):
        raise UnkeptError(f"there is no {name} any more")
    return found


def fields_of(value: Any) -> Iterator[tuple[str, Any]]:
    """The fields of one of our objects, without what it only remembers to save work."""
    kind: Any = type(value)
    for name in _slots(kind):
        if hasattr(value, name):
            yield name, getattr(value, name)
    saved = _computed(kind)
    for name, field in vars(value).items() if hasattr(value, "__dict__") else ():
        if name not in saved:
            yield name, field


def forget_computed(value: Any) -> None:
    """Let an object compute anew what it computed from fields that may have changed."""
    kind: Any = type(value)
    if hasattr(value, "__dict__"):
        for name in _computed(kind):
            vars(value).pop(name, None)


@cache
def _slots(kind: type[Any]) -> tuple[str, ...]:
    names: list[str] = []
    for one in kind.__mro__:
        slots = one.__dict__.get("__slots__", ())
        names += [slots] if isinstance(slots, str) else list(slots)
    return tuple(name for name in names if name not in ("__dict__", "__weakref__"))


@cache
def _computed(kind: type[Any]) -> frozenset[str]:
    return frozenset(
        name
        for one in kind.__mro__
        for name, member in vars(one).items()
        if isinstance(member, cached_property)
    )
