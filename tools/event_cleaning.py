"""Take secrets and personal data out of an event before anything of it is stored.

A checkpoint and a LangGraph server keep what a run is given. What an alarm is called stays as it is, its name and its
ARN, since they say which alarm is meant. All else is redacted as `tools.redaction` does, also in the JSON that SNS
carries as a text and in what a Logs subscription packs.
"""

import base64
import binascii
import gzip
import re
import zlib
from typing import Any

from memory.records.base import canonical_json
from tools.event_body import RefusedEvent, read_body, read_json
from tools.redaction import Redactor, redact

DECODED_LIMIT_BYTES = 4 * 1024 * 1024
_NAMES = frozenset({"alarmName", "AlarmName"})
_ARNS = frozenset({"alarmArn", "AlarmArn"})
# What is packed into so many letters is not read here, and is not kept.
_PACKED = re.compile(r"(?=[0-9+/_-]{0,64}[A-Za-z])[A-Za-z0-9+/_-]{200,}={0,2}")


def clean_event(event: bytes | str | dict[str, Any]) -> dict[str, Any]:
    """Return an event as it may be stored; to clean it again changes nothing. Raises `RefusedEvent`."""
    return cleaned(read_body(event)[0])


def cleaned(body: dict[str, Any]) -> dict[str, Any]:
    """Return the body of an event without secrets and personal data: still the event that it was."""
    found: dict[str, Any] = _EVENTS.all(_opened(body))
    return found


def kept_text(body: str) -> str:
    """Return a body that starts nothing as it may be kept for inspection, whatever it is."""
    try:
        return canonical_json(clean_event(body))
    except RefusedEvent:
        return _PACKED.sub("[packed]", redact(body))


def unpacked(data: Any) -> dict[str, Any]:
    """Return what a Logs subscription has packed; that is limited, since little gzip can be much text.

    Raises `ValueError` where it is no gzipped JSON in base64, `RefusedEvent` where it is too much.
    """
    try:
        opened = zlib.decompressobj(wbits=31)
        text = opened.decompress(base64.b64decode(data, validate=True), DECODED_LIMIT_BYTES)
    except (TypeError, binascii.Error, zlib.error) as error:
        raise ValueError(f"the data is not gzipped base64: {error}") from error
    if opened.unconsumed_tail:
        raise RefusedEvent(f"the data unpacks to more than {DECODED_LIMIT_BYTES} bytes", 413)
    message = read_json(text)
    if not isinstance(message, dict):
        raise ValueError("the data is JSON but no object")
    return message


def _opened(value: Any) -> Any:
    """Clean what is JSON within a text or packed, which no redaction of the text itself may break."""
    if isinstance(value, list):
        return [_opened(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    return {key: _member(key, inner) for key, inner in value.items()}


def _member(key: str, value: Any) -> Any:
    if key == "Message" and isinstance(value, str):
        return _message(value)
    if key == "awslogs" and isinstance(value, dict):
        return {"data": _repacked(value.get("data"))}
    return _opened(value)


def _message(text: str) -> str:
    try:
        message = read_json(text)
    except (ValueError, RecursionError, RefusedEvent):
        return redact(text)
    return canonical_json(cleaned(message)) if isinstance(message, dict) else redact(text)


def _repacked(data: Any) -> str:
    """Return packed log events without their secrets; what cannot be opened is not kept."""
    try:
        message = unpacked(data)
    except ValueError:
        return ""
    packed = gzip.compress(canonical_json(cleaned(message)).encode(), mtime=0)
    return base64.b64encode(packed).decode()


def _stays(key: str, value: Any) -> bool:
    """Say whether a member is done with already, or names the alarm."""
    if key in _ARNS or key == "resources":
        named = value if isinstance(value, list) else [value]
        return all(isinstance(one, str) and one.startswith("arn:") for one in named)
    if key == "awslogs":
        return isinstance(value, dict)
    return (key in _NAMES or key == "Message") and isinstance(value, str)


_EVENTS = Redactor(stays=_stays)
