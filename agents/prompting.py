"""Prompts from files, and facts written so that a model can tell them from what outsiders wrote."""

import hashlib
import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_ANGLES = {"<": "\\u003c", ">": "\\u003e"}
# Angle brackets of any width, controls, line ends that JSON does not escape, and what Unicode calls format characters.
_ESCAPED = re.compile(
    "[<>\uff1c\uff1e\ufe64\ufe65\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
FOLDER = Path(__file__).parent / "prompts"


@dataclass(frozen=True)
class Prompt:
    """A prompt and the digest that goes on the record."""

    name: str
    text: str
    sha256: str


def roles() -> tuple[str, ...]:
    """Return the roles that a model may play here: each has a prompt of its name."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.md")))


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
    """Escape angle brackets and backticks, which JSON allows anywhere in a text, and what is not seen or turns lines.

    A reader of JSON gets the same text back; what hides words, ends lines or turns them stands there in plain sight.
    """
    # A space behind each comma is a token of its own.
    text = json.dumps(value, ensure_ascii=False, default=str, separators=(",", ":"))
    return _ESCAPED.sub(_escaped, text.replace("```", "\\u0060\\u0060\\u0060"))


def _escaped(found: re.Match[str]) -> str:
    return _ANGLES.get(found.group()) or json.dumps(found.group())[1:-1]
