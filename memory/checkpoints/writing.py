"""Makes records of checkpoints and of pending writes: the items to store, and what must be durable before them."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from memory.checkpoints.batches import Batches, Job, Record
from memory.checkpoints.images import Codec, Drawing, Image, Segment, Typed
from memory.checkpoints.keys import Place, run_partition
from memory.checkpoints.lives import Lives
from memory.checkpoints.payloads import Payload, Whereabouts
from memory.checkpoints.pending import TaskWrites, packed
from memory.checkpoints.recent import Recent
from memory.checkpoints.table import Item


@dataclass(frozen=True)
class Submission:
    """A checkpoint on its way into the table."""

    drawing: Drawing
    base: Image | None
    base_key: str | None
    run: str | None


@dataclass(frozen=True)
class Writer:
    """Draws records and hands them to the batches."""

    batches: Batches
    lives: Lives
    recent: Recent
    codec: Codec

    def checkpoint(self, place: Place, submission: Submission) -> Job:
        """Return the job that stores a checkpoint."""
        key = submission.drawing.sort_key
        return Job(place.partition, key, submission, partial(self._commit, place.partition), urgent=True)

    def writes(self, place: Place, checkpoint: str, stamp: str, calls: TaskWrites) -> Job:
        """Return the job that stores the writes of a task."""
        draw = partial(self._pending, place, checkpoint)
        return Job(place.partition, place.of(checkpoint), (stamp, calls), draw, urgent=False)

    def _commit(self, partition: str, submissions: Sequence[Submission]) -> Record:
        last = submissions[-1]
        written = last.drawing.written(self.codec, last.base, _name)
        item = self._item(partition, last.drawing.sort_key, written.where, written.payload)
        if written.depends_on is not None:
            key = written.depends_on
            item["key"] = {"M": {"sk": {"S": key.sort_key}, **key.attributes()}}
        before = self._pieces(partition, written.where, written.payload)
        if last.run is not None:
            item["run"] = {"S": last.run}
            if not self.recent.knows(last.run, partition):
                # Found by its run before it is found by its thread, or it would outlive its run.
                before.append(
                    {"pk": {"S": run_partition(last.run)}, "sk": {"S": partition}, **self.lives.stamp()}
                )
        return Record(item, before, partial(self._stored, partition, last, written.image))

    def _stored(self, partition: str, submission: Submission, image: Image) -> None:
        self.recent.add(partition, submission.drawing.sort_key, image, submission.base_key)
        if submission.run is not None:
            self.recent.add_run(submission.run, partition)

    def _pending(self, place: Place, checkpoint: str, calls: Sequence[tuple[str, TaskWrites]]) -> Record:
        ordered = sorted(calls, key=lambda call: call[0])
        payload = Payload.of(packed(self.codec, [call for _, call in ordered]))
        sort_key = place.writes(checkpoint, ordered[0][0])
        where = Whereabouts.of(sort_key, payload, _name)
        item = self._item(place.partition, sort_key, where, payload)
        return Record(item, self._pieces(place.partition, where, payload))

    def _item(self, partition: str, sort_key: str, where: Whereabouts, payload: Payload) -> Item:
        item = {"pk": {"S": partition}, "sk": {"S": sort_key}, **where.attributes(), **self.lives.stamp()}
        return item if where.count else {**item, "body": {"B": payload.body}}

    def _pieces(self, partition: str, where: Whereabouts, payload: Payload) -> list[Item]:
        stamp = self.lives.stamp()
        return [
            {"pk": {"S": partition}, "sk": {"S": key}, "body": {"B": body}, **stamp}
            for key, body in payload.pieces(where.name).items()
        ]


def drawn(
    serde: Any,
    sort_key: str,
    head: Typed,
    parent: str | None,
    checkpoint: Any,
    base: Image | None,
    fresh: Any,
) -> Drawing:
    """Serialize the channels of a checkpoint; those whose version is the parent's are taken from there.

    A channel that has its old version and no value here keeps the value it had: a delta channel's snapshot.
    """
    versions: Mapping[str, Any] = checkpoint["channel_versions"]
    old = base.segments if base is not None else {}
    segments: dict[str, Segment] = {}
    for name in {**versions, **checkpoint["channel_values"]}:
        before, version = old.get(name), versions.get(name)
        if before is not None and version is not None and before.version == version and name not in fresh:
            segments[name] = before
        elif name in checkpoint["channel_values"]:
            segments[name] = Segment(version, serde.dumps_typed(checkpoint["channel_values"][name]))
    return Drawing(sort_key, head, parent, segments)


def _name() -> str:
    return uuid.uuid4().hex
