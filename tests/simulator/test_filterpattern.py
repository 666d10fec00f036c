import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.logs.patterns.errors import InvalidPatternError
from simulator.logs.patterns.pattern import parse_pattern

EVENT = json.dumps(
    {
        "eventType": "UpdateTrail",
        "sourceIPAddress": "111.111.111.111",
        "arrayKey": ["value", "another value"],
        "objectList": [{"name": "a", "id": 1}, {"name": "b", "id": 2}],
        "SomeObject": None,
        "ThisFlag": True,
        "latency": 120.5,
        "user": {"id": 1, "email": "john@example.com"},
        "coordinates": [[0, 1, 2], [4, 5, 6]],
    }
)


@pytest.mark.parametrize(
    ("pattern", "message", "matches"),
    [
        ("", "anything", True),
        ("ERROR", "Exiting with ERRORCODE: -1", True),
        ("ERROR", "an error", False),
        ("ERROR Exception", "[ERROR] Unhandled Exception", True),
        ("ERROR Exception", "[ERROR] nothing", False),
        ("ERROR -Exiting", "Exiting with ERRORCODE: -1", False),
        ("ERROR -Exiting", "[ERROR] fatal", True),
        ('"fatal exception" -"not really"', "a fatal exception", True),
        ('"fatal exception" -"not really"', "a fatal exception, not really", False),
        ("?ERROR ?WARN", "WARN message", True),
        ("?ERROR ?WARN", "INFO message", False),
        ("?ERROR ?WARN message", "INFO message", True),
        ('"say \\"hi\\""', 'they say "hi"', True),
    ],
)
def test_terms_match_as_aws_documents(pattern: str, message: str, matches: bool) -> None:
    assert parse_pattern(pattern)(message) is matches


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ('{ $.eventType = "UpdateTrail" }', True),
        ("{ $.eventType = Update* }", True),
        ('{ $.eventType = "*Trail" }', True),
        ('{ $.eventType = "Up*ail" }', False),
        ("{ $.sourceIPAddress != 123.123.* }", True),
        ('{ $.arrayKey[0] = "value" }', True),
        ("{ $.objectList[1].id = 2 }", True),
        ("{ $.SomeObject IS NULL }", True),
        ("{ $.SomeOtherObject NOT EXISTS }", True),
        ("{ $.SomeObject NOT EXISTS }", False),
        ("{ $.ThisFlag IS TRUE }", True),
        ("{ $.ThisFlag IS FALSE }", False),
        ("{ $.latency >= 120.5 }", True),
        ("{ $.latency < 1e2 }", False),
        ("{ $.latency = * }", True),
        ("{ $.missing = * }", False),
        ("{ $.missing != 1 }", False),
        ("{ $.arrayKey != 1 }", False),
        ('{ ($.user.id = 1) && ($.user.email = "john@example.com") }', True),
        ("{ ($.user.id = 2 && $.latency > 1) || $.coordinates[1][1] = 5 }", True),
        ("{ $.user.id = 1 || $.latency = 1 && $.latency = 2 }", True),
        ("{ ($.user.id = 1 || $.latency = 1) && $.latency = 2 }", False),
    ],
)
def test_json_patterns_match_as_aws_documents(pattern: str, matches: bool) -> None:
    assert parse_pattern(pattern)(EVENT) is matches


def test_a_json_pattern_matches_no_plain_text() -> None:
    assert not parse_pattern("{ $.a NOT EXISTS }")("plain text")


@pytest.mark.parametrize(
    "pattern",
    [
        "foo-bar",
        "@message",
        "- term",
        '"open',
        "[ip, user]",
        "%regex%",
        "{ $.a }",
        "{ $.a = }",
        "{ $.a = 1",
        "{ a = 1 }",
        "{ $.a EXISTS }",
        "{ $.a IS NOT NULL }",
        "{ $.a > b }",
        "{ $.a = 1 & $.b = 2 }",
        "{ ($.a = 1 }",
        "{}",
    ],
)
def test_what_is_not_understood_is_refused(pattern: str) -> None:
    with pytest.raises(InvalidPatternError):
        parse_pattern(pattern)


@given(st.text(alphabet='{}()$.ab[]01="*&|!<>- ?%\\ISNULTRE', max_size=60))
def test_any_text_is_a_pattern_or_refused(text: str) -> None:
    try:
        matches = parse_pattern(text)
    except InvalidPatternError:
        return
    assert matches(EVENT) in {True, False}


@given(st.text(), st.text(alphabet="abcERO ", max_size=20))
def test_a_quoted_phrase_matches_exactly_the_messages_that_contain_it(before: str, phrase: str) -> None:
    if phrase.strip():
        assert parse_pattern(f'"{phrase}"')(before + phrase)
        assert parse_pattern(f'-"{phrase}"')(before + phrase) is False
