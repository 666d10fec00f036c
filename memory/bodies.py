"""The body of an item: JSON text, or the same compressed where that is billed as less."""

import json
import zlib
from typing import Any

# A write is billed by the KB, keys included: a body of fewer bytes costs no less when it is compressed.
PACKED_FROM = 700


def packed(body: dict[str, Any]) -> dict[str, Any]:
    """Return a body as DynamoDB's attribute."""
    text = json.dumps(body, separators=(",", ":"), ensure_ascii=False)
    plain = text.encode()
    if len(plain) >= PACKED_FROM and len(small := zlib.compress(plain, 6)) < len(plain):
        return {"B": small}
    return {"S": text}


def unpacked(attribute: Any) -> dict[str, Any]:
    """Return the body that an attribute holds; version 1 compressed none."""
    text = zlib.decompress(bytes(attribute["B"])) if "B" in attribute else attribute["S"]
    body: dict[str, Any] = json.loads(text)
    return body
