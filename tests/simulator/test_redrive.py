"""Redrives of dead letters over the API.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ListMessageMoveTasks.html
"""

import json
from typing import Any

import pytest

from tests.simulated import SimulatedAccount, StartAccount
from tests.simulator.automation_account import code_of

ARN = "arn:aws:sqs:us-east-1:123456789012:"


@pytest.fixture(scope="module")
def account(shared_accounts: StartAccount) -> SimulatedAccount:
    return shared_accounts("false-alarm", history_hours=3.0)


@pytest.fixture(scope="module")
def sqs(account: SimulatedAccount) -> Any:
    client = account.client("sqs")
    client.create_queue(QueueName="moved-dead")
    policy = json.dumps({"deadLetterTargetArn": f"{ARN}moved-dead", "maxReceiveCount": 1})
    client.create_queue(QueueName="moved", Attributes={"RedrivePolicy": policy})
    return client


def test_dead_letters_go_back_to_their_queue(account: SimulatedAccount, sqs: Any) -> None:
    dead = sqs.get_queue_url(QueueName="moved-dead")["QueueUrl"]
    for body in ("one", "two"):
        sqs.send_message(QueueUrl=dead, MessageBody=body)

    sqs.start_message_move_task(SourceArn=f"{ARN}moved-dead", MaxNumberOfMessagesPerSecond=500)

    back = sqs.receive_message(
        QueueUrl=sqs.get_queue_url(QueueName="moved")["QueueUrl"], MaxNumberOfMessages=10
    )["Messages"]
    assert {one["Body"] for one in back} == {"one", "two"}
    (task,) = sqs.list_message_move_tasks(SourceArn=f"{ARN}moved-dead")["Results"]
    assert (task["Status"], task["ApproximateNumberOfMessagesMoved"]) == ("COMPLETED", 2)
    assert task["StartedTimestamp"] == int(account.now().timestamp() * 1000)
    assert task["MaxNumberOfMessagesPerSecond"] == 500
    sqs.start_message_move_task(SourceArn=f"{ARN}moved-dead")
    listed = sqs.list_message_move_tasks(SourceArn=f"{ARN}moved-dead", MaxResults=10)["Results"]
    assert "MaxNumberOfMessagesPerSecond" not in listed[0]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"SourceArn": f"{ARN}nowhere"}, "ResourceNotFoundException"),
        ({"SourceArn": f"{ARN}moved-dead", "DestinationArn": f"{ARN}nowhere"}, "ResourceNotFoundException"),
        ({"SourceArn": f"{ARN}moved"}, "InvalidParameterValue"),
        ({"SourceArn": f"{ARN}moved-dead", "MaxNumberOfMessagesPerSecond": 501}, "InvalidParameterValue"),
    ],
)
def test_a_redrive_that_cannot_be_is_refused(sqs: Any, given: dict[str, Any], code: str) -> None:
    assert code_of(sqs.start_message_move_task, **given) == code


def test_what_cannot_be_listed_or_cancelled_is_refused(sqs: Any) -> None:
    listed, source = sqs.list_message_move_tasks, f"{ARN}moved-dead"
    assert code_of(listed, SourceArn=f"{ARN}nowhere") == "ResourceNotFoundException"
    assert code_of(listed, SourceArn=source, MaxResults=11) == "InvalidParameterValue"
    assert code_of(sqs.cancel_message_move_task, TaskHandle="unknown") == "ResourceNotFoundException"
    handle = sqs.start_message_move_task(SourceArn=source)["TaskHandle"]
    assert code_of(sqs.cancel_message_move_task, TaskHandle=handle) == "UnsupportedOperation"
