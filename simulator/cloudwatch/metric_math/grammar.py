"""The grammar of metric math: from text to a tree, or a refusal that says where it went wrong.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from simulator.cloudwatch.metric_math.values import ExpressionError

LONGEST, DEEPEST, MOST_OPERATORS = 2048, 50, 150
_TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?(?![A-Za-z_0-9.]))
    |(?P<name>[A-Za-z][A-Za-z0-9_]*)
    |(?P<text>'[^']*'|"[^"]*")
    |(?P<sign>==|!=|<=|>=|&&|\|\||[-+*/^<>(),\[\]])""",
    re.VERBOSE,
)
_ALIASES = {"&&": "AND", "||": "OR"}
COMPARISONS = ("==", "!=", "<=", ">=", "<", ">")


@dataclass(frozen=True)
class Number:
    """A number as it stands."""

    value: float


@dataclass(frozen=True)
class Text:
    """A string, without its quotes."""

    value: str


@dataclass(frozen=True)
class Name:
    """An id of another query, or a function's keyword."""

    name: str


@dataclass(frozen=True)
class Negation:
    """A minus before something."""

    operand: "Node"


@dataclass(frozen=True)
class Operation:
    """Two operands and what stands between them."""

    sign: str
    left: "Node"
    right: "Node"


@dataclass(frozen=True)
class Listing:
    """`[a, b]`."""

    members: tuple["Node", ...]


@dataclass(frozen=True)
class Application:
    """A function with its arguments."""

    function: str
    arguments: tuple["Node", ...]


Node = Number | Text | Name | Negation | Operation | Listing | Application


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    at: int


@lru_cache(maxsize=1024)
def parsed(expression: str) -> Node:
    """The tree of an expression."""
    if len(expression) > LONGEST:
        raise ExpressionError(f"The expression is longer than {LONGEST} characters.")
    return _Parser(list(_tokens(expression))).whole()


@lru_cache(maxsize=1024)
def mentioned(expression: str) -> tuple[frozenset[str], tuple[Application, ...]]:
    """The names that an expression uses, and the functions that it applies."""
    nodes = [*walked(parsed(expression))]
    names = frozenset(one.name for one in nodes if isinstance(one, Name))
    return names, tuple(one for one in nodes if isinstance(one, Application))


def walked(node: Node) -> Iterator[Node]:
    """A tree's nodes, itself first."""
    yield node
    match node:
        case Negation(operand=operand):
            yield from walked(operand)
        case Operation(left=left, right=right):
            yield from walked(left)
            yield from walked(right)
        case Listing(members=inner) | Application(arguments=inner):
            for one in inner:
                yield from walked(one)


def _tokens(expression: str) -> Iterator[_Token]:
    at = 0
    while at < len(expression):
        found = _TOKEN.match(expression, at)
        if found is None or found.lastgroup is None:
            raise ExpressionError(f"Invalid syntax at position {at + 1}: unexpected '{expression[at]}'.")
        text = found.group()
        if found.lastgroup != "space":
            word = _ALIASES.get(text, text)
            kind = "sign" if word in ("AND", "OR") else found.lastgroup
            yield _Token(kind, word, at + 1)
        at = found.end()
    yield _Token("end", "", len(expression) + 1)


class _Parser:
    """Reads one expression from its tokens, the weakest operator first."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0
        self._operators = 0

    def whole(self) -> Node:
        node = self._either()
        if self._now.kind != "end":
            raise self._unexpected()
        return node

    @property
    def _now(self) -> _Token:
        return self._tokens[self._at]

    def _unexpected(self) -> ExpressionError:
        what = f"unexpected '{self._now.text}'" if self._now.kind != "end" else "unexpected end"
        return ExpressionError(f"Invalid syntax at position {self._now.at}: {what}.")

    def _taken(self, *signs: str) -> str | None:
        token = self._now
        if token.kind != "sign" or token.text not in signs:
            return None
        self._at += 1
        return token.text

    def _operator(self, *signs: str) -> str | None:
        sign = self._taken(*signs)
        self._operators += sign is not None
        if self._operators > MOST_OPERATORS:
            raise ExpressionError(f"The expression has more than {MOST_OPERATORS} operators.")
        return sign

    def _expect(self, sign: str) -> None:
        if self._taken(sign) is None:
            raise self._unexpected()

    def _either(self) -> Node:
        # Every way deeper leads through here, so the nesting is counted here.
        self._depth += 1
        if self._depth > DEEPEST:
            raise ExpressionError(f"The expression is nested more than {DEEPEST} deep.")
        node = self._both()
        while sign := self._operator("OR"):
            node = Operation(sign, node, self._both())
        self._depth -= 1
        return node

    def _both(self) -> Node:
        node = self._compared()
        while sign := self._operator("AND"):
            node = Operation(sign, node, self._compared())
        return node

    def _compared(self) -> Node:
        node = self._sum()
        if sign := self._operator(*COMPARISONS):
            return Operation(sign, node, self._sum())
        return node

    def _sum(self) -> Node:
        node = self._product()
        while sign := self._operator("+", "-"):
            node = Operation(sign, node, self._product())
        return node

    def _product(self) -> Node:
        node = self._signed()
        while sign := self._operator("*", "/"):
            node = Operation(sign, node, self._signed())
        return node

    def _signed(self) -> Node:
        minus = False
        while self._taken("-"):
            minus = not minus
        node = self._power()
        return Negation(node) if minus else node

    def _power(self) -> Node:
        base = self._atom()
        if not self._taken("^"):
            return base
        exponent = Negation(self._atom()) if self._taken("-") else self._atom()
        if self._now.text == "^":
            # Whether AWS reads a ^ b ^ c from the left or the right is not documented.
            raise ExpressionError(f"Invalid syntax at position {self._now.at}: group '^' with parentheses.")
        return Operation("^", base, exponent)

    def _atom(self) -> Node:
        token = self._now
        if token.kind == "number":
            self._at += 1
            return Number(float(token.text))
        if token.kind == "text":
            self._at += 1
            return Text(token.text[1:-1])
        if token.kind == "name":
            self._at += 1
            return Application(token.text, self._members(")")) if self._taken("(") else Name(token.text)
        if self._taken("("):
            node = self._either()
            self._expect(")")
            return node
        if self._taken("["):
            members = self._members("]")
            if not members:
                raise ExpressionError(f"Invalid syntax at position {token.at}: an empty array.")
            return Listing(members)
        raise self._unexpected()

    def _members(self, end: str) -> tuple[Node, ...]:
        if self._taken(end):
            return ()
        found = [self._either()]
        while self._taken(","):
            found.append(self._either())
        self._expect(end)
        return tuple(found)
