"""Find runbooks by their words: a small index in memory, ranked by BM25.

https://en.wikipedia.org/wiki/Okapi_BM25 with the usual k1 and b. A team's runbooks are hundreds, not millions, so the
index is built when it is first searched.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "runbooks"

NAMING = frozenset({"documents", "log_groups", "ecs_services", "functions", "queues", "roles", "alarms"})
"""The labels of a runbook's head whose values are things in an account, which may be gone by now."""

_K1 = 1.5
_B = 0.75
# What a runbook says it is for counts more than what it mentions on the way.
_TIMES = {"title": 3, "symptoms": 3, "alarms": 2, "services": 2, "actions": 1}
_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
_STOP = frozenset(
    [
        "a",
        "an",
        "and",
        "are",
        "as",
        "at",
        "be",
        "but",
        "by",
        "for",
        "from",
        "has",
        "have",
        "if",
        "in",
        "is",
        "it",
        "its",
        "no",
        "not",
        "of",
        "on",
        "or",
        "so",
        "that",
        "the",
        "then",
        "there",
        "this",
        "to",
        "was",
        "were",
        "what",
        "when",
        "which",
        "who",
        "will",
        "with",
    ]
)


@dataclass(frozen=True)
class Runbook:
    """One runbook: its name is its file's, its text is Markdown."""

    name: str
    title: str
    front: dict[str, tuple[str, ...]]
    text: str

    @property
    def actions(self) -> tuple[str, ...]:
        """Return the names of the catalogue's actions that it speaks of."""
        return self.front.get("actions", ())

    @property
    def names(self) -> dict[str, tuple[str, ...]]:
        """Return what it names in an account, by label: documents, log groups, services, roles, alarms."""
        return {label: told for label, told in self.front.items() if label in NAMING}


class RunbookIndex:
    """Runbooks and how often each word stands in each, counted at the first search."""

    def __init__(self, runbooks: Iterable[Runbook]) -> None:
        self.runbooks = tuple(runbooks)

    @cached_property
    def _counts(self) -> list[Counter[str]]:
        return [Counter(_weighted(book)) for book in self.runbooks]

    @cached_property
    def _lengths(self) -> list[int]:
        return [sum(counts.values()) for counts in self._counts]

    @cached_property
    def _holding(self) -> Counter[str]:
        return Counter(word for counts in self._counts for word in counts)

    @classmethod
    def open(cls, folder: Path = FOLDER) -> "RunbookIndex":
        """Read every Markdown file of a folder; the folder is the registry."""
        return cls(parse_runbook(path.stem, path.read_text(encoding="utf-8")) for path in _files(folder))

    def search(self, text: str, k: int = 3) -> list[dict[str, Any]]:
        """Return the best matching runbooks, best first; an empty list if no word of the text stands in any."""
        wanted = set(words(text))
        scored = [(self._score(place, wanted), book) for place, book in enumerate(self.runbooks)]
        best = sorted((pair for pair in scored if pair[0] > 0.0), key=lambda pair: (-pair[0], pair[1].name))
        return [
            {
                "runbook": book.name,
                "title": book.title,
                "actions": list(book.actions),
                "score": round(score, 3),
                "text": book.text,
                **({"names": {k: list(v) for k, v in book.names.items()}} if book.names else {}),
            }
            for score, book in best[:k]
        ]

    def _score(self, place: int, wanted: set[str]) -> float:
        counts, length = self._counts[place], self._lengths[place]
        mean = sum(self._lengths) / len(self._lengths)
        total = 0.0
        for word in wanted & counts.keys():
            rare = math.log(
                1 + (len(self.runbooks) - self._holding[word] + 0.5) / (self._holding[word] + 0.5)
            )
            often = counts[word]
            total += rare * often * (_K1 + 1) / (often + _K1 * (1 - _B + _B * length / mean))
        return total


def parse_runbook(name: str, written: str) -> Runbook:
    """Read a runbook: lines of `label: values` between two rules, then its text."""
    front: dict[str, tuple[str, ...]] = {}
    text = written
    if written.startswith("---\n"):
        head, _, text = written[4:].partition("\n---\n")
        for line in head.splitlines():
            label, _, values = line.partition(":")
            split = (values,) if label.strip() == "title" else values.split(",")
            front[label.strip()] = tuple(value.strip() for value in split if value.strip())
    title = (front.get("title") or (name.replace("-", " "),))[0]
    return Runbook(name, title, front, text.strip())


def words(text: str) -> list[str]:
    """Return the words of a text in lower case and roughly in the singular, without those that say nothing."""
    found = (word.lower() for word in _WORD.findall(text))
    return [_stem(word) for word in found if word not in _STOP]


def _weighted(book: Runbook) -> list[str]:
    told = words(book.text)
    for label, times in _TIMES.items():
        told += words(" ".join(book.front.get(label, ()))) * times
    return told


def _stem(word: str) -> str:
    for end in ("ing", "ed", "s"):
        if len(word) - len(end) >= 4 and word.endswith(end) and not word.endswith("ss"):
            return word[: -len(end)]
    return word


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.md") if path.is_file())
