"""Functions over the API, and the queues they work on."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from simulator.workload.queues import Backlog, QueueSettings
from simulator.world import QueueWorld
from tests.simulated import SimulatedAccount, StartAccount, accounts

FUNCTION, QUEUE, DEAD = "orders-events", "order-events.fifo", "order-events-dead.fifo"


@pytest.fixture(scope="module")
def account() -> Iterator[SimulatedAccount]:
    with accounts() as start:
        yield start("poison-message", history_hours=0.2)


def refused(call: Any, **parameters: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    return str(caught.value.response["Error"]["Code"])


def url(account: SimulatedAccount, queue: str) -> str:
    return str(account.client("sqs").get_queue_url(QueueName=queue)["QueueUrl"])


def attributes(account: SimulatedAccount, queue: str) -> dict[str, str]:
    asked = account.client("sqs").get_queue_attributes(QueueUrl=url(account, queue), AttributeNames=["All"])
    return dict(asked["Attributes"])


def test_a_function_shows_its_versions_and_where_its_alias_points(account: SimulatedAccount) -> None:
    client = account.client("lambda")

    versions = client.list_versions_by_function(FunctionName=FUNCTION)["Versions"]
    alias = client.get_alias(FunctionName=FUNCTION, Name="live")
    behind = client.get_function(FunctionName=FUNCTION, Qualifier="live")

    assert [one["Version"] for one in versions] == ["$LATEST", "6", "7"]
    assert alias["FunctionVersion"] == "7"
    assert behind["Configuration"]["Version"] == "7"
    assert behind["Code"]["ImageUri"].endswith("order-confirmer:0.18.0")
    (mapping,) = client.list_event_source_mappings(FunctionName=FUNCTION)["EventSourceMappings"]
    assert mapping["EventSourceArn"].endswith(QUEUE)
    assert mapping["FunctionArn"].endswith(":live")
    pages = client.get_paginator("list_versions_by_function").paginate(
        FunctionName=FUNCTION, PaginationConfig={"PageSize": 2}
    )
    assert [len(one["Versions"]) for one in pages] == [2, 1]


def test_what_does_not_exist_is_refused(account: SimulatedAccount) -> None:
    client = account.client("lambda")

    assert refused(client.get_function, FunctionName="nonesuch") == "ResourceNotFoundException"
    missing = {"FunctionName": FUNCTION, "Name": "live", "FunctionVersion": "99"}
    assert refused(client.update_alias, **missing) == "ResourceNotFoundException"
    image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/nonesuch:1"
    code = refused(client.update_function_code, FunctionName=FUNCTION, ImageUri=image)
    assert code == "InvalidParameterValueException"
    reserve = {"FunctionName": FUNCTION, "ReservedConcurrentExecutions": 950}
    assert refused(client.put_function_concurrency, **reserve) == "InvalidParameterValueException"


def test_a_poison_message_waits_in_the_real_queue_until_its_redrive_policy_lets_it_go(
    account: SimulatedAccount,
) -> None:
    account.advance(minutes=8)
    held_back = attributes(account, QUEUE)
    assert int(held_back["ApproximateNumberOfMessages"]) > 100
    assert int(held_back["ApproximateNumberOfMessagesNotVisible"]) > 0
    assert attributes(account, DEAD)["ApproximateNumberOfMessages"] == "0"

    policy = json.loads(held_back["RedrivePolicy"]) | {"maxReceiveCount": 5}
    sqs = account.client("sqs")
    sqs.set_queue_attributes(QueueUrl=url(account, QUEUE), Attributes={"RedrivePolicy": json.dumps(policy)})
    account.advance(minutes=2)

    dead = sqs.receive_message(QueueUrl=url(account, DEAD), MaxNumberOfMessages=10)["Messages"]
    assert [one for one in dead if "currency" not in one["Body"]]
    lines = account.client("logs").filter_log_events(
        logGroupName=f"/aws/lambda/{FUNCTION}", filterPattern='"KeyError"'
    )["events"]
    assert any(one["MessageId"] in line["message"] for one in dead for line in lines)


def test_the_platforms_lines_frame_each_invocation(account: SimulatedAccount) -> None:
    account.advance(minutes=1)
    lines = account.client("logs").filter_log_events(
        logGroupName=f"/aws/lambda/{FUNCTION}", filterPattern='"REPORT RequestId"'
    )["events"]

    assert "Billed Duration:" in lines[-1]["message"]
    assert "Max Memory Used:" in lines[-1]["message"]


def test_a_redrive_brings_the_dead_letters_back(
    account: SimulatedAccount, simulated_account: StartAccount
) -> None:
    other = simulated_account("bad-function", history_hours=0.2)
    other.advance(minutes=14)
    dead = int(attributes(other, DEAD)["ApproximateNumberOfMessages"])
    assert dead > 0
    sqs, arn = other.client("sqs"), attributes(other, DEAD)["QueueArn"]

    started = sqs.start_message_move_task(SourceArn=arn)

    assert started["TaskHandle"]
    assert attributes(other, DEAD)["ApproximateNumberOfMessages"] == "0"
    (task,) = sqs.list_message_move_tasks(SourceArn=arn)["Results"]
    assert (task["Status"], task["ApproximateNumberOfMessagesMoved"]) == ("COMPLETED", dead)
    assert refused(sqs.start_message_move_task, SourceArn=attributes(other, QUEUE)["QueueArn"])


def test_what_is_sent_before_an_accounts_first_minute_is_kept(simulated_account: StartAccount) -> None:
    account = simulated_account("false-alarm", history_hours=0.2)
    given = {"MessageGroupId": "1", "MessageDeduplicationId": "1"}
    account.client("sqs").send_message(QueueUrl=url(account, DEAD), MessageBody="{}", **given)

    account.advance(minutes=2)

    assert attributes(account, DEAD)["ApproximateNumberOfMessages"] == "1"


def test_throttled_invocations_are_counted_and_nothing_is_confirmed(simulated_account: StartAccount) -> None:
    account = simulated_account("false-alarm", history_hours=0.2)
    account.client("lambda").put_function_concurrency(FunctionName=FUNCTION, ReservedConcurrentExecutions=0)
    account.advance(minutes=3)

    def total(metric: str) -> float:
        now = account.now()
        points = account.client("cloudwatch").get_metric_data(
            StartTime=now - timedelta(minutes=2),
            EndTime=now,
            MetricDataQueries=[
                {
                    "Id": "m",
                    "MetricStat": {
                        "Metric": {
                            "Namespace": "AWS/Lambda",
                            "MetricName": metric,
                            "Dimensions": [{"Name": "FunctionName", "Value": FUNCTION}],
                        },
                        "Period": 60,
                        "Stat": "Sum",
                    },
                }
            ],
        )["MetricDataResults"][0]["Values"]
        return float(sum(points))

    assert total("Throttles") > 0
    assert total("Invocations") == 0


def backlog(name: str, *, max_receives: int = 3) -> Backlog:
    return Backlog(QueueWorld(name=name, groups=2), QueueSettings(30, "dead", max_receives))


def test_a_failed_batch_holds_up_its_message_group_and_no_other() -> None:
    queue = backlog("q.fifo")
    for second in range(4):
        queue.send(float(second))
    lane = queue.lanes[0]

    batch = queue.receive(lane, 10, 5.0)
    queue.failed(lane, batch, 5.0)

    assert [one.number for one in batch] == [1, 3]
    assert lane.next_at() == 35.0
    assert queue.lanes[1].next_at() == 1.0
    assert queue.oldest() == 0.0


def test_a_failed_batch_of_a_standard_queue_comes_back_later() -> None:
    queue = backlog("q")
    queue.send(0.0)
    lane = queue.lanes[0]

    queue.failed(lane, queue.receive(lane, 10, 1.0), 1.0)
    queue.send(2.0)
    queue.send(3.0)

    assert lane.next_at() == 3.0
    queue.come_back(32.0)
    assert [one.number for one in lane.waiting] == [1, 3]


def test_what_was_received_too_often_is_dying() -> None:
    queue = backlog("q.fifo", max_receives=2)
    message = queue.send(0.0)
    message.receives = 2

    assert queue.dying([message]) == [message]
    queue.settings = QueueSettings(30, None, 2)
    assert queue.dying([message]) == []
