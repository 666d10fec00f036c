"""LangGraph's checkpointer over a DynamoDB table."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    DeltaChannelHistory,
    get_checkpoint_metadata,
)
from langgraph.checkpoint.serde.base import SerializerProtocol
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from memory.checkpoints.arrivals import Arrivals
from memory.checkpoints.batches import Batches, Job
from memory.checkpoints.history import History, named, place_of
from memory.checkpoints.keys import Place
from memory.checkpoints.lives import Lives
from memory.checkpoints.pending import TaskWrites
from memory.checkpoints.recent import Recent
from memory.checkpoints.stamps import Stamps
from memory.checkpoints.table import CheckpointTable, create_table
from memory.checkpoints.upkeep import Upkeep
from memory.checkpoints.writing import Submission, Writer, drawn

Answer = TypeVar("Answer")


class DynamoSaver(BaseCheckpointSaver[str]):
    """Keeps checkpoints in a DynamoDB table. What a call has stored is durable when it returns.

    It reads the checkpoint that was asked for, or raises `CheckpointDamagedError`; never another in its place.
    Threads and event loops may share one saver. `ttl_seconds` lets a thread live so long after it was last
    written. `client` is a botocore client; as many calls run at once as it has connections.
    """

    def __init__(
        self,
        client: Any,
        table: str,
        *,
        serde: SerializerProtocol | None = None,
        ttl_seconds: float | None = None,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(serde=serde)
        self.table = CheckpointTable(client, table, sleep)
        connections = client.meta.config.max_pool_connections
        writers = max(1, connections // 2)
        self._lives = Lives(self.table, ttl_seconds, now)
        self._recent = Recent()
        self._stamps = Stamps(now)
        self._readers = ThreadPoolExecutor(
            max(1, connections - writers), thread_name_prefix="checkpoints-read"
        )
        self._batches = Batches(self.table, self._lives, writers)
        self._arrivals = Arrivals()
        # Plain values only: the application's own are bytes of `serde` by then.
        self._codec = JsonPlusSerializer(allowed_msgpack_modules=None)
        self._writer = Writer(self._batches, self._lives, self._recent, self._codec)
        self._upkeep = Upkeep(self.table, self._lives, self._recent)

    def setup(self) -> None:
        """Create the table where it is missing."""
        create_table(self.table.client, self.table.name)

    def close(self) -> None:
        """Store what is on its way, and end. The saver takes nothing afterwards."""
        self._batches.close()
        self._readers.shutdown(wait=True)

    def get_next_version(self, current: str | int | None, channel: None) -> str:
        """Return a version above the current one, which no other branch of the thread has."""
        number = 0 if current is None else int(str(current).split(".")[0])
        return f"{number + 1:032}.{random.getrandbits(32):08x}"

    # Writing

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Store a checkpoint and return the config that names it."""
        place, job = self._checkpoint(config, checkpoint, metadata, new_versions)
        self._batches.submit(job).result()
        return named(place, checkpoint["id"])

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Store a checkpoint and return the config that names it."""
        place, job = await self._serialized(self._checkpoint, config, checkpoint, metadata, new_versions)
        await self._arrivals.of(self._batches.submit(job))
        return named(place, checkpoint["id"])

    def put_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """Store what a task wrote, beside the checkpoint it ran from."""
        self._batches.submit(self._writes(config, writes, task_id, task_path)).result()

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """Store what a task wrote, beside the checkpoint it ran from."""
        job = await self._serialized(self._writes, config, writes, task_id, task_path)
        await self._arrivals.of(self._batches.submit(job))

    def _checkpoint(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        fresh: ChannelVersions,
    ) -> tuple[Place, Job]:
        place, parent = place_of(config), config["configurable"].get("checkpoint_id")
        base_key = place.commit(parent) if parent else None
        base = self._recent.image(place.partition, base_key) if base_key else None
        told = get_checkpoint_metadata(config, metadata)
        rest = {name: value for name, value in checkpoint.items() if name != "channel_values"}
        head = self.serde.dumps_typed([rest, told])
        sort_key = place.commit(checkpoint["id"])
        drawing = drawn(self.serde, sort_key, head, parent, checkpoint, base, fresh)
        run = told.get("run_id")
        submission = Submission(drawing, base, base_key, str(run) if run else None)
        return place, self._writer.checkpoint(place, submission)

    def _writes(self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task: str, path: str) -> Job:
        place, checkpoint = place_of(config), config["configurable"]["checkpoint_id"]
        calls = TaskWrites.of(self.serde, task, path, writes)
        return self._writer.writes(place, checkpoint, self._stamps.next(), calls)

    async def _serialized(self, call: Callable[..., Answer], *arguments: Any) -> Answer:
        """Serialize at once, before the caller can change a value, or on a thread when a key may be asked for."""
        if isinstance(self.serde, EncryptedSerializer):
            return await self._on_thread(partial(call, *arguments))
        return call(*arguments)

    # Reading

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Return the checkpoint that config names, or the newest of its namespace; None where there is none."""
        return self._history(config).checkpoint(config["configurable"].get("checkpoint_id"))

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Return the checkpoint that config names, or the newest of its namespace; None where there is none."""
        return await self._on_thread(partial(self.get_tuple, config))

    def list(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,  # the name is LangGraph's
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> Iterator[CheckpointTuple]:
        """Yield a thread's checkpoints, newest first."""
        if config is None:
            raise ValueError("name a thread: a table of many threads is not listed as a whole")
        asked = config["configurable"]
        history = self._history(config)
        return history.checkpoints(
            whole="checkpoint_ns" not in asked,
            only=asked.get("checkpoint_id"),
            before=before["configurable"].get("checkpoint_id") if before else None,
            filter=filter or {},
            limit=limit,
        )

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        """Yield a thread's checkpoints, newest first."""
        rest = self.list(config, filter=filter, before=before, limit=limit)
        while (one := await self._on_thread(partial(next, rest, None))) is not None:
            yield one

    def get_delta_channel_history(
        self, *, config: RunnableConfig, channels: Sequence[str]
    ) -> Mapping[str, DeltaChannelHistory]:
        """Return what the ancestors of a checkpoint wrote to some channels, from the nearest snapshot on."""
        if not channels:
            return {}
        return self._history(config).deltas(config["configurable"].get("checkpoint_id"), channels)

    async def aget_delta_channel_history(
        self, *, config: RunnableConfig, channels: Sequence[str]
    ) -> Mapping[str, DeltaChannelHistory]:
        """Return what the ancestors of a checkpoint wrote to some channels, from the nearest snapshot on."""
        return await self._on_thread(
            partial(self.get_delta_channel_history, config=config, channels=channels)
        )

    def _history(self, config: RunnableConfig) -> History:
        place = place_of(config)
        return self._namespace(place.thread, place.namespace)

    def _namespace(self, thread: str, namespace: str) -> History:
        place = Place(thread, namespace)
        return History(self.table, place, self._lives, self._recent, self._stamps, self._codec, self.serde)

    # Upkeep

    def delete_thread(self, thread_id: str) -> None:
        """Delete everything of a thread."""
        self._upkeep.delete_thread(str(thread_id))

    async def adelete_thread(self, thread_id: str) -> None:
        """Delete everything of a thread."""
        await self._on_thread(partial(self.delete_thread, thread_id))

    def delete_for_runs(self, run_ids: Sequence[str]) -> None:
        """Delete the checkpoints that some runs made, with their writes, in every thread."""
        self._upkeep.delete_for_runs([str(run) for run in run_ids])

    async def adelete_for_runs(self, run_ids: Sequence[str]) -> None:
        """Delete the checkpoints that some runs made, with their writes, in every thread."""
        await self._on_thread(partial(self.delete_for_runs, run_ids))

    def copy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Copy a thread with its whole history."""
        self._upkeep.copy_thread(str(source_thread_id), str(target_thread_id))

    async def acopy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Copy a thread with its whole history."""
        await self._on_thread(partial(self.copy_thread, source_thread_id, target_thread_id))

    def prune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """Keep the newest checkpoint of each namespace with what it needs, or delete the threads."""
        if strategy in {"delete", "delete_all"}:
            for thread in thread_ids:
                self.delete_thread(thread)
        elif strategy == "keep_latest":
            for thread in thread_ids:
                self._upkeep.keep_latest(str(thread), partial(self._namespace, str(thread)))
        else:
            raise ValueError(f"no such strategy: {strategy}")

    async def aprune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """Keep the newest checkpoint of each namespace with what it needs, or delete the threads."""
        await self._on_thread(partial(self.prune, thread_ids, strategy=strategy))

    async def _on_thread(self, call: Callable[[], Answer]) -> Answer:
        return await asyncio.get_running_loop().run_in_executor(self._readers, call)
