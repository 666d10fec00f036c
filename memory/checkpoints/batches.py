"""Writes that are in flight together share a request; each call returns when what it wrote is durable.

LangGraph stores a step's writes and the next checkpoint at nearly the same time, and many threads run side by
side. So a write waits a moment for company, a checkpoint takes along what is waiting, and while requests are on
their way what arrives is gathered for the next.
"""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from memory.checkpoints.errors import CheckpointError, StoreBusyError
from memory.checkpoints.lives import Lives
from memory.checkpoints.table import BATCH_ITEMS, CheckpointTable, Item, batch_length, waits

# How long writes wait for their checkpoint, in seconds: on their own, and while a request is on its way.
LINGER, PATIENCE = 0.003, 0.05
# As many requests are on their way before what arrives is gathered to full batches.
FEW = 4

REFUSALS = (BotoCoreError, ClientError, CheckpointError, ValueError)


@dataclass(frozen=True)
class Record:
    """An item, what must be durable before it, and what to do when it is durable itself."""

    item: Item
    before: Sequence[Item] = ()
    stored: Callable[[], None] = lambda: None


@dataclass(frozen=True, eq=False)
class Job:
    """A call that waits to be stored. Jobs with one key become one record, drawn from their contents."""

    partition: str
    key: str
    content: Any
    draw: Callable[[Sequence[Any]], Record]
    urgent: bool
    arrived: float = field(default_factory=time.monotonic)
    done: "Future[None]" = field(default_factory=Future)


@dataclass(frozen=True)
class Group:
    """The jobs of one record."""

    jobs: list[Job]
    record: Record

    def succeed(self) -> None:
        """Tell the callers that what they wrote is durable."""
        self.record.stored()
        for job in self.jobs:
            job.done.set_result(None)


class Batches:
    """Stores jobs, in as few requests as their arrival allows."""

    def __init__(self, table: CheckpointTable, lives: Lives, workers: int) -> None:
        self._table = table
        self._lives = lives
        self._limit = max(1, workers)
        self._executor = ThreadPoolExecutor(self._limit, thread_name_prefix="checkpoints-write")
        self._changed = threading.Condition()
        self._jobs: list[Job] = []
        self._active = self._waiting = self._sending = 0
        self._returned = 0.0
        self._closed = False

    def submit(self, job: Job) -> "Future[None]":
        """Take a job; its future is done when the job is durable or has failed."""
        with self._changed:
            if self._closed:
                raise CheckpointError("the checkpoint was not stored: the saver is closed")
            self._jobs.append(job)
            self._changed.notify()
            crowded = self._active >= min(FEW, self._limit)
            if not self._waiting and (not crowded or (self._full() and self._active < self._limit)):
                self._active += 1
                self._executor.submit(self._work)
        return job.done

    def close(self) -> None:
        """Store what waits, and end; what comes later is refused."""
        with self._changed:
            self._closed = True
        self._executor.shutdown(wait=True)

    def _work(self) -> None:
        jobs: list[Job] | None = None
        try:
            while jobs := self._take():
                try:
                    self._store(jobs)
                finally:
                    self._settle(jobs)
        finally:
            if jobs:
                self._replaced()

    def _replaced(self) -> None:
        """Start another worker in place of one that an error of ours has ended."""
        with self._changed:
            self._active -= 1
            left = list(self._jobs) if self._closed else []
            if left:
                self._jobs = []
            elif self._jobs:
                self._active += 1
                self._executor.submit(self._work)
        _fail(left, CheckpointError("the checkpoint was not stored: the saver is closed"))

    def _take(self) -> list[Job]:
        """Wait until something is to be stored and return it, or nothing when there is nothing to wait for."""
        with self._changed:
            while self._jobs:
                left = self._due() - time.monotonic()
                if left <= 0:
                    return self._picked()
                self._waiting += 1
                self._changed.wait(left)
                self._waiting -= 1
            self._active -= 1
            return []

    def _due(self) -> float:
        if self._full() or any(job.urgent for job in self._jobs):
            return 0.0
        oldest = self._jobs[0].arrived
        if self._sending:
            return oldest + PATIENCE
        return min(max(oldest, self._returned) + LINGER, oldest + PATIENCE)

    def _full(self) -> bool:
        return len(self._jobs) >= BATCH_ITEMS

    def _picked(self) -> list[Job]:
        """Take the jobs of as many records as one request can hold."""
        keys: set[tuple[str, str]] = set()
        for job in self._jobs:
            if len(keys) < BATCH_ITEMS:
                keys.add((job.partition, job.key))
        picked = [job for job in self._jobs if (job.partition, job.key) in keys]
        self._jobs = [job for job in self._jobs if (job.partition, job.key) not in keys]
        self._sending += 1
        return picked

    def _settle(self, jobs: Sequence[Job]) -> None:
        with self._changed:
            self._sending -= 1
            self._returned = time.monotonic()
            self._changed.notify()
        # Nobody waits for ever, whatever went wrong here.
        _fail(jobs, CheckpointError("the checkpoint was not stored: the saver failed"))

    def _store(self, jobs: Sequence[Job]) -> None:
        gathered: dict[tuple[str, str], list[Job]] = {}
        for job in jobs:
            gathered.setdefault((job.partition, job.key), []).append(job)
        groups = [group for one in gathered.values() if (group := self._prepared(one)) is not None]
        while groups:
            count = batch_length([group.record.item for group in groups])
            self._send(groups[:count])
            groups = groups[count:]

    def _prepared(self, jobs: list[Job]) -> Group | None:
        """Make a record of jobs, and make durable what must be so before it."""
        try:
            record = jobs[0].draw([job.content for job in jobs])
            self._lives.renew(jobs[0].partition)
            if record.before:
                self._table.put(record.before)
        except REFUSALS as error:
            _fail(jobs, error)
            return None
        return Group(jobs, record)

    def _send(self, groups: list[Group]) -> None:
        try:
            self._send_together(groups)
        except REFUSALS as error:
            # One item that is refused has the whole request refused; the others are not to suffer.
            waiting = [group for group in groups if not group.jobs[0].done.done()]
            if len(waiting) == 1:
                _fail(waiting[0].jobs, error)
            elif waiting:
                for group in waiting:
                    self._send([group])

    def _send_together(self, groups: list[Group]) -> None:
        for wait in waits():
            left = self._table.put_together([group.record.item for group in groups])
            busy = {(item["pk"]["S"], item["sk"]["S"]) for item in left}
            for group in groups:
                if _key(group.record.item) not in busy:
                    group.succeed()
            groups = [group for group in groups if _key(group.record.item) in busy]
            if not groups:
                return
            self._table.sleep(wait)
        raise StoreBusyError(f"the table {self._table.name} is too busy")


def _key(item: Item) -> tuple[str, str]:
    return item["pk"]["S"], item["sk"]["S"]


def _fail(jobs: Sequence[Job], error: Exception) -> None:
    for job in jobs:
        if not job.done.done():
            job.done.set_exception(error)
