"""Commands of the query language, and the rules about which may follow which."""

from simulator.logs.insights.cursor import Cursor
from simulator.logs.insights.errors import MalformedQuery
from simulator.logs.insights.expressions import KEYWORDS, ExpressionParser, field_of, normal
from simulator.logs.insights.lexer import Kind, Token, unquoted
from simulator.logs.insights.regexes import glob_regex
from simulator.logs.insights.syntax import (
    Aggregate,
    Arithmetic,
    Call,
    Column,
    Command,
    Comparison,
    Dedup,
    Expression,
    Field,
    Fields,
    Filter,
    Junction,
    Like,
    Limit,
    Membership,
    Not,
    Parse,
    Pattern,
    Query,
    Sort,
    SortKey,
    Stats,
)

MOST_ROWS = 100_000
_MOST_STATS = 2
# Ways of `parse` that AWS has beside globs and expressions.
_OTHER_MODES = ("csv", "logfmt")
PATTERN_COLUMNS = ("@pattern", "@ratio", "@sampleCount", "@severityLabel")


def parse_query(text: str) -> Query:
    """The query's syntax tree, or MalformedQuery."""
    return _CommandParser(text).query()


class _CommandParser:
    def __init__(self, text: str) -> None:
        self._cursor = Cursor(text)
        self._expressions = ExpressionParser(self._cursor)
        self._commands: list[Command] = []
        self._ephemeral: set[str] = set()
        self._parsers = {
            "fields": lambda: self._fields(replaces=False),
            "display": lambda: self._fields(replaces=True),
            "filter": self._filter,
            "where": self._filter,
            "parse": self._parse,
            "stats": self._stats,
            "sort": self._sort,
            "limit": self._limit,
            "dedup": self._dedup,
            "pattern": self._pattern,
        }

    def query(self) -> Query:
        self._command()
        while self._cursor.take("|"):
            self._command()
        if self._cursor.token.kind is not Kind.END:
            raise self._cursor.unexpected()
        return Query(tuple(self._commands))

    def _command(self) -> None:
        token = self._cursor.token
        parse = self._parsers.get(token.word)
        if parse is None or (self._has(Dedup) and token.word != "limit"):
            raise self._cursor.unexpected()
        self._cursor.advance()
        self._commands.append(parse())

    def _has(self, kind: type[Command]) -> bool:
        return any(isinstance(command, kind) for command in self._commands)

    def _fields(self, replaces: bool) -> Command:
        return Fields(tuple(self._columns(aliases=True)), replaces)

    def _columns(self, aliases: bool) -> list[Column]:
        columns = [self._column(aliases)]
        while self._cursor.take(","):
            columns.append(self._column(aliases))
        return columns

    def _column(self, aliases: bool) -> Column:
        start = self._cursor.token.start
        expression = self._expressions.expression()
        label = self._cursor.query[start : self._cursor.last_end].strip()
        if isinstance(expression, Field):
            label = expression.name
        if aliases and self._cursor.take("as"):
            label = self._alias()
        return Column(label, expression)

    def _alias(self) -> str:
        token = self._cursor.expect_kind(Kind.NAME)
        if token.word in KEYWORDS:
            raise self._cursor.unexpected(token)
        return self._define(field_of(token).name, token)

    def _define(self, name: str, token: Token) -> str:
        if name in self._ephemeral:
            raise self._cursor.refusal(f"Ephemeral field already defined: {name}", token)
        self._ephemeral.add(name)
        if self._expressions.columns is not None:
            self._expressions.columns[normal(name)] = name
        return name

    def _filter(self) -> Command:
        return Filter(self._expressions.expression())

    def _parse(self) -> Command:
        token = self._cursor.token
        if token.word in _OTHER_MODES:
            raise self._cursor.unexpected()
        unnamed = self._cursor.at("/") or token.kind is Kind.STRING
        source = self._expressions.message() if unnamed else self._expressions.field()
        token = self._cursor.token
        if self._cursor.at("/"):
            pattern = self._expressions.pattern()
        else:
            glob = unquoted(self._cursor.expect_kind(Kind.STRING).text)
            pattern = glob_regex(glob)
        if self._cursor.take("as"):
            names = [self._alias()]
            while self._cursor.take(","):
                names.append(self._alias())
            if len(names) != pattern.groups or pattern.groupindex:
                raise self._cursor.refusal("Number of parsed fields does not match the aliases", token)
            return Parse(source, pattern, tuple((name, place + 1) for place, name in enumerate(names)))
        if not pattern.groupindex:
            raise self._cursor.unexpected()
        named = pattern.groupindex.items()
        return Parse(source, pattern, tuple((self._define(name, token), group) for name, group in named))

    def _stats(self) -> Command:
        stats_before = sum(isinstance(command, Stats) for command in self._commands)
        if stats_before == _MOST_STATS or self._has(Pattern):
            raise self._refused_here("stats")
        if stats_before and (self._has(Sort) or self._has(Limit)):
            raise self._refused_here("stats")
        started = self._cursor.token
        collected: list[Aggregate] = []
        self._expressions.collected = collected
        columns = self._columns(aliases=True)
        self._expressions.collected = None
        groups = self._columns(aliases=True) if self._cursor.take("by") else []
        _check_aggregated(columns, groups, started)
        self._scope_to([*groups, *columns])
        return Stats(tuple(columns), tuple(groups), tuple(collected))

    def _refused_here(self, word: str) -> MalformedQuery:
        start = self._cursor.last_end - len(word)
        token = Token(Kind.NAME, word, start, self._cursor.last_end)
        return self._cursor.unexpected(token)

    def _scope_to(self, columns: list[Column]) -> None:
        self._expressions.columns = {normal(column.label): column.label for column in columns}
        self._ephemeral = set()

    def _sort(self) -> Command:
        keys = [self._sort_key()]
        while self._cursor.take(","):
            keys.append(self._sort_key())
        return Sort(tuple(keys))

    def _sort_key(self) -> SortKey:
        expression = self._expressions.expression()
        descending = self._cursor.at("desc")
        self._cursor.take("asc", "desc")
        return SortKey(expression, descending)

    def _limit(self) -> Command:
        token = self._cursor.expect_kind(Kind.NUMBER)
        if not token.text.isdigit() or not 1 <= int(token.text[:9]) <= MOST_ROWS:
            raise self._cursor.refusal(f"Invalid limit: {token.text}", token)
        return Limit(int(token.text))

    def _dedup(self) -> Command:
        return Dedup(tuple(self._columns(aliases=False)))

    def _pattern(self) -> Command:
        if self._has(Stats) or self._has(Pattern):
            raise self._refused_here("pattern")
        field = self._expressions.field()
        self._scope_to([Column(name, Field(name)) for name in PATTERN_COLUMNS])
        return Pattern(field)


def _check_aggregated(columns: list[Column], groups: list[Column], token: Token) -> None:
    """Each column of `stats` aggregates; beside aggregates it may name groups and earlier columns."""
    known = {group.label for group in groups}
    for column in columns:
        fields, aggregates = _leaves(column.expression)
        if not aggregates and not fields:
            raise MalformedQuery(f"stats needs an aggregate: {column.label}", token.start, token.end)
        for name in fields:
            if name not in known:
                raise MalformedQuery(f"Field {name} is not aggregated", token.start, token.end)
        known.add(column.label)


def _leaves(expression: Expression) -> tuple[set[str], int]:
    """The fields an expression names outside its aggregates, and how many aggregates it has."""
    if isinstance(expression, Field):
        return {expression.name}, 0
    if isinstance(expression, Aggregate):
        return set(), 1
    fields: set[str] = set()
    aggregates = 0
    for child in _children(expression):
        below, count = _leaves(child)
        fields |= below
        aggregates += count
    return fields, aggregates


def _children(expression: Expression) -> tuple[Expression, ...]:
    if isinstance(expression, Call):
        return expression.arguments
    if isinstance(expression, Arithmetic | Comparison):
        return (expression.left, expression.right)
    if isinstance(expression, Like):
        return (expression.subject,)
    if isinstance(expression, Membership):
        return (expression.subject, *expression.options)
    if isinstance(expression, Not):
        return (expression.inner,)
    return expression.branches if isinstance(expression, Junction) else ()
