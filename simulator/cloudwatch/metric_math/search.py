"""SEARCH: which metrics a search expression means.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from simulator.cloudwatch.metric_math.values import ExpressionError
from simulator.cloudwatch.metrics import MetricName

LONGEST = 1024
DEEPEST = 50
_TOKEN = re.compile(r"""\s+|(?P<quoted>"(?:[^"\\]|\\.)*")|(?P<sign>[{}(),=])|(?P<bare>[^\s{}(),="]+)""")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_CHUNK = re.compile(r"[A-Za-z0-9]+")

Matches = Callable[[MetricName], bool]


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    at: int


@lru_cache(maxsize=256)
def searched(search: str) -> Matches:
    """Which metrics a search matches."""
    if len(search) > LONGEST:
        raise ExpressionError(f"The search is longer than {LONGEST} characters.")
    return _Parser([*_tokens(search)]).whole()


def _tokens(search: str) -> Iterator[_Token]:
    at = 0
    while at < len(search):
        found = _TOKEN.match(search, at)
        if found is None:
            raise ExpressionError(f"Invalid search at position {at + 1}: unexpected '{search[at]}'.")
        if found["quoted"] is not None:
            yield _Token("quoted", re.sub(r"\\(.)", r"\1", found["quoted"][1:-1]), at + 1)
        elif found.lastgroup is not None:
            word = found.group()
            kind = "sign" if found["sign"] or word in ("AND", "OR", "NOT") else "bare"
            yield _Token(kind, word, at + 1)
        at = found.end()
    yield _Token("end", "", len(search) + 1)


class _Parser:
    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    def whole(self) -> Matches:
        conditions = []
        if self._taken("{"):
            conditions.append(self._schema())
            self._taken(",")
        if self._now.kind != "end":
            conditions.append(self._either())
        if self._now.kind != "end":
            raise self._unexpected()
        if not conditions:
            raise ExpressionError("A search needs a metric schema, a term, or both.")
        return _all(conditions)

    @property
    def _now(self) -> _Token:
        return self._tokens[self._at]

    def _unexpected(self) -> ExpressionError:
        what = f"unexpected '{self._now.text}'" if self._now.kind != "end" else "unexpected end"
        return ExpressionError(f"Invalid search at position {self._now.at}: {what}.")

    def _taken(self, sign: str) -> bool:
        if self._now.kind != "sign" or self._now.text != sign:
            return False
        self._at += 1
        return True

    def _word(self) -> _Token:
        token = self._now
        if token.kind not in ("bare", "quoted"):
            raise self._unexpected()
        self._at += 1
        return token

    def _schema(self) -> Matches:
        names = [self._word().text]
        while self._taken(","):
            names.append(self._word().text)
        if not self._taken("}"):
            raise self._unexpected()
        namespace, dimensions = names[0], sorted(names[1:])

        def fits(metric: MetricName) -> bool:
            if metric.namespace != namespace:
                return False
            return not dimensions or sorted(name for name, _ in metric.dimensions) == dimensions

        return fits

    def _either(self) -> Matches:
        self._depth += 1
        if self._depth > DEEPEST:
            raise ExpressionError(f"The search is nested more than {DEEPEST} deep.")
        found = [self._both()]
        while self._taken("OR"):
            found.append(self._both())
        self._depth -= 1
        return lambda metric: any(one(metric) for one in found)

    def _both(self) -> Matches:
        found = [self._single()]
        # Terms without an operator between them are joined by AND.
        while self._taken("AND") or self._now.kind in ("bare", "quoted") or self._now.text in ("(", "NOT"):
            found.append(self._single())
        return _all(found)

    def _single(self) -> Matches:
        if self._taken("NOT"):
            refused = self._single()
            return lambda metric: not refused(metric)
        if self._taken("("):
            found = self._either()
            if not self._taken(")"):
                raise self._unexpected()
            return found
        word = self._word()
        if self._taken("="):
            return _property(word.text, _text_match(self._word()))
        match = _text_match(word)
        return lambda metric: any(match(one) for one in _texts(metric))


def _all(conditions: list[Matches]) -> Matches:
    return lambda metric: all(one(metric) for one in conditions)


def _property(name: str, match: Callable[[str], bool]) -> Matches:
    if name.startswith(":aws."):
        raise ExpressionError(f"{name} is not supported: the account monitors no other.")
    if name == "MetricName":
        return lambda metric: match(metric.name)
    if name == "Namespace":
        return lambda metric: match(metric.namespace)
    return lambda metric: any(match(value) for one, value in metric.dimensions if one == name)


def _texts(metric: MetricName) -> Iterator[str]:
    yield metric.name
    yield metric.namespace
    for name, value in metric.dimensions:
        yield name
        yield value


def _text_match(token: _Token) -> Callable[[str], bool]:
    if token.kind == "quoted":
        return lambda text: text == token.text
    chunks = [_PART.findall(one) for one in _CHUNK.findall(token.text)]
    if not chunks:
        raise ExpressionError(
            f"Invalid search at position {token.at}: '{token.text}' has no letter or digit."
        )
    whole = "".join(part for chunk in chunks for part in chunk).lower()
    wanted = [(part, len(chunk) > 1) for chunk in chunks for part in chunk]

    def matches(text: str) -> bool:
        tokens = _parts(text)
        if "".join(tokens).lower() == whole:
            return True
        return any(
            all(_same(*one, part) for one, part in zip(wanted, tokens[at:], strict=False))
            for at in range(len(tokens) - len(wanted) + 1)
        )

    return matches


def _same(wanted: str, composite: bool, part: str) -> bool:
    """A token alone matches in any case, one within a composite only as it is written."""
    return wanted == part if composite else wanted.lower() == part.lower()


@lru_cache(maxsize=4096)
def _parts(text: str) -> tuple[str, ...]:
    return tuple(part for chunk in _CHUNK.findall(text) for part in _PART.findall(chunk))
