"""Plain sentences that state facts."""

from collections.abc import Iterator
from typing import Any

from simulator.bedrock.models.facts import Fact, FactBook
from simulator.bedrock.models.names import SOFT, said, words

_MOST_IN_SENTENCE = 6
_MOST_SENTENCES = 12
_LONGEST_VALUE = 120
# Names of texts that people write; every other string is a name or a code of something.
_FREE_TEXT = """
summary reason rationale description explanation text message note body detail statement why effect
impact headline comment justification narrative analysis conclusion recommendation outcome finding
question answer subject opening sentence paragraph advice warning argument remark view story
"""
_FREE = frozenset(_FREE_TEXT.split())


def sentence(book: FactBook, longest: int = 400) -> str:
    """One sentence of `label value` pairs, the nearest facts first."""
    parts: list[str] = []
    for fact in _nearest(book):
        part = f"{said(fact.labels[-1])} {_spoken(fact.value)}"
        if len(parts) == _MOST_IN_SENTENCE or len(", ".join([*parts, part])) > longest - 1:
            break
        parts.append(part)
    text = ", ".join(parts) or "nothing is stated"
    return f"{text[:1].upper()}{text[1:]}."[:longest]


def report(book: FactBook) -> str:
    """A few sentences, one for each of the nearest facts."""
    lines = [_statement(fact) for fact in _nearest(book)][:_MOST_SENTENCES]
    return " ".join(lines) or "The request states no labelled facts."


def is_free_text(name: str, description: str) -> bool:
    """Whether a string property is prose, judged by its name, else by what is said of it."""
    named = set(words(name)) - SOFT
    described = set(words(description)) & {"sentence", "prose"}
    return bool(named & _FREE or described) or "text" in words(name)


def _statement(fact: Fact) -> str:
    verb = "are" if isinstance(fact.value, list) and len(fact.value) > 1 else "is"
    return f"The {said(fact.labels[-1])} {verb} {_spoken(fact.value)}."


def _nearest(book: FactBook) -> Iterator[Fact]:
    """The latest fact of each name that can be said, those near the top first."""
    stated = [fact for fact in book.facts if fact.labels and not fact.in_list and _sayable(fact.value)]
    latest = {fact.labels[-1]: fact for fact in stated}
    yield from sorted(latest.values(), key=lambda fact: (len(fact.path), fact.order))


def _sayable(value: Any) -> bool:
    if isinstance(value, list):
        return 0 < len(value) <= 8 and all(_sayable(item) and not isinstance(item, list) for item in value)
    return value is not None and not isinstance(value, dict) and str(value).strip() != ""


def _spoken(value: Any) -> str:
    if isinstance(value, list):
        return " and ".join(filter(None, [", ".join(map(_spoken, value[:-1])), _spoken(value[-1])]))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return " ".join(str(value).split())[:_LONGEST_VALUE].rstrip(".")
