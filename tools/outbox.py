"""Send each message once: stored first, sent then, marked last.

A process that dies between sending and marking sends again: on-call would rather hear twice than never. The
send key travels with the message, so that a receiver can tell a repeat.
"""

import logging
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

from memory.clock import Clock
from memory.records.message import Message, MessageState
from memory.records.scope import Scope
from memory.stores.incidents import IncidentStore, UnknownIncidentError
from memory.stores.leases import IncidentBusyError, LeaseStore
from memory.stores.outbox import OutboxStore
from tools.bulkhead import bulkhead
from tools.errors import CopilotError, Transient

log = logging.getLogger(__name__)
# How long after a failed try the next one is, twice as long each time.
AGAIN_SECONDS, MOST_SECONDS = 5.0, 300.0
PASSING = (CopilotError, ClientError, BotoCoreError, IncidentBusyError, UnknownIncidentError)
# No answer at all: what else waits for the channel would wait as long, and in vain.
AWAY = (HTTPClientError, Transient)


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
class Flushed:
    """What came of the messages that waited: how many went out, and the send keys of those that still wait."""

    sent: int = 0
    waiting: tuple[str, ...] = ()


@dataclass
class _Tries:
    """How often in a row something failed, and when it is tried next."""

    failures: int = 0
    next_at: float = 0.0

    def failed(self, now: float) -> None:
        """Wait twice as long as after the failure before."""
        self.next_at = now + min(AGAIN_SECONDS * 2**self.failures, MOST_SECONDS)
        self.failures += 1


@dataclass(frozen=True)
class Outbox:
    """Queues and sends. A message that could not be sent stays queued with the reason, and is tried again.

    What fails is tried again later each time, so that neither a channel that is away nor one message that no channel
    takes keeps the others waiting.
    """

    store: OutboxStore
    incidents: IncidentStore
    channels: Sequence[Channel]
    clock: Clock
    leases: LeaseStore
    monotonic: Callable[[], float] = time.monotonic
    _tries: dict[str, _Tries] = field(default_factory=dict, compare=False, repr=False)
    _away: dict[str, _Tries] = field(default_factory=dict, compare=False, repr=False)

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

    def flush(self) -> Flushed:
        """Send what is still queued and has its turn; a message that fails keeps no other from it."""
        waiting = list(self.store.waiting())
        self._forget_all_but({key for key, _ in waiting})
        sent = [key for key, read in waiting if self._again(key, read)]
        return Flushed(len(sent), tuple(key for key, _ in waiting if key not in sent))

    def _again(self, key: str, read: Callable[[], Message]) -> bool:
        """Send a message that waits, if it is its turn, and say whether it went out."""
        tries = self._tries.setdefault(key, _Tries())
        if tries.next_at > self.monotonic():
            return False
        with bulkhead(f"sending message {key}", PASSING):
            message = read()
            if self._is_away(message.channel):
                return False
            scope = self.incidents.scope_of(message.incident_id)
            if self.send(scope, message).state is MessageState.SENT:
                return True
            if self._is_away(message.channel):
                return False
        tries.failed(self.monotonic())
        return False

    def _is_away(self, channel: str) -> bool:
        """Say whether a channel gave no answer lately and is not asked again yet."""
        return channel in self._away and self._away[channel].next_at > self.monotonic()

    def _forget_all_but(self, waiting: set[str]) -> None:
        for key in [key for key in self._tries if key not in waiting]:
            del self._tries[key]

    def _send(self, scope: Scope, message: Message) -> Message:
        channel = next((one for one in self.channels if one.name == message.channel), None)
        if channel is None:
            return self._failed(scope, message, f"there is no channel {message.channel}")
        if self._is_away(channel.name):
            return message
        try:
            sent_id = channel.send(message)
        except (ClientError, BotoCoreError, CopilotError) as error:
            if isinstance(error, AWAY):
                self._away.setdefault(channel.name, _Tries()).failed(self.monotonic())
            return self._failed(scope, message, str(error))
        self._away.pop(channel.name, None)
        sent = {
            "state": MessageState.SENT,
            "sent_at": self.clock.now(),
            "channel_message_id": sent_id,
            "failure": None,
        }
        return self.store.settle(scope, message.model_copy(update=sent))

    def _failed(self, scope: Scope, message: Message, why: str) -> Message:
        log.warning("message %s could not be sent: %s", message.send_key, why)
        return self.store.settle(scope, message.model_copy(update={"failure": why}))
