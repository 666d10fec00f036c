"""Log lines around an onset: which templates are new, surge or are gone, and what is named again and again."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tools.analysis.templates import DrainMiner, TemplateMiner

_ID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.I)
AGAIN = 3
MOSTLY = 0.6
# So many lines, and nearly all of them from one place, are no chance where there are several.
TELLING = 6
NEARLY_ALL = 0.9
EXAMPLE_CHARS = 500


@dataclass(frozen=True)
class Change:
    """One template, how often it was seen a minute before and after the onset, and an example.

    `repeats` is the id that most of its lines name, `place` the one stream that nearly all of them come from.
    """

    template: str
    before_per_minute: float
    after_per_minute: float
    example: str
    repeats: str | None = None
    place: str | None = None

    @property
    def is_new(self) -> bool:
        """Say whether it was never seen before the onset."""
        return self.before_per_minute == 0

    @property
    def is_surging(self) -> bool:
        """Say whether it is seen much more often than before."""
        return self.after_per_minute >= 3 * max(self.before_per_minute, 0.2)

    @property
    def is_gone(self) -> bool:
        """Say whether it was seen all along and is not seen any more."""
        return self.after_per_minute == 0


@dataclass(frozen=True)
class Side:
    """The lines of some minutes; `is_whole` where they are all of what was asked for, which may be of more minutes."""

    lines: Sequence[str]
    minutes: float
    is_whole: bool = True


def compare(
    before: Side,
    after: Side,
    miner: TemplateMiner | None = None,
    places: Sequence[str] = (),
) -> list[Change]:
    """Return the templates that are new, surge or are gone after the onset, the most frequent first.

    `places` names for each line after the onset the stream that it is from, where that is known.
    """
    sides = (before, after)
    mined = (miner or DrainMiner()).mine([*before.lines, *after.lines])
    templates = (mined[: len(before.lines)], mined[len(before.lines) :])
    counts = (Counter(templates[0]), Counter(templates[1]))
    examples = dict(zip((*templates[0], *templates[1]), (*before.lines, *after.lines), strict=True))
    changes = []
    for template in dict.fromkeys((*templates[1], *templates[0])):
        seen = [line for line, its in zip(after.lines, templates[1], strict=True) if its == template]
        at = [place for place, its in zip(places, templates[1], strict=False) if its == template]
        changes.append(
            Change(
                template,
                counts[0][template] / before.minutes,
                counts[1][template] / after.minutes,
                examples[template][:EXAMPLE_CHARS],
                named_again(seen),
                one_place(at),
            )
        )
    telling = [one for one in changes if _is_telling(one, sides)]
    return sorted(telling, key=lambda change: -change.after_per_minute)


def _is_telling(change: Change, sides: tuple[Side, Side]) -> bool:
    """Say whether a template changed by more than chance, also where a side holds a part of what was written."""
    before, after = sides
    if change.is_new:
        return before.is_whole or change.after_per_minute * before.minutes >= AGAIN
    if change.is_surging:
        return after.is_whole or round(change.after_per_minute * after.minutes) >= AGAIN
    return _was_usual(change, after.minutes)


def _was_usual(change: Change, minutes: float) -> bool:
    """Say whether a template that is gone came so often before that its silence is no chance."""
    return change.is_gone and change.before_per_minute * minutes >= AGAIN


def named_again(lines: Sequence[str]) -> str | None:
    """Return the id that most of several failures name, such as a message's; None where each names another.

    Ids are UUIDs, as SQS gives messages. Failures of many requests name many of them; the same one again and again is
    what cannot be got past.
    """
    if len(lines) < AGAIN:
        return None
    counted: Counter[str] = Counter()
    for line in lines:
        counted.update(set(_ID.findall(line)))
    name, count = counted.most_common(1)[0] if counted else ("", 0)
    return name if count >= max(AGAIN, len(lines) * MOSTLY) else None


def one_place(places: Sequence[str]) -> str | None:
    """Return the place that nearly all of many lines come from; None where they are few, or of several places."""
    if len(places) < TELLING:
        return None
    place, count = Counter(places).most_common(1)[0]
    return place if place and count >= len(places) * NEARLY_ALL else None
