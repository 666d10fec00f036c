"""The benchmark's store: what it counts is what DynamoDB would bill, and savers find DynamoDB in it."""

import base64
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from evals.bench.checkpoints import Plan, measure, tables
from evals.bench.checkpoints_savers import OURS, PEER, started_store
from evals.bench.checkpoints_units import item_bytes, read_units, write_units
from tests.simulated import SimulatedAccount


@pytest.mark.parametrize("size", [1, 900, 5000, 40_000])
def test_units_are_counted_by_dynamodbs_rules(
    shared_accounts: Callable[..., SimulatedAccount], size: int
) -> None:
    client, name = shared_accounts().client("dynamodb"), f"units-{uuid.uuid4().hex}"
    client.create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    item: Any = {"pk": {"S": "é" * 20}, "body": {"B": b"x" * size}, "at": {"N": "1764000000000"}}
    put = client.put_item(TableName=name, Item=item, ReturnConsumedCapacity="TOTAL")
    wire = {**item, "body": {"B": base64.b64encode(item["body"]["B"]).decode()}}
    assert put["ConsumedCapacity"]["CapacityUnits"] == write_units(wire)
    assert read_units([wire], consistent=True) == 2 * read_units([wire], consistent=False) == size // 4096 + 1
    assert (
        item_bytes({"key": {"M": {"sk": {"S": "abc"}}}, "gone": {"BOOL": True}}) == 3 + 3 + 2 + 3 + 1 + 4 + 1
    )


def test_the_store_refuses_what_it_does_not_know_and_what_is_too_large() -> None:
    with started_store() as store:
        client = store.client()
        with pytest.raises(ClientError, match="not known here"):
            client.delete_table(TableName="ours")
        with pytest.raises(ClientError, match="maximum allowed size"):
            client.put_item(
                TableName="ours", Item={"pk": {"S": "a"}, "sk": {"S": "b"}, "x": {"B": b"x" * 409_600}}
            )


@pytest.fixture(scope="module")
def measured() -> Any:
    return measure(Plan(delays=(0.01,), at_once=(10,), rounds=1, long=20))


def test_a_run_of_six_steps_takes_few_calls_and_little_is_written(measured: Any) -> None:
    ours, peer = (measured[name].one_run[0.01].counted for name in (OURS, PEER))
    assert peer["calls"] == 69
    assert ours["calls"] <= 12
    assert ours["write units"] <= 0.6 * peer["write units"]


def test_states_and_histories_are_read_in_two_calls(measured: Any) -> None:
    ours = measured[OURS]
    assert ours.state.counted["calls"] <= 2
    assert ours.history[10].counted["calls"] <= 2


def test_runs_at_once_are_faster_than_the_peers(measured: Any) -> None:
    assert measured[PEER].parallel[10].seconds > 2 * measured[OURS].parallel[10].seconds
    assert measured[OURS].parallel[10].counted["calls"] < 90


def test_every_figure_stands_in_the_tables(measured: Any) -> None:
    text = tables(measured, Plan(delays=(0.01,), at_once=(10,), rounds=1, long=20))
    assert all(text.count(f"| {name} |") == 3 for name in measured)
