"""The durable outbox: a message is stored before it is sent, and marked when it was."""

from collections.abc import Callable, Iterator
from functools import partial

from memory import keys
from memory.records.message import Message, MessageState
from memory.records.scope import Scope
from memory.table import Item, RecordTable


class OutboxStore:
    """Queues each message once by its send key, and remembers what became of it."""

    def __init__(self, table: RecordTable, tenant: str) -> None:
        self._table = table
        self._tenant = tenant

    def queue(self, scope: Scope, message: Message) -> Message:
        """Store a message, or return the one already stored under its send key."""
        key = keys.message(scope, message.incident_id, message.send_key)
        index = keys.outbox_by_time(self._tenant, message.queued_at, message.send_key)
        if self._table.create(key, message.model_dump(mode="json"), index):
            return message
        standing = self._item(scope, message)
        return Message.model_validate(standing.body)

    def settle(self, scope: Scope, message: Message) -> Message:
        """Record that a message was sent or has failed for good; it leaves the queue."""
        item = self._item(scope, message)
        if Message.model_validate(item.body).state is MessageState.SENT:
            return Message.model_validate(item.body)
        index = None
        if message.state is MessageState.QUEUED:
            index = keys.outbox_by_time(self._tenant, message.queued_at, message.send_key)
        self._table.replace(item, message.model_dump(mode="json"), index)
        return message

    def all(self, scope: Scope, incident_id: str) -> Iterator[Message]:
        """Yield an incident's messages, oldest first."""
        items = self._table.query(keys.incident(scope, incident_id).pk, "MESSAGE#")
        yield from sorted((Message.model_validate(i.body) for i in items), key=lambda m: m.queued_at)

    def waiting(self) -> Iterator[tuple[str, Callable[[], Message]]]:
        """Yield the send key of each of the tenant's queued messages, oldest first, and how to read it.

        Each is read by itself: one that cannot be read must not hide the others.
        """
        partition = keys.outbox_by_time(self._tenant, keys.EPOCH, "").pk
        for item in self._table.by_time(partition):
            yield item.key.sk.removeprefix("MESSAGE#"), partial(Message.model_validate, item.body)

    def _item(self, scope: Scope, message: Message) -> Item:
        item = self._table.get(keys.message(scope, message.incident_id, message.send_key))
        if item is None:
            raise LookupError(f"message {message.send_key} is not in the outbox")
        return item
