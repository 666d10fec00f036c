"""The plainest text that a regular expression allows."""

import importlib
import re
from typing import Any

from simulator.bedrock.models.schema import unsupported

# The standard library's own parser, so that what is read here is what `re` will match.
_parser: Any = importlib.import_module("re._parser")
_CATEGORY = {"CATEGORY_DIGIT": "0", "CATEGORY_WORD": "x", "CATEGORY_SPACE": " "}
_PLAIN = "x0-_. X/:"


def plainest(pattern: str, least: int = 0) -> str:
    """A text of at least `least` characters in which the pattern is found."""
    try:
        text = "".join(_of(*item) for item in _parser.parse(pattern))
    except re.error as error:
        raise unsupported(f"the pattern is not a regular expression ({error.msg})") from error
    text += "x" * (least - len(text))
    if re.search(pattern, text) is None:
        raise unsupported("no plain text satisfies its pattern")
    return text


def _of(operator: Any, argument: Any) -> str:
    name = str(operator)
    if name == "LITERAL":
        return chr(argument)
    if name == "NOT_LITERAL":
        return next(sign for sign in _PLAIN if sign != chr(argument))
    if name == "ANY":
        return "x"
    if name == "IN":
        return _member(argument)
    if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        least, _, inner = argument
        return "".join(_of(*item) for item in inner) * int(least)
    if name == "BRANCH":
        return "".join(_of(*item) for item in argument[1][0])
    if name == "SUBPATTERN":
        return "".join(_of(*item) for item in argument[3])
    if name == "AT":
        return ""
    raise unsupported(f"its pattern uses {name.lower()}")


def _member(choices: list[tuple[Any, Any]]) -> str:
    kind, value = choices[0]
    if str(kind) == "NEGATE":
        return next(sign for sign in _PLAIN if not any(_covers(choice, sign) for choice in choices[1:]))
    if str(kind) == "RANGE":
        return chr(int(value[0]))
    return _CATEGORY.get(str(value), "x") if str(kind) == "CATEGORY" else chr(int(value))


def _covers(choice: tuple[Any, Any], sign: str) -> bool:
    kind, value = str(choice[0]), choice[1]
    if kind == "RANGE":
        low, high = value
        return bool(low <= ord(sign) <= high)
    if kind == "LITERAL":
        return bool(value == ord(sign))
    shape = {"CATEGORY_DIGIT": r"\d", "CATEGORY_WORD": r"\w", "CATEGORY_SPACE": r"\s"}.get(str(value), r".")
    return re.fullmatch(shape, sign) is not None
