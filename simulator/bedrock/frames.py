"""Event-stream frames, byte for byte as AWS sends them.

Format: https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html
A frame is total length, header length, CRC of those two, headers, payload, CRC of all before.
"""

import json
import struct
import zlib
from collections.abc import Mapping
from typing import Any

CONTENT_TYPE = "application/vnd.amazon.eventstream"
_STRING_HEADER = 7


def event_frame(name: str, payload: Mapping[str, Any]) -> bytes:
    """One event of a stream, such as `contentBlockDelta`."""
    return _frame(
        {":event-type": name, ":content-type": "application/json", ":message-type": "event"}, payload
    )


def exception_frame(name: str, payload: Mapping[str, Any]) -> bytes:
    """A modelled exception in the middle of a stream; AWS names it in lower camel case."""
    headers = {":exception-type": name, ":content-type": "application/json", ":message-type": "exception"}
    return _frame(headers, payload)


def _frame(headers: Mapping[str, str], payload: Mapping[str, Any]) -> bytes:
    head = b"".join(_header(name, value) for name, value in headers.items())
    body = json.dumps(payload, separators=(",", ":")).encode()
    prelude = struct.pack("!II", 16 + len(head) + len(body), len(head))
    message = prelude + struct.pack("!I", zlib.crc32(prelude)) + head + body
    return message + struct.pack("!I", zlib.crc32(message))


def _header(name: str, value: str) -> bytes:
    label, text = name.encode(), value.encode()
    return struct.pack("!B", len(label)) + label + struct.pack("!BH", _STRING_HEADER, len(text)) + text
