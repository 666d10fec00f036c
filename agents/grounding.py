"""Find numbers, times, ids and names in a text that no fact contains."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from typing import Any

from agents.phrases import calming, dates_in, sweeping, without_dates
from agents.quantities import Kind, Quantity, holds, quantities, said
from agents.words import is_compound, is_english, is_named_by, is_written_as_name, number_word
from memory.records.base import canonical_json

_ISO = re.compile(
    r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|\s?UTC|[+-]\d\d:?\d\d)?)?\b", re.I
)
_TIME_OF_DAY = re.compile(
    r"(?<![\w:.])(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d)?(?:\s?[ap]\.?m\b\.?)?(?![\w:])", re.I
)
_QUOTED = re.compile(
    r"`([^`\n]{1,120})`|\"([^\"\n]{1,120})\"|“([^”\n]{1,120})”|«([^»\n]{1,120})»|(?<!\w)['‘]([^'’\n]{2,120})['’](?!\w)"
    r"|\*\*([^*\n]{1,120})\*\*"
)
_JOINED = re.compile(r"\w+(?:(?:[-_:/#.@=+]|::|://)\w+)+")
_HEX = re.compile(r"(?<!\w)(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{8,}(?!\w)")
_NUMBER = re.compile(r"(?<![\w.])(\d+(?:[,.]\d+)*)(?:(\w+)|(\s?(?:%|percent\b|per cent\b)))?")
_WORD = re.compile(r"(?<!\w)[^\W\d_][\w'’]*")
_LISTED = {label: re.compile(rf'"{label}":\[([^\]]*)\]') for label in ("healthy", "affected")}
_ESCAPE = re.compile(r'\\[\\"/nrtbf]')
_NO_ERRORS = re.compile(r'"\w*(?:error|fail|throttl|timeout|exception|reject)\w*":0(?:\.0+)?(?![\d.])')
_HALVES = 0.05
# What may stand right behind a number as its unit; anything else makes it a name, such as the 4 of t4g.
_UNIT_WORDS = """
ms s sec secs second seconds m min mins minute minutes h hour hours d day days week weeks b kb mb gb tb kib mib gib
bytes x times th st nd rd rps tps wcu rcu units
"""
_UNITS = frozenset(_UNIT_WORDS.split())


@dataclass(frozen=True)
class Known:
    """Facts as a text to look in; its words and numbers are found once."""

    text: str

    def says(self, token: str) -> bool:
        """Say whether a token stands in the facts: the whole of it, not a part of another."""
        wanted = token.casefold()
        if wanted in self.words:
            return True
        return re.search(rf"(?<!\w){re.escape(wanted)}(?!\w)", self.folded) is not None

    def is_at(self, clock: str) -> bool:
        """Say whether a time of day stands in the facts, with seconds or without."""
        return re.search(rf"(?<!\d)(?<!\d:){re.escape(clock)}(?!\d)", self.text) is not None

    @cached_property
    def folded(self) -> str:
        """Return the text without its case."""
        return self.text.casefold()

    @cached_property
    def words(self) -> frozenset[str]:
        """Return every word of the facts."""
        return frozenset(match.group() for match in re.finditer(r"\w+", self.folded))

    @cached_property
    def quantities(self) -> tuple[Quantity, ...]:
        """Return the numbers of the facts and what they count; a digit within a time or an id is not one."""
        rest = self.text
        for pattern in (_ISO, _TIME_OF_DAY):
            rest = pattern.sub(" ", rest)
        return tuple({*quantities(_JOINED.sub(_kept_label, rest))})

    @cached_property
    def dates(self) -> frozenset[date]:
        """Return the days of the facts."""
        found = (match.group()[:10] for match in _ISO.finditer(self.text))
        return frozenset(day for text in found if (day := _day(text)) is not None)

    def listed(self, label: str) -> tuple[str, ...]:
        """Return the names that the facts list under a label."""
        return tuple(
            name for found in _LISTED[label].findall(self.text) for name in re.findall(r'"([^"]+)"', found)
        )

    def calls(self, word: str) -> bool:
        """Say whether a word is a name of its own in the facts, and not a part of one that is joined by a hyphen."""
        return re.search(rf"(?<![\w-]){re.escape(word.casefold())}(?![\w-])", self.folded) is not None


def unfounded(text: str, facts: Any) -> tuple[str, ...]:
    """Return the numbers, times, ids and names of a text that stand in no fact, in the order of their kinds.

    A number may be a fact rounded, said in another unit of the same kind, or a share in percent. A time must be known
    as precisely as it is said, a day by its date. A word counts as a name unless English knows it, and also then where
    it is written as one or names a part, as in `the X service`. That none or all fail, or that something is well, has
    to be said by a fact.
    """
    known = known_in(facts)
    rest = _normal(text)
    strange: list[str] = []
    for pattern, founded in (
        (_QUOTED, _is_said),
        (_ISO, _is_time),
        (_TIME_OF_DAY, _is_time_of_day),
        (_JOINED, _is_joined),
        (_HEX, _is_said),
    ):
        for match in pattern.finditer(rest):
            inner = next((one for one in match.groups() if one), "") if pattern is _QUOTED else ""
            token = (inner or match.group()).strip(".,;:")
            if not founded(token, known):
                strange.append(token)
        rest = pattern.sub(_kept_number if pattern is _JOINED else " ", rest)
    strange += [
        token for token, founded in dates_in(rest, known.says, known.is_at, known.dates) if not founded
    ]
    rest = without_dates(rest)
    strange += [m.group().strip() for m in _NUMBER.finditer(rest) if not _is_number(m, known)]
    strange += _strange_words(rest, known)
    strange += _strange_claims(_normal(text), known)
    return tuple(dict.fromkeys(strange))


def mentions(facts: Any, name: str) -> bool:
    """Say whether facts name something: the whole word, not a part of another."""
    known = known_in(facts)
    return bool(name) and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", known.text) is not None


def names(facts: Any) -> frozenset[str]:
    """Return what facts call by a name: each text that is one name, and the last part of one with a path.

    Prose is not searched: what a log line tells of is not thereby a part of the account.
    """
    return frozenset(_names(facts))


def known_in(facts: Any) -> Known:
    """Return facts as a text to look in."""
    if isinstance(facts, Known):
        return facts
    return _known(facts if isinstance(facts, str) else _ESCAPE.sub(_unescaped, canonical_json(facts)))


@lru_cache(maxsize=64)
def _known(text: str) -> Known:
    return Known(_normal(text))


def _normal(text: str) -> str:
    """Undo look-alike forms and invisible characters, so that what is hidden from a reader is not hidden here."""
    shown = unicodedata.normalize("NFKC", text)
    return "".join(sign for sign in shown if unicodedata.category(sign) != "Cf")


def _names(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        if value and len(value) <= 300 and not any(sign.isspace() for sign in value):
            yield value
            yield from re.split(r"[/:]", value)[-2:]
            yield re.split(r"[/]", value)[-1]
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _names(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _names(inner)


def _unescaped(match: re.Match[str]) -> str:
    """Undo what JSON escapes: the letter of an escape is none of the word that follows it."""
    return match.group()[1] if match.group()[1] in '"\\/' else " "


def _is_said(token: str, known: Known) -> bool:
    return known.says(token)


def _is_joined(token: str, known: Known) -> bool:
    """Judge what is joined by signs: said as a whole, a number, or a compound of ordinary words."""
    return known.says(token) or _plain(token) or is_compound(token)


def _kept_number(match: re.Match[str]) -> str:
    return match.group() if _plain(match.group()) else " "


def _kept_label(match: re.Match[str]) -> str:
    """Keep what names a number in JSON: it may hold its unit."""
    is_label = match.string.startswith('":', match.end())
    return match.group() if is_label else _kept_number(match)


def _is_time(token: str, known: Known) -> bool:
    bare = re.sub(r"\s?UTC|Z$", "", token.upper()).replace(" ", "T").strip("T ")
    return known.text.find(bare) >= 0 or known.text.find(bare.replace("T", " ")) >= 0


def _is_time_of_day(token: str, known: Known) -> bool:
    """A time of the facts may be said without its seconds or by twelve hours, and no part may stand for another."""
    clock, half = token[: token.rfind(":") + 3], token[token.rfind(":") + 3 :].strip().casefold()
    if half:
        hour = int(clock.partition(":")[0]) % 12 + (12 if half.startswith("p") else 0)
        return known.is_at(f"{hour:02}:{clock.partition(':')[2]}")
    return known.is_at(token)


def _plain(token: str) -> bool:
    return re.fullmatch(r"\d+(?:,\d{3})*(?:\.\d+)?", token) is not None


def _is_number(match: re.Match[str], known: Known) -> bool:
    token, glued, _ = match.groups()
    if not _plain(token) or (glued and glued.lower() not in _UNITS):
        return known.says(match.group())
    bare = token.replace(",", "")
    half = 0.5 * 10.0 ** -len(bare.partition(".")[2])
    claim = said(float(bare), match.string, *match.span(1))
    return any(holds(fact, claim, half) for fact in known.quantities)


def _is_amount(amount: float, match: re.Match[str], known: Known) -> bool:
    claim = said(amount, match.string, *match.span())
    half = _HALVES * amount if amount < 1 else 0.0
    return any(holds(fact, claim, half) for fact in known.quantities)


def _strange_claims(text: str, known: Known) -> list[str]:
    is_none = _NO_ERRORS.search(known.folded) is not None
    is_all = any(fact.kind is Kind.SHARE and fact.value * fact.unit == 1 for fact in known.quantities)
    ill = known.listed("affected")
    return [
        *sweeping(text, known.says, is_none=is_none, is_all=is_all),
        *calming(text, known.says, known.listed("healthy"), ill),
    ]


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _strange_words(text: str, known: Known) -> list[str]:
    found: list[str] = []
    matches = list(_WORD.finditer(text))
    words = [match.group().rstrip("'’") for match in matches]
    for place, (match, word) in enumerate(zip(matches, words, strict=True)):
        bare = re.sub(r"['’]s$", "", word)
        before, after = words[place - 1] if place else "", words[place + 1] if place + 1 < len(words) else ""
        amount = number_word(bare)
        if amount is not None:
            strange = not known.says(bare) and not _is_amount(amount, match, known)
        else:
            named = is_named_by(bare, before, after) or is_written_as_name(match)
            strange = (named or not is_english(bare)) and not known.calls(bare)
        found += [word] if strange else []
    return found
