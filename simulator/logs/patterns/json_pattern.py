"""JSON filter patterns: `{ $.a.b = "x" && ($.c >= 3 || $.d IS NULL) }`.

A selector that is missing, or that points at an object or array, fails every comparison, `!=` too:
AWS does not apply the filter where the log's shape does not fit it.
Rules: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
"""

import json
import re
from collections.abc import Callable
from typing import Any

from simulator.logs.patterns.errors import InvalidPatternError
from simulator.logs.patterns.regexes import Regexes
from simulator.logs.patterns.values import Token, compared

Condition = Callable[[Any], bool]
Path = tuple[str | int, ...]

_MISSING = object()
_TOKEN = re.compile(
    r"""\s*(?:
        (?P<selector>\$(?:\.[A-Za-z0-9_-]+|\[\d+\])+)
      | (?P<string>"(?:[^"\\]|\\.)*")
      | %(?P<regex>[^%]*)%
      | (?P<operator>&&|\|\||!=|<=|>=|=|<|>|\(|\))
      | (?P<word>[^\s()&|=!<>"{}%]+)
    )""",
    re.VERBOSE,
)
_STEP = re.compile(r"\.([A-Za-z0-9_-]+)|\[(\d+)\]")
_DEEPEST = 50


def parse_json_pattern(pattern: str, regexes: Regexes) -> Callable[[str], bool]:
    """A predicate over messages, or InvalidPatternError. A message that is no JSON object never matches."""
    if not pattern.endswith("}"):
        raise InvalidPatternError("Invalid filter pattern")
    condition = _Parser(_tokens(pattern[1:-1]), regexes).whole()

    def matches(message: str) -> bool:
        if not message.lstrip().startswith("{"):
            return False
        try:
            record = json.loads(message)
        except (ValueError, RecursionError):
            return False
        return condition(record)

    return matches


def _tokens(body: str) -> list[Token]:
    tokens: list[Token] = []
    position, end = 0, len(body.rstrip())
    while position < end:
        match = _TOKEN.match(body, position)
        if match is None or match.lastgroup is None:
            raise InvalidPatternError("Invalid filter pattern")
        tokens.append(Token(match.lastgroup, match[match.lastgroup]))
        position = match.end()
    return tokens


class _Parser:
    def __init__(self, tokens: list[Token], regexes: Regexes) -> None:
        self._regexes = regexes
        self._tokens = [*tokens, Token("end", "")]
        self._at = 0
        self._depth = 0

    def whole(self) -> Condition:
        condition = self._any_of()
        self._expect("end")
        return condition

    def _any_of(self) -> Condition:
        branches = [self._all_of()]
        while self._take("operator", "||"):
            branches.append(self._all_of())
        return lambda record: any(branch(record) for branch in branches)

    def _all_of(self) -> Condition:
        branches = [self._single()]
        while self._take("operator", "&&"):
            branches.append(self._single())
        return lambda record: all(branch(record) for branch in branches)

    def _single(self) -> Condition:
        if self._take("operator", "("):
            self._depth += 1
            if self._depth > _DEEPEST:
                raise InvalidPatternError("Invalid filter pattern")
            inner = self._any_of()
            if not self._take("operator", ")"):
                raise InvalidPatternError("Invalid filter pattern")
            self._depth -= 1
            return inner
        return self._comparison(_path(self._expect("selector").text))

    def _comparison(self, path: Path) -> Condition:
        token = self._next()
        if token.kind == "word":
            return self._worded(path, token.text.upper())
        if token.kind != "operator" or token.text in {"(", ")", "&&", "||"}:
            raise InvalidPatternError("Invalid filter pattern")
        value = self._next()
        if value.kind not in {"string", "word", "regex"}:
            raise InvalidPatternError("Invalid filter pattern")
        holds = compared(token.text, value, self._regexes)
        return lambda record: holds(_lookup(record, path))

    def _worded(self, path: Path, word: str) -> Condition:
        second = self._expect("word").text.upper()
        if (word, second) == ("NOT", "EXISTS"):
            return lambda record: _lookup(record, path) is _MISSING
        constants = {"NULL": None, "TRUE": True, "FALSE": False}
        if word == "IS" and second in constants:
            return lambda record: _lookup(record, path) is constants[second]
        raise InvalidPatternError("Invalid filter pattern")

    def _take(self, kind: str, text: str) -> bool:
        if self._tokens[self._at] != Token(kind, text):
            return False
        self._at += 1
        return True

    def _next(self) -> Token:
        token = self._tokens[self._at]
        self._at = min(self._at + 1, len(self._tokens) - 1)
        return token

    def _expect(self, kind: str) -> Token:
        token = self._next()
        if token.kind != kind:
            raise InvalidPatternError("Invalid filter pattern")
        return token


def _path(selector: str) -> Path:
    return tuple(name or int(index) for name, index in _STEP.findall(selector))


def _lookup(record: Any, path: Path) -> Any:
    for step in path:
        if isinstance(step, int):
            if not isinstance(record, list) or step >= len(record):
                return _MISSING
            record = record[step]
        elif not isinstance(record, dict) or step not in record:
            return _MISSING
        else:
            record = record[step]
    return record
