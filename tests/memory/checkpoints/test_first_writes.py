"""A thread whose life two savers begin at the same time."""

import uuid
from collections.abc import Callable
from typing import Any

from langgraph.checkpoint.base import empty_checkpoint

from memory.checkpoints.saver import DynamoSaver

TTL = 1000


class Overtaken:
    """A client before whose first query somebody else does something."""

    def __init__(self, client: Any, first: Callable[[], object]) -> None:
        self._client = client
        self._first: Callable[[], object] | None = first

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def query(self, **request: Any) -> Any:
        first, self._first = self._first, None
        if first is not None:
            first()
        return self._client.query(**request)


def test_a_thread_that_another_saver_begins_meanwhile_is_written_by_both(
    client: Any, open_saver: Callable[..., DynamoSaver]
) -> None:
    config: Any = {"configurable": {"thread_id": str(uuid.uuid4()), "checkpoint_ns": ""}}
    ours, theirs = empty_checkpoint(), empty_checkpoint()
    other = open_saver(ttl_seconds=TTL)
    saver = open_saver(client=Overtaken(client, lambda: other.put(config, theirs, {}, {})), ttl_seconds=TTL)

    saver.put(config, ours, {}, {})

    found = {one.checkpoint["id"] for one in open_saver(ttl_seconds=TTL).list(config)}
    assert found == {ours["id"], theirs["id"]}
