"""Numbers with what they count: 1840 ms are 1.84 s, and neither 1840 s nor 1840 %."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from agents.words import number_word


class Kind(Enum):
    """What a number measures, as far as its unit or its label says."""

    BARE = "bare"
    COUNT = "count"
    TIME = "time"
    SIZE = "size"
    SHARE = "share"
    MONEY = "money"


@dataclass(frozen=True)
class Quantity:
    """A number as it stands, and the unit that it stands in: how many seconds, bytes or hundredths one of it is."""

    value: float
    kind: Kind = Kind.BARE
    unit: float = 1.0
    fraction: bool = False


_SECONDS = {
    **dict.fromkeys(("ms", "millisecond", "milliseconds"), 0.001),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1.0),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3_600.0),
    **dict.fromkeys(("d", "day", "days"), 86_400.0),
    **dict.fromkeys(("week", "weeks"), 604_800.0),
}
_BYTES = {
    **dict.fromkeys(("b", "byte", "bytes"), 1.0),
    **dict.fromkeys(("kb",), 1e3),
    **dict.fromkeys(("mb",), 1e6),
    **dict.fromkeys(("gb",), 1e9),
    **dict.fromkeys(("tb",), 1e12),
    "kib": 2.0**10,
    "mib": 2.0**20,
    "gib": 2.0**30,
    "tib": 2.0**40,
}
_SHARES = {
    **dict.fromkeys(("%", "percent", "pct"), 0.01),
    **dict.fromkeys(("share", "ratio", "fraction"), 1.0),
}
_MONEY = dict.fromkeys(("usd", "dollar", "dollars", "eur", "euro", "euros"), 1.0)
_SIGNS = "$€£¥"
_TIMES = {"k": 1e3, "thousand": 1e3, "million": 1e6, "bn": 1e9, "billion": 1e9}
_COUNTED_WORDS = """
call calls connection connections container containers customer customers datapoint datapoints deployment deployments
error errors event events failure failures host hosts incident incidents instance instances item items line lines
message messages period periods point points process processes query queries record records replica replicas
request requests retry retries row rows service services task tasks thread threads time times unit units user users
worker workers
"""
_COUNTED = frozenset(_COUNTED_WORDS.split())
_UNITS = ((Kind.TIME, _SECONDS), (Kind.SIZE, _BYTES), (Kind.SHARE, _SHARES), (Kind.MONEY, _MONEY))
_NUMBER = re.compile(r"(?<![\w.])(?P<number>\d+(?:,\d{3}(?!\d))*(?:\.\d+)?)(?!\.?\d)(?![A-Za-z_]+\d)")
_LABEL = re.compile(r"\"(?P<label>\w+)\":\s*\[?\s*$")
_BEHIND = re.compile(r"\s?(?P<unit>%|per cent\b|[A-Za-z]+)")
_NUMBER_WORD = re.compile(r"(?<!\w)[a-z]{3,10}(?!\w)", re.I)
_LABEL_CHARS = 80
_PER = "_per_"
EPSILON = 1e-9


def quantities(text: str) -> Iterator[Quantity]:
    """Yield the numbers of facts, in digits and in words, each with the unit behind it or in its label."""
    for match in _NUMBER.finditer(text):
        number = match["number"]
        label = _LABEL.search(text[max(0, match.start() - _LABEL_CHARS) : match.start()])
        behind = _BEHIND.match(text, match.end())
        sign = text[match.start() - 1 : match.start()] if match.start() else ""
        kind, unit = _measured(behind["unit"] if behind else "", label["label"] if label else "", sign)
        yield Quantity(float(number.replace(",", "")), kind, unit, "." in number)
    for match in _NUMBER_WORD.finditer(text):
        value = number_word(match.group())
        if value is not None:
            behind = _BEHIND.match(text, match.end())
            yield Quantity(value, *_measured(behind["unit"] if behind else "", ""))


def said(value: float, text: str, start: int, end: int) -> Quantity:
    """Return what a text says: a number that stands there, with the sign before it and the word behind it."""
    behind = _BEHIND.match(text, end)
    word = behind["unit"] if behind else ""
    factor = _TIMES.get(word.casefold())
    if factor is not None:
        return Quantity(value * factor, Kind.COUNT)
    return Quantity(value, *_measured(word, "", text[start - 1 : start] if start else ""))


def holds(fact: Quantity, claim: Quantity, half: float) -> bool:
    """Say whether a fact is what a text says, rounded by no more than half of its last digit.

    A number that nothing is said about may be anything but more than all; one with a unit is that alone, and what is
    counted is no time, size, share or money. A nought is a nought, and nothing that is only small.
    """
    if claim.kind is Kind.COUNT and fact.kind not in {Kind.COUNT, Kind.BARE}:
        return False
    if claim.value == 0 or fact.value == 0:
        return claim.value == fact.value and claim.kind in {fact.kind, Kind.BARE, Kind.COUNT, *_of_bare(fact)}
    scales = {1.0} if claim.kind in {Kind.BARE, Kind.COUNT} else {*_scales(fact, claim)}
    return any(abs(fact.value * by - claim.value) <= half + EPSILON for by in scales)


def _of_bare(fact: Quantity) -> set[Kind]:
    return set(Kind) - {Kind.MONEY} if fact.kind is Kind.BARE else set()


def _scales(fact: Quantity, claim: Quantity) -> Iterator[float]:
    if fact.kind is claim.kind:
        yield fact.unit / claim.unit
    elif fact.kind is Kind.BARE and claim.kind is not Kind.MONEY:
        is_share = claim.kind is Kind.SHARE
        if not is_share or claim.value <= 100:
            yield 1.0
        if is_share and fact.fraction and fact.value <= 1:
            yield 1.0 / claim.unit


def _measured(behind: str, label: str, sign: str = "") -> tuple[Kind, float]:
    """Return what a number measures: by the sign before it, what stands behind it, else by its label."""
    if sign and sign in _SIGNS:
        return Kind.MONEY, 1.0
    word = behind.casefold().replace("per cent", "percent")
    parts = _unit_parts(label) if not word else ()
    for kind, units in _UNITS:
        if word in units:
            return kind, units[word]
        for part in parts:
            if part in units:
                return kind, units[part]
    is_rate = not word and _PER in label.casefold()
    return (Kind.COUNT, 1.0) if word in _COUNTED or is_rate else (Kind.BARE, 1.0)


def _unit_parts(label: str) -> list[str]:
    """Return the words of a label that may be its unit: of `requests_per_minute`, which counts, not the last.

    `min` is as often the least as a minute, and a letter as often a name as a unit.
    """
    counted = label.casefold().partition(_PER)[0]
    return [part for part in counted.split("_") if len(part) > 1 and part != "min"]
