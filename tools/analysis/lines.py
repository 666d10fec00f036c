"""Ordinary log lines around an onset: which kinds no longer come, which are new, and which come much more often.

What no longer comes may be all that is seen of a failure: a service that swallows its errors says nothing of them, but
"order placed" is missing. Kinds and counts are those of Logs Insights' `pattern`, of all lines of a window
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Pattern.html).
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

# A count of lines that come by chance is off by three times its root; of eight that were to come, none is no chance.
LEAST_LINES = 8
HARDLY = 0.1
SURGE = 3.0
MOST_TOLD = 3
KIND_CHARS = 120
# `<*>`, and in newer answers `<Number-3>` or `<Token-1>`.
_VARIES = re.compile(r"<(?:\*|[A-Za-z]+-\d+)>")
_SAID = re.compile(r'"(?:message|msg|event)"\s*:\s*"((?:[^"\\]|\\.){3,})"')


@dataclass(frozen=True)
class Lines:
    """How often each kind of line came within some minutes; `is_whole` where no kind was left out."""

    kinds: Mapping[str, int]
    minutes: float
    is_whole: bool = True


@dataclass(frozen=True)
class Shift:
    """One kind of line, and how often it came a minute, before an onset and since."""

    kind: str
    before: float
    since: float

    @property
    def told(self) -> str:
        """Say what changed."""
        was, now = f"{self.before:.1f} a minute before", f"{self.since:.1f} a minute"
        if not self.since:
            return f'"{self.kind}" no longer comes, {was}'
        if not self.before:
            return f'"{self.kind}" is new, {now}'
        return f'"{self.kind}" comes {now}, {was}'


def lines_of(rows: Iterable[Mapping[str, Any]], minutes: float, most: int) -> Lines:
    """Return what rows of `pattern` tell; as many as were asked for at most may not be all."""
    told = list(rows)
    kinds: Counter[str] = Counter()
    for row in told:
        kinds[kind_of(str(row.get("@pattern", "")))] += int(float(row.get("@sampleCount", 0)))
    return Lines(kinds, minutes, len(told) < most)


def kind_of(pattern: str) -> str:
    """Return a pattern as two windows tell it alike: what varies has no number; of JSON only the message is left."""
    said = _SAID.search(pattern)
    return " ".join(_VARIES.sub("<*>", said[1] if said else pattern).split())[:KIND_CHARS]


def shifts(before: Lines, since: Lines) -> Iterator[Shift]:
    """Yield what changed by more than chance: what hardly comes any more first, and what came most often first."""
    rates = [
        Shift(kind, before.kinds.get(kind, 0) / before.minutes, since.kinds.get(kind, 0) / since.minutes)
        for kind in {**before.kinds, **since.kinds}
    ]
    fewer = [one for one in rates if _hardly_comes(one, since)]
    more = [one for one in rates if _surges(one, before, since)]
    yield from sorted(fewer, key=lambda one: (-one.before, one.kind))
    yield from sorted(more, key=lambda one: (-one.since, one.kind))


def _hardly_comes(one: Shift, since: Lines) -> bool:
    """Say whether a kind came often and does not; one that is left out of a list that is not whole may still come."""
    known = since.is_whole or one.kind in since.kinds
    return known and one.before * since.minutes >= LEAST_LINES and one.since <= HARDLY * one.before


def _surges(one: Shift, before: Lines, since: Lines) -> bool:
    known = before.is_whole or one.kind in before.kinds
    return known and one.since * since.minutes >= LEAST_LINES and one.since >= SURGE * one.before
