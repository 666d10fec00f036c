"""What is secret or personal never stays, what triage works with never goes, and equal things stay equal."""

import json
import string
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.redaction import Redactor, redact, redact_all

BASE64 = string.ascii_letters + string.digits + "+/"
WORD = st.text(string.ascii_letters + string.digits, min_size=12, max_size=40)


def _luhn(digits: str) -> str:
    """Put the check digit behind."""
    total = sum(int(d) if i % 2 else sum(divmod(2 * int(d), 10)) for i, d in enumerate(reversed(digits)))
    return digits + str(-total % 10)


access_keys = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", min_size=16, max_size=16).map("AKIA{}".format)
secret_keys = st.permutations(list(BASE64)).map(lambda letters: "xQ7" * 3 + "".join(letters)[:31])
jwts = st.tuples(*[st.text(string.ascii_letters + string.digits + "-_", min_size=10, max_size=30)] * 3).map(
    lambda parts: f"eyJ{parts[0]}.{parts[1]}.{parts[2]}"
)
mails = st.tuples(WORD, WORD).map(lambda pair: f"{pair[0]}@{pair[1]}.example.com")
cards = st.text(string.digits, min_size=14, max_size=14).map(lambda digits: _luhn(f"4{digits}"))
phones = st.integers(2_000_000, 9_999_999).map(lambda number: f"+1 212 {str(number)[:3]} {str(number)[3:]}")

# What tells a password is what stands around it.
PASSWORDS = (
    "password={}",
    "DB_PASSWORD={}",
    '{{"password": "{}"}}',
    '{{"dbPassword":"{}","user":"bob"}}',
    '{{\\"client_secret\\":\\"{}\\"}}',
    "api_key: '{}'",
    "postgres://bob:{}@db.internal:5432/orders",
    "redis://:{}@cache:6379",
    "Authorization: Bearer {}",
    "GET /x?X-Amz-Security-Token={}&n=1",
    "-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----",
)
AROUND = ("{}", "before {} after", '{{"msg":"{}"}}', "a={},b=2", "<{}>", "[{}]\n", "({})")


@given(st.one_of(access_keys, jwts, mails, secret_keys), st.sampled_from(AROUND))
def test_what_shows_itself_is_taken_out_wherever_it_stands(secret: str, around: str) -> None:
    assert secret not in redact(around.format(secret))


@given(WORD, st.sampled_from(PASSWORDS), st.sampled_from(AROUND[:3]))
def test_what_is_called_a_secret_is_taken_out(secret: str, named: str, around: str) -> None:
    assert secret not in redact(around.format(named.format(secret)))


@given(st.one_of(cards, phones))
def test_cards_and_telephone_numbers_are_taken_out(number: str) -> None:
    spaced = " ".join(number[i : i + 4] for i in range(0, 16, 4)) if number.isdigit() else number
    assert number not in redact(f"charged {number} for order 7")
    assert spaced not in redact(f"charged {spaced} for order 7")


regions = st.sampled_from(("us-east-1", "eu-central-1", "ap-southeast-2"))
accounts = st.integers(10**11, 10**12 - 1)
moments = st.integers(1_577_836_800, 2_051_222_400).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
ids = st.one_of(
    st.uuids().map(str),
    st.uuids().map(lambda one: one.hex),
    accounts.map(str),
    st.tuples(regions, accounts, st.uuids()).map(
        lambda t: f"arn:aws:ecs:{t[0]}:{t[1]}:task/storefront/{t[2].hex}"
    ),
    st.tuples(regions, accounts).map(
        lambda t: f"arn:aws:secretsmanager:{t[0]}:{t[1]}:secret:orders-db-Xy12Zq"
    ),
    moments.map(datetime.isoformat),
    moments.map(lambda at: str(int(at.timestamp() * 1000))),
    moments.map(lambda at: str(int(at.timestamp() * 10**9))),
    st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 2**96 - 1)).map(
        lambda t: f"1-{t[0]:08x}-{t[1]:024x}"
    ),
    st.integers(1, 99_999).map(lambda revision: f"checkout:{revision}"),
    st.sampled_from(
        (
            "ev-1a2b3c4d5e6f",
            "10.0.12.41",
            "sha256:" + "ab" * 32,
            "123456789012.dkr.ecr.us-east-1.amazonaws.com/web:5.9.0",
            "i-0abcd1234ef567890",
            "ProvisionedThroughputExceededException",
            "nextToken=abcdef1234567890",
            "/ecs/storefront/checkout",
            "2026/11/28/[$LATEST]0123456789abcdef0123456789abcdef",
        )
    ),
)


@given(ids, st.sampled_from((*AROUND, "request_id={}", "took {} ms", '"task": "{}"')))
def test_what_triage_works_with_stays(identity: str, around: str) -> None:
    assert identity in Redactor(lambda: b"salt", client_addresses=True).text(around.format(identity))


@given(st.text(max_size=300), st.booleans())
def test_what_was_redacted_is_not_redacted_again(text: str, salted: bool) -> None:
    redactor = Redactor(lambda: b"salt" if salted else b"")
    once = redactor.text(f"{text} password=hunter2hunter2 bob@example.com {text}")
    assert redactor.text(once) == once


def test_equal_things_stay_equal_within_an_incident_and_tell_nothing_across() -> None:
    here, there = Redactor(lambda: b"one"), Redactor(lambda: b"another")
    first, second = here.text("from bob@example.com"), here.text("to bob@example.com, eve@example.com")
    placeholder = first.removeprefix("from ")
    assert second.startswith(f"to {placeholder}, [email#")
    assert not second.endswith(placeholder)
    assert placeholder not in there.text("from bob@example.com")


def test_addresses_of_clients_go_where_it_is_wanted_and_those_of_the_account_stay() -> None:
    line = "203.0.113.7 asked 10.0.12.41 and 2001:db8::7 asked fd00::1 at 12:30:45"
    assert redact(line) == line
    told = Redactor(client_addresses=True).text(line)
    assert told == "[address] asked 10.0.12.41 and [address] asked fd00::1 at 12:30:45"


@pytest.mark.parametrize(
    "value",
    [
        {"environment": [{"name": "DB_PASSWORD", "value": "swordfish"}]},
        {"Authorization": "swordfish"},
        {"session_token": "swordfish"},
        {"nested": [{"apiKey": "swordfish"}]},
    ],
)
def test_a_text_under_a_secrets_name_is_taken_out_whole(value: Any) -> None:
    assert "swordfish" not in json.dumps(redact_all(value))


@pytest.mark.parametrize(
    "text",
    [
        "a." * 100_000,
        "password=" * 30_000,
        '\\"' * 100_000,
        "+1 " * 70_000,
        "1:" * 100_000,
        '"name":"' * 30_000,
    ],
)
def test_long_lines_take_no_time(text: str) -> None:
    started = datetime.now(UTC)
    Redactor(client_addresses=True).text(text)
    assert (datetime.now(UTC) - started).total_seconds() < 5
