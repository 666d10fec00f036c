"""Policies' own way of comparing: wildcards, variables and the operators of conditions.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

import base64
import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache

from simulator.wire.protocol import aware

Keys = Mapping[str, Sequence[str]]
"""The context of a request: the values of each condition key, by the key in lower case."""

_VARIABLE = re.compile(r"\$\{([^}]+)\}")
_LITERALS = {"*": "\0*", "?": "\0?", "$": "$"}
_EACH = ("foranyvalue:", "forallvalues:")


class UnknownOperatorError(ValueError):
    """A condition that nobody can evaluate."""


class AbsentVariableError(LookupError):
    """A policy variable that the request has no value for."""


@lru_cache(maxsize=4096)
def _pattern(text: str) -> re.Pattern[str]:
    pieces = re.split(r"(\0?[*?])", text)
    signs = {"*": ".*", "?": "."}
    return re.compile("".join(signs.get(one) or re.escape(one.removeprefix("\0")) for one in pieces), re.S)


def like(value: str, pattern: str) -> bool:
    """Whether a value is like a pattern with `*` and `?`."""
    return pattern == "*" or _pattern(pattern).fullmatch(value) is not None


def arn_like(value: str, pattern: str) -> bool:
    """Whether two ARNs agree in each of their six parts."""
    if pattern == "*":
        return True
    given, wanted = value.split(":", 5), pattern.split(":", 5)
    return len(given) == len(wanted) == 6 and all(map(like, given, wanted))


def filled(text: str, keys: Keys) -> str:
    """A policy's text with its variables filled in; `AbsentVariableError` where one has no single value."""
    if "${" not in text:
        return text

    def value(found: re.Match[str]) -> str:
        name, _, default = (part.strip() for part in found[1].partition(","))
        if name in _LITERALS:
            return _LITERALS[name]
        values = keys.get(name.lower(), ())
        if len(values) == 1:
            return re.sub(r"([*?])", "\0\\1", values[0])
        if default:
            return default.strip("'")
        raise AbsentVariableError(name)

    return _VARIABLE.sub(value, text)


def operator_of(name: str) -> Callable[[str, str], bool]:
    """What a condition's operator compares with, whatever set or absence it is asked of."""
    bare = _bare(name)
    positive = bare.replace("not", "", 1) if bare not in _OPERATORS else bare
    found = _OPERATORS.get(positive)
    if found is None:
        raise UnknownOperatorError(name)
    return found


def holds(name: str, key: str, wanted: Sequence[str], keys: Keys) -> bool:
    """Whether one line of a condition holds in the context of a request."""
    bare, lowered = _bare(name), name.lower()
    given = keys.get(key.lower())
    if bare == "null":
        return (given is None) == (wanted[0].lower() == "true")
    compare = operator_of(name)
    is_negated = bare not in _OPERATORS
    if given is None and lowered.endswith("ifexists"):
        return True
    try:
        texts = [filled(one, keys) for one in wanted]
    except AbsentVariableError:
        return is_negated

    def fits(value: str) -> bool:
        return any(_compared(compare, value, text) for text in texts) != is_negated

    if lowered.startswith(_EACH[1]):
        return all(map(fits, given or ()))
    if lowered.startswith(_EACH[0]):
        return any(map(fits, given or ()))
    if given is None:
        return is_negated
    return all(map(fits, given)) if is_negated else any(map(fits, given))


def _bare(name: str) -> str:
    lowered = name.lower().removesuffix("ifexists")
    for prefix in _EACH:
        lowered = lowered.removeprefix(prefix)
    return lowered


def _compared(compare: Callable[[str, str], bool], value: str, text: str) -> bool:
    try:
        return compare(value, text)
    except (ValueError, TypeError, OverflowError):
        return False


def _plain(text: str) -> str:
    return text.replace("\0", "")


def _number(compare: Callable[[float, float], bool]) -> Callable[[str, str], bool]:
    return lambda value, text: compare(float(value), float(text))


def _moment(compare: Callable[[datetime, datetime], bool]) -> Callable[[str, str], bool]:
    return lambda value, text: compare(aware(value), aware(text))


def _address(value: str, text: str) -> bool:
    return ipaddress.ip_address(value) in ipaddress.ip_network(text, strict=False)


# Each operator that says `Not` is the negation of the one without it.
_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "stringequals": lambda value, text: value == _plain(text),
    "stringequalsignorecase": lambda value, text: value.lower() == _plain(text).lower(),
    "stringlike": like,
    "numericequals": _number(lambda a, b: a == b),
    "numericlessthan": _number(lambda a, b: a < b),
    "numericlessthanequals": _number(lambda a, b: a <= b),
    "numericgreaterthan": _number(lambda a, b: a > b),
    "numericgreaterthanequals": _number(lambda a, b: a >= b),
    "dateequals": _moment(lambda a, b: a == b),
    "datelessthan": _moment(lambda a, b: a < b),
    "datelessthanequals": _moment(lambda a, b: a <= b),
    "dategreaterthan": _moment(lambda a, b: a > b),
    "dategreaterthanequals": _moment(lambda a, b: a >= b),
    "bool": lambda value, text: value.lower() == text.lower(),
    "binaryequals": lambda value, text: base64.b64decode(value) == base64.b64decode(text),
    "ipaddress": _address,
    "arnequals": arn_like,
    "arnlike": arn_like,
    "null": lambda value, text: True,
}
