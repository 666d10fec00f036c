"""Keeps the emulator's queues the same as the workload's, message by message.

So a message that waits can be received, deleted, purged or moved through the API by anybody, and the workload
learns of it. Very long queues are shown up to a limit; the metrics count them whole.
"""

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import md5
from itertools import islice
from typing import Any

from simulator.emulator import Emulator, RefusedError
from simulator.wire.protocol import ACCOUNT
from simulator.workload.queues import Backlog, Message, QueueSettings

MOST_SHOWN = 10_000
HOUR = 3600.0


@dataclass(frozen=True)
class Interference:
    """What others did to the queues since they were last shown."""

    gone: tuple[Message, ...] = ()
    arrived: tuple[tuple[str, str, str], ...] = ()

    @property
    def is_any(self) -> bool:
        """Whether there was anything."""
        return bool(self.gone or self.arrived)


@dataclass
class QueueMirror:
    """The emulator's side of the workload's queues."""

    emulator: Emulator
    _shown: dict[str, dict[str, Message]] = field(default_factory=dict)
    _hidden: dict[str, set[str]] = field(default_factory=dict)

    async def settings(self, names: Iterable[str]) -> Mapping[str, QueueSettings]:
        """The attributes of the queues that exist."""
        found = {}
        for name in names:
            try:
                url = (await self.emulator.call("sqs", "GetQueueUrl", {"QueueName": name}))["QueueUrl"]
                asked = {"QueueUrl": url, "AttributeNames": ["VisibilityTimeout", "RedrivePolicy"]}
                attributes = (await self.emulator.call("sqs", "GetQueueAttributes", asked))["Attributes"]
            except RefusedError:
                continue
            policy = json.loads(attributes.get("RedrivePolicy") or "{}")
            target = str(policy.get("deadLetterTargetArn", "")).rpartition(":")[2] or None
            seconds = int(attributes["VisibilityTimeout"])
            found[name] = QueueSettings(seconds, target, int(policy.get("maxReceiveCount", 0)))
        return found

    def interference(self, names: Iterable[str]) -> Interference:
        """What was taken from the queues and what was put into them, since they were shown or made."""
        gone: list[Message] = []
        arrived: list[tuple[str, str, str]] = []
        for name in names:
            shown = self._shown.get(name, {})
            present = {one["id"]: one["body"] for one in self.emulator.queue_messages(name)}
            gone += [message for id_, message in shown.items() if id_ not in present]
            arrived += [(name, id_, body) for id_, body in present.items() if id_ not in shown]
        return Interference(tuple(gone), tuple(arrived))

    def show(self, backlog: Backlog, body: str) -> None:
        """Let the emulator's queue hold what the workload's holds. `body` is a usual message's."""
        name = backlog.world.name
        hidden = {one.id: one for one in islice(backlog.hidden(), MOST_SHOWN)}
        visible = {one.id: one for one in islice(backlog.visible(), MOST_SHOWN - len(hidden))}
        wanted = {**hidden, **visible}
        was_hidden = self._hidden.get(name, set())
        messages = self.emulator.queue_messages(name)
        present = {one["id"]: one for one in messages}
        for id_, message in wanted.items():
            if id_ not in present:
                present[id_] = _real(message, body, backlog.world.is_fifo)
                messages.append(present[id_])
            if id_ in hidden:
                present[id_]["visible_at"] = time.time() + HOUR
            elif id_ in was_hidden:
                present[id_]["visible_at"] = 0.0
            present[id_]["receive_count"] = max(present[id_]["receive_count"], message.receives)
        messages[:] = [one for one in messages if one["id"] in wanted]
        self._shown[name], self._hidden[name] = wanted, set(hidden)


def _real(message: Message, usual: str, is_fifo: bool) -> dict[str, Any]:
    """A message as the emulator keeps it."""
    body = message.body or usual
    return {
        "id": message.id,
        "body": body,
        "md5_body": md5(body.encode(), usedforsecurity=False).hexdigest(),
        "md5_attrs": None,
        "receipt_handle": None,
        "sent_at": time.time(),
        "visible_at": 0.0,
        "receive_count": message.receives,
        "first_receive_at": None,
        "message_attributes": {},
        "sys": {"SenderId": ACCOUNT, "SentTimestamp": str(int(message.sent_at * 1000))},
        "group_id": f"group-{message.lane}" if is_fifo else None,
        "dedup_id": message.id if is_fifo else None,
        "dedup_cache_key": None,
        "seq": f"{message.number:020d}" if is_fifo else None,
    }
