"""Send each message once: stored first, sent then, marked last.

A process that dies between sending and marking sends again: on-call would rather hear twice than never. The
send key travels with the message, so that a receiver can tell a repeat.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from botocore.exceptions import BotoCoreError, ClientError

from memory.clock import Clock
from memory.records.message import Message, MessageState
from memory.records.scope import Scope
from memory.stores.incidents import IncidentStore, UnknownIncidentError
from memory.stores.leases import IncidentBusyError, LeaseStore
from memory.stores.outbox import OutboxStore
from tools.errors import CopilotError


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
    leases: LeaseStore

    def send(self, scope: Scope, message: Message) -> Message:
        """Store a message under its send key and send it, unless it was sent before or is being sent."""
        standing = self.store.queue(scope, message)
        if standing.state is not MessageState.QUEUED:
            return standing
        name, holder = f"{message.incident_id}/{message.send_key}", str(uuid.uuid4())
        try:
            self.leases.hold(scope, name, holder)
        except IncidentBusyError:
            return standing
        try:
            # Read again: it may have been sent between the first look and the lease.
            current = self.store.queue(scope, message)
            return self._send(scope, current) if current.state is MessageState.QUEUED else current
        finally:
            self.leases.release(scope, name, holder)

    def flush(self) -> int:
        """Send what is still queued; return how many went out."""
        sent = 0
        for message in list(self.store.unsent()):
            try:
                scope = self.incidents.scope_of(message.incident_id)
            except UnknownIncidentError:
                continue
            sent += self.send(scope, message).state is MessageState.SENT
        return sent

    def _send(self, scope: Scope, message: Message) -> Message:
        channel = next((one for one in self.channels if one.name == message.channel), None)
        if channel is None:
            return self._failed(scope, message, f"there is no channel {message.channel}")
        try:
            sent_id = channel.send(message)
        except (ClientError, BotoCoreError, CopilotError) as error:
            return self._failed(scope, message, str(error))
        sent = {
            "state": MessageState.SENT,
            "sent_at": self.clock.now(),
            "channel_message_id": sent_id,
            "failure": None,
        }
        return self.store.settle(scope, message.model_copy(update=sent))

    def _failed(self, scope: Scope, message: Message, why: str) -> Message:
        return self.store.settle(scope, message.model_copy(update={"failure": why}))
