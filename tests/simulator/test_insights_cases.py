"""AWS's documented queries, page by page: the engine's rows are those that DuckDB finds by another query.

Each case names the page of AWS that it was taken from, and an SQL query that was written for it by hand.
"""

import math
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from simulator.logs.insights.engine import run_query
from simulator.logs.insights.errors import MalformedQuery
from simulator.logs.insights.parser import parse_query
from simulator.logs.store import LogEvent
from tests.simulator.insights_events import ACCOUNT, START, database, events_by_name

FOLDER = Path(__file__).parent / "insights_cases"
PAGES = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/"
Row = Mapping[str, str]


def cases(kind: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for path in sorted(FOLDER.glob("*.toml")):
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        shared = {"page": document["page"], "own": document.get("own", False)}
        found += [{**shared, "file": path.stem, **case} for case in document.get(kind, [])]
    return found


CASES = cases("cases")
REFUSED = cases("refused")


@pytest.fixture(scope="module")
def sets() -> dict[str, list[LogEvent]]:
    return events_by_name()


@pytest.fixture(scope="module")
def tables(sets: dict[str, list[LogEvent]]) -> Iterator[duckdb.DuckDBPyConnection]:
    with database(sets) as connection:
        yield connection


def found_rows(query: str, events: Sequence[LogEvent]) -> list[Row]:
    outcome = run_query(parse_query(query), events, START, ACCOUNT)
    return [{name: value for name, value in row if name != "@ptr"} for row in outcome.rows]


def expected_rows(tables: duckdb.DuckDBPyConnection, sql: str) -> list[Row]:
    answer = tables.execute(sql)
    names = [column[0] for column in answer.description or ()]
    return [
        {name: written(value) for name, value in zip(names, values, strict=True) if value is not None}
        for values in answer.fetchall()
    ]


def written(value: Any) -> str:
    return (
        f"{value:%Y-%m-%d %H:%M:%S}.{value.microsecond // 1000:03d}"
        if isinstance(value, datetime)
        else str(value)
    )


def number(value: str) -> float | None:
    try:
        return float(value)
    except ValueError:
        return None


def same(found: str, wanted: str, near: float) -> bool:
    one, other = number(found), number(wanted)
    if one is None or other is None:
        return found == wanted
    # Averages are written with four decimals.
    return math.isclose(one, other, rel_tol=near, abs_tol=6e-5)


def in_order(rows: Sequence[Row]) -> list[Row]:
    def key(row: Row) -> list[tuple[str, str]]:
        return sorted((n, v if number(v) is None else f"{float(v):.2f}") for n, v in row.items())

    return sorted(rows, key=key)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['file']}: {case['name']}")
def test_the_rows_are_those_of_an_independent_query(
    case: dict[str, Any], sets: dict[str, list[LogEvent]], tables: duckdb.DuckDBPyConnection
) -> None:
    found = found_rows(case["query"], sets[case["events"]])
    wanted = expected_rows(tables, case["sql"])
    assert wanted, "a case without rows shows nothing"
    if not case.get("ordered"):
        found, wanted = in_order(found), in_order(wanted)
    assert [sorted(row) for row in found] == [sorted(row) for row in wanted]
    near = case.get("near", 1e-9)
    for one, other in zip(found, wanted, strict=True):
        assert {n: v for n, v in one.items() if not same(v, other[n], near)} == {}, other


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case["query"])
def test_what_aws_accepts_and_this_account_does_not_is_refused_by_name(case: dict[str, Any]) -> None:
    assert case["own"], "a refusal of AWS's own belongs to another test"
    with pytest.raises(MalformedQuery) as refusal:
        parse_query(case["query"])
    assert case["named"] in refusal.value.message


def test_the_cases_cover_aws_pages() -> None:
    assert len(CASES) >= 120
    names = Counter((case["file"], case["name"]) for case in CASES)
    assert max(names.values()) == 1
    assert {case["page"].removeprefix(PAGES).split("/")[0] for case in CASES} >= {
        "CWL_QuerySyntax-Fields.html",
        "CWL_QuerySyntax-Display.html",
        "CWL_QuerySyntax-Filter.html",
        "CWL_QuerySyntax-Where.html",
        "CWL_QuerySyntax-Parse.html",
        "CWL_QuerySyntax-Stats.html",
        "CWL_QuerySyntax-Sort.html",
        "CWL_QuerySyntax-Limit.html",
        "CWL_QuerySyntax-Dedup.html",
        "CWL_QuerySyntax-Pattern.html",
        "CWL_QuerySyntax-alias.html",
        "CWL_QuerySyntax-operations-functions.html",
        "CWL_QuerySyntax-examples.html",
        "CWL_AnalyzeLogData-discoverable-fields.html",
    }
