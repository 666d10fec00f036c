"""Find numbers, times, ids and names in a text that no fact contains."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from agents.words import is_compound, is_english, is_named_by, number_word
from memory.records.base import canonical_json

_ISO = re.compile(
    r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|\s?UTC|[+-]\d\d:?\d\d)?)?\b", re.I
)
_TIME_OF_DAY = re.compile(r"(?<![\w:.])([01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d)?(?![\w:])")
_QUOTED = re.compile(r"`([^`\n]{1,120})`|\"([^\"\n]{1,120})\"|“([^”\n]{1,120})”")
_JOINED = re.compile(r"\w+(?:(?:[-_:/#.@=+]|::|://)\w+)+")
_HEX = re.compile(r"(?<!\w)(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{8,}(?!\w)")
_NUMBER = re.compile(r"(?<![\w.])(\d+(?:[,.]\d+)*)(?:(\w+)|(\s?(?:%|percent\b|per cent\b)))?")
_PLAIN_NUMBER = re.compile(r"(?<![\w.])\d+(?:[,.]\d+)*")
_WORD = re.compile(r"(?<!\w)[^\W\d_][\w'’]*")
_EPSILON = 1e-9
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

    @cached_property
    def folded(self) -> str:
        """Return the text without its case."""
        return self.text.casefold()

    @cached_property
    def words(self) -> frozenset[str]:
        """Return every word of the facts."""
        return frozenset(match.group() for match in re.finditer(r"\w+", self.folded))

    @cached_property
    def numbers(self) -> tuple[float, ...]:
        """Return the numbers of the facts; a digit within a time or an id is not one."""
        rest = self.text
        for pattern in (_ISO, _TIME_OF_DAY):
            rest = pattern.sub(" ", rest)
        rest = _JOINED.sub(lambda match: match.group() if _plain(match.group()) else " ", rest)
        found = (match.group() for match in _PLAIN_NUMBER.finditer(rest))
        counted = {float(one.replace(",", "")) for one in found if _plain(one)}
        return (*counted, *filter(None, map(number_word, self.words)))


def unfounded(text: str, facts: Any) -> tuple[str, ...]:
    """Return the numbers, times, ids and names of a text that stand in no fact, in the order of their kinds.

    A number may be a fact rounded, and a share may be said in percent. A time must be known as precisely as it is
    said. A word counts as a name unless English knows it, and also then where it names a part, as in `the X service`.
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
    strange += [m.group().strip() for m in _NUMBER.finditer(rest) if not _is_number(m, known)]
    strange += _strange_words(rest, known)
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
    return _known(facts if isinstance(facts, str) else canonical_json(facts))


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


def _is_said(token: str, known: Known) -> bool:
    return known.says(token)


def _is_joined(token: str, known: Known) -> bool:
    """Judge what is joined by signs: said as a whole, a number, or a compound of ordinary words."""
    return known.says(token) or _plain(token) or is_compound(token)


def _kept_number(match: re.Match[str]) -> str:
    return match.group() if _plain(match.group()) else " "


def _is_time(token: str, known: Known) -> bool:
    bare = re.sub(r"\s?UTC|Z$", "", token.upper()).replace(" ", "T").strip("T ")
    return known.text.find(bare) >= 0 or known.text.find(bare.replace("T", " ")) >= 0


def _is_time_of_day(token: str, known: Known) -> bool:
    """A time of the facts may be said without its seconds, and no part of it may stand for another."""
    return re.search(rf"(?<!\d)(?<!\d:){re.escape(token)}(?!\d)", known.text) is not None


def _plain(token: str) -> bool:
    return re.fullmatch(r"\d+(?:,\d{3})*(?:\.\d+)?", token) is not None


def _is_number(match: re.Match[str], known: Known) -> bool:
    token, glued, share = match.groups()
    if not _plain(token) or (glued and glued.lower() not in _UNITS):
        return known.says(match.group())
    bare = token.replace(",", "")
    said, half = float(bare), 0.5 * 10.0 ** -len(bare.partition(".")[2])
    scales = (1.0, 100.0) if share else (1.0,)
    return any(abs(number * by - said) <= half + _EPSILON for number in known.numbers for by in scales)


def _strange_words(text: str, known: Known) -> list[str]:
    found: list[str] = []
    said = [match.group().rstrip("'’") for match in _WORD.finditer(text)]
    for place, word in enumerate(said):
        bare = re.sub(r"['’]s$", "", word)
        before, after = said[place - 1] if place else "", said[place + 1] if place + 1 < len(said) else ""
        amount = number_word(bare)
        if amount is not None:
            strange = not known.says(bare) and amount not in known.numbers
        else:
            named = is_named_by(bare, before, after)
            strange = (named or not is_english(bare)) and not known.says(bare)
        found += [word] if strange else []
    return found
