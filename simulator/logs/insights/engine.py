"""Runs a parsed query over events.

Events start newest first, as the console shows them; the order without `sort` is undocumented.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter

from simulator.logs.insights.aggregates import AGGREGATES, Sample
from simulator.logs.insights.evaluator import Compiler, Evaluator
from simulator.logs.insights.parser import PATTERN_COLUMNS
from simulator.logs.insights.records import Record
from simulator.logs.insights.syntax import (
    Column,
    Command,
    Dedup,
    Field,
    Fields,
    Filter,
    Limit,
    Parse,
    Pattern,
    Query,
    Sort,
    Stats,
)
from simulator.logs.insights.templates import summarise
from simulator.logs.insights.values import Value, sort_key, text
from simulator.logs.matching import Allowance
from simulator.logs.store import LogEvent

DEFAULT_LIMIT = 10_000
MATCHING_SECONDS = 3.0
_IMPLICIT = ("@timestamp", "@message")


@dataclass(frozen=True)
class Outcome:
    """What a query found: rows of (field, value) pairs, and what it read for them."""

    rows: tuple[tuple[tuple[str, str], ...], ...]
    records_matched: int
    records_scanned: int
    bytes_scanned: int


def run_query(
    query: Query,
    events: Iterable[LogEvent],
    now: datetime,
    account: str,
    limit: int | None = None,
    matching_seconds: float = MATCHING_SECONDS,
) -> Outcome:
    """The query's outcome over these events; `limit` caps the rows beside the query's own `limit`.

    OverrunError where its regular expressions match for longer than `matching_seconds` in all.
    """
    scanned = list(events)
    scanned.reverse()
    allowance = Allowance(matching_seconds)
    records = [Record(event, account) for event in scanned]
    pipeline = _Pipeline(records, Compiler(now, allowance), account, allowance)
    for command in query.commands:
        pipeline.apply(command)
    return Outcome(
        rows=tuple(pipeline.rows(_row_limit(query, limit))),
        records_matched=pipeline.matched,
        records_scanned=len(scanned),
        bytes_scanned=sum(len(event.message.encode()) for event in scanned),
    )


def _row_limit(query: Query, limit: int | None) -> int | None:
    if limit is not None:
        return limit
    limited = any(isinstance(command, Limit) for command in query.commands)
    return None if limited else DEFAULT_LIMIT


class _Pipeline:
    def __init__(self, records: list[Record], compiler: Compiler, account: str, allowance: Allowance) -> None:
        self.matched = len(records)
        self._allowance = allowance
        self._records = records
        self._compiler = compiler
        self._account = account
        self._shown: list[str] = []
        self._named: dict[str, Field] = {}
        self._of_events = True

    def apply(self, command: Command) -> None:
        if isinstance(command, Filter):
            self._filter(command)
        elif isinstance(command, Fields):
            self._fields(command)
        elif isinstance(command, Parse):
            self._parse(command)
        elif isinstance(command, Stats):
            self._stats(command)
        elif isinstance(command, Sort):
            self._sort(command)
        elif isinstance(command, Limit):
            self._records = self._records[: command.count]
        elif isinstance(command, Dedup):
            self._dedup(command)
        elif isinstance(command, Pattern):
            self._pattern(command)

    def rows(self, limit: int | None) -> list[tuple[tuple[str, str], ...]]:
        shown = [Field(name) for name in self._shown or _IMPLICIT]
        fields = [self._named.get(field.name, field) for field in shown]
        if self._of_events:
            fields.append(Field("@ptr"))
        return [_row(record, fields) for record in self._records[:limit]]

    def _filter(self, command: Filter) -> None:
        holds = self._compiler.condition(command.condition)
        self._records = [record for record in self._records if holds(record)]
        if self._of_events:
            self.matched = len(self._records)

    def _fields(self, command: Fields) -> None:
        self._compute(command.columns)
        labels = [column.label for column in command.columns]
        self._shown = list(dict.fromkeys(labels if command.replaces else [*self._shown, *labels]))

    def _compute(self, columns: Sequence[Column]) -> None:
        for column in columns:
            if isinstance(column.expression, Field) and column.expression.name == column.label:
                self._named[column.label] = column.expression
                continue
            value = self._compiler.value(column.expression)
            for record in self._records:
                record.values[column.label] = value(record)

    def _parse(self, command: Parse) -> None:
        source = self._compiler.value(command.source)
        for record in self._records:
            given = text(source(record))
            match = self._allowance.search(command.pattern, given) if given is not None else None
            if match is not None:
                record.values.update({name: match[group] for name, group in command.names})
        names = [name for name, _ in command.names]
        self._shown = list(dict.fromkeys([*(self._shown or _IMPLICIT), *names]))

    def _stats(self, command: Stats) -> None:
        groups = [self._compiler.value(group.expression) for group in command.groups]
        members: dict[tuple[str | None, ...], tuple[list[Value], list[Record]]] = {}
        for record in self._records:
            values = [group(record) for group in groups]
            members.setdefault(tuple(map(text, values)), (values, []))[1].append(record)
        self._records = [self._summary(command, values, records) for values, records in members.values()]
        self._shown = [column.label for column in (*command.groups, *command.columns)]
        self._of_events = False

    def _summary(self, command: Stats, key: list[Value], records: list[Record]) -> Record:
        labels = [group.label for group in command.groups]
        values: dict[str, Value] = dict(zip(labels, key, strict=True))
        for aggregate in command.aggregates:
            argument = self._compiler.value(aggregate.argument) if aggregate.argument is not None else None
            samples = _samples(records, argument)
            values[aggregate.key] = AGGREGATES[aggregate.name].summary(samples, aggregate.percentile)
        row = Record(None, self._account, values)
        for column in command.columns:
            row.values[column.label] = self._compiler.value(column.expression)(row)
        return row

    def _sort(self, command: Sort) -> None:
        for key in reversed(command.keys):
            value = self._compiler.value(key.expression)
            keyed = [(sort_key(value(record)), record) for record in self._records]
            keyed.sort(key=itemgetter(0), reverse=key.descending)
            self._records = [record for _, record in keyed]

    def _dedup(self, command: Dedup) -> None:
        values = [self._compiler.value(column.expression) for column in command.columns]
        seen: set[tuple[str | None, ...]] = set()
        kept: list[Record] = []
        for record in self._records:
            key = tuple(text(value(record)) for value in values)
            # AWS keeps events in which a field is missing.
            if None in key or key not in seen:
                kept.append(record)
            seen.add(key)
        self._records = kept

    def _pattern(self, command: Pattern) -> None:
        value = self._compiler.value(command.field)
        messages = [given for record in self._records if (given := text(value(record))) is not None]
        self._records = [Record(None, self._account, row) for row in summarise(messages)]
        self._shown = list(PATTERN_COLUMNS)
        self._of_events = False


def _samples(records: list[Record], argument: Evaluator | None) -> list[Sample]:
    if argument is None:
        return [(0, 1)] * len(records)
    samples: list[Sample] = []
    for record in records:
        value = argument(record)
        if value is not None:
            samples.append((record.event.order if record.event else 0, value))
    return samples


def _row(record: Record, fields: list[Field]) -> tuple[tuple[str, str], ...]:
    pairs = ((field.name, text(record.lookup(field))) for field in fields)
    return tuple((name, value) for name, value in pairs if value is not None)
