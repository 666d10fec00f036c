"""Events to ask questions of, and the same events as tables of DuckDB."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb

from simulator.logs.store import LogEvent, LogStore

START = datetime(2026, 11, 23, 9, tzinfo=UTC)
ACCOUNT = "123456789012"
_USERS = (None, "", "  ", "ann", "bob", "Cy")
_TEXTS = ("  padded text ", "xyZfooxyZ", "Grüße 🙂", "foo", "A=b; C=d")


def request(place: int) -> str:
    """A line of a service that logs JSON."""
    fields: dict[str, Any] = {
        "level": "ERROR" if place % 4 == 0 else "WARN" if place % 7 == 0 else "INFO",
        "statusCode": 500 if place % 8 == 0 else 404 if place % 4 == 0 else 201 if place % 5 == 0 else 200,
        "duration": (place * 37) % 97 * 10 + 0.5 * (place % 3),
        "service": ("web", "checkout", "payments")[place % 3],
        "request": {
            "id": f"r{place}",
            "path": f"/api/v{place % 2 + 1}/users/{place % 5}",
            "tags": ["first", f"t{place % 4}"],
        },
        "text": _TEXTS[place % 5],
        "ok": place % 4 != 0,
        "foo-bar": place,
        "@tag": f"g{place % 2}",
        "item": f"item{place % 12}" if place % 3 else place % 12,
        "size": str(place * 7),
        "range": place * 100,
        "accountId": 123456789012 if place % 2 else 210987654321,
    }
    if _USERS[place % 6] is not None:
        fields["user"] = _USERS[place % 6]
    if place % 7:
        fields["server"] = f"s{place % 4}"
    return json.dumps(fields, ensure_ascii=False)


def flow(place: int) -> str:
    """A flow record of a VPC, as JSON."""
    return json.dumps(
        {
            "srcAddr": f"192.0.{2 + place % 2}.{place % 9 + 1}",
            "dstAddr": f"10.1.0.{place % 5}" if place % 4 else f"2001:db8::{place % 5 + 1}",
            "bytes": (place * 613) % 1000,
            "packets": place % 13 + 1,
            "protocol": 17 if place % 3 == 0 else 6,
            "logStatus": "SKIPDATA" if place % 10 == 0 else "OK",
        }
    )


def trail(place: int) -> str:
    """An event of CloudTrail."""
    name = ("StartInstances", "StopInstances", "CreateUser", "UpdateTrail", "DeleteBucket")[place % 5]
    record: dict[str, Any] = {
        "eventSource": "iam.amazonaws.com" if name == "CreateUser" else "ec2.amazonaws.com",
        "eventName": name,
        "awsRegion": ("us-east-1", "us-east-2")[place % 2],
        "userIdentity": {"type": "IAMUser", "userName": ("Alice", "Bob")[place % 3 == 0]},
        "requestParameters": {"instancesSet": {"items": [{"instanceId": f"i-{place:04d}"}]}},
    }
    if name == "CreateUser":
        record["requestParameters"] = {"userName": f"new{place}"}
        record["responseElements"] = {"user": {"arn": f"arn:aws:iam::{ACCOUNT}:user/new{place}"}}
    if place % 4 == 3:
        record["errorCode"], record["errorMessage"] = "AccessDenied", "not allowed"
    return json.dumps(record)


def line(place: int) -> str:
    """A line of a service that logs text."""
    kind = place % 5
    if kind == 0:
        return f"user=u{place % 3}, method:{('GET', 'PUT')[place % 2]}, latency := {place * 3}"
    if kind == 1:
        return (
            f"2026-11-23T09:00:{place:02d}Z [{('ERROR', 'INFO', 'DEBUG')[place % 3]}] order {place} handled"
        )
    if kind == 2:
        return f"java.lang.IllegalStateException: order {place}\n\tat Shop.pay(Shop.java:{place})"
    if kind == 3:
        return f"2 {ACCOUNT} eni-{place:08x} 10.0.0.{place} 443 exception"
    return f"url=/api/v{place % 3}/users/{place}"


def report(place: int) -> str:
    """A line of Lambda's own, or of a function."""
    name = f"11111111-2222-3333-4444-{place // 3:012d}"
    if place % 3 == 0:
        return f"START RequestId: {name} Version: $LATEST"
    if place % 3 == 1:
        return f'2026-11-23T09:00:00.000Z\t{name}\tINFO\tpaid {{"amount": {place * 2}}} in full'
    return (
        f"REPORT RequestId: {name}\tDuration: {place * 11}.25 ms\tBilled Duration: {place * 11 + 1} ms\t"
        f"Memory Size: 128 MB\tMax Memory Used: {40 + place} MB\t"
    )


_MAKERS = {
    "requests": (request, "/ecs/shop", 48, 45),
    "flows": (flow, "/vpc/flows", 40, 120),
    "trail": (trail, "/cloudtrail", 30, 60),
    "lines": (line, "/ecs/old", 45, 60),
    "functions": (report, "/aws/lambda/pay", 24, 60),
}


def events_by_name() -> dict[str, list[LogEvent]]:
    """Every set of events by its name."""
    sets: dict[str, list[LogEvent]] = {}
    for name, (make, group, count, seconds) in _MAKERS.items():
        store = LogStore()
        sets[name] = [
            store.append(
                group,
                f"prod/{name}/i{place % 3}",
                START + timedelta(seconds=place * seconds, milliseconds=place),
                make(place),
                START + timedelta(seconds=place * seconds + 2),
            )
            for place in range(count)
        ]
    return sets


def database(sets: dict[str, list[LogEvent]]) -> duckdb.DuckDBPyConnection:
    """A table for each set: moment, ms (of the epoch), stream, log, ingested, message, j (where it is JSON), n."""
    connection = duckdb.connect(":memory:", config={"threads": 1})
    connection.execute("CREATE MACRO say(j, path) AS json_extract_string(j, path)")
    connection.execute("CREATE MACRO num(j, path) AS TRY_CAST(json_extract_string(j, path) AS DOUBLE)")
    connection.execute(
        "CREATE MACRO bucket(ms, size) AS make_timestamp(CAST(ms // size * size * 1000 AS BIGINT))"
    )
    for name, events in sets.items():
        connection.execute(
            f"CREATE TABLE {name} (moment TIMESTAMP, ms BIGINT, stream VARCHAR, log VARCHAR, ingested TIMESTAMP,"
            " message VARCHAR, j JSON, n INTEGER)"
        )
        connection.executemany(f"INSERT INTO {name} VALUES (?, ?, ?, ?, ?, ?, ?, ?)", _table(events))
    return connection


def _table(events: Sequence[LogEvent]) -> list[tuple[Any, ...]]:
    return [
        (
            event.at.replace(tzinfo=None),
            event.stamp,
            event.stream,
            f"{ACCOUNT}:{event.group}",
            event.ingested_at.replace(tzinfo=None),
            event.message,
            event.message if event.message.startswith("{") else None,
            place,
        )
        for place, event in enumerate(events)
    ]
