import json
import re
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from time import monotonic

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.logs.insights.engine import Outcome, run_query
from simulator.logs.insights.errors import MalformedQuery
from simulator.logs.insights.parser import parse_query
from simulator.logs.matching import OverrunError
from simulator.logs.store import LogEvent, LogStore

START = datetime(2026, 11, 23, 9, tzinfo=UTC)
GROUP = "/app/one"


def events_of(messages: Sequence[str], seconds: int = 30) -> list[LogEvent]:
    store = LogStore()
    return [
        store.append(GROUP, f"stream-{place % 2}", START + timedelta(seconds=seconds * place), message)
        for place, message in enumerate(messages)
    ]


def run(query: str, events: Sequence[LogEvent], limit: int | None = None) -> Outcome:
    return run_query(parse_query(query), events, START, "123456789012", limit)


def rows(query: str, events: Sequence[LogEvent]) -> list[dict[str, str]]:
    return [{name: value for name, value in row if name != "@ptr"} for row in run(query, events).rows]


def request(place: int) -> str:
    failed = place % 4 == 0
    return json.dumps(
        {
            "level": "ERROR" if failed else "INFO",
            "code": 500 if failed else 200,
            "ms": place * 10,
            "request": {"id": f"r{place}", "tags": ["first", "second"]},
            "ok": not failed,
            "foo-bar": place,
        }
    )


REQUESTS = events_of([request(place) for place in range(20)])
PLAIN = events_of(
    [
        "user=bob, method:GET, latency := 12",
        "user=eve, method:PUT, latency := 7",
        "a line of another shape",
        "2026-11-23T09:00:00Z ERROR order 17 failed\n  at Shop.pay(Shop.java:42)",
        "2026-11-23T09:00:04Z ERROR order 18 failed\n  at Shop.pay(Shop.java:42)",
    ]
)


def test_without_fields_a_query_shows_timestamp_message_and_pointer() -> None:
    (row,) = run("filter code = 500 | limit 1", REQUESTS).rows
    assert [name for name, _ in row] == ["@timestamp", "@message", "@ptr"]
    assert row[0][1] == "2026-11-23 09:08:00.000"


def test_system_fields_are_the_events_own() -> None:
    (row,) = rows(
        "fields @logStream, @log, @ingestionTime, @timestamp | sort @timestamp asc | limit 1", REQUESTS
    )
    assert row == {
        "@logStream": "stream-0",
        "@log": "123456789012:/app/one",
        "@ingestionTime": "2026-11-23 09:00:00.000",
        "@timestamp": "2026-11-23 09:00:00.000",
    }


@pytest.mark.parametrize(
    ("condition", "matched"),
    [
        ('level = "ERROR"', 5),
        ("level != 'ERROR'", 15),
        ("code >= 500", 5),
        ("code<500", 15),
        ('code = "500"', 5),
        ("ms > 100 and level = 'ERROR'", 2),
        ("ms < 20 or ms >= 180", 4),
        ("not (ms < 20 or ms >= 180)", 16),
        ("not ms < 20 and ms < 40", 2),
        ('request.id in ["r1", "r2", "r99"]', 2),
        ('request.id not in ["r1", "r2"]', 18),
        ("code in [500, 404]", 5),
        ('@message like "ERROR"', 5),
        ('@message not like "ERROR"', 15),
        ("@message like /ERR/", 5),
        ("@message like /(?i)error/", 5),
        ("level like /^(?i)err.*$/", 5),
        ("level =~ /E/", 5),
        ('level =~ "E"', 5),
        ("@message not like /E.R/", 15),
        ("ispresent(request.id)", 20),
        ("ispresent(nothing)", 0),
        ("not ispresent(nothing)", 20),
        ('strcontains(level, "RR")', 5),
        ('request.tags.1 = "second"', 20),
        ('request.tags.7 = "second"', 0),
        ("ok = 0", 5),
        ("ok = false", 5),
        ("`foo-bar` = 3", 1),
        ("ms / 10 % 2 = 1", 10),
        ("2 ^ 3 = 8 and 1 + 2 * 3 = 7 and (1 + 2) * 3 = 9 and -1 < 0 and 7 - 2 - 1 = 4", 20),
        ("strlen(level) = 5", 5),
        ("@timestamp >= 1795424400000 and toMillis(@timestamp) < 1795424430000", 1),
        ('nothing = "x"', 0),
        ("nothing < 5", 0),
        ("level > 5", 0),
    ],
)
def test_filter_keeps_what_the_condition_says(condition: str, matched: int) -> None:
    assert run(f"filter {condition}", REQUESTS).records_matched == matched
    assert run(f"WHERE {condition}", REQUESTS).records_matched == matched


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("strlen('héé')", "3"),
        ("toupper('a')", "A"),
        ("tolower('B')", "b"),
        ("trim('  x ')", "x"),
        ("ltrim('xyZfooxyZ', 'xyZ')", "fooxyZ"),
        ("rtrim('xyZfooxyZ', 'xyZ')", "xyZfoo"),
        ("trim('xyZfooxyZ', 'xyZ')", "foo"),
        ("concat('a', 1, level)", "a1ERROR"),
        ("replace('foo', 'o', '0')", "f00"),
        ("substr('xyZfooxyZ', 3, 3)", "foo"),
        ("substr('xyZfoo', 3)", "foo"),
        ("abs(-4)", "4"),
        ("floor(2.7)", "2"),
        ("ceil(2.1)", "3"),
        ("sqrt(16)", "4"),
        ("greatest(1, 10, 9)", "10"),
        ("least(3, 2)", "2"),
        ("coalesce(nothing, level)", "ERROR"),
        ("isempty('')", "1"),
        ("isblank('  ')", "1"),
        ("isempty(level)", "0"),
        ("7 / 2", "3.5"),
        ("4 / 2", "2"),
        ("datefloor(@timestamp, 1h)", "2026-11-23 09:00:00.000"),
        ("dateceil(fromMillis(1795424400001), 1h)", "2026-11-23 10:00:00.000"),
        ("fromMillis(1795424400000)", "2026-11-23 09:00:00.000"),
        ("tomillis(@timestamp)", "1795424400000"),
        ("now()", "1795424400"),
    ],
)
def test_functions_give_what_aws_documents(expression: str, value: str) -> None:
    assert rows(f"fields {expression} as x | sort @timestamp asc | limit 1", REQUESTS) == [{"x": value}]


@pytest.mark.parametrize(
    "expression", ["1 / 0", "log(0)", "sqrt(-1)", "level + 1", "nothing * 2", "9 ^ 9999"]
)
def test_a_result_that_is_no_number_is_missing(expression: str) -> None:
    assert rows(f"fields {expression} as x, level | limit 1", REQUESTS) == [{"level": "INFO"}]


def test_an_expression_without_alias_is_called_by_its_text() -> None:
    assert rows("fields strlen( level ), request.id | limit 1", REQUESTS) == [
        {"strlen( level )": "4", "request.id": "r19"}
    ]


def test_display_replaces_what_fields_showed() -> None:
    assert rows("fields level, ms | display ms | limit 1", REQUESTS) == [{"ms": "190"}]


def test_stats_groups_by_bin_and_field() -> None:
    query = "stats count(*) as n, avg(ms), pct(ms, 50) as p50 by bin(5m) as t, level | sort t asc, n desc"
    found = rows(query, REQUESTS)
    assert found[:2] == [
        {"t": "2026-11-23 09:00:00.000", "level": "INFO", "n": "7", "avg(ms)": "47.1429", "p50": "50"},
        {"t": "2026-11-23 09:00:00.000", "level": "ERROR", "n": "3", "avg(ms)": "40", "p50": "40"},
    ]


def test_bins_are_capped_as_aws_caps_them() -> None:
    assert len(rows("stats count(*) by bin(300s)", REQUESTS)) == 10
    assert len(rows("stats count(*) by bin(5m)", REQUESTS)) == 2


def test_aggregates_summarise_each_group() -> None:
    query = """stats count(*) as n, count(nothing) as none, sum(ms) as total, min(ms) as low, max(ms) as high,
        count_distinct(code) as codes, earliest(request.id) as first, latest(request.id) as last,
        earliest(@timestamp) as began, sum(code >= 500) as failed, 100 * failed / n as rate"""
    assert rows(query, REQUESTS) == [
        {
            "n": "20",
            "none": "0",
            "total": "1900",
            "low": "0",
            "high": "190",
            "codes": "2",
            "first": "r0",
            "last": "r19",
            "began": "1795424400000",
            "failed": "5",
            "rate": "25",
        }
    ]


def test_a_column_of_stats_is_sorted_by_its_own_text() -> None:
    assert rows("stats count(*) by level | sort count(*) desc", REQUESTS) == [
        {"level": "INFO", "count(*)": "15"},
        {"level": "ERROR", "count(*)": "5"},
    ]
    assert rows("stats count(*) by bin(5m) | sort bin( 5m ) asc | limit 1", REQUESTS)[0]["count(*)"] == "10"


def test_a_second_stats_sees_the_first_ones_columns() -> None:
    assert rows("stats count(*) as n by level | stats max(n) as most", REQUESTS) == [{"most": "15"}]


def test_parse_glob_takes_the_text_between() -> None:
    query = """parse @message "user=*, method:*, latency := *" as @user, @method, @latency
        | filter ispresent(@user) | stats sum(@latency) by @method | sort @method asc"""
    assert rows(query, PLAIN) == [
        {"@method": "GET", "sum(@latency)": "12"},
        {"@method": "PUT", "sum(@latency)": "7"},
    ]


def test_parse_regex_names_its_groups_and_keeps_events_that_do_not_match() -> None:
    outcome = run("parse @message /user=(?<user>\\w+)/ | display user", PLAIN)
    assert outcome.records_matched == len(PLAIN)
    assert [dict(row).get("user") for row in outcome.rows] == [None, None, None, "eve", "bob"]
    assert rows(
        "parse @message /order (\\d+)/ as order | filter ispresent(order) | display order", PLAIN
    ) == [
        {"order": "18"},
        {"order": "17"},
    ]


def test_a_message_of_many_lines_is_one_event() -> None:
    assert run("filter @message like /ERROR.*failed\\s+at Shop/", PLAIN).records_matched == 2


def test_sort_is_natural() -> None:
    events = events_of([json.dumps({"v": value}) for value in ["item10", "item9", 3, "20", 100]])
    assert [row["v"] for row in rows("fields v | sort v asc", events)] == [
        "item9",
        "item10",
        "3",
        "20",
        "100",
    ]


def test_dedup_keeps_the_first_of_each_and_those_without_the_field() -> None:
    events = [*REQUESTS, *PLAIN]
    kept = rows("fields level | sort @timestamp asc | dedup level | limit 50", events)
    assert Counter(row.get("level") for row in kept) == {None: len(PLAIN), "ERROR": 1, "INFO": 1}


def test_pattern_joins_messages_that_differ_in_numbers() -> None:
    found = rows("filter @message like /ERROR/ | pattern @message", PLAIN)
    assert len(found) == 1
    assert found[0]["@sampleCount"] == "2"
    assert found[0]["@severityLabel"] == "ERROR"
    assert found[0]["@pattern"].startswith("<*> ERROR order <*> failed")


def test_comments_and_newlines_are_blanks() -> None:
    query = """
    # which requests failed
    fields request.id  # the id | limit 1
    | filter code = 500
    | sort @timestamp desc | limit 1
    """
    assert rows(query, REQUESTS) == [{"request.id": "r16"}]


def test_limits_cap_the_rows_and_the_default_is_ten_thousand() -> None:
    many = events_of(["x"] * 10_050, seconds=1)
    assert len(run("fields @message", many).rows) == 10_000
    assert len(run("fields @message | limit 10020", many).rows) == 10_020
    assert len(run("fields @message", many, limit=7).rows) == 7
    assert run("limit 3", many).records_scanned == 10_050


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("", "<EOF>"),
        ("fields", "<EOF>"),
        ("unnest a into b", "unnest"),
        ("fields @message | fly", "fly"),
        ("fields @message |", "<EOF>"),
        ("filter level == 'x'", "="),
        ("sort by level", "by"),
        ("filter median(x) > 1", "median"),
        ("filter count(*) > 1", "count"),
        ("stats level by code", "level"),
        ("stats percentile(ms, 99)", "percentile"),
        ("stats pct(ms)", ")"),
        ("stats pct(ms, 101)", "101"),
        ("stats sum(avg(ms))", "avg"),
        ("stats count(*) by bin(5x)", "5x"),
        ("stats count(*) by bin(0m)", "0m"),
        ("stats count(*) by bin(5m) offset 1h", "offset"),
        ("stats count(*) | stats count(*) | stats count(*)", "stats"),
        ("stats count(*) as n by level | sort n desc | stats sum(n)", "stats"),
        ("stats count(*) as n by level | limit 5 | stats sum(n)", "stats"),
        ("stats count(*) as n by level | filter code = 500", "code"),
        ("stats count(*) by bin(5m) | sort @timestamp", "@timestamp"),
        ("dedup level | sort level", "sort"),
        ("parse @message 'a*b*' as x", "aliases"),
        ("parse @message 'a*'", "<EOF>"),
        ("parse @message /no groups/", "<EOF>"),
        ("parse @message logfmt as x", "logfmt"),
        ("parse @message /(/ as x", "regular expression"),
        ("parse @message 'a*' as x | parse @message 'b*' as x", "already defined: x"),
        ("filter @message like /open", "/open"),
        ("filter @message like level", "level"),
        ("filter a in [1, 2", "<EOF>"),
        ("filter a in [1 2]", "2"),
        ("filter (a = 1", "<EOF>"),
        ("filter a = 'open", "'open"),
        ("limit 0", "0"),
        ("limit 100001", "100001"),
        ("limit any 5", "any"),
        ("fields abs(1, 2)", "abs"),
        ("fields jsonParse(@message) as j", "jsonParse"),
        ("SOURCE logGroups() | fields @message", "SOURCE"),
        ("fields a; b", ";"),
        ("filter " + "(" * 500 + "a = 1" + ")" * 500, "deeply"),
        ("filter a = " + "1 + " * 900 + "1", "operators"),
    ],
)
def test_what_is_not_understood_is_refused_by_name(query: str, named: str) -> None:
    with pytest.raises(MalformedQuery) as refusal:
        parse_query(query)
    assert named in refusal.value.message
    assert 0 <= refusal.value.start <= refusal.value.end <= len(query)


FRAGMENTS = st.sampled_from(
    re.findall(
        r"\S+",
        "fields display filter where parse stats sort limit dedup pattern by as asc desc and or not in like "
        "| , ( ) [ ] = != < <= > >= =~ + - * / ^ % # @timestamp @message level ms request.id `foo-bar` "
        "count(*) avg(ms) bin(5m) 5m 17 1.5 'text' \"a*b\" /re(?<g>x)/ /x/ ispresent( strlen( n",
    )
)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=80), st.lists(FRAGMENTS, max_size=14).map("\n".join)))
def test_any_text_is_a_query_that_runs_or_malformed(text: str) -> None:
    try:
        query = parse_query(text)
    except MalformedQuery:
        return
    run_query(query, [*REQUESTS, *PLAIN], START, "123456789012")


CONDITIONS = st.recursive(
    st.sampled_from(
        [
            "level = 'ERROR'",
            "code >= 500",
            "nothing != 3",
            "nothing < 3",
            "ms in [10, 20, 30]",
            "@message like /order/",
            "request.id not like 'r1'",
            "ispresent(code)",
            "strcontains(level, 'O')",
        ]
    ),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda parts: f"({' '.join(parts)})"),
        inner.map(lambda condition: f"not ({condition})"),
    ),
    max_leaves=6,
)


@settings(deadline=None)
@given(CONDITIONS)
def test_a_filter_and_its_negation_partition_the_events(condition: str) -> None:
    events = [*REQUESTS, *PLAIN]
    kept = run(f"filter {condition}", events).records_matched
    dropped = run(f"filter not ({condition})", events).records_matched
    assert kept + dropped == len(events)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 7200), st.integers(-1000, 1000)), max_size=40),
    st.sampled_from(["10s", "1m", "5m", "1h", "250ms"]),
)
def test_counts_and_sums_by_bin_add_up_to_the_totals(points: list[tuple[int, int]], period: str) -> None:
    store = LogStore()
    for second, value in points:
        store.append(GROUP, "s", START + timedelta(seconds=second), json.dumps({"v": value}))
    events = list(store.events([GROUP], START, START + timedelta(hours=3))) if points else []
    binned = rows(f"stats count(*) as n, sum(v) as total by bin({period})", events)
    assert sum(int(row["n"]) for row in binned) == len(points)
    assert sum(int(row["total"]) for row in binned) == sum(value for _, value in points)


@given(st.lists(st.integers(0, 100), min_size=1, max_size=50), st.integers(0, 100))
def test_a_percentile_is_a_value_that_enough_values_do_not_exceed(values: list[int], percentile: int) -> None:
    events = events_of([json.dumps({"v": value}) for value in values])
    (row,) = rows(f"stats pct(v, {percentile}) as p", events)
    assert int(row["p"]) in values
    assert sum(value <= int(row["p"]) for value in values) >= percentile / 100 * len(values)


BACKTRACKS = "parse @message /(?<x>(a|aa)+)$/"


def test_an_expression_that_backtracks_for_ever_ends_with_an_overrun() -> None:
    events = events_of(["a" * 80 + "!"] * 20)
    began = monotonic()
    for query in (BACKTRACKS, "filter @message like /(a|aa)+$/"):
        with pytest.raises(OverrunError):
            run_query(parse_query(query), events, START, "123456789012", matching_seconds=0.2)
    assert monotonic() - began < 20


def test_a_glob_of_many_stars_takes_no_longer_than_reading_the_message() -> None:
    events = events_of(["a" * 5000] * 5)
    names = ", ".join(f"f{place}" for place in range(12))
    query = f"parse @message '{'*a' * 12}b' as {names} | filter ispresent(f1)"
    assert rows(query, events) == []


@pytest.mark.parametrize(
    ("expression", "message", "matches"),
    [
        (r"a(?i)b|c", "xC", True),
        (r"(x(?i)y)z", "xYz", True),
        (r"(x(?i)y)z", "xYZ", False),
        (r"(?s)a.b", "a\nb", True),
        (r"a.b", "a\nb", False),
        (r"(\d{4})-\1", "2026-2026", True),
        (r"(?<!x)y", "xy", False),
        (r"[^\[\]]+\]", "[info]", True),
        (r'{"level":', '{"level":1}', True),
        (r"x{2,3}$", "xxx", True),
        (r"\/path\/", "/path/", True),
        (r"\p{Lu}", "é", False),
    ],
)
def test_expressions_speak_perls_dialect(expression: str, message: str, matches: bool) -> None:
    escaped = expression.replace("/", r"\/") if r"\/" not in expression else expression
    assert run(f"filter @message like /{escaped}/", events_of([message])).records_matched == int(matches)


@pytest.mark.parametrize(
    "expression",
    [
        "(?:foo){e<=1}x(?R)",
        "(?|a|b)",
        r"\Qa\E",
        r"\L<x>",
        "(?P<x>a)",
        "[a&&b]",
        "[[:alpha:]]",
        "(?#c)",
        "a**",
    ],
)
def test_an_expression_that_may_mean_another_thing_to_aws_is_refused(expression: str) -> None:
    with pytest.raises(MalformedQuery):
        parse_query(f"filter @message like /{expression}/")
