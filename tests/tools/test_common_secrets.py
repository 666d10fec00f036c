"""Secrets and personal data as programs and people commonly write them go; operations text about them stays."""

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.redaction import Redactor, redact, redact_all

# Each with what may not stay.
SECRETS = [
    ("PGPASSWORD=abc123 psql -h db", "abc123"),
    ("DBPASSWORD=hunter2", "hunter2"),
    ("dbpassword=hunter2", "hunter2"),
    ("pass=hunter2 user=bob", "hunter2"),
    ("DB_PASS=swordfish", "swordfish"),
    ('{"user":"bob","pass":"hunter2"}', "hunter2"),
    ("run --password hunter2 --verbose", "hunter2"),
    ("run --db-password 'hun ter2'", "hun ter2"),
    ("deploy --token abcdef12345", "abcdef12345"),
    ("mysql -h db -u root -pS3cretPw orders", "S3cretPw"),
    ("mysqldump --user=root -p'S3cret Pw' orders", "S3cret Pw"),
    ("curl -s -u bob:hunter2 https://x.example", "hunter2"),
    ("password => hunter2", "hunter2"),
    ('password := "hunter2"', "hunter2"),
    ("pwd=abc", "abc"),
    ("Authorization: abcdef123456", "abcdef123456"),
    ('"Authorization": "ApiKey abcdef123456"', "abcdef123456"),
    ("token=abcdefghijklmnop", "abcdefghijklmnop"),
    ("GITHUB_TOKEN=abcdefgh1", "abcdefgh1"),
    ("Cookie: session=abcdef; theme=dark", "abcdef"),
    ("Set-Cookie: JSESSIONID=A1B2C3; Path=/; HttpOnly", "A1B2C3"),
    ('{"cookie":"sid=abcdef"}', "abcdef"),
    ("key sk_test_" + "4eC39HqLyjWDarjtT1zdp7dc", "4eC39Hq"),
    ("key whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "MfKQ9"),
    ("key ya29." + "a0AfH6SMBx-1234567890abcdef", "a0AfH6"),
    ("key GOCSPX-" + "abcdEFGH1234ijklMNOP5678", "abcdEFGH"),
    ("SSN 123-45-6789 of", "123-45-6789"),
    ("to DE89370400440532013000", "DE8937"),
    ("to GB82 WEST 1234 5698 7654 32.", "1234 5698"),
    ("postgres://user:p@ss@host:5432/db", "ss@host"),
    ("amqp://user:p@s@s@host", "s@s@"),
    ('{"name":"token","value":"abcdefgh"}', "abcdefgh"),
    ('{"name": "DB_PASSWORD", "value": "swordfish"}', "swordfish"),
    ('{"field":"password","value":"hunter2"}', "hunter2"),
    ('{"k":"api_key","v":"q1w2e3"}', "q1w2e3"),
    ("credentials=abc:def", "abc:def"),
    ('credentials: "bob:hunter2"', "hunter2"),
    ("REDISCLI_AUTH=abc123 redis-cli", "abc123"),
    ("REDIS_AUTH='abc 123'", "abc 123"),
    ("VAULT hvs.CAESIJabcdefghijklmnopqrstuv", "CAESIJ"),
    ("hvb.AAAAAQJabcdefghijklmnop", "AAAAAQ"),
    ("POST https://discord.com/api/webhooks/123456/abcDEF-ghi_jkl", "abcDEF"),
    ("https://discordapp.com/api/v10/webhooks/123456/abcDEF-ghi_jkl", "abcDEF"),
    ("https://x.blob.core.windows.net/c?sv=2020&sig=abcDEF123%2Bxyz%3D", "abcDEF123"),
    ("https://x.blob.core.windows.net/c?sig=abcDEF123%2Bxyz%3D&sv=2020", "abcDEF123"),
    ("SECRET_KEY_BASE=abcdef0123456789", "abcdef0123456789"),
    ("ssn=123456789", "123456789"),
    ('{"ssn": "123-45-6789"}', "45-6789"),
    ("social security number: 123 45 6789", "45 6789"),
    ("GET /reset?to=user%40example.com", "user%40"),
    ("pass: hunter2", "hunter2"),
    ("user: bob, pass: hunter2", "hunter2"),
    ('{"user":{"name":"bob","pass":"x1"}}', '"x1"'),
]
# Each with what has to stay.
ORDINARY = [
    "password rotation finished",
    "token bucket is empty: 0 tokens left",
    "pass=12 fail=0 skip=3",
    "pass=true, pass: 12, first pass: done in 4s",
    "tests pass=98.5% fail=1.5%",
    "authorization: denied",
    "Authorization: missing",
    "authorization: denied for arn:aws:iam::123456789012:role/checkout",
    "Access denied for user 'root'@'10.0.0.1' (using password: YES)",
    "password: incorrect, 3 attempts left",
    "password is required; use --password to set one",
    "password=null",
    "`password: incorrect` and `password=`; or password={}",
    'curl -H "Authorization: Bearer $(.venv/bin/cloudops token)"',
    "PWD=/usr/src/app OLDPWD=/",
    "bypass=on compass=north",
    "mysql -P3306 -h db.internal",
    "mysql --protocol=tcp --port=3306",
    "cookie: missing, cookie=expired",
    "nextToken=abcdef1234567890",
    "token: authentication_failed",
    "max_tokens=4096 MAX_TOKENS=12345678",
    "NEXT_TOKEN=abcdefgh1",
    "postgres://host:5432/db?contact=ops",
    "order 123-456-789 and 2026-11-28, 000-12-3456",
    "request E2A8XAMPLE89370400440532013000",
    "DE00370400440532013000 is no account's number",
    "secret arn:aws:secretsmanager:us-east-1:123456789012:secret:orders-db-Xy12Zq",
    "docker run -p 8080:80 web",
    "curl -s -u https://x.example:8443/health",
    '{"name":"nextToken","value":"abcdefgh"}',
    '{"name":"token_count","value":"4096"}',
    '{"field":"password","value":"required"}',
    '{"name":"tokens","value":"12"}',
    "credentials: expired, credentials=none",
    "credentials: file:///root/.aws/credentials",
    "credentials refreshed: 12:30:45",
    "credentials: arn:aws:iam::123456789012:role/checkout",
    "REDIS_AUTH=true PROXY_AUTH=basic",
    "SMTP_AUTH=login IAM_AUTH=1",
    "https://x.example/search?signal=abcdefghijkl&design=abcdefghijkl",
    "https://discord.com/api/webhooks/123456",
    "hvs.go:12 and s.CAESIJabcdefghijklmnop",
    "ssn field is missing; assn=123456789",
    "session=123456789 lesson 123456789",
    "uses%40a 100%40 of",
    "pass: step-two, second pass: phase2b done",
    "pass: 12/14, pass: 98.5%, pass: ok",
    "secret_key_base is not set",
]


@pytest.mark.parametrize(("text", "secret"), SECRETS)
@pytest.mark.parametrize("around", ["{}", "12:00:01 INFO {}", '{{"n":1,"msg":{}}}'])
def test_a_secret_goes_as_programs_write_it(text: str, secret: str, around: str) -> None:
    told = around.format(json.dumps(text) if "msg" in around else text)
    once = redact(told)
    assert secret not in once
    assert redact(once) == once


@pytest.mark.parametrize("text", ORDINARY)
def test_operations_text_about_secrets_stays(text: str) -> None:
    assert redact(text) == text


def test_what_stands_beside_a_secret_stays() -> None:
    assert redact("mysql -u root -pS3cretPw orders") == "mysql -u root -p[secret] orders"
    assert redact("postgres://user:p@ss@host:5432/db") == "postgres://[secret]@host:5432/db"
    assert redact("Cookie: a=b; c=d status=200") == "Cookie: [secret] status=200"
    assert redact("deploy --token abcdef12345 --region eu") == "deploy --token [token] --region eu"
    assert redact("Authorization: Bearer abcdef123456") == "Authorization: Bearer [token]"


@pytest.mark.parametrize(
    "value",
    [
        {"password": 12345678},
        {"Password": ["hunter2"]},
        {"db_password": {"v": "hunter2"}},
        {"db_password": {"v": [{"x": 12345678}]}},
        {"Key": "password", "Value": "hunter2"},
        {"Name": "DB_PASSWORD", "Value": "hunter2"},
        {"ParameterKey": "DbPassword", "ParameterValue": "hunter2"},
        {"Name": "/shop/db-password/prod", "Type": "String", "Value": "hunter2"},
        {"name": "DB_PASSWORD", "values": ["hunter2"]},
        {"Set-Cookie": "hunter2"},
        {"PGPASSWORD": "hunter2"},
        {"command": ["run", "--db-password", "hunter2"]},
        {"user": {"pass": "hunter2"}},
        {"name": "token", "value": "hunter2"},
        {"field": "password", "value": "hunter2"},
        {"k": "DB_PASSWORD", "v": "hunter2"},
        {"name": "/shop/db/creds", "value": "hunter2"},
        {"ssn": 12345678},
        {"SECRET_KEY_BASE": "hunter2"},
    ],
)
def test_whatever_stands_under_a_secrets_name_goes(value: Any) -> None:
    told = json.dumps(redact_all(value))
    assert "hunter2" not in told and "12345678" not in told
    assert redact_all(redact_all(value)) == redact_all(value)


@pytest.mark.parametrize(
    "value",
    [
        {"nextToken": "abc", "clientToken": "def", "SecretsManager": 3, "secretName": "orders"},
        {"pass": 12, "fail": 0},
        {"authorization": "denied"},
        {"password": None, "hasPassword": True},
        {"secrets": [{"name": "KEY", "valueFrom": "arn:aws:ssm:us-east-1:123456789012:parameter/key"}]},
        {"access_tokens": 12},
        {"[aws-access-key]": "whose key was a member's name"},
        {"Name": "TableName", "Value": "orders"},
        {"Name": "/shop/password-min-length", "Value": "12"},
        {"Key": "owner", "Value": "payments"},
        {"pass": "12", "fail": "0"},
        {"pass": "98.5 %"},
        {"pass": "ok"},
        {"name": "tokens", "value": "12"},
        {"name": "sacred", "value": "owls"},
        {"field": "quantity", "value": "many"},
        {"k": "region", "v": "us-east-1"},
        {"knowledge_base": "runbooks"},
    ],
)
def test_what_only_tells_of_secrets_stays(value: Any) -> None:
    assert redact_all(value) == value


@given(st.sampled_from([text for text, _ in SECRETS]), st.text(max_size=60), st.booleans())
def test_what_is_redacted_once_stays_so_in_any_text(text: str, around: str, salted: bool) -> None:
    redactor = Redactor((lambda: b"salt") if salted else None)
    once = redactor.text(f"{around} {text} {around}")
    assert redactor.text(once) == once


@pytest.mark.parametrize(
    "part", ["mysql ", "curl -", "--password ", "a=b;", "cookie: a=b;", "://a:b@", "GB82 ", "pass="]
)
def test_no_text_takes_long(part: str) -> None:
    text, started = (part * 50_000)[:100_000], time.process_time()
    redact(text)
    assert time.process_time() - started < 5
