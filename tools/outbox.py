"""Send messages once: stored first, sent then, marked last."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from botocore.exceptions import BotoCoreError, ClientError

from memory.clock import Clock
from memory.records.message import Message, MessageState
from memory.records.scope import Scope
from memory.stores.incidents import IncidentStore
from memory.stores.outbox import OutboxStore


class Channel(Protocol):
    """A way to reach people."""

    @property
    def name(self) -> str:
        """Name the channel as messages do."""
        ...

    def send(self, message: Message) -> str:
        """Send and return the channel's own id of the message."""
        ...


@dataclass(frozen=True)
class Outbox:
    """Queues and sends. A message that could not be sent stays queued with the reason, and is tried again."""

    store: OutboxStore
    incidents: IncidentStore
    channels: Sequence[Channel]
    clock: Clock

    def send(self, scope: Scope, message: Message) -> Message:
        """Store a message under its send key and send it, unless it was sent before."""
        standing = self.store.queue(scope, message)
        if standing.state is not MessageState.QUEUED:
            return standing
        return self._send(scope, standing)

    def flush(self) -> int:
        """Send what is still queued; return how many went out."""
        sent = 0
        for message in list(self.store.unsent()):
            scope = self.incidents.scope_of(message.incident_id)
            sent += self._send(scope, message).state is MessageState.SENT
        return sent

    def _send(self, scope: Scope, message: Message) -> Message:
        channel = next((channel for channel in self.channels if channel.name == message.channel), None)
        if channel is None:
            failed = {"state": MessageState.FAILED, "failure": f"there is no channel {message.channel}"}
            return self.store.settle(scope, message.model_copy(update=failed))
        try:
            sent_id = channel.send(message)
        except (ClientError, BotoCoreError) as error:
            return self.store.settle(scope, message.model_copy(update={"failure": str(error)}))
        sent = {
            "state": MessageState.SENT,
            "sent_at": self.clock.now(),
            "channel_message_id": sent_id,
            "failure": None,
        }
        return self.store.settle(scope, message.model_copy(update=sent))
