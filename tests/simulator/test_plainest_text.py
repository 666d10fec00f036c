import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.bedrock.models.patterns import plainest
from simulator.wire.protocol import AwsError


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("", ""),
        ("abc", "abc"),
        (r"^[a-z]+-[0-9]{2,5}$", "a-00"),
        (r"^(L|M)-\d+(\.\d+)?$", "L-0"),
        (r"^(?:one|two){2}$", "oneone"),
        (r"(?P<year>\d{4})-\d\d", "0000-00"),
        (r"^[^x]$", "0"),
        (r"^[^\w]$", "-"),
        (r"[]a]", "]"),
        (r"[\]-]", "]"),
        (r"\x41\u0042\.\\", "AB.\\"),
        (r"a{,2}b{,}c{}", "c{}"),
        (r"\S\D\W", "xx-"),
        (r".+?", "x"),
        (r"^\s{2}\t$", "  \t"),
        (r"^(|a)b$", "b"),
        (r"x{2", "x{2"),
    ],
)
def test_the_plainest_text_is_the_shortest_way_through(pattern: str, text: str) -> None:
    assert plainest(pattern) == text
    assert re.search(pattern, text)


def test_a_text_is_filled_up_to_the_least_length() -> None:
    assert plainest("^a", 4) == "axxx"


@pytest.mark.parametrize(
    ("pattern", "named"),
    [
        ("(?=a)b", "(?="),
        ("(?<!a)b", "(?<"),
        (r"(a)\1", r"\1"),
        ("(?i)a", "(?i"),
        ("(a)(?(1)b|c)", "(?("),
        ("(?#why)a", "(?#"),
        ("(", "not a regular expression"),
        ("a{3}{2}", "not a regular expression"),
        ("^a$b", "no plain text"),
        (r"[^\s\S]", "no plain text"),
        ("(x{1000}){1000}", "more than 10000"),
        ("x{99999999}", "more than 10000"),
    ],
)
def test_what_cannot_be_satisfied_is_refused_by_name(pattern: str, named: str) -> None:
    began = time.monotonic()
    with pytest.raises(AwsError) as refusal:
        plainest(pattern)
    assert named in str(refusal.value)
    assert time.monotonic() - began < 5


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from([*"ab1.|()[]{}^$*+?-,\\", r"\d", r"\w", "(?:", "{2}", "[^"]), max_size=12))
def test_every_text_that_is_made_satisfies_its_pattern(pieces: list[str]) -> None:
    pattern = "".join(pieces)
    try:
        text = plainest(pattern)
    except AwsError:
        return
    assert re.search(pattern, text)
