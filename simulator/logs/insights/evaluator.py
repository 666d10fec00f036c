"""Expressions, compiled into functions of a row."""

from collections.abc import Callable
from datetime import datetime

import regex

from simulator.logs.insights.functions import FUNCTIONS, arithmetic, ceil_time, floor_time
from simulator.logs.insights.records import Record
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
from simulator.logs.insights.values import Value, equal, number, ordered, text
from simulator.logs.matching import Allowance

Evaluator = Callable[[Record], Value]
Predicate = Callable[[Record], bool]

_ORDER_SIGNS: dict[str, Callable[[int], bool]] = {
    "<": lambda order: order < 0,
    "<=": lambda order: order <= 0,
    ">": lambda order: order > 0,
    ">=": lambda order: order >= 0,
}


class Compiler:
    """Turns expressions into functions. `now` is what `now()` says, the same for every row."""

    def __init__(self, now: datetime, allowance: Allowance) -> None:
        self._now = int(now.timestamp())
        self._allowance = allowance

    def value(self, expression: Expression) -> Evaluator:
        """A function from a row to the expression's value; a condition gives 1 or 0."""
        if isinstance(expression, Literal):
            constant = expression.value
            return lambda record: constant
        if isinstance(expression, Field):
            field = expression
            return lambda record: record.lookup(field)
        if isinstance(expression, Aggregate):
            key = expression.key
            return lambda record: record.values.get(key)
        if isinstance(expression, Arithmetic):
            sign, left, right = expression.sign, self.value(expression.left), self.value(expression.right)
            return lambda record: arithmetic(sign, left(record), right(record))
        if isinstance(expression, Call):
            return self._call(expression)
        holds = self.condition(expression)
        return lambda record: int(holds(record))

    def condition(self, expression: Expression) -> Predicate:
        """A function from a row to whether the expression holds; a value holds unless missing, 0 or empty."""
        if isinstance(expression, Comparison):
            return self._comparison(expression)
        if isinstance(expression, Like):
            return self._like(expression)
        if isinstance(expression, Membership):
            subject = self.value(expression.subject)
            options = [self.value(option) for option in expression.options]
            return lambda record: _among(subject(record), [option(record) for option in options])
        if isinstance(expression, Not):
            inner = self.condition(expression.inner)
            return lambda record: not inner(record)
        if isinstance(expression, Junction):
            return self._junction(expression)
        value = self.value(expression)
        return lambda record: _truth(value(record))

    def _junction(self, junction: Junction) -> Predicate:
        branches = [self.condition(branch) for branch in junction.branches]
        if junction.every:
            return lambda record: all(branch(record) for branch in branches)
        return lambda record: any(branch(record) for branch in branches)

    def _comparison(self, comparison: Comparison) -> Predicate:
        left, right = self.value(comparison.left), self.value(comparison.right)
        if comparison.sign == "=":
            return lambda record: equal(left(record), right(record))
        if comparison.sign == "!=":
            return lambda record: not equal(left(record), right(record))
        holds = _ORDER_SIGNS[comparison.sign]

        def compare(record: Record) -> bool:
            order = ordered(left(record), right(record))
            return order is not None and holds(order)

        return compare

    def _like(self, like: Like) -> Predicate:
        subject = self.value(like.subject)
        if isinstance(like.pattern, regex.Pattern):
            pattern, search = like.pattern, self._allowance.search

            def matches(record: Record) -> bool:
                given = text(subject(record))
                return given is not None and search(pattern, given) is not None

            return matches
        wanted = self.value(like.pattern)

        def contains(record: Record) -> bool:
            given, part = text(subject(record)), text(wanted(record))
            return given is not None and part is not None and part in given

        return contains

    def _call(self, call: Call) -> Evaluator:
        if call.name == "now":
            now = self._now
            return lambda record: now
        arguments = [self.value(argument) for argument in call.arguments]
        if call.period is not None:
            period, subject = call.period, arguments[0]
            rounding = ceil_time if call.name == "dateceil" else floor_time

            def rounded(record: Record) -> Value:
                stamp = number(subject(record))
                return None if stamp is None else rounding(int(stamp), period)

            return rounded
        body = FUNCTIONS[call.name].body
        return lambda record: body([argument(record) for argument in arguments])


def _among(value: Value, options: list[Value]) -> bool:
    return any(equal(value, option) for option in options)


def _truth(value: Value) -> bool:
    return value not in (None, 0, "")
