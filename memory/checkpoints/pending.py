"""Writes of tasks that wait for the next checkpoint: an append-only record of calls, put in order when read.

Nothing is read before it is written, so that calls in flight together can share a request. What LangGraph asks of
a repeated call is decided at the reading: of two writes with the same task and index the first counts, and of two
special ones (error, interrupt, resume) the last.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from langgraph.checkpoint.base import WRITES_IDX_MAP, writes_sort_key

from memory.checkpoints.images import Codec, Typed


@dataclass(frozen=True)
class TaskWrites:
    """One call: what a task wrote, each with its index, channel and serialized value."""

    task: str
    path: str
    writes: Sequence[tuple[int, str, Typed]]

    @classmethod
    def of(cls, serde: Any, task: str, path: str, writes: Sequence[tuple[str, Any]]) -> "TaskWrites":
        """Return the call with its values serialized, special channels under their own indexes."""
        indexed = [
            (WRITES_IDX_MAP.get(channel, number), channel, serde.dumps_typed(value))
            for number, (channel, value) in enumerate(writes)
        ]
        return cls(task, path, indexed)


def packed(codec: Codec, calls: Iterable[TaskWrites]) -> bytes:
    """Return calls as bytes, in their order."""
    plain = [
        [call.task, call.path, [[number, channel, *typed] for number, channel, typed in call.writes]]
        for call in calls
    ]
    return codec.dumps_typed(plain)[1]


def unpacked(codec: Codec, content: bytes) -> list[TaskWrites]:
    """Return the calls that some bytes stand for."""
    return [
        TaskWrites(task, path, [(number, channel, (kind, body)) for number, channel, kind, body in writes])
        for task, path, writes in codec.loads_typed(("msgpack", content))
    ]


def in_order(calls: Iterable[TaskWrites]) -> list[tuple[str, str, Typed]]:
    """Return (task, channel, serialized value) in the order in which LangGraph applies them."""
    kept: dict[tuple[str, int], tuple[str, str, Typed]] = {}
    for call in calls:
        for number, channel, typed in call.writes:
            slot = (call.task, number)
            if number < 0 or slot not in kept:
                kept[slot] = (call.path, channel, typed)
    slots = sorted(kept, key=lambda slot: writes_sort_key(kept[slot][0], *slot))
    return [(slot[0], kept[slot][1], kept[slot][2]) for slot in slots]
