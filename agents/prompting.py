"""Prompts from files, and facts written so that a model can tell them from what outsiders wrote."""

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "prompts"


@dataclass(frozen=True)
class Prompt:
    """A prompt and the digest that goes on the record."""

    name: str
    text: str
    sha256: str


@cache
def load_prompt(name: str) -> Prompt:
    """Read a prompt of this package by its name."""
    text = (FOLDER / f"{name}.md").read_text(encoding="utf-8").strip()
    return Prompt(name, text, hashlib.sha256(text.encode()).hexdigest())


def labelled(facts: dict[str, Any]) -> str:
    """Write facts as JSON; a label is the name of the answer's field that it speaks to."""
    return f"```json\n{_json(facts)}\n```"


def fenced(tag: str, value: Any) -> str:
    """Write what came from outside as JSON between tags that its text cannot close."""
    return f"<{tag}>\n{_json(value)}\n</{tag}>"


def tool_text(value: Any) -> str:
    """Write a tool's result as text: a JSON block would have its keys rewritten on the way to Converse."""
    return _json(value)


def _json(value: Any) -> str:
    """Escape angle brackets and backticks, which JSON allows anywhere in a text."""
    # A space behind each comma is a token of its own.
    text = json.dumps(value, ensure_ascii=False, default=str, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("```", "\\u0060\\u0060\\u0060")
