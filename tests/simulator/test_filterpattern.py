import json
from time import monotonic

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.logs.matching import OverrunError
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


# https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
ACCESS = '127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534'


@pytest.mark.parametrize(
    ("pattern", "message", "matches"),
    [
        ("[ip, user, username, timestamp, request, status_code, bytes]", ACCESS, True),
        ("[ip, user, username, timestamp, request, status_code]", ACCESS, False),
        ("[ip, user, username, timestamp, request, status_code, bytes, more]", ACCESS, False),
        ("[..., status_code, bytes]", ACCESS, True),
        ("[ip, user, ..., status_code, bytes]", ACCESS, True),
        ("[ip, user, ...]", ACCESS, True),
        ("[...]", "", True),
        ("[ip, user, username, timestamp, request, status_code, bytes > 1000]", ACCESS, True),
        ("[ip, user, username, timestamp, request, status_code, bytes > 2000]", ACCESS, False),
        ("[ip, user, username, timestamp, request, status_code = 200, bytes]", ACCESS, False),
        ("[ip, user, username, timestamp, request, status_code = 4*, bytes]", ACCESS, True),
        ("[ip, user, username, timestamp, request = *html*, status_code = 4*, bytes]", ACCESS, True),
        (
            "[ip, user, username, timestamp, request, status_code = 4* && status_code != 403, bytes]",
            ACCESS,
            True,
        ),
        (
            "[ip, user, username, timestamp, request, status_code = 4* && status_code != 404, bytes]",
            ACCESS,
            False,
        ),
        ("[..., request=*.html*, status_code=4*,]", ACCESS, True),
        ("[..., request=*.html*, status_code=5* || status_code=4*,]", ACCESS, True),
        ("[ip=%127\\.0\\.0\\.[1-9]%, ...]", ACCESS, True),
        ('[..., request != "GET*", code, size]', ACCESS, False),
        ("[..., size >= 1534.0]", ACCESS, True),
        ("[..., size = 1534.0]", ACCESS, True),
        ("[ip > 5, ...]", ACCESS, False),
        ("[w1=ERROR, w2]", "ERROR message", True),
        ("[w1=ERROR, w2]", "ERROR WARN message", False),
        ("[w1=ERROR || w1=WARN, w2]", "WARN message", True),
        ("[w1=ERROR || w1=WARN && w1=x, w2]", "ERROR message", True),
        ("[w1!=ERROR&&w1!=WARN, w2]", "INFO message", True),
        ("[w1!=ERROR&&w1!=WARN, w2]", "WARN message", False),
        ("[a, b]", "[open ended", True),
    ],
)
def test_space_delimited_patterns_match_as_aws_documents(pattern: str, message: str, matches: bool) -> None:
    assert parse_pattern(pattern)(message) is matches


# https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/regex-expressions.html
@pytest.mark.parametrize(
    ("pattern", "message", "matches"),
    [
        ("%AUTHORIZED%", "[ERROR 401] UNAUTHORIZED REQUEST", True),
        ("%AUTHORIZED%", "[SUCCESS 200] authorized", False),
        ("%^[hc]at%", "cat and dog", True),
        ("%^[hc]at%", "the cat", False),
        ("%[hc]at$%", "the hat", True),
        ("%colou?r%", "color", True),
        ("%[abcx-z]9%", "y9", True),
        ("%^a{3,5}$%", "aaaaaa", False),
        ("%gra|ey%", "grab", True),
        (r"%\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}%", "from 10.0.0.17", True),
        (r"%\w+\s\S%", "a b", True),
        (r"%\x41%", "A", True),
        ("%1.*2%", "1 and 2", True),
        (r"{ $.eventType = %Trail$% && $.user.id = %^\d$% }", EVENT, True),
        ("{ $.eventType != %Trail% }", EVENT, False),
        ("{ $.ThisFlag = %True% }", EVENT, False),
    ],
)
def test_regular_expressions_match_as_aws_documents(pattern: str, message: str, matches: bool) -> None:
    assert parse_pattern(pattern)(message) is matches


def test_an_expression_that_takes_too_long_is_ended() -> None:
    matches = parse_pattern("%" + "[ab]*" * 20 + "[cd]%", matching_seconds=0.1)
    with pytest.raises(OverrunError):
        for _ in range(200):
            matches("ab" * 2000)


def test_an_event_of_opening_brackets_is_read_once() -> None:
    began = monotonic()
    assert not parse_pattern("[a, b]")("[ " * 100_000)
    assert monotonic() - began < 5


def test_a_json_pattern_matches_no_plain_text() -> None:
    assert not parse_pattern("{ $.a NOT EXISTS }")("plain text")


@pytest.mark.parametrize(
    "pattern",
    [
        "foo-bar",
        "@message",
        "- term",
        '"open',
        "[ip, user",
        "[ip, ..., user, ...]",
        "[ip = 1 && user = 2]",
        "[ip = ]",
        "[ip > x]",
        "[4xx = 4*]",
        "[(a = 1)]",
        "[a = 1 & a = 2]",
        "[a=%x%, b=%y%, c=%z%]",
        "%%",
        "%open",
        "%something!%",
        "%(sub)%",
        "%a**%",
        "%é%",
        "%[a%",
        "%a% %b%",
        "ERROR %a%",
        "{ $.a = %(b)% }",
        "{ $.a > %1% }",
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


@given(st.text(alphabet='{}()$.,ab[]01="*&|!<>- ?%\\ISNULTRE', max_size=60))
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
