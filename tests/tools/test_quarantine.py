"""A message that nobody can read is put aside whole, and what waits behind it goes on: nothing is lost."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from memory.records.assessment import CauseKind
from memory.records.outcome import ExecutionState
from memory.records.plan import Plan
from memory.table import table_definition
from tests.simulated import SimulatedAccount, StartAccount
from tests.tools.bench import HIGH, TABLE, bench
from tests.tools.stand_ins import ScriptedAccess
from tools.actions.registry import ACTIONS
from tools.actions.sqs_quarantine import SqsQuarantine, SqsQuarantinePoison
from tools.inspection import inspect

QUEUE, DEAD = "order-events.fifo", "order-events-dead.fifo"
BATCH = 10


def kept(account: SimulatedAccount, queue: str) -> list[dict[str, Any]]:
    """The bodies of all messages of a queue, which come back to it later."""
    sqs = account.client("sqs")
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    asked = {"QueueUrl": url, "MaxNumberOfMessages": 10, "VisibilityTimeout": 60}
    found: list[dict[str, Any]] = []
    while batch := sqs.receive_message(**asked).get("Messages", []):
        found += [json.loads(one["Body"]) for one in batch]
    return found


def lost(account: SimulatedAccount) -> float:
    now = account.now()
    answer = account.client("cloudwatch").get_metric_statistics(
        Namespace="Storefront",
        MetricName="OrdersLost",
        Dimensions=[{"Name": "Service", "Value": "orders-events"}],
        StartTime=now.replace(hour=0),
        EndTime=now,
        Period=86_400,
        Statistics=["Sum"],
    )
    return sum(one["Sum"] for one in answer["Datapoints"])


@dataclass(frozen=True)
class Queues:
    """Two queues, of which the second keeps the first one's dead letters."""

    def get_queue_url(self, QueueName: str) -> dict[str, str]:
        return {"QueueUrl": f"https://sqs/{QueueName}"}

    def get_queue_attributes(self, QueueUrl: str, AttributeNames: list[str]) -> dict[str, Any]:
        arn = f"arn:aws:sqs:us-east-1:123456789012:{QueueUrl.rpartition('/')[2]}"
        policy = {"deadLetterTargetArn": f"{arn}-dead", "maxReceiveCount": 1000}
        return {"Attributes": {"QueueArn": arn, "RedrivePolicy": json.dumps(policy)}}


@dataclass(frozen=True)
class Consumers:
    """The event source mappings of the queue."""

    mappings: list[dict[str, Any]]

    def list_event_source_mappings(self, EventSourceArn: str) -> dict[str, Any]:
        assert EventSourceArn.endswith(":orders")
        return {"EventSourceMappings": self.mappings}


@pytest.mark.parametrize(
    ("mappings", "said"),
    [
        ([{"BatchSize": 10, "State": "Enabled"}], "up to 9 messages that can be read go along"),
        ([{"BatchSize": 1, "State": "Enabled"}], "no other message goes along"),
        (
            [{"BatchSize": 10, "State": "Enabled", "FunctionResponseTypes": ["ReportBatchItemFailures"]}],
            "no other message goes along",
        ),
        ([{"BatchSize": 10, "State": "Disabled"}], "is not known"),
        ([], "is not known"),
    ],
)
def test_it_is_said_beforehand_how_many_good_messages_go_along(
    mappings: list[dict[str, Any]], said: str
) -> None:
    action = SqsQuarantinePoison()
    params = SqsQuarantine(queue="orders", dead_letter_queue="orders-dead", max_receives=5)
    clients: dict[str, Any] = {"sqs": Queues(), "lambda": Consumers(mappings)}

    state = action.read_state(ScriptedAccess("us-east-1", clients=clients), params)

    assert said in action.blast_radius(params, state).text
    assert action.problems(params, state) == ()


@pytest.mark.slow
def test_a_poison_message_is_kept_whole_and_the_orders_behind_it_are_confirmed(
    simulated_account: StartAccount,
) -> None:
    account = simulated_account("poison-message")
    account.client("dynamodb").create_table(**table_definition(TABLE))
    account.advance(minutes=14)
    at = bench(account, "quarantine")
    (option,) = at.options(CauseKind.MESSAGE, QUEUE)
    plan = Plan(actions=(option,))
    assert kept(account, DEAD) == []
    told = inspect(at.access, option, ACTIONS).blast
    assert f"up to {BATCH - 1} messages that can be read go along with each" in told.text
    at.approve(plan)

    done = at.executor.execute(at.incident, plan, 0, HIGH)
    account.advance_until("order-events-age", "OK", minutes=25)

    put_aside = kept(account, DEAD)
    assert done.state is ExecutionState.DONE
    # The consumer fails whole batches, so what shared the message's batch is kept there with it.
    (poison,) = [body for body in put_aside if "order_id" in body]
    assert "currency" not in poison and len(put_aside) <= BATCH
    assert account.calls("DeleteMessage") == [] and account.calls("PurgeQueue") == []
    assert lost(account) == 0.0
