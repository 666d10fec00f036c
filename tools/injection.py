"""Flag text that tries to give orders to whoever reads it.

A detector of the first line only: nothing rests on its being complete. Text from outside is fenced wherever a model
reads it, and no model can change anything.
"""

import re
import unicodedata
from typing import Any

FLAG = "prompt_injection"

_SIGNS = tuple(
    re.compile(pattern, re.I)
    for pattern in (
        r"\b(?:ignore|disregard|forget|override)\b.{0,40}\b(?:previous|prior|above|earlier|all|your)\b"
        r".{0,40}\b(?:instruction|prompt|rule|direction|order|polic)",
        r"\byou are now\b|\bact as (?:an?|the)\b|\bnew (?:system )?(?:instructions?|prompt)\b",
        r"<\s*/?\s*(?:system|assistant|instructions?)\s*>|\[/?(?:INST|SYS)\]|<\|im_(?:start|end)\|>",
        r"\b(?:system|developer|assistant)\s*(?:prompt|message|note|instruction)s?\s*:",
        r"\b(?:attention|note|message|hint|instructions?)\b.{0,12}\b(?:to|for)\b.{0,12}"
        r"\b(?:ai|llm|assistant|copilot|language model|ai agent|chat ?bot)s?\b",
        r"\b(?:set|change|lower|mark|report|classify)\b.{0,24}\bseverity\b.{0,16}\b(?:to|as)\b",
        r"\b(?:please|now|must|should|immediately)\b.{0,12}\b(?:call|invoke|run|use|execute)\b.{0,20}"
        r"\b(?:tool|function|action)\b",
        r"\b(?:approve|approval)\b.{0,30}\b(?:automatically|granted|not (?:needed|required)|without)\b",
        r"\b(?:reveal|print|show|repeat|output)\b.{0,24}\b(?:system prompt|your (?:prompt|instructions))\b",
    )
)


def flags_of(value: Any) -> tuple[str, ...]:
    """Return the flags that the texts in a JSON value deserve: none, or that somebody gives orders in it."""
    texts = [_plain(text) for text in _texts(value)]
    return (FLAG,) if any(sign.search(text) for text in texts for sign in _SIGNS) else ()


def _plain(text: str) -> str:
    """Undo what hides words from a pattern: look-alike forms, invisible characters, line breaks."""
    shown = "".join(c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) != "Cf")
    return " ".join(shown.split())


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for key, inner in value.items() for text in (str(key), *_texts(inner))]
    if isinstance(value, list | tuple):
        return [text for inner in value for text in _texts(inner)]
    return []
