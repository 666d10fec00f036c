"""Labelled facts, found by name."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from simulator.bedrock.models.names import backticked, closeness, key, words

Path = tuple[str, ...]
ITEM = "[]"
COLUMN = "[*]"
_LONGEST_NAME = 3


@dataclass(frozen=True)
class Fact:
    """A value and the keys that lead to it.

    `ITEM` in the path is an item of a list, `COLUMN` all its items together.
    """

    path: Path
    value: Any
    order: int

    @property
    def labels(self) -> Path:
        """The path without its marks for lists."""
        return tuple(part for part in self.path if part not in (ITEM, COLUMN))

    @property
    def in_list(self) -> bool:
        """Whether the fact is part of a list's items."""
        return ITEM in self.path or COLUMN in self.path

    @property
    def preference(self) -> tuple[int, int, int]:
        """Smaller is better: outside lists first, then near the top, then what was said last."""
        items = self.path.count(ITEM) + self.path.count(COLUMN)
        # The first item of a list speaks for the list; elsewhere the later word wins.
        return (items, len(self.path), self.order if items else -self.order)


@dataclass(frozen=True)
class FactBook:
    """Facts in the order they were said."""

    facts: tuple[Fact, ...]

    @classmethod
    def of(cls, documents: Sequence[tuple[Path, Any]]) -> "FactBook":
        """The facts in some values, each under a path of its own."""
        found = [leaf for path, value in documents for leaf in _walk(path, value)]
        return cls(tuple(Fact(path, value, order) for order, (path, value) in enumerate(found)))

    def named(self, name: str) -> list[Fact]:
        """Facts of exactly this name (the last key, or the last two or three), best first."""
        return self._index.get(key(name), [])

    def mentioned(self, description: str) -> Iterator[Fact]:
        """Facts that a description names in backticks, best first."""
        for label in backticked(description):
            yield from self.named(label)

    def near(self, name: str) -> list[Fact]:
        """Facts whose name contains this one or is contained in it, best first."""
        if name in self._near:
            return self._near[name]
        wanted = words(name)
        scored = [(closeness(wanted, words(fact.labels[-1])), fact) for fact in self.facts if fact.labels]
        close = [(score, fact) for score, fact in scored if score > 0.0]
        close.sort(key=lambda pair: (-pair[0], pair[1].preference))
        self._near[name] = [fact for _, fact in close]
        return self._near[name]

    def within(self, name: str) -> list[Fact]:
        """Facts whose whole label is part of this name, best first: a claim about the cause is one about
        the root cause."""
        wanted = set(words(name))
        held = [fact for fact in self.facts if fact.labels and set(words(fact.labels[-1])) <= wanted]
        return sorted((fact for fact in held if words(fact.labels[-1])), key=lambda fact: fact.preference)

    def about(self, name: str, description: str = "") -> Iterator[Fact]:
        """Every fact that may stand for a property, best first."""
        yield from self.named(name)
        yield from self.mentioned(description)
        yield from self.near(name)

    @cached_property
    def _near(self) -> dict[str, list[Fact]]:
        """What `near` found before: the same properties are sought for every item of a list."""
        return {}

    @cached_property
    def _index(self) -> dict[str, list[Fact]]:
        index: dict[str, list[Fact]] = {}
        for fact in self.facts:
            labels = fact.labels
            for length in range(1, min(_LONGEST_NAME, len(labels)) + 1):
                index.setdefault(key("_".join(labels[-length:])), []).append(fact)
        for found in index.values():
            found.sort(key=lambda fact: fact.preference)
        return index


def _walk(path: Path, value: Any) -> Iterator[tuple[Path, Any]]:
    if path:
        yield path, value
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _walk((*path, str(name)), item)
    elif isinstance(value, list):
        yield from _columns(path, value)
        for item in value:
            if isinstance(item, dict):
                yield from _items(path, item)


def _items(path: Path, item: dict[str, Any]) -> Iterator[tuple[Path, Any]]:
    for name, inner in item.items():
        yield from _walk((*path, ITEM, str(name)), inner)


def _columns(path: Path, rows: list[Any]) -> Iterator[tuple[Path, Any]]:
    """A list of records also states, per field, the list of that field's values."""
    records = [row for row in rows if isinstance(row, dict)]
    names = dict.fromkeys(str(name) for record in records for name in record)
    for name in names:
        column = [record[name] for record in records if name in record]
        if path and not any(isinstance(cell, dict | list) for cell in column):
            yield (*path, COLUMN, name), column
