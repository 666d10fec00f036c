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
        "The affected service is slow, its table is throttled and the queue grows.",
        "A rollback of ECS should help; DynamoDB and the Lambda function are healthy.",
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
    ],
)
def test_what_no_fact_says_is_named(text: str, invented: str) -> None:
    assert invented in unfounded(text, FACTS)


@given(st.integers(0, 10**6))
def test_a_whole_number_is_founded_only_where_a_fact_rounds_to_it(number: int) -> None:
    said = unfounded(f"It is {number} now.", FACTS)
    assert (said == ()) is (number in {0, 8, 12, 1840} - {8, 12})


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
