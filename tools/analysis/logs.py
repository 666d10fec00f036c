"""Log lines: templates, and which of them are new or surge after an onset."""

import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

_MASKS = (
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.I), "<uuid>"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.,\d]*(?:Z|[+-]\d\d:?\d\d)?"), "<time>"),
    (re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b"), "<ip>"),
    (re.compile(r"\b(?=[\w-]*\d)(?=[\w-]*[a-zA-Z])[\w-]{8,}\b"), "<id>"),
    (re.compile(r"(?<![\w.])[-+]?\d+(?:\.\d+)?(?:ms|s|%|MB|KB)?\b"), "<n>"),
)
_FAILURE = re.compile(
    r"error|exception|traceback|fatal|panic|refused|timed? ?out|throttl|exceeded|denied|unavailable|fail",
    re.I,
)


@dataclass(frozen=True)
class Change:
    """One template, how often it was seen a minute before and after the onset, and an example."""

    template: str
    before_per_minute: float
    after_per_minute: float
    example: str

    @property
    def is_new(self) -> bool:
        """Say whether it was never seen before the onset."""
        return self.before_per_minute == 0

    @property
    def is_surging(self) -> bool:
        """Say whether it is seen much more often than before."""
        return self.after_per_minute >= 3 * max(self.before_per_minute, 0.2)


def template_of(message: str) -> str:
    """Return a line with what varies masked; of JSON, its message or error; of a trace, its last line."""
    text = _told(message)
    for pattern, mask in _MASKS:
        text = pattern.sub(mask, text)
    return " ".join(text.split())[:200]


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
    named = [body[key] for key in ("error", "exception", "err", "message", "msg", "event") if body.get(key)]
    return " ".join(_told(str(part)) for part in named) or message


def is_failure(message: str) -> bool:
    """Say whether a line tells of something that went wrong."""
    return bool(_FAILURE.search(message))


def compare(before: Iterable[str], after: Iterable[str], minutes: tuple[float, float]) -> list[Change]:
    """Return the templates that are new or surge after the onset, the most frequent first."""
    examples: dict[str, str] = {}
    counts = (Counter[str](), Counter[str]())
    for side, messages in enumerate((before, after)):
        for message in messages:
            template = template_of(message)
            counts[side][template] += 1
            examples[template] = message
    changes = [
        Change(template, counts[0][template] / minutes[0], n / minutes[1], examples[template][:500])
        for template, n in counts[1].items()
    ]
    telling = [change for change in changes if change.is_new or change.is_surging]
    return sorted(telling, key=lambda change: -change.after_per_minute)
