"""Reads checkpoints back: from items to channels, with everything checked on the way."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from memory.checkpoints.errors import CheckpointDamagedError
from memory.checkpoints.images import Codec, Frame, Image, KeyImage, Segment, Typed
from memory.checkpoints.keys import named
from memory.checkpoints.lives import LifeReader
from memory.checkpoints.payloads import Whereabouts, content
from memory.checkpoints.pending import TaskWrites, unpacked
from memory.checkpoints.recent import Recent
from memory.checkpoints.table import CheckpointTable, Item


@dataclass(frozen=True)
class Found:
    """A commit record with the writes that belong to it, oldest first."""

    commit: Item
    writes: Sequence[Item]

    @property
    def sort_key(self) -> str:
        """The sort key of the commit record."""
        return str(self.commit["sk"]["S"])

    @property
    def name(self) -> tuple[str, str]:
        """The namespace and the checkpoint."""
        return named(self.sort_key)

    @property
    def depends_on(self) -> Whereabouts | None:
        """The key image it was written against, where it was not stored whole."""
        return depends_on(self.commit)


def depends_on(commit: Item) -> Whereabouts | None:
    """Return the key image that a commit record names."""
    key = commit.get("key")
    return Whereabouts.read(key["M"]["sk"]["S"], key["M"]) if key else None


def found(pages: Iterable[list[Item]], life: LifeReader) -> Iterator[list[Found]]:
    """Yield checkpoints page by page, newest first; what has no commit record, or no life, is none."""
    writes: list[Item] = []
    for page in pages:
        together: list[Found] = []
        for item in page:
            if not item["sk"]["S"].endswith("!0"):
                writes.append(item)
                continue
            stem = item["sk"]["S"][:-1]
            own = [one for one in reversed(writes) if one["sk"]["S"].startswith(stem) and life.alive(one)]
            writes = []
            if "gone" not in item and life.alive(item):
                together.append(Found(item, own))
        yield together


@dataclass(frozen=True)
class Reader:
    """Reads what checkpoints of one thread are made of."""

    table: CheckpointTable
    codec: Codec
    recent: Recent
    partition: str
    _keys: dict[str, KeyImage] = field(default_factory=dict)

    def cells(self, checkpoints: Sequence[Found], *, values: bool = True) -> Mapping[str, bytes]:
        """Return the bodies of all items that some checkpoints are made of, read at once."""
        held: dict[str, bytes] = {}
        wanted: list[str] = []
        for one in checkpoints:
            for item in (one.commit, *one.writes):
                if "body" in item:
                    held[item["sk"]["S"]] = item["body"]["B"]
                else:
                    wanted += Whereabouts.read(item["sk"]["S"], item).keys
            key = one.depends_on
            if values and key is not None and self.recent.key(self.partition, key) is None:
                wanted += key.keys
        missing = [key for key in wanted if key not in held]
        if missing:
            items = self.table.get(self.partition, missing)
            held |= {key: item["body"]["B"] for key, item in items.items()}
        return held

    def frame(self, one: Found, cells: Mapping[str, bytes]) -> Frame:
        """Return what is stored of a checkpoint."""
        where = Whereabouts.read(one.sort_key, one.commit)
        return Frame.unpacked(self.codec, content(where, cells))

    def image(
        self, one: Found, frame: Frame, cells: Mapping[str, bytes], versions: Mapping[str, Any]
    ) -> Image:
        """Return a checkpoint's channels, serialized."""
        where = Whereabouts.read(one.sort_key, one.commit)
        size = _stored(where, cells)
        depends = one.depends_on
        if depends is None:
            segments = _segments(frame.values({}), versions)
            return Image(segments, KeyImage(where, segments, size))
        key = self.recent.key(self.partition, depends) or self._key(depends, cells)
        typed = {name: segment.typed for name, segment in key.segments.items()}
        return Image(_segments(frame.values(typed), versions), key, frame.spent + size)

    def calls(self, one: Found, cells: Mapping[str, bytes]) -> list[TaskWrites]:
        """Return the writes that belong to a checkpoint, in the order in which they were made."""
        calls: list[TaskWrites] = []
        for item in one.writes:
            where = Whereabouts.read(item["sk"]["S"], item)
            calls += unpacked(self.codec, content(where, cells))
        return calls

    def _key(self, where: Whereabouts, cells: Mapping[str, bytes]) -> KeyImage:
        if where.sort_key in self._keys and self._keys[where.sort_key].where == where:
            return self._keys[where.sort_key]
        frame = Frame.unpacked(self.codec, content(where, cells))
        if frame.same or frame.changed:
            raise CheckpointDamagedError(f"{where.sort_key} is not whole, and others were written against it")
        key = KeyImage(where, _segments(frame.values({}), {}), _stored(where, cells))
        self._keys[where.sort_key] = key
        return key


def _stored(where: Whereabouts, cells: Mapping[str, bytes]) -> int:
    return sum(len(cells[key]) for key in where.keys)


def _segments(values: Mapping[str, Typed], versions: Mapping[str, Any]) -> dict[str, Segment]:
    return {name: Segment(versions.get(name), typed) for name, typed in values.items()}
