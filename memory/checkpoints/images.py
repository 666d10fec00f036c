"""A checkpoint as bytes: whole, or as what it has that an earlier whole one, its key image, has not.

A checkpoint depends on one other at most, and that one on none. So reading one takes no chain of others, and a
thread of any length costs what changed in it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from memory.checkpoints.deltas import difference, restored
from memory.checkpoints.errors import CheckpointDamagedError
from memory.checkpoints.payloads import Payload, Whereabouts

# Below this, a difference is not worth a second item to read.
SMALLEST_KEY = 1024

Typed = tuple[str, bytes]


class Codec(Protocol):
    """Writes plain values (no types of the application) as bytes."""

    def dumps_typed(self, obj: Any) -> Typed:
        """Return the value as bytes with the name of their form."""
        ...

    def loads_typed(self, data: Typed) -> Any:
        """Return the value."""
        ...


@dataclass(frozen=True)
class Segment:
    """The serialized value of a channel at a version."""

    version: Any
    typed: Typed


@dataclass(frozen=True)
class KeyImage:
    """A checkpoint that was stored whole, which others are written against."""

    where: Whereabouts
    segments: Mapping[str, Segment]
    size: int


@dataclass(frozen=True)
class Image:
    """The serialized channels of a checkpoint, and what it was written against."""

    segments: Mapping[str, Segment]
    key: KeyImage
    # Bytes written against the key image on the way here.
    spent: int = 0


@dataclass(frozen=True)
class Frame:
    """What is stored of a checkpoint."""

    head: Typed
    parent: str | None
    same: list[str] = field(default_factory=list)
    changed: dict[str, list[Any]] = field(default_factory=dict)
    whole: dict[str, list[Any]] = field(default_factory=dict)
    spent: int = 0

    def packed(self, codec: Codec) -> bytes:
        """Return the frame as bytes."""
        plain = [list(self.head), self.parent, self.same, self.changed, self.whole, self.spent]
        return codec.dumps_typed(plain)[1]

    @classmethod
    def unpacked(cls, codec: Codec, content: bytes) -> "Frame":
        """Return the frame that some bytes stand for."""
        head, parent, same, changed, whole, spent = codec.loads_typed(("msgpack", content))
        return cls((head[0], head[1]), parent, same, changed, whole, spent)

    @property
    def channels(self) -> set[str]:
        """The channels that have a value."""
        return {*self.same, *self.changed, *self.whole}

    def values(self, key: Mapping[str, Typed]) -> dict[str, Typed]:
        """Return every channel's serialized value, given those of the key image."""
        found = {name: (kind, body) for name, (kind, body) in self.whole.items()}
        try:
            found |= {name: key[name] for name in self.same}
            found |= {
                name: (kind, restored(key[name][1], delta)) for name, (kind, delta) in self.changed.items()
            }
        except KeyError as error:
            raise CheckpointDamagedError(f"the key image has no channel {error}") from error
        return found


@dataclass(frozen=True)
class Written:
    """A checkpoint ready to be stored, and what later ones may be written against."""

    payload: Payload
    where: Whereabouts
    image: Image

    @property
    def depends_on(self) -> Whereabouts | None:
        """The payload it cannot be read without, besides its own."""
        return None if self.image.key.where == self.where else self.image.key.where


@dataclass(frozen=True)
class Drawing:
    """A checkpoint that is to be written: its head and its channels, taken when the call was made."""

    sort_key: str
    head: Typed
    parent: str | None
    segments: Mapping[str, Segment]

    def written(self, codec: Codec, base: Image | None, name: Callable[[], str]) -> Written:
        """Write it against the parent's key image, or whole when that has come to cost as much."""
        if base is not None and base.key.where.sort_key != self.sort_key:
            frame = self._against(base.key, base.spent)
            payload = Payload.of(frame.packed(codec))
            spent = base.spent + len(payload.body)
            if spent < max(base.key.size, SMALLEST_KEY):
                where = Whereabouts.of(self.sort_key, payload, name)
                return Written(payload, where, Image(self.segments, base.key, spent))
        whole = {channel: list(one.typed) for channel, one in self.segments.items()}
        payload = Payload.of(Frame(self.head, self.parent, whole=whole).packed(codec))
        where = Whereabouts.of(self.sort_key, payload, name)
        return Written(
            payload, where, Image(self.segments, KeyImage(where, self.segments, len(payload.body)))
        )

    def _against(self, key: KeyImage, spent: int) -> Frame:
        frame = Frame(self.head, self.parent, spent=spent)
        for name, one in self.segments.items():
            kind, body = one.typed
            old = key.segments.get(name)
            if old is not None and old.typed == one.typed:
                frame.same.append(name)
            elif old is not None and "+" not in kind and len(body) > SMALLEST_KEY // 8:
                frame.changed[name] = [kind, difference(old.typed[1], body)]
            else:
                frame.whole[name] = [kind, body]
        return frame
