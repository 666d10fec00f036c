"""A query that was changed by accident gives the rows that it now asks for, or an error; never just all rows."""

import re
from collections.abc import Callable, Iterator

import duckdb
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from simulator.logs.insights.engine import run_query
from simulator.logs.insights.errors import MalformedQuery
from simulator.logs.insights.parser import parse_query
from simulator.logs.store import LogEvent
from tests.simulator.insights_events import ACCOUNT, START, database, events_by_name
from tests.simulator.insights_oracle import prepare, sql_of

EVENTS = events_by_name()["requests"]
PLACES = {one.event_id: place for place, one in enumerate(EVENTS)}


@pytest.fixture(scope="module")
def tables() -> Iterator[duckdb.DuckDBPyConnection]:
    with database({"requests": EVENTS}) as connection:
        prepare(connection)
        yield connection


LEAVES = st.sampled_from(
    [
        'level = "ERROR"',
        'level != "INFO"',
        "statusCode >= 404",
        "statusCode < 300",
        "range > 2500",
        "size <= 100",
        'service in [ "web" , "payments" ]',
        "statusCode not in [ 200 , 404 ]",
        'service like "pay"',
        'server not like "s1"',
        'level =~ "ERR"',
        'server = "s2"',
        'level < "INFO"',
    ]
)
CONDITIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(" ".join),
        inner.map(lambda condition: f"not ( {condition} )"),
        inner.map(lambda condition: f"( {condition} )"),
    ),
    max_leaves=4,
)
QUERIES = st.one_of(
    CONDITIONS.map(lambda condition: f"fields request.id | filter {condition}"),
    CONDITIONS.map(lambda condition: f"filter {condition} | fields level , service | limit 7"),
    CONDITIONS.map(lambda condition: f"where {condition} | limit 30 | filter statusCode = 200"),
)
WORDS = re.findall(
    r"\S+",
    "fields filter where limit level statusCode range server size and or not in like = != < <= > >= =~ ( ) [ ] , | "
    '"ERROR" "s" "" 404 200 7 0 true nothing',
)
Mutation = Callable[[list[str]], list[str]]


def at(place: int, words: list[str]) -> int:
    return place % max(len(words), 1)


def drop(place: int) -> Mutation:
    return lambda words: words[: at(place, words)] + words[at(place, words) + 1 :]


def double(place: int) -> Mutation:
    return lambda words: words[: at(place, words) + 1] + words[at(place, words) :]


def swap(place: int) -> Mutation:
    def change(words: list[str]) -> list[str]:
        here = at(place, words)
        return [*words[:here], *reversed(words[here : here + 2]), *words[here + 2 :]]

    return change


def put(place: int, word: str) -> Mutation:
    return lambda words: [*words[: at(place, words)], word, *words[at(place, words) + 1 :]]


def add(place: int, word: str) -> Mutation:
    return lambda words: [*words[: at(place, words)], word, *words[at(place, words) :]]


def misspell(place: int, letter: int) -> Mutation:
    def change(words: list[str]) -> list[str]:
        here = at(place, words)
        word = words[here] if words else ""
        spoiled = word[: letter % max(len(word), 1)] + word[letter % max(len(word), 1) + 1 :]
        return [*words[:here], spoiled, *words[here + 1 :]]

    return change


PLACE = st.integers(0, 60)
MUTATIONS = st.one_of(
    st.builds(drop, PLACE),
    st.builds(double, PLACE),
    st.builds(swap, PLACE),
    st.builds(put, PLACE, st.sampled_from(WORDS)),
    st.builds(add, PLACE, st.sampled_from(WORDS)),
    st.builds(misspell, PLACE, st.integers(0, 9)),
)


def places_found(query: str, events: list[LogEvent]) -> list[int] | None:
    try:
        parsed = parse_query(query)
    except MalformedQuery:
        return None
    return [PLACES[dict(row)["@ptr"]] for row in run_query(parsed, events, START, ACCOUNT).rows]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(QUERIES, st.lists(MUTATIONS, max_size=3))
def test_a_mutated_query_gives_the_right_rows_or_an_error(
    tables: duckdb.DuckDBPyConnection, query: str, mutations: list[Mutation]
) -> None:
    words = query.split(" ")
    for mutation in mutations:
        words = mutation(words)
    mutated = " ".join(words)
    sql = sql_of(mutated)
    wanted = None if sql is None else [place for (place,) in tables.execute(sql).fetchall()]
    event("refused" if wanted is None else "all rows" if len(wanted) == len(EVENTS) else "some rows")
    assert places_found(mutated, EVENTS) == wanted, mutated


@pytest.mark.parametrize(
    "query",
    [
        'fields request.id | filer level = "ERROR"',
        'fields request.id | filter level == "ERROR"',
        'fields request.id | filter level = "ERROR',
        "fields request.id | filter level = ERROR | limit five",
        'fields request.id | filter level = "ERROR" limit 5',
        'fields request.id filter level = "ERROR"',
        'fields request.id || filter level = "ERROR"',
        'fields request.id | filter lvl = "ERROR"',
        'fields request.id | filter level = "error"',
        'fields request.id | filter level IS "ERROR"',
        "fields request.id | filter level contains 'ERROR'",
        "fields request.id; filter level = 'ERROR'",
    ],
)
def test_a_filter_that_is_misspelled_lets_no_event_through(query: str) -> None:
    assert not places_found(query, EVENTS)
