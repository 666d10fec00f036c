"""The rules of composite alarms: their grammar, and whether they hold.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from simulator.cloudwatch.alarms import AlarmState
from simulator.wire.protocol import AwsError

MOST_CHILDREN, MOST_ELEMENTS, DEEPEST = 100, 500, 50
_TOKEN = re.compile(r"""\s+|(?P<quoted>"[^"]*")|(?P<sign>[()])|(?P<bare>[^\s()"]+)""")
_STATES = ("ALARM", "OK", "INSUFFICIENT_DATA")
_STARTS = "must be: '(', 'NOT', TRUE or FALSE, ALARM, OK, or INSUFFICIENT_DATA"

States = Callable[[str], AlarmState]
"""Tells a child's state by its name."""
Holds = Callable[[States], bool]


@dataclass(frozen=True)
class Rule:
    """A rule: the alarms it names, in their order, and whether it holds in their states."""

    children: tuple[str, ...]
    holds: Holds


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    at: int


@lru_cache(maxsize=512)
def parsed_rule(text: str) -> Rule:
    """The rule of a text, or the refusal that CloudWatch words."""
    if text != text.strip() or not text:
        raise AwsError(
            "ValidationError", "AlarmRule must not contain leading or trailing whitespace or be null"
        )
    return _Parser([*_tokens(text)]).whole()


def alarm_of(text: str) -> str:
    """An alarm's name, given by name or by ARN."""
    return text.partition(":alarm:")[2] if text.startswith("arn:") else text


def _tokens(text: str) -> Iterator[_Token]:
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise _refused(f"Unsupported token '{text[at]}' at char {at}")
        if found.lastgroup is not None:
            yield _Token(found.lastgroup, found.group().strip('"'), at)
        at = found.end()
    yield _Token("end", "", at)


class _Parser:
    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = self._depth = self._elements = 0
        self._children: dict[str, None] = {}

    def whole(self) -> Rule:
        holds = self._either()
        if self._now.kind != "end":
            raise self._unsupported("must be: AND, OR")
        if len(self._children) > MOST_CHILDREN:
            raise _refused(f"The rule names more than {MOST_CHILDREN} alarms")
        if self._elements > MOST_ELEMENTS:
            raise _refused(f"The rule has more than {MOST_ELEMENTS} elements")
        return Rule(tuple(self._children), holds)

    @property
    def _now(self) -> _Token:
        return self._tokens[self._at]

    def _unsupported(self, wanted: str) -> AwsError:
        token = self._now
        what = "Unexpected end" if token.kind == "end" else f"Unsupported token '{token.text}'"
        return _refused(f"{what} at char {token.at}, {wanted}")

    def _taken(self, word: str) -> bool:
        if self._now.kind == "quoted" or self._now.text != word or self._now.kind == "end":
            return False
        self._at += 1
        return True

    def _expect(self, sign: str) -> None:
        if not self._taken(sign):
            raise self._unsupported(f"must be: '{sign}'")

    def _either(self) -> Holds:
        self._depth += 1
        if self._depth > DEEPEST:
            raise _refused(f"The rule is nested more than {DEEPEST} deep")
        found = [self._both()]
        while self._taken("OR"):
            found.append(self._both())
        self._depth -= 1
        return lambda states: any(one(states) for one in found)

    def _both(self) -> Holds:
        found = [self._single()]
        while self._taken("AND"):
            found.append(self._single())
        return lambda states: all(one(states) for one in found)

    def _single(self) -> Holds:
        negated = False
        while self._taken("NOT"):
            negated = not negated
        holds = self._positive()
        return (lambda states: not holds(states)) if negated else holds

    def _positive(self) -> Holds:
        self._elements += 1
        if self._taken("("):
            holds = self._either()
            self._expect(")")
            return holds
        token = self._now
        if token.kind == "bare" and token.text.upper() in ("TRUE", "FALSE"):
            self._at += 1
            constant = token.text.upper() == "TRUE"
            return lambda states: constant
        if token.kind != "bare" or token.text not in _STATES:
            raise self._unsupported(_STARTS)
        self._at += 1
        return self._child(AlarmState(token.text))

    def _child(self, wanted: AlarmState) -> Holds:
        self._expect("(")
        token = self._now
        if token.kind not in ("bare", "quoted"):
            raise self._unsupported("must be: an alarm's name or ARN")
        self._at += 1
        self._expect(")")
        name = alarm_of(token.text)
        self._children[name] = None
        return lambda states: states(name) is wanted


def _refused(why: str) -> AwsError:
    return AwsError("ValidationError", f"Error in AlarmRule [{why}]")
