"""Scalar functions of the query language.

A missing argument gives a missing result, except where AWS says otherwise (isempty, coalesce, concat...).
Rules: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-operations-functions.html
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from simulator.logs.insights.addresses import ANY, is_address, is_in_subnet
from simulator.logs.insights.values import Timestamp, Value, number, sort_key, text

Body = Callable[[Sequence[Value]], Value]
PERIODS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_UNIT_WORDS = {
    "ms": ("ms", "msec", "millisecond"),
    "s": ("s", "sec", "second"),
    "m": ("m", "min", "minute"),
    "h": ("h", "hr", "hour"),
    "d": ("d", "day"),
}
# Every way to write a unit; those of more than one letter may stand in the plural.
UNITS = {
    written: unit
    for unit, words in _UNIT_WORDS.items()
    for word in words
    for written in ((word, f"{word}s") if len(word) > 1 else (word,))
}
BIN_CAPS = {"ms": 1000, "s": 60, "m": 60, "h": 24}


@dataclass(frozen=True)
class Function:
    """How many arguments a function takes and what it gives."""

    least: int
    most: int
    body: Body


def floor_time(stamp: int, period: int) -> Timestamp:
    """The last multiple of the period that is not after the time."""
    return Timestamp(stamp // period * period)


def ceil_time(stamp: int, period: int) -> Timestamp:
    """The first multiple of the period that is not before the time."""
    return Timestamp(-(-stamp // period) * period)


def arithmetic(sign: str, left: Value, right: Value) -> Value:
    """A number, or None where an operand is no number or the result is none (division by zero)."""
    one, other = number(left), number(right)
    if one is None or other is None:
        return None
    try:
        result = _calculate(sign, one, other)
    except (ZeroDivisionError, OverflowError, ValueError):
        return None
    return result if math.isfinite(result) else None


def _calculate(sign: str, one: int | float, other: int | float) -> int | float:
    if sign == "+":
        return one + other
    if sign == "-":
        return one - other
    if sign == "*":
        return one * other
    if sign == "/":
        return one / other
    if sign == "%":
        return math.fmod(one, other)
    return math.pow(one, other)


def _numeric(body: Callable[..., int | float]) -> Body:
    def call(arguments: Sequence[Value]) -> Value:
        given = [number(argument) for argument in arguments]
        if any(item is None for item in given):
            return None
        try:
            result = body(*given)
        except (ValueError, OverflowError):
            return None
        return result if math.isfinite(result) else None

    return call


def _textual(body: Callable[..., Value]) -> Body:
    def call(arguments: Sequence[Value]) -> Value:
        given = [text(argument) for argument in arguments]
        return None if any(item is None for item in given) else body(*given)

    return call


def _substr(arguments: Sequence[Value]) -> Value:
    subject, start = text(arguments[0]), number(arguments[1])
    if subject is None or start is None:
        return None
    first = max(int(start), 0)
    if len(arguments) < 3:
        return subject[first:]
    length = number(arguments[2])
    return None if length is None else subject[first : first + max(int(length), 0)]


def _strip(side: str) -> Body:
    def call(subject: str, unwanted: str | None = None) -> str:
        kept = subject
        if side != "right":
            kept = kept.lstrip(unwanted)
        return kept if side == "left" else kept.rstrip(unwanted)

    return _textual(call)


def _contains(arguments: Sequence[Value]) -> Value:
    subject, wanted = text(arguments[0]), text(arguments[1])
    return int(subject is not None and wanted is not None and wanted in subject)


def _first_present(arguments: Sequence[Value]) -> Value:
    return next((argument for argument in arguments if argument is not None), None)


def _from_millis(arguments: Sequence[Value]) -> Value:
    stamp = number(arguments[0])
    return None if stamp is None else Timestamp(stamp)


def _to_millis(arguments: Sequence[Value]) -> Value:
    return int(arguments[0]) if isinstance(arguments[0], Timestamp) else None


def _extreme(pick: Callable[..., Value]) -> Body:
    def call(arguments: Sequence[Value]) -> Value:
        present = [argument for argument in arguments if argument is not None]
        return pick(present, key=sort_key) if len(present) == len(arguments) else None

    return call


MANY = 100

FUNCTIONS: dict[str, Function] = {
    "abs": Function(1, 1, _numeric(abs)),
    "ceil": Function(1, 1, _numeric(math.ceil)),
    "floor": Function(1, 1, _numeric(math.floor)),
    "greatest": Function(1, MANY, _extreme(max)),
    "least": Function(1, MANY, _extreme(min)),
    "log": Function(1, 1, _numeric(math.log)),
    "sqrt": Function(1, 1, _numeric(math.sqrt)),
    "coalesce": Function(1, MANY, _first_present),
    "concat": Function(1, MANY, lambda arguments: "".join(text(item) or "" for item in arguments)),
    "isblank": Function(1, 1, lambda arguments: int(not (text(arguments[0]) or "").strip())),
    "isempty": Function(1, 1, lambda arguments: int(not text(arguments[0]))),
    "ltrim": Function(1, 2, _strip("left")),
    "rtrim": Function(1, 2, _strip("right")),
    "trim": Function(1, 2, _strip("both")),
    "replace": Function(3, 3, _textual(str.replace)),
    "strcontains": Function(2, 2, _contains),
    "strlen": Function(1, 1, _textual(len)),
    "substr": Function(2, 3, _substr),
    "tolower": Function(1, 1, _textual(str.lower)),
    "toupper": Function(1, 1, _textual(str.upper)),
    "frommillis": Function(1, 1, _from_millis),
    "tomillis": Function(1, 1, _to_millis),
    "isvalidip": Function(1, 1, is_address(*ANY)),
    "isvalidipv4": Function(1, 1, is_address(4)),
    "isvalidipv6": Function(1, 1, is_address(6)),
    "isipinsubnet": Function(2, 2, is_in_subnet(*ANY)),
    "isipv4insubnet": Function(2, 2, is_in_subnet(4)),
    "isipv6insubnet": Function(2, 2, is_in_subnet(6)),
    "ispresent": Function(1, 1, lambda arguments: int(arguments[0] is not None)),
}
TIME_FUNCTIONS = {"bin", "datefloor", "dateceil"}
