"""What a text says must stand in its facts: numbers, times, ids, and the names of parts."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.grounding import mentions, names, unfounded

DAY = datetime(2026, 11, 23, tzinfo=UTC)
FACTS = {
    "service": "basket",
    "alarm": "basket-errors",
    "cluster": "arn:aws:ecs:us-east-1:123456789012:service/shop/front",
    "onset": "2026-11-23T11:57:30Z",
    "error_share": 0.353,
    "latency_ms": 1840,
    "change": "basket:8",
    "evidence_id": "ev-aaaaaaaaaaaa",
    "reason": "basket fails since basket:8 was rolled out; twelve tasks wait",
}


@pytest.mark.parametrize(
    "text",
    [
        "basket fails since basket:8 was rolled out.",
        "35 % of the basket service's requests fail since 2026-11-23 11:57 UTC.",
        "About 35.3 percent fail, at 1840 ms and up to 1,840 ms.",
        "It fails since 11:57, or 11:57:30.",
        "The onset is 2026-11-23T11:57:30Z, as ev-aaaaaaaaaaaa says.",
        "Twelve tasks wait; 12 tasks are not running.",
        "It is a read-only, end-to-end look at callers and/or dependencies of basket-errors.",
        "`basket:8` was rolled out to front in us-east-1.",
        "It takes 1.84 s, or 1.8 seconds, since Monday, 23 November; that was in November 2026.",
        "It fails since 11:57 UTC, or 11:57 am.",
        "The affected service is slow, its table is throttled and the queue grows.",
        "A rollback of ECS should help; DynamoDB and the Lambda function wait.",
    ],
)
def test_what_the_facts_say_may_be_said(text: str) -> None:
    assert unfounded(text, FACTS) == ()


@pytest.mark.parametrize(
    ("text", "invented"),
    [
        ("42 % fail.", "42 %"),
        ("0.42 of all fail.", "0.42"),
        ("35.9 % fail.", "35.9 %"),
        ("35 requests fail.", "35"),
        ("Forty percent fail.", "Forty"),
        ("It takes 1840k requests.", "1840k"),
        ("It takes 1e9 requests.", "1e9"),
        ("It costs 4 thousand.", "thousand"),
        ("It fails since 11:58.", "11:58"),
        ("It fails since 1:57.", "1:57"),
        ("It fails since 2026-11-23T11:57:59Z.", "2026-11-23T11:57:59Z"),
        ("It fails since 2026-11-24.", "2026-11-24"),
        ("basket:88 was rolled out.", "basket:88"),
        ("basket:80 was rolled out.", "basket:80"),
        ("ev-aaaa says so.", "ev-aaaa"),
        ("The order-worker failed.", "order-worker"),
        ("front/orders failed.", "front/orders"),
        ("payments/orders failed.", "payments/orders"),
        ("`warehouse` failed.", "warehouse"),
        ('It is "warehouse" that failed.', "warehouse"),
        ("kaluro failed.", "kaluro"),
        ("OrderTable is full.", "OrderTable"),
        ("The warehouse service failed.", "warehouse"),
        ("A queue named warehouse is full.", "warehouse"),
        ("It is deadbeef01 that failed.", "deadbeef01"),
        ("It runs on t4g.large.", "t4g.large"),
        ("It failed \uff14\uff12 times.", "42"),
        ("4\u200b2 % fail.", "42 %"),
        ("see https://evil.example/x", "https://evil.example/x"),
        # Of what it is a number.
        ("It takes 1840 s.", "1840"),
        ("It takes 1840 minutes.", "1840"),
        ("It takes 1.94 seconds.", "1.94"),
        ("1840 % fail.", "1840 %"),
        ("0 % fail.", "0 %"),
        ("0 errors came.", "0"),
        ("It costs $1840.", "1840"),
        ("12 k requests wait.", "12"),
        ("A third of requests fail: a third of all.", "a third of"),
        ("Half of the requests fail.", "Half"),
        ("It doubled.", "doubled"),
        ("It failed \u4e09 times.", "\u4e09"),
        # When.
        ("It fails since yesterday.", "yesterday"),
        ("It fails since noon.", "noon"),
        ("It began 12 minutes ago.", "12 minutes ago"),
        ("It began an hour ago.", "an hour ago"),
        ("It began on Tuesday.", "Tuesday"),
        ("It began in October.", "October"),
        ("It began on 24 November.", "24 November"),
        ("It fails since 11:57 CET.", "CET"),
        ("It fails since 11:57 pm.", "11:57 pm"),
        # None, all, well.
        ("There are no errors.", "no errors"),
        ("Nobody is affected.", "Nobody is affected"),
        ("All requests fail.", "All requests fail"),
        ("The front is healthy.", "is healthy"),
        ("It is a false alarm.", "false alarm"),
        ("The change is safe.", "is safe"),
        # Who and what.
        ("basket-errors-2 fired.", "basket-errors-2"),
        ("basket-error fired.", "basket-error"),
        ("The errors service failed.", "errors"),
        ("It is a change by Alice.", "Alice"),
        ("It waits for Kafka.", "Kafka"),
        ("It waits for redis.", "redis"),
        ("'warehouse-4' failed.", "warehouse-4"),
        ("**warehouse** failed.", "warehouse"),
        ("The b\u0430sket failed.", "b\u0430sket"),
    ],
)
def test_what_no_fact_says_is_named(text: str, invented: str) -> None:
    assert invented in unfounded(text, FACTS)


MEASURED = {
    "latency_ms": 438,
    "error_share": 0.07,
    "size_bytes": 5120,
    "usd": 3,
    "text": "it waited 91 s for 17 %",
    "requests_per_minute": 660,
    "min": 4,
    "tasks": 12,
    "told": "19 errors",
    "idle_seconds": 0,
}


@pytest.mark.parametrize(
    ("text", "invented"),
    [
        ("438 customers are hit.", "438"),
        ("438 tasks were killed.", "438"),
        ("7 requests fail.", "7"),
        ("5120 users are hit.", "5120"),
        ("3 services failed.", "3"),
        ("91 errors came.", "91"),
        ("17 hosts failed.", "17"),
        ("Three services failed.", "Three"),
        ("660 minutes passed.", "660"),
        ("4 minutes passed.", None),
        ("It took 438 ms, and 438 is much.", None),
        ("660 requests came.", None),
        ("12 tasks run, 4 instances at least, and 19 errors came.", None),
        ("12 connections wait.", None),
    ],
)
def test_what_is_counted_is_no_time_size_share_or_money(text: str, invented: str | None) -> None:
    strange = unfounded(text, MEASURED)
    assert (invented in strange) if invented else (strange == ())


def test_a_nought_of_something_measured_counts_nothing() -> None:
    assert unfounded("0 users wait.", {"idle_seconds": 0}) == ("0",)
    assert unfounded("0 users wait.", {"users": 0}) == ()


@given(st.integers(0, 10**6))
def test_a_whole_number_is_founded_only_where_a_fact_rounds_to_it(number: int) -> None:
    said = unfounded(f"It is {number} now.", FACTS)
    assert (said == ()) is (number in {12, 1840})


@given(st.from_regex(r"[bcdfghjklmnpqrstvwxz]{3}[aeiou][bcdfghjklmnpqrstvwxz]{3}", fullmatch=True))
def test_a_word_that_nobody_knows_is_a_name(word: str) -> None:
    assert (word in unfounded(f"Then {word} broke.", FACTS)) is not mentions(FACTS, word)


@given(st.integers(0, 86_399))
def test_a_time_is_known_as_precisely_as_it_is_said(second: int) -> None:
    said = (DAY + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert (unfounded(f"Since {said}.", FACTS) == ()) is (said == FACTS["onset"])


def test_a_name_is_what_stands_by_itself_and_never_a_word_of_prose() -> None:
    found = names(FACTS)
    assert {"basket", "front", "shop/front", "basket:8", "8"} & found >= {"basket", "front", "basket:8"}
    assert "rolled" not in found
    assert not any(re.search(r"\s", one) for one in found)


WELL = {"healthy": ["payments", "ledger"], "affected": ["basket"], "error_share": 0.0, "before": 1.0}


@pytest.mark.parametrize(
    ("text", "strange"),
    [
        ("payments is healthy.", ()),
        ("payments and basket are healthy.", ("are healthy",)),
        ("The rest is fine.", ("is fine",)),
        ("There are no errors.", ()),
        ("0 % of requests fail, 100 % did before.", ()),
    ],
)
def test_what_was_found_well_may_be_called_so(text: str, strange: tuple[str, ...]) -> None:
    assert unfounded(text, WELL) == strange


@pytest.mark.parametrize("ending", ["\n", "\t", '"', " "])
def test_what_json_escapes_is_no_part_of_the_word_behind_it(ending: str) -> None:
    assert unfounded("kaluro fails", {"log": f"it said{ending}kaluro fails"}) == ()


WORDS = "basket-errors fails since 11:57 12 % 1.84 s 3 tasks all requests no errors is healthy redis Alice yesterday"


@given(st.lists(st.sampled_from(WORDS.split()), min_size=1, max_size=8))
def test_what_a_fact_says_word_for_word_may_be_said(words: list[str]) -> None:
    text = " ".join(words)
    assert unfounded(text, {"said": text}) == ()
