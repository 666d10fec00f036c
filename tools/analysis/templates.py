"""Templates of log lines: what lines of one kind have in common, with what varies masked."""

import json
import re
from collections.abc import Sequence
from typing import Protocol

from drain3.drain import Drain

# Of the settings tried on the 16 public logs of logpai with these kinds of masks, these group lines best.
DEPTH = 5
SIMILARITY = 0.7
CHILDREN = 100
MOST_CHARS = 200
_MASKS = (
    # What the redaction puts in the place of a secret.
    (re.compile(r"\[[a-z-]+:[0-9a-f]{4}\]"), "<redacted>"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.I), "<uuid>"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.,\d]*(?:Z|[+-]\d\d:?\d\d)?"), "<time>"),
    (re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b"), "<ip>"),
    (re.compile(r"\b(?=[\w-]*\d)(?=[\w-]*[a-zA-Z])[\w-]{8,}\b"), "<id>"),
    (re.compile(r"(?<![\w.])[-+]?\d+(?:\.\d+)?(?:ms|s|%|MB|KB)?\b"), "<n>"),
)
_TOLD = ("error", "exception", "err", "message", "msg", "event")


class TemplateMiner(Protocol):
    """Whatever finds the templates of lines."""

    def mine(self, lines: Sequence[str]) -> list[str]:
        """Return the template of each line, in their order."""
        ...


class DrainMiner:
    """Drain over masked lines (P. He et al., "Drain: an online log parsing approach with fixed depth tree", 2017)."""

    def mine(self, lines: Sequence[str]) -> list[str]:
        """Return the template of each line, in their order; the same lines give the same templates."""
        drain = Drain(depth=DEPTH, sim_th=SIMILARITY, max_children=CHILDREN)
        clusters = [drain.add_log_message(template_of(line))[0] for line in lines]
        return [cluster.get_template() for cluster in clusters]


def template_of(message: str) -> str:
    """Return a line with what varies masked; of JSON, its message or error; of a trace, its first and last line."""
    text = _told(message)
    for pattern, mask in _MASKS:
        text = pattern.sub(mask, text)
    return " ".join(text.split())[:MOST_CHARS]


def _told(message: str) -> str:
    lines = [line for line in message.strip().splitlines() if line.strip()]
    if len(lines) > 1 and not lines[0].lstrip().startswith("{"):
        return f"{lines[0]} | {lines[-1].strip()}"
    try:
        body = json.loads(message)
    except ValueError:
        return message
    if not isinstance(body, dict):
        return message
    named = [body[key] for key in _TOLD if body.get(key)]
    return " ".join(_told(str(part)) for part in named) or message
