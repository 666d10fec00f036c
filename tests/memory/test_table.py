"""Items of the records table: billed as little as may be, read whatever version wrote them, and read together."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evals.bench.records_meter import metered
from memory import keys
from memory.bodies import PACKED_FROM
from memory.records.evidence import EvidenceRef
from memory.records.timeline import EntryKind, TimelineEntry
from memory.stores.dossier import read_dossier
from memory.stores.timeline import TimelineStore
from memory.table import ConflictError, Item, Key, RecordTable, Write
from tests.memory.filed import SCOPE, START, account, new_table
from tests.simulated import SimulatedAccount
from tests.tools.memory_table import MemoryTable

__all__ = ["account"]


class Noon:
    """A clock that stands."""

    def now(self) -> datetime:
        return START

    def wait_until(self, moment: datetime) -> datetime:
        return moment


@pytest.fixture(scope="module")
def shared_table(shared_accounts: Callable[..., SimulatedAccount]) -> RecordTable:
    return new_table(shared_accounts("bad-deployment"))


def test_a_large_body_is_billed_compressed_and_a_small_one_can_be_read_by_eye(
    account: SimulatedAccount,
) -> None:
    table = new_table(account)
    client = account.client("dynamodb")
    lines = [f"2026-11-02T09:00:{n % 60:02} ERROR checkout: payment {n} refused: é" for n in range(400)]
    with metered(client, table.name) as meter:
        table.put(Key("p", "large"), {"lines": lines})
        assert meter.writes <= len(json.dumps(lines)) / 1024 / 3
        table.put(Key("p", "small"), {"id": "x"})
    found = table.get(Key("p", "large"))
    assert found is not None
    assert found.body == {"lines": lines}
    (small,) = client.query(
        TableName=table.name,
        KeyConditionExpression="pk = :pk AND sk = :sk",
        ExpressionAttributeValues={":pk": {"S": "p"}, ":sk": {"S": "small"}},
    )["Items"]
    assert small["body"] == {"S": '{"id":"x"}'}


def test_what_version_1_stored_in_clear_is_read(account: SimulatedAccount) -> None:
    table = new_table(account)
    body = json.dumps({"text": "x" * 5000})
    item = {"pk": {"S": "p"}, "sk": {"S": "s"}, "body": {"S": body}, "version": {"N": "3"}}
    account.client("dynamodb").put_item(TableName=table.name, Item=item)
    found = table.get(Key("p", "s"))
    assert found == Item(Key("p", "s"), json.loads(body), 3)
    assert table.replace(found, {"text": "y"}).version == 4


def test_a_transaction_that_loses_says_which_of_its_writes_lost_and_leaves_all_as_it_was(
    shared_table: RecordTable,
) -> None:
    stands = Item(Key("lost", "2"), {"n": 2}, 1, Key("by", "time"), {"by_status": "open"})
    shared_table.write(Write(stands, 0))
    news = [Write(Item(Key("lost", str(n)), {"n": 9}), 0) for n in (1, 2, 3)]

    with pytest.raises(ConflictError) as lost:
        shared_table.transact(news)

    assert lost.value.lost == (1,)
    assert list(shared_table.query("lost")) == [stands]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(codec="utf-8"), max_size=60), times=st.sampled_from([1, PACKED_FROM]))
def test_every_text_comes_back_as_it_was(shared_table: RecordTable, text: str, times: int) -> None:
    shared_table.put(Key("p", "s"), {"text": text * times})
    found = shared_table.get(Key("p", "s"))
    assert found is not None
    assert found.body == {"text": text * times}


def test_a_dossier_holds_all_but_the_evidence_in_two_calls(account: SimulatedAccount) -> None:
    table = new_table(account)
    partition = keys.incident(SCOPE, "one").pk
    for number in range(3):
        table.put(keys.evidence(SCOPE, "one", f"ev-{number}"), {"result": "x" * 9000})
        ref = EvidenceRef(evidence_id=f"ev-{number}", title="t")
        table.put(keys.evidence_index(SCOPE, "one", f"ev-{number}"), ref.model_dump(mode="json"))
    kinds = (
        "ACTION#1",
        "APPROVAL#1",
        "DECISION#1",
        "INCIDENT",
        "LEASE",
        "MESSAGE#1",
        "RECORD",
        "TIMER#x",
        "ZZ",
    )
    for kind in kinds:
        table.put(Key(partition, kind), {})
    table.put(keys.timeline(SCOPE, "two", 1), {})
    with metered(account.client("dynamodb"), table.name) as meter:
        dossier = read_dossier(table, SCOPE, "one")
        assert meter.calls == {"Query": 2}
    assert set(dossier.items) == {*kinds, *(f"EVIDENCE_INDEX#ev-{number}" for number in range(3))}
    assert [ref.evidence_id for ref in dossier.of("EVIDENCE_INDEX", EvidenceRef)] == ["ev-0", "ev-1", "ev-2"]
    assert dossier.of("EVIDENCE", EvidenceRef) == []
    assert dossier.at(keys.timeline(SCOPE, "one", 1), TimelineEntry) is None


def test_the_timeline_is_appended_to_with_one_call_and_two_writers_skip_no_number() -> None:
    table = Counted()
    mine, theirs = TimelineStore(table, Noon()), TimelineStore(table, Noon())
    for _ in range(4):
        mine.append(SCOPE, "one", EntryKind.NOTE, "mine")
    assert table.queries == 1
    for number in range(8):
        (theirs if number % 3 else mine).append(SCOPE, "one", EntryKind.NOTE, "either")
    assert [entry.sequence for entry in mine.entries(SCOPE, "one")] == list(range(1, 13))


class Counted(MemoryTable):
    """Counts how often it is looked through."""

    def __init__(self) -> None:
        super().__init__()
        self.queries = 0

    def query(self, *args: Any, **kwargs: Any) -> Iterator[Item]:
        self.queries += 1
        return super().query(*args, **kwargs)


class MeetsTransactions:
    """A client whose writes of single items meet somebody's transaction so many times."""

    def __init__(self, client: Any, times: int) -> None:
        self.client, self.left = client, times

    def __getattr__(self, name: str) -> Any:
        call = getattr(self.client, name)

        def met(**asked: Any) -> Any:
            if name in {"put_item", "delete_item"} and self.left:
                self.left -= 1
                raise ClientError({"Error": {"Code": "TransactionConflictException", "Message": "met"}}, name)
            return call(**asked)

        return met


def test_a_write_that_meets_a_transaction_is_made_again_and_not_taken_for_lost(
    account: SimulatedAccount,
) -> None:
    shared = new_table(account)
    waits: list[float] = []
    key = Key("p", "s")

    def meeting(times: int) -> RecordTable:
        client: Any = MeetsTransactions(account.client("dynamodb"), times)
        return RecordTable(client, shared.name, sleep=waits.append)

    assert meeting(3).create(key, {"by": "me"})
    assert not meeting(3).create(key, {"by": "another"})
    found = shared.get(key)
    assert found is not None
    assert meeting(2).replace(found, {"by": "me again"}).version == 2
    meeting(1).put(key, {"by": "whoever"})
    meeting(7).delete(key)
    assert shared.get(key) is None
    assert len(waits) == 16
    assert sum(waits[-7:]) < 3
    with pytest.raises(ClientError, match="TransactionConflict"):
        meeting(8).create(key, {})
