"""Finds prompt attacks by rules over windows of one or two sentences.

A payload in the middle of a long log line scores as it would alone, since each window is judged by
itself.
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterable
from functools import cache
from itertools import pairwise
from pathlib import Path

CATEGORIES = ("JAILBREAK", "PROMPT_INJECTION", "PROMPT_LEAKAGE")
_FILE = Path(__file__).with_name("prompt_attacks.toml")
# Zero-width and direction marks split words for a reader of bytes, not for a reader of text.
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\u00ad]")
_SENTENCE_END = re.compile(r"(?<=[.!?;])\s+|\\n|\n+|\"\s*,\s*\"")


def scores(texts: Iterable[str]) -> dict[str, float]:
    """For each category how sure the rules are that one of the texts attacks: 0.0 to 1.0."""
    found = dict.fromkeys(CATEGORIES, 0.0)
    for text in texts:
        for window in _windows(text):
            for category, score in _window_scores(window).items():
                found[category] = max(found[category], score)
    return found


def _windows(text: str) -> list[str]:
    plain = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
    sentences = [" ".join(part.split()) for part in _SENTENCE_END.split(plain) if part and part.strip()]
    pairs = [f"{first} {second}" for first, second in pairwise(sentences)]
    return sentences + pairs


def _window_scores(window: str) -> dict[str, float]:
    doubt = dict.fromkeys(CATEGORIES, 1.0)
    for category, weight, pattern in _rules():
        if pattern.search(window):
            doubt[category] *= 1.0 - weight
    return {category: round(1.0 - left, 3) for category, left in doubt.items()}


@cache
def _rules() -> tuple[tuple[str, float, re.Pattern[str]], ...]:
    declared = tomllib.loads(_FILE.read_text(encoding="utf-8"))["rules"]
    return tuple(
        (rule["category"], rule["weight"], re.compile(rule["pattern"], re.IGNORECASE)) for rule in declared
    )
