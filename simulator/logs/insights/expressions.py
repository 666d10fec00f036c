"""Expressions of the query language: precedence, functions, aggregates."""

import re

import regex

from simulator.logs.insights.aggregates import AGGREGATES
from simulator.logs.insights.cursor import Cursor
from simulator.logs.insights.functions import BIN_CAPS, FUNCTIONS, PERIODS, TIME_FUNCTIONS, UNITS
from simulator.logs.insights.lexer import Kind, Token, unquoted
from simulator.logs.insights.regexes import compile_regex
from simulator.logs.insights.syntax import (
    Aggregate,
    Arithmetic,
    Call,
    Comparison,
    Expression,
    Field,
    Junction,
    Like,
    Literal,
    Membership,
    Not,
)

KEYWORDS = {"and", "or", "not", "in", "like", "as", "by", "asc", "desc"}
_PART = re.compile(r"`([^`]+)`|([^.`]+)")
_TIMESTAMP = Field("@timestamp")
_MESSAGE = Field("@message")


def normal(text: str) -> str:
    """A column's text without its blanks: `bin( 5m )` names the column `bin(5m)`."""
    return re.sub(r"\s+", "", text)


def field_of(token: Token) -> Field:
    """The field a name token names."""
    parts = tuple(quoted or plain for quoted, plain in _PART.findall(token.text))
    return Field(".".join(parts))


class ExpressionParser:
    """Parses expressions at the cursor.

    `columns` are the only fields there are once `stats` has run (None before), by their normal text.
    Aggregates are allowed only while `collected` is a list, and are put into it.
    """

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor
        self.columns: dict[str, str] | None = None
        self.collected: list[Aggregate] | None = None
        self._aggregates = 0

    def expression(self) -> Expression:
        """An expression, conditions included."""
        self._cursor.deeper()
        parsed = self._any_of()
        self._cursor.shallower()
        return parsed

    def field(self) -> Field:
        """A name that must be a field."""
        token = self._cursor.expect_kind(Kind.NAME)
        if token.word in KEYWORDS:
            raise self._cursor.unexpected(token)
        return self._known(field_of(token), token)

    def message(self) -> Field:
        """The field `@message`, which is meant where none is named."""
        return self._known(_MESSAGE, self._cursor.token)

    def pattern(self) -> regex.Pattern[str]:
        """The regular expression that opens at the current `/`."""
        token = self._cursor.regex()
        try:
            return compile_regex(token.text)
        except ValueError as error:
            raise self._cursor.refusal(str(error), token) from error

    def _any_of(self) -> Expression:
        branches = [self._all_of()]
        while self._cursor.take("or"):
            self._cursor.operator()
            branches.append(self._all_of())
        return branches[0] if len(branches) == 1 else Junction(False, tuple(branches))

    def _all_of(self) -> Expression:
        branches = [self._negation()]
        while self._cursor.take("and"):
            self._cursor.operator()
            branches.append(self._negation())
        return branches[0] if len(branches) == 1 else Junction(True, tuple(branches))

    def _negation(self) -> Expression:
        if not self._cursor.take("not"):
            return self._comparison()
        self._cursor.deeper()
        inner = Not(self._negation())
        self._cursor.shallower()
        return inner

    def _comparison(self) -> Expression:
        left = self._sum()
        sign = self._cursor.token.word
        if sign in {"=", "!=", "<", "<=", ">", ">="}:
            self._cursor.advance()
            return Comparison(sign, left, self._sum())
        if self._cursor.take("=~"):
            return Like(left, self.pattern() if self._cursor.at("/") else self._text())
        if self._cursor.take("not"):
            return Not(self._containment(left))
        if self._cursor.at("like", "in"):
            return self._containment(left)
        return left

    def _containment(self, left: Expression) -> Expression:
        if self._cursor.take("like"):
            return Like(left, self.pattern() if self._cursor.at("/") else self._text())
        self._cursor.expect("in")
        self._cursor.expect("[")
        options = [self._sum()]
        while self._cursor.take(","):
            options.append(self._sum())
        self._cursor.expect("]")
        return Membership(left, tuple(options))

    def _text(self) -> Expression:
        return Literal(unquoted(self._cursor.expect_kind(Kind.STRING).text))

    def _sum(self) -> Expression:
        left = self._product()
        while self._cursor.at("+", "-"):
            self._cursor.operator()
            sign = self._cursor.advance().text
            left = Arithmetic(sign, left, self._product())
        return left

    def _product(self) -> Expression:
        left = self._power()
        while self._cursor.at("*", "/", "%"):
            self._cursor.operator()
            sign = self._cursor.advance().text
            left = Arithmetic(sign, left, self._power())
        return left

    def _power(self) -> Expression:
        base = self._signed()
        if not self._cursor.at("^"):
            return base
        self._cursor.operator()
        self._cursor.advance()
        self._cursor.deeper()
        power = Arithmetic("^", base, self._power())
        self._cursor.shallower()
        return power

    def _signed(self) -> Expression:
        if not self._cursor.at("-", "+"):
            return self._primary()
        self._cursor.deeper()
        sign = self._cursor.advance().text
        operand = self._signed()
        self._cursor.shallower()
        return Arithmetic(sign, Literal(0), operand)

    def _primary(self) -> Expression:
        token, before = self._cursor.token, self._cursor.last_end
        if self._cursor.take("("):
            inner = self.expression()
            self._cursor.expect(")")
            return inner
        if token.kind is Kind.NUMBER:
            self._cursor.advance()
            whole = token.text.isdigit() and len(token.text) < 19
            return Literal(int(token.text) if whole else float(token.text))
        if token.kind is Kind.STRING:
            self._cursor.advance()
            return Literal(unquoted(token.text))
        if token.kind is not Kind.NAME or token.word in KEYWORDS:
            raise self._cursor.unexpected()
        self._cursor.advance()
        if self._cursor.at("("):
            return self._column_or_call(token, before)
        if token.word in {"true", "false"}:
            return Literal(int(token.word == "true"))
        return self._known(field_of(token), token)

    def _column_or_call(self, token: Token, before: int) -> Expression:
        """After `stats`, text that names one of its columns is that column, not a call."""
        aggregates = self.collected is not None and token.word in AGGREGATES
        if self.columns is not None and not aggregates:
            for text, label in self.columns.items():
                if end := self._spells(text, token.start):
                    self._cursor.back_to(token, before)
                    while self._cursor.token.start < end:
                        self._cursor.advance()
                    return Field(label)
        return self._call(token)

    def _spells(self, text: str, start: int) -> int:
        """Where the query's text from `start` ends if, blanks aside, it says `text`; else 0."""
        position = start
        for wanted in text:
            while position < len(self._cursor.query) and self._cursor.query[position].isspace():
                position += 1
            if self._cursor.query[position : position + 1] != wanted:
                return 0
            position += 1
        return position

    def _call(self, token: Token) -> Expression:
        name = token.word
        self._cursor.advance()
        if name in AGGREGATES:
            return self._aggregate(token)
        if name in TIME_FUNCTIONS:
            return self._time_call(token)
        if name == "now":
            self._cursor.expect(")")
            return Call(name, ())
        function = FUNCTIONS.get(name)
        if function is None:
            raise self._cursor.refusal(f"Unknown function: {token.text}", token)
        arguments = self._arguments()
        if not function.least <= len(arguments) <= function.most:
            raise self._cursor.refusal(f"Invalid number of arguments for function {token.text}", token)
        if name == "ispresent" and not isinstance(arguments[0], Field):
            raise self._cursor.refusal("ispresent takes a field", token)
        return Call(name, tuple(arguments))

    def _arguments(self) -> list[Expression]:
        if self._cursor.take(")"):
            return []
        arguments = [self.expression()]
        while self._cursor.take(","):
            arguments.append(self.expression())
        self._cursor.expect(")")
        return arguments

    def _time_call(self, token: Token) -> Expression:
        subject: Expression = _TIMESTAMP
        if token.word == "bin":
            subject = self._known(_TIMESTAMP, token)
        else:
            subject = self.expression()
            self._cursor.expect(",")
        period = self._period(capped=token.word == "bin")
        self._cursor.expect(")")
        return Call(token.word, (subject,), period)

    def _period(self, capped: bool) -> int:
        token = self._cursor.expect_kind(Kind.PERIOD)
        word = token.text.lstrip("0123456789")
        count, unit = int(token.text[: -len(word)][:9]), UNITS.get(word.lower())
        if count == 0 or unit is None:
            raise self._cursor.refusal("Invalid period: " + token.text, token)
        if capped and unit in BIN_CAPS:
            count = min(count, BIN_CAPS[unit])
        return count * PERIODS[unit]

    def _aggregate(self, token: Token) -> Expression:
        collected = self.collected
        if collected is None:
            raise self._cursor.refusal(f"Aggregate function {token.text} is not allowed here", token)
        function = AGGREGATES[token.word]
        self.collected = None
        argument: Expression | None = None
        if function.argument_optional and self._cursor.take("*"):
            pass
        elif not (function.argument_optional and self._cursor.at(")")):
            argument = self.expression()
        percentile = self._percentile() if function.takes_percentile else 0.0
        self._cursor.expect(")")
        self.collected = collected
        self._aggregates += 1
        aggregate = Aggregate(f"aggregate {self._aggregates}", token.word, argument, percentile)
        collected.append(aggregate)
        return aggregate

    def _percentile(self) -> float:
        self._cursor.expect(",")
        token = self._cursor.expect_kind(Kind.NUMBER)
        if not 0 <= float(token.text) <= 100:
            raise self._cursor.refusal("Invalid percentile: " + token.text, token)
        return float(token.text)

    def _known(self, field: Field, token: Token) -> Field:
        if self.columns is None:
            return field
        label = self.columns.get(normal(field.name))
        if label is None:
            raise self._cursor.refusal(f"Field {field.name} is not available after stats", token)
        return Field(label)
