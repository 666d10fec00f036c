"""Fields that AWS discovers in messages by itself: those of JSON, and those of Lambda's log lines.

Rules: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_AnalyzeLogData-discoverable-fields.html
"""

import json
import re
from collections.abc import Iterator
from math import isfinite
from typing import Any

from simulator.logs.insights.values import Value

MOST_FIELDS = 200
_LAMBDA_GROUP = "/aws/lambda/"
_MEGABYTE = 1_000_000
_LIFE = re.compile(r"(START|END|REPORT) RequestId: (\S+)")
_APPLICATION_LINE = re.compile(r"\S+Z\t([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})\t")
_MEASURES = {
    "@duration": (re.compile(r"\tDuration: ([\d.]+) ms"), 1),
    "@billedDuration": (re.compile(r"\tBilled Duration: ([\d.]+) ms"), 1),
    "@initDuration": (re.compile(r"\tInit Duration: ([\d.]+) ms"), 1),
    "@memorySize": (re.compile(r"\tMemory Size: (\d+) MB"), _MEGABYTE),
    "@maxMemoryUsed": (re.compile(r"\tMax Memory Used: (\d+) MB"), _MEGABYTE),
}
_TRACE = {
    "@xrayTraceId": re.compile(r"XRAY TraceId: (\S+)"),
    "@xraySegmentId": re.compile(r"SegmentId: (\S+)"),
}


def discovered(group: str, message: str) -> dict[str, Value]:
    """The message's fields by the names they have in a query."""
    if group.startswith(_LAMBDA_GROUP):
        return {**_of_json(_first_fragment(message)), **_of_lambda(message)}
    return _of_json(_document(message))


def _of_json(document: Any) -> dict[str, Value]:
    fields: dict[str, Value] = {}
    for name, value in _leaves(document):
        if len(fields) == MOST_FIELDS:
            break
        # A field whose name begins with @ is shown with one more.
        fields.setdefault("@" + name if name.startswith("@") else name, value)
    return fields


def _leaves(document: Any) -> Iterator[tuple[str, Value]]:
    """Each leaf by its dotted path, in the document's order; elements of a list are called by their place."""
    waiting: list[tuple[str, Any]] = [("", document)]
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, dict | list):
            children = value.items() if isinstance(value, dict) else enumerate(value)
            prefix = f"{name}." if name else ""
            waiting += reversed([(f"{prefix}{key}", child) for key, child in children])
        elif isinstance(value, bool):
            yield name, int(value)
        elif isinstance(value, str | int) or (isinstance(value, float) and isfinite(value)):
            yield name, value


def _document(message: str) -> Any:
    """The message as a JSON object, or None where it is not one."""
    if not message.lstrip().startswith("{"):
        return None
    try:
        return json.loads(message, parse_constant=lambda _: None, parse_int=_whole)
    except (ValueError, RecursionError):
        return None


def _first_fragment(message: str) -> Any:
    """The first JSON object inside the message; what stands around it is no field."""
    decoder = json.JSONDecoder(parse_constant=lambda _: None, parse_int=_whole)
    begin = message.find("{")
    if begin < 0:
        return None
    try:
        return decoder.raw_decode(message, begin)[0]
    except (ValueError, RecursionError):
        return None


def _of_lambda(message: str) -> dict[str, Value]:
    fields: dict[str, Value] = {}
    if life := _LIFE.match(message):
        fields = {"@type": life[1], "@requestId": life[2]}
    elif line := _APPLICATION_LINE.match(message):
        fields = {"@requestId": line[1]}
    if fields.get("@type") == "REPORT":
        for name, (pattern, unit) in _MEASURES.items():
            if found := pattern.search(message):
                fields[name] = float(found[1]) * unit
    for name, pattern in _TRACE.items():
        if found := pattern.search(message):
            fields[name] = found[1]
    return fields


def _whole(digits: str) -> int | float:
    return int(digits) if len(digits) < 19 else float(digits)
