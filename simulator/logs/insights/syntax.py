"""The syntax tree of a query."""

from dataclasses import dataclass
from typing import TypeAlias

import regex

from simulator.logs.insights.values import Value


@dataclass(frozen=True)
class Literal:
    """A number, a string, or true and false, which are 1 and 0."""

    value: Value


@dataclass(frozen=True)
class Field:
    """A field of the event, discovered or ephemeral. A dotted name leads into a JSON message."""

    name: str


@dataclass(frozen=True)
class Call:
    """A scalar function."""

    name: str
    arguments: tuple["Expression", ...]
    period: int | None = None


@dataclass(frozen=True)
class Aggregate:
    """An aggregate function of `stats`. `key` names its result inside the row being built."""

    key: str
    name: str
    argument: "Expression | None"
    percentile: float = 0.0


@dataclass(frozen=True)
class Arithmetic:
    """`left sign right`."""

    sign: str
    left: "Expression"
    right: "Expression"


@dataclass(frozen=True)
class Comparison:
    """`left sign right`, true or false."""

    sign: str
    left: "Expression"
    right: "Expression"


@dataclass(frozen=True)
class Like:
    """Whether the subject's text contains a string or matches an expression somewhere."""

    subject: "Expression"
    pattern: "regex.Pattern[str] | Expression"


@dataclass(frozen=True)
class Membership:
    """`subject in [options]`."""

    subject: "Expression"
    options: tuple["Expression", ...]


@dataclass(frozen=True)
class Not:
    """The complement."""

    inner: "Expression"


@dataclass(frozen=True)
class Junction:
    """All of (`and`) or any of (`or`) the branches."""

    every: bool
    branches: tuple["Expression", ...]


Expression: TypeAlias = (
    Literal | Field | Call | Aggregate | Arithmetic | Comparison | Like | Membership | Not | Junction
)


@dataclass(frozen=True)
class Column:
    """An expression under the name it has in the results."""

    label: str
    expression: Expression


@dataclass(frozen=True)
class Fields:
    """`fields` adds columns; `display` replaces them."""

    columns: tuple[Column, ...]
    replaces: bool


@dataclass(frozen=True)
class Filter:
    """`filter` or `where`."""

    condition: Expression


@dataclass(frozen=True)
class Parse:
    """`parse`: each name takes the group of that number. Events that do not match stay."""

    source: Expression
    pattern: regex.Pattern[str]
    names: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Stats:
    """`stats columns by groups`."""

    columns: tuple[Column, ...]
    groups: tuple[Column, ...]
    aggregates: tuple[Aggregate, ...]


@dataclass(frozen=True)
class SortKey:
    """One key of `sort`."""

    expression: Expression
    descending: bool


@dataclass(frozen=True)
class Sort:
    """`sort`."""

    keys: tuple[SortKey, ...]


@dataclass(frozen=True)
class Limit:
    """`limit`."""

    count: int


@dataclass(frozen=True)
class Dedup:
    """`dedup`."""

    columns: tuple[Column, ...]


@dataclass(frozen=True)
class Pattern:
    """`pattern`."""

    field: Field


Command: TypeAlias = Fields | Filter | Parse | Stats | Sort | Limit | Dedup | Pattern


@dataclass(frozen=True)
class Query:
    """A whole query."""

    commands: tuple[Command, ...]
