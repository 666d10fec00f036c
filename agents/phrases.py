"""Claims without a number and a name: days of the calendar, times seen from now, none, all, and well."""

import re
from collections.abc import Callable, Collection, Iterator
from datetime import date

_MONTH_WORDS = "January February March April May June July August September October November December"
_DAY_WORDS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday"
_MONTHS, _DAYS = _MONTH_WORDS.split(), _DAY_WORDS.split()
_MONTH = "|".join(f"{name}|{name[:3]}|{name[:4]}" for name in _MONTHS)
_DATE = re.compile(
    rf"\b(?:(?P<day>\d{{1,2}})(?:st|nd|rd|th|\.)?(?: of)? (?P<month>{_MONTH})\b"
    rf"|(?P<month_before>{_MONTH})\.? (?P<day_behind>\d{{1,2}})(?:st|nd|rd|th)?\b)(?:,? (?P<year>\d{{4}})\b)?"
)
# May is a month only where it is spoken of as one.
_SURE = "|".join(name for name in _MONTHS if name != "May")
_IN_MONTH = re.compile(rf"\b(?P<month>{_SURE}|(?:in|since|until|last) May)\b(?: (?P<year>\d{{4}})\b)?")
_WEEKDAY = re.compile(rf"\b(?:{'|'.join(_DAYS)})s?\b")
# What only who speaks can place: it has to be said as it is.
_PLACED = re.compile(
    r"\b(?:half )?(?:\w+ )(?:seconds?|secs?|minutes?|mins?|hours?|days?|weeks?|months?|years?) ago\b"
    r"|\b(?:yesterday|tomorrow|tonight|noon|midnight)\b|\blast (?:night|week|month|year|hour|minute)\b",
    re.I,
)
_CLOCK = {"noon": "12:00", "midnight": "00:00"}
_HARM = (
    r"(?:errors?|failures?|failed requests?|requests? (?:is|are|was|were)? ?(?:fail\w*|lost|rejected)|timeouts?"
    r"|exceptions?|throttl\w+|impact|harm|data loss)"
)
_NONE = re.compile(
    rf"\b(?:no|zero|none of(?: the| its| all)?|without(?: any)?|not (?:a single|one|any)|free of)(?: \w+)?? {_HARM}\b"
    r"|\bnone of (?:the |its )?requests? fail\w*|\berror[- ]free\b",
    re.I,
)
_NOBODY = re.compile(
    r"\b(?:nobody|no one|no (?:users?|customers?)) (?:is|are|was|were|has|have) (?:been )?"
    r"(?:hit|affected|harmed|impacted)\b",
    re.I,
)
_ALL = re.compile(
    r"(?<!of )(?<!of the )\b(?:all|every|each)\b[^.;]{0,40}\b(?:requests?|calls?|traffic|users?|customers?)\b"
    r"[^.;]{0,24}\b(?:fail\w*|rejected|lost|dropped|tim(?:es?|ed) out|errors?|hit|affected)\b",
    re.I,
)
_WELL = re.compile(
    r"\b(?:is|are|was|were|be|been|looks?|seems?|remains?|stays?|everything|all)(?: \w+)?? "
    r"(?:healthy|fine|well|safe|normal|unaffected|ok|okay|harmless|benign|recovered|restored|resolved)\b"
    r"|\bback to normal\b|\bfalse (?:alarm|positive)\b|\bnothing (?:is |was )?wrong\b"
    r"|\bno (?:incident|problem|issue)s?\b",
    re.I,
)


# A fact of this one word tells of it.
_ENDS = frozenset(("recovered", "restored", "resolved", "ok", "okay"))
_PART = re.compile(r"\b(?:a|one|two|three) (?:third|fifth|sixth|eighth|tenth)s? of\b", re.I)


def dates_in(
    text: str, says: Callable[[str], bool], at: Callable[[str], bool], dates: Collection[date]
) -> Iterator[tuple[str, bool]]:
    """Yield each day, month and relative time that a text names, and whether the facts say it or the time it means."""
    for match in _DATE.finditer(text):
        yield match.group(), says(match.group()) or any(_is_day(match, one) for one in dates)
    for match in _IN_MONTH.finditer(_DATE.sub(" ", text)):
        yield match.group(), says(match.group()) or any(_is_month(match, one) for one in dates)
    for match in _WEEKDAY.finditer(text):
        day = match.group().rstrip("s")
        yield match.group(), says(day) or any(_DAYS[one.weekday()] == day for one in dates)
    for match in _PLACED.finditer(text):
        token = match.group()
        clock = _CLOCK.get(token.casefold())
        yield token, says(token) or (clock is not None and at(clock))


def without_dates(text: str) -> str:
    """Return a text without its days, months and relative times: their words and numbers are judged with them."""
    for pattern in (_DATE, _IN_MONTH, _WEEKDAY, _PLACED):
        text = pattern.sub(" ", text)
    return text


def sweeping(text: str, says: Callable[[str], bool], *, is_none: bool, is_all: bool) -> Iterator[str]:
    """Yield claims of none, all or a part that the facts make neither in these words nor by a nought or a whole."""
    for pattern, holds in ((_NONE, is_none), (_ALL, is_all), (_NOBODY, False), (_PART, False)):
        yield from (match.group() for match in pattern.finditer(text) if not (holds or says(match.group())))


def calming(
    text: str, says: Callable[[str], bool], well: Collection[str], ill: Collection[str]
) -> Iterator[str]:
    """Yield claims that something is well, but of parts that were found well, and but what is said in these words."""
    for sentence in re.split(r"(?<=[.!?;])\s", text):
        for match in _WELL.finditer(sentence):
            named_well = any(_names(sentence, one) for one in well)
            is_well = named_well and not any(_names(sentence, one) for one in ill)
            last = match.group().split()[-1]
            is_told = says(match.group()) or (last.casefold() in _ENDS and says(last))
            if not (is_told or is_well):
                yield match.group()


def _is_day(match: re.Match[str], one: date) -> bool:
    month, day = match["month"] or match["month_before"], match["day"] or match["day_behind"]
    same_year = match["year"] is None or int(match["year"]) == one.year
    return _MONTHS[one.month - 1].startswith(month) and int(day) == one.day and same_year


def _is_month(match: re.Match[str], one: date) -> bool:
    same_year = match["year"] is None or int(match["year"]) == one.year
    return _MONTHS[one.month - 1] == match["month"].split()[-1] and same_year


def _names(sentence: str, part: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(part)}(?![\w-])", sentence, re.I) is not None
