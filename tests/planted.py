"""Secrets planted in every field of an event, and every byte that is stored, to look for them."""

import base64
import binascii
import copy
import gzip
import json
import re
import zlib
from collections.abc import Iterator
from typing import Any

from tests.simulated import SimulatedAccount

SECRETS = {
    "access key": "AKIA" + "Q4X7PLM2TZ7RWB6C",
    "secret key": "kX9v2Lq8Rt5Zw1Yb7Nc3Md6Pf4Gh0Js+UaEoIiTx",
    "password": "correct-horse-9",
    "token": "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2",
    "url password": "s3cr3tpgpass",
    "mail": "jane.roe@customer.example",
    "card": "4111 1111 1111 1111",
    "telephone": "+44 20 7946 0958",
}
TOLD = (
    f"key={SECRETS['access key']} aws {SECRETS['secret key']} password={SECRETS['password']} auth {SECRETS['token']} "
    f"postgres://app:{SECRETS['url password']}@db:5432/orders for {SECRETS['mail']} card {SECRETS['card']} "
    f"call {SECRETS['telephone']}"
)
# Says which alarm it is, and when; everything else is whatever somebody wrote.
IDENTITY = frozenset(
    {"alarmName", "resources", "account", "region", "time", "timestamp", "source", "detail-type"}
)
_PACKED = re.compile(rb"[A-Za-z0-9+/_-]{40,}={0,2}")


def planted(event: dict[str, Any]) -> dict[str, Any]:
    """An EventBridge alarm event with the secrets in every text that does not say which alarm it is, keys too."""
    body: dict[str, Any] = _planted(copy.deepcopy(event), "")
    detail = body["detail"]
    detail["configuration"]["description"] = TOLD
    detail["state"]["reasonData"] = json.dumps({"note": TOLD, "password": SECRETS["password"]})
    detail["alarmTags"] = {"owner": TOLD, SECRETS["mail"]: "x", "password": SECRETS["password"]}
    detail[SECRETS["mail"]] = [TOLD, {SECRETS["access key"]: TOLD}]
    for entry in detail["configuration"].get("metrics", []):
        entry["metricStat"]["metric"]["dimensions"] |= {SECRETS["mail"]: "x", "Customer": SECRETS["mail"]}
    return {**body, "id": f"{body['id']} {SECRETS['mail']}"}


def _planted(value: Any, key: str) -> Any:
    if isinstance(value, dict):
        return {name: inner if name in IDENTITY else _planted(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [_planted(inner, key) for inner in value]
    return f"{value} {TOLD}" if isinstance(value, str) and key not in {"id", "value", "version"} else value


def stored(account: SimulatedAccount) -> Iterator[tuple[str, bytes]]:
    """Every item of every table and every object of every bucket, with what is packed in them."""
    dynamodb, s3 = account.client("dynamodb"), account.client("s3")
    for table in dynamodb.list_tables()["TableNames"]:
        for page in dynamodb.get_paginator("scan").paginate(TableName=table):
            for item in page["Items"]:
                yield from _unpacked(f"table {table}", item)
    for bucket in s3.list_buckets()["Buckets"]:
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket["Name"]):
            for entry in page.get("Contents", []):
                place = f"bucket {bucket['Name']}/{entry['Key']}"
                yield from opened(
                    place, s3.get_object(Bucket=bucket["Name"], Key=entry["Key"])["Body"].read()
                )


def _unpacked(place: str, value: Any) -> Iterator[tuple[str, bytes]]:
    if isinstance(value, bytes | str):
        yield from opened(place, value.encode() if isinstance(value, str) else value)
    elif isinstance(value, dict | list):
        for inner in [*value, *value.values()] if isinstance(value, dict) else value:
            yield from _unpacked(place, inner)


def opened(place: str, content: bytes, depth: int = 3) -> Iterator[tuple[str, bytes]]:
    """Content as it is, and as what it and its parts decompress and decode to."""
    yield place, content
    if depth == 0:
        return
    for start in (0, 1):
        for way in (zlib.decompress, gzip.decompress):
            try:
                yield from opened(f"{place} unpacked", way(content[start:]), depth - 1)
            except (OSError, EOFError, zlib.error):
                continue
    for found in _PACKED.finditer(content):
        try:
            yield from opened(
                f"{place} decoded", base64.b64decode(found[0] + b"=" * (-len(found[0]) % 4)), depth - 1
            )
        except (ValueError, binascii.Error):
            continue


def leaks(places: Iterator[tuple[str, bytes]]) -> list[str]:
    """Say which secret stands where."""
    found = []
    for place, content in places:
        shown = content.decode("utf-8", errors="replace").replace("\\/", "/")
        found += [f"{kind} in {place}: {shown[:300]}" for kind, secret in SECRETS.items() if secret in shown]
    return found
