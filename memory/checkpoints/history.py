"""Answers about the checkpoints of one thread and namespace."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import Checkpoint, CheckpointTuple, DeltaChannelHistory, PendingWrite

from memory.checkpoints.errors import CheckpointDamagedError
from memory.checkpoints.images import Codec
from memory.checkpoints.keys import COMMITS, Place
from memory.checkpoints.lives import Lives
from memory.checkpoints.pending import in_order
from memory.checkpoints.reading import Found, Reader, found
from memory.checkpoints.recent import Recent
from memory.checkpoints.stamps import Stamps
from memory.checkpoints.table import CheckpointTable, Wish

# The newest checkpoint with a few writes, and not much of what is older; then as many as many tasks side by side make.
NEWEST, THEN = 4, 50
# Items to read first for each checkpoint that a listing is limited to.
ITEMS_EACH, ITEMS_MORE = 3, 8
# Checkpoints whose parts are read in one go.
TOGETHER = 20


@dataclass(frozen=True)
class History:
    """Reads checkpoints of a thread."""

    table: CheckpointTable
    place: Place
    lives: Lives
    recent: Recent
    stamps: Stamps
    codec: Codec
    serde: Any

    @cached_property
    def reader(self) -> Reader:
        """What reads the parts."""
        return Reader(self.table, self.codec, self.recent, self.place.partition)

    def checkpoint(self, checkpoint: str | None) -> CheckpointTuple | None:
        """Return one checkpoint, or the newest."""
        for page in self._found(checkpoint, NEWEST, more=THEN):
            if page:
                return self._tuple(page[0], self.reader.cells(page[:1]))
        return None

    def checkpoints(
        self, *, whole: bool, only: str | None, before: str | None, filter: dict[str, Any], limit: int | None
    ) -> Iterator[CheckpointTuple]:
        """Yield checkpoints, newest first: of all namespaces, or of this one."""
        if limit is not None and limit <= 0:
            return
        first = None if filter or limit is None else limit * ITEMS_EACH + ITEMS_MORE
        pages = self._everywhere(only, before) if whole else self._found(only, first, before)
        left = limit
        for page in pages:
            rest = iter(page)
            while some := list(islice(rest, TOGETHER if left is None else min(left, TOGETHER))):
                for one in self._tuples(some, filter):
                    yield one
                    left = None if left is None else left - 1
                if left is not None and left <= 0:
                    return

    def deltas(self, checkpoint: str | None, channels: Sequence[str]) -> dict[str, DeltaChannelHistory]:
        """Return what the ancestors wrote to channels, from the nearest value of each on."""
        writes: dict[str, list[PendingWrite]] = {name: [] for name in channels}
        seeds: dict[str, Any] = {}
        left = set(channels)
        for one, cells in self._ancestors(checkpoint):
            for task, channel, typed in reversed(in_order(self.reader.calls(one, cells))):
                if channel in left:
                    writes[channel].append((task, channel, self.serde.loads_typed(typed)))
            frame = self.reader.frame(one, cells)
            if here := left & frame.channels:
                values = self._tuple(one, self.reader.cells([one])).checkpoint["channel_values"]
                seeds |= {name: values[name] for name in here}
                left -= here
            if not left:
                break
        answer: dict[str, DeltaChannelHistory] = {}
        for name in channels:
            answer[name] = {"writes": writes[name][::-1]}
            if name in seeds:
                answer[name]["seed"] = seeds[name]
        return answer

    def needed(self, checkpoint: str) -> set[str]:
        """Return the sort keys of a checkpoint and of the ancestors its delta channels are rebuilt from."""
        needed = {self.place.commit(checkpoint)}
        one = self.checkpoint(checkpoint)
        counted = one.metadata.get("counters_since_delta_snapshot") or {} if one is not None else {}
        left = set(counted) - set(one.checkpoint["channel_values"] if one is not None else ())
        if not left:
            return needed
        for ancestor, cells in self._ancestors(checkpoint):
            needed.add(ancestor.sort_key)
            left -= self.reader.frame(ancestor, cells).channels
            if not left:
                break
        return needed

    def _ancestors(self, checkpoint: str | None) -> Iterator[tuple[Found, Mapping[str, bytes]]]:
        """Yield the ancestors of a checkpoint, nearest first, each with what it is made of."""
        wanted, begun = checkpoint, False
        for page in self._found(None, None, None, upto=checkpoint):
            cells = self.reader.cells(page, values=False)
            for one in page:
                name = one.name[1]
                if wanted is not None and name > wanted:
                    continue
                if wanted is not None and name < wanted:
                    if not begun:
                        return
                    raise CheckpointDamagedError(f"checkpoint {wanted}, which others build on, is missing")
                parent = self.reader.frame(one, cells).parent
                if begun:
                    yield one, cells
                wanted, begun = parent, True
                if wanted is None:
                    return
        if begun:
            raise CheckpointDamagedError(f"checkpoint {wanted}, which others build on, is missing")

    def _tuples(self, some: Sequence[Found], filter: dict[str, Any]) -> Iterator[CheckpointTuple]:
        """Yield checkpoints that fit a filter; only theirs are read whole."""
        if filter:
            cells = self.reader.cells(some, values=False)
            some = [one for one in some if self._fits(one, cells, filter)]
        cells = self.reader.cells(some)
        for one in some:
            yield self._tuple(one, cells, keep=False)

    def _fits(self, one: Found, cells: Mapping[str, bytes], filter: dict[str, Any]) -> bool:
        _, metadata = self.serde.loads_typed(self.reader.frame(one, cells).head)
        return all(metadata.get(name) == value for name, value in filter.items())

    def _tuple(self, one: Found, cells: Mapping[str, bytes], *, keep: bool = True) -> CheckpointTuple:
        namespace, checkpoint_id = one.name
        place = Place(self.place.thread, namespace)
        frame = self.reader.frame(one, cells)
        head: Checkpoint
        head, metadata = self.serde.loads_typed(frame.head)
        image = self.reader.image(one, frame, cells, head["channel_versions"])
        if keep:
            self.recent.add(place.partition, one.sort_key, image)
        values = {name: self.serde.loads_typed(segment.typed) for name, segment in image.segments.items()}
        for item in one.writes:
            self.stamps.seen(item["sk"]["S"].rpartition("!1")[2])
        pending = in_order(self.reader.calls(one, cells))
        stored: Checkpoint = {**head, "channel_values": values}
        return CheckpointTuple(
            config=named(place, checkpoint_id),
            checkpoint=stored,
            metadata=metadata,
            parent_config=named(place, frame.parent) if frame.parent else None,
            pending_writes=[(task, name, self.serde.loads_typed(typed)) for task, name, typed in pending],
        )

    def _found(
        self,
        only: str | None,
        first: int | None,
        before: str | None = None,
        upto: str | None = None,
        more: int | None = None,
    ) -> Iterator[list[Found]]:
        """Yield what stands in this namespace, page by page."""
        low, high = self.place.prefix, self.place.prefix[:-1] + '"'
        if only is not None:
            low, high, first, more = self.place.of(only), self.place.of(only) + "~", None, None
            if before is not None and only >= before:
                return
        elif before is not None:
            high = self.place.of(before)
        elif upto is not None:
            high = self.place.of(upto) + "~"
        pages = self.table.pages(Wish(self.place.partition, low, high, first, more))
        yield from found(pages, self.lives.reader(self.place.partition))

    def _everywhere(self, only: str | None, before: str | None) -> Iterator[list[Found]]:
        """Yield what stands in all namespaces, newest first."""
        wish = Wish(self.place.partition, COMMITS, COMMITS[:-1] + '"')
        pages = found(self.table.pages(wish), self.lives.reader(self.place.partition))
        every = [one for page in pages for one in page]
        if only is not None:
            every = [one for one in every if one.name[1] == only]
        if before is not None:
            every = [one for one in every if one.name[1] < before]
        yield sorted(every, key=lambda one: one.name[1], reverse=True)


def place_of(config: RunnableConfig) -> Place:
    """Return the thread and namespace that a config names."""
    asked = config["configurable"]
    return Place(str(asked["thread_id"]), asked.get("checkpoint_ns") or "")


def named(place: Place, checkpoint: str) -> RunnableConfig:
    """Return the config that names a checkpoint."""
    return {
        "configurable": {
            "thread_id": place.thread,
            "checkpoint_ns": place.namespace,
            "checkpoint_id": checkpoint,
        }
    }
