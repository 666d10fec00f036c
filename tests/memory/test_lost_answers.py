"""DynamoDB does a write and its answer is lost: botocore sends it again, and nothing is doubled or taken for lost."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import httpx
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config

from memory import keys
from memory.records.audit import Deed
from memory.records.timeline import EntryKind
from memory.stores.audit import AuditTrail
from memory.stores.leases import IncidentBusyError, LeaseStore
from memory.stores.timeline import TimelineStore
from memory.table import ConflictError, Item, Key, RecordTable, Write
from tests.memory.filed import SCOPE, START, account, new_table
from tests.simulated import SimulatedAccount, boto_session

__all__ = ["account"]

ID = "0b3a8c54-9d35-8f86-8d2f-5f2a0a0c1a01"


class _Body:
    def stream(self, **_: Any) -> Iterator[bytes]:
        yield b"{}"


class Losing:
    """A client of DynamoDB that sends again, as the product's does, and that loses answers when it is told to."""

    def __init__(self, account: SimulatedAccount) -> None:
        self.client = boto_session().client(
            "dynamodb",
            endpoint_url=account.endpoint,
            region_name="us-east-1",
            aws_access_key_id=account.root.access_key_id,
            aws_secret_access_key=account.root.secret_access_key,
            config=Config(retries={"mode": "standard", "total_max_attempts": 3}),
        )
        self.sent: list[str] = []
        self._losing = ""
        self._between: Callable[[], object] = lambda: None
        self.client.meta.events.register("before-send", self._send)

    @contextmanager
    def answers(self, operation: str, between: Callable[[], object] = lambda: None) -> Iterator[None]:
        """Lose the next answer of an operation; `between` is done before it is sent again."""
        self._losing, self._between, before = operation, between, len(self.sent)
        yield
        assert self.sent[before:].count(operation) >= 2, "no answer was lost"

    def _send(self, request: Any, **_: Any) -> AWSResponse | None:
        target = request.headers["X-Amz-Target"]
        named = (target.decode() if isinstance(target, bytes) else target).rpartition(".")[2]
        self.sent.append(named)
        if named != self._losing:
            return None
        self._losing = ""
        headers = {
            k: v.decode() if isinstance(v, bytes) else str(v)
            for k, v in request.headers.items()
            if k.lower() != "content-length"
        }
        assert httpx.post(request.url, headers=headers, content=request.body).status_code == 200
        self._between()
        return AWSResponse(request.url, 500, {}, _Body())


@pytest.fixture(scope="module")
def losing(shared_accounts: Callable[..., SimulatedAccount]) -> tuple[Losing, RecordTable]:
    at = shared_accounts("bad-deployment")
    found = Losing(at)
    return found, RecordTable(found.client, new_table(at).name)


class Noon:
    def now(self) -> datetime:
        return START

    def wait_until(self, moment: datetime) -> datetime:
        return moment


def test_what_was_created_is_created_and_what_was_replaced_is_replaced(
    losing: tuple[Losing, RecordTable],
) -> None:
    client, table = losing
    key = Key("p", "own")

    with client.answers("PutItem"):
        assert table.create(key, {"n": 1})
    item = table.get(key)
    assert item is not None
    with client.answers("PutItem"):
        table.replace(item, {"n": 2})

    assert table.get(key) == Item(key, {"n": 2}, 2)
    assert not table.create(key, {"n": 1})
    with pytest.raises(ConflictError):
        table.replace(item, {"n": 2})


def test_what_another_wrote_over_it_is_a_conflict(losing: tuple[Losing, RecordTable]) -> None:
    client, table = losing
    key = Key("p", "others")

    def overwritten() -> None:
        table.put(key, {"n": 1})

    with client.answers("PutItem", overwritten):
        assert not table.create(key, {"n": 1})


def test_an_entry_of_the_timeline_is_told_once(losing: tuple[Losing, RecordTable]) -> None:
    client, table = losing
    timeline = TimelineStore(table, Noon())

    with client.answers("PutItem"):
        timeline.append(SCOPE, ID, EntryKind.NOTE, "one")
    # This one is written with its audit, in a transaction.
    with client.answers("TransactWriteItems"):
        timeline.append(SCOPE, ID, EntryKind.CLOSED, "two")

    assert [one.text for one in timeline.entries(SCOPE, ID)] == ["one", "two"]
    chain = AuditTrail(table).read(keys.incident(SCOPE, ID).pk)
    assert [link.entry.deed for link in chain.links()] == [Deed.CLOSED]


def test_a_deed_is_audited_once(losing: tuple[Losing, RecordTable]) -> None:
    client, table = losing
    trail, deed = AuditTrail(table), Key("deeds", "ACTION#1")

    with client.answers("TransactWriteItems"):
        trail.commit("deeds", [Write(Item(deed, {}), 0)], START, Deed.CLAIMED, who="ann", what="done")

    assert len(trail.read("deeds").entries) == 1


def test_a_lease_is_held_by_who_took_it(losing: tuple[Losing, RecordTable]) -> None:
    client, table = losing

    with client.answers("PutItem"):
        LeaseStore(table).hold(SCOPE, ID, "run-1")

    with pytest.raises(IncidentBusyError):
        LeaseStore(table).hold(SCOPE, ID, "run-2")
