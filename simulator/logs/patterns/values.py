"""What stands right of a sign in a filter pattern, and how an event's value is compared with it.

Wildcards stand at the ends of a value only; inside it `*` is a star.
Rules: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
"""

import json
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from simulator.logs.patterns.errors import InvalidPatternError
from simulator.logs.patterns.regexes import Regexes

Test = Callable[[Any], bool]

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_ORDERINGS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True)
class Token:
    """A piece of a pattern."""

    kind: str
    text: str


def compared(sign: str, value: Token, regexes: Regexes) -> Test:
    """Whether an event's value (text, a number, true or false) stands in this relation to the pattern's."""
    number = number_of(value.text) if value.kind == "word" else None
    if sign in _ORDERINGS:
        if number is None:
            raise InvalidPatternError("Invalid filter pattern")
        compare = _ORDERINGS[sign]
        return lambda found: is_number(found) and compare(found, number)
    equal = _matching(value, regexes) if value.kind == "regex" else _equality(value, number)
    wanted = sign == "="
    return lambda found: isinstance(found, str | int | float) and equal(found) is wanted


def number_of(text: str) -> float | None:
    """The number that a text says, or None."""
    return float(text) if len(text) < 100 and _NUMBER.fullmatch(text) else None


def is_number(value: Any) -> bool:
    """Whether this is a number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _matching(value: Token, regexes: Regexes) -> Test:
    matches = regexes.compiled(value.text)
    return lambda found: not isinstance(found, bool) and matches(str(found))


def _equality(value: Token, number: float | None) -> Test:
    plain = _unquoted(value.text) if value.kind == "string" else value.text
    leading, trailing = plain.startswith("*"), len(plain) > 1 and plain.endswith("*")
    core = plain[1 if leading else 0 : -1 if trailing else None]

    def equal(found: Any) -> bool:
        if is_number(found) and number is not None:
            return bool(found == number)
        if isinstance(found, str):
            return _wild(found, core, leading, trailing)
        return plain == "*"

    return equal


def _unquoted(quoted: str) -> str:
    try:
        return str(json.loads(quoted, strict=False))
    except ValueError:
        raise InvalidPatternError("Invalid filter pattern") from None


def _wild(found: str, core: str, leading: bool, trailing: bool) -> bool:
    if leading and trailing:
        return core in found
    if leading:
        return found.endswith(core)
    return found.startswith(core) if trailing else found == core
