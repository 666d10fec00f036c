"""Signature Version 4: whether a request was signed with the secret of the key it names.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hmac
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from typing import Any
from urllib.parse import quote, unquote

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
_ALGORITHM = "AWS4-HMAC-SHA256"
_AUTHORIZATION = re.compile(
    rf"{_ALGORITHM}\s+Credential=(?P<key>[^/,\s]+)/(?P<day>\d{{8}})/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request"
    r",\s*SignedHeaders=(?P<signed>[^,\s]+),\s*Signature=(?P<signature>[0-9a-f]+)"
)
_UNSIGNED = ("UNSIGNED-PAYLOAD", "STREAMING-")


class Arrived:
    """A request as it came over the wire, kept while it is read. `is_asked` once the gate has decided on it."""

    def __init__(self, scope: Mapping[str, Any]) -> None:
        self.method: str = scope["method"]
        self.path: str = scope["raw_path"].decode("latin-1")
        self.query: str = scope["query_string"].decode("latin-1")
        self.headers: dict[str, str] = {}
        for name, value in scope["headers"]:
            key, text = name.decode("latin-1").lower(), value.decode("latin-1")
            self.headers[key] = f"{self.headers[key]},{text}" if key in self.headers else text
        self.body = bytearray()
        self.is_asked = False

    def hearing(self, receive: Receive) -> Receive:
        """Receives what the server receives, and keeps the body as it was sent."""

        async def heard() -> MutableMapping[str, Any]:
            message = await receive()
            self.body += message.get("body", b"")
            return message

        return heard


@dataclass(frozen=True)
class Signature:
    """The parts of an `Authorization` header."""

    access_key: str
    day: str
    region: str
    service: str
    signed: tuple[str, ...]
    value: str = field(repr=False)


def signature_of(request: Arrived) -> Signature | None:
    """The signature that a request carries in its header, if it carries one that can be read."""
    found = _AUTHORIZATION.match(request.headers.get("authorization", ""))
    if found is None:
        return None
    return Signature(
        found["key"],
        found["day"],
        found["region"],
        found["service"],
        tuple(found["signed"].split(";")),
        found["signature"],
    )


def is_signed_with(request: Arrived, signature: Signature, secret: str) -> bool:
    """Whether the signature is the one that the secret gives for this very request."""
    stated = request.headers.get("x-amz-content-sha256", "")
    digest = sha256(request.body).hexdigest()
    if stated and not stated.startswith(_UNSIGNED) and stated != digest:
        return False
    stamp = request.headers.get("x-amz-date", "")
    if not stamp.startswith(signature.day):
        return False
    scope = f"{signature.day}/{signature.region}/{signature.service}/aws4_request"
    canonical = _canonical(request, signature, stated or digest)
    text = f"{_ALGORITHM}\n{stamp}\n{scope}\n{sha256(canonical.encode('latin-1')).hexdigest()}"
    key = _key(secret, signature.day, signature.region, signature.service)
    return hmac.compare_digest(hmac.new(key, text.encode(), sha256).hexdigest(), signature.value)


def _canonical(request: Arrived, signature: Signature, payload: str) -> str:
    path = request.path or "/"
    if signature.service != "s3":
        path = quote(path, safe="/-_.~")
    headers = "".join(
        f"{name}:{' '.join(request.headers.get(name, '').split())}\n" for name in signature.signed
    )
    parts = (request.method, path, _query(request.query), headers, ";".join(signature.signed), payload)
    return "\n".join(parts)


def _query(text: str) -> str:
    pairs = [one.partition("=") for one in text.split("&") if one]
    coded = sorted((_coded(name), _coded(value)) for name, _, value in pairs)
    return "&".join(f"{name}={value}" for name, value in coded)


def _coded(text: str) -> str:
    return quote(unquote(text), safe="-_.~")


@lru_cache(maxsize=256)
def _key(secret: str, day: str, region: str, service: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), sha256).digest()
    return key
