"""Bytes that a record stands for: compressed, beside the record or in pieces, and checked when they are read."""

import hashlib
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from memory.checkpoints.errors import CheckpointDamagedError, CheckpointError
from memory.checkpoints.keys import piece

# What is larger stands in pieces, so that a page of history (1 MB) holds more than ten checkpoints.
BESIDE_BYTES = 48_000
# An item may have 409,600 bytes, its names and keys included.
PIECE_BYTES = 400_000
COMPRESSED, PLAIN = b"z", b"p"

Attributes = dict[str, Any]


@dataclass(frozen=True)
class Payload:
    """Compressed bytes with their digest."""

    body: bytes
    digest: bytes

    @classmethod
    def of(cls, content: bytes) -> "Payload":
        """Return the payload of some content, compressed where that makes it smaller."""
        packed = zlib.compress(content, 6)
        body = COMPRESSED + packed if len(packed) < len(content) else PLAIN + content
        return cls(body, digest_of(body))

    @property
    def beside(self) -> bool:
        """Whether it stands beside its record."""
        return len(self.body) <= BESIDE_BYTES

    def pieces(self, name: str) -> dict[str, bytes]:
        """Return the pieces by sort key, or nothing when it stands beside its record."""
        if self.beside:
            return {}
        cuts = range(0, len(self.body), PIECE_BYTES)
        return {piece(name, n): self.body[at : at + PIECE_BYTES] for n, at in enumerate(cuts)}


@dataclass(frozen=True)
class Whereabouts:
    """Where a payload is: in the record under `sort_key`, or in pieces under a name of their own."""

    sort_key: str
    digest: bytes
    name: str = ""
    count: int = 0

    @classmethod
    def of(cls, sort_key: str, payload: Payload, name: Callable[[], str]) -> "Whereabouts":
        """Return where a payload will be when it is stored, under a name of its own if it needs one."""
        if payload.beside:
            return cls(sort_key, payload.digest)
        named = name()
        return cls(sort_key, payload.digest, named, len(payload.pieces(named)))

    @classmethod
    def read(cls, sort_key: str, item: Mapping[str, Any]) -> "Whereabouts":
        """Return what a record says about its own payload; refuse a form that only later versions know."""
        if "form" in item:
            raise CheckpointError(f"{sort_key} was written by a later version: update this one")
        name = item.get("name", {}).get("S", "")
        return cls(sort_key, item["hash"]["B"], name, int(item.get("count", {}).get("N", 0)))

    @property
    def piece_keys(self) -> tuple[str, ...]:
        """The sort keys of the pieces."""
        return tuple(piece(self.name, number) for number in range(self.count))

    @property
    def keys(self) -> tuple[str, ...]:
        """The sort keys of all items that are needed to read it."""
        return self.piece_keys or (self.sort_key,)

    def attributes(self) -> Attributes:
        """Return the attributes that say it on a record."""
        said: Attributes = {"hash": {"B": self.digest}}
        if self.count:
            said |= {"name": {"S": self.name}, "count": {"N": str(self.count)}}
        return said


class Cells(Protocol):
    """The bodies of items that were read, by sort key."""

    def get(self, key: str, /) -> bytes | None:
        """Return the body of an item, or None where there is none."""
        ...


def content(where: Whereabouts, cells: Cells) -> bytes:
    """Return the content of a payload, or raise `CheckpointDamagedError`."""
    found: Sequence[bytes | None] = [cells.get(key) for key in where.keys]
    bodies = [body for body in found if body is not None]
    if len(bodies) < len(found):
        raise CheckpointDamagedError(f"a part of {where.sort_key} is missing")
    body = b"".join(bodies)
    if digest_of(body) != where.digest:
        raise CheckpointDamagedError(f"a part of {where.sort_key} is not what was stored")
    return zlib.decompress(body[1:]) if body[:1] == COMPRESSED else body[1:]


def digest_of(body: bytes) -> bytes:
    """Return the digest that a payload is checked with."""
    return hashlib.blake2b(body, digest_size=16).digest()
