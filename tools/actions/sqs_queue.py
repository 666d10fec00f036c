"""What actions on SQS queues read."""

import json
from typing import Any

from botocore.exceptions import ClientError

from memory.records.scope import Scope
from tools.actions.base import State
from tools.aws.access import AwsAccess

QUEUE = r"^[A-Za-z0-9_-]{1,75}(\.fifo)?$|^[A-Za-z0-9_-]{76,80}$"
READS = ("sqs:GetQueueUrl", "sqs:GetQueueAttributes")
_ATTRIBUTES = [
    "QueueArn",
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "MessageRetentionPeriod",
    "RedrivePolicy",
    "KmsMasterKeyId",
]
# Its own policy lets everybody use it through SQS who may use the queue.
_KEY_OF_SQS = "alias/aws/sqs"
_ABSENT = frozenset({"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"})


def one_queue(queue: str) -> str:
    """Name a queue as what an action changes."""
    return f"SQS queue {queue}"


def queue_arn(scope: Scope, queue: str) -> str:
    """Return a queue's ARN."""
    return f"arn:{scope.partition}:sqs:{scope.region}:{scope.account}:{queue}"


def queue_url(access: AwsAccess, queue: str) -> str | None:
    """Return a queue's URL, or None where there is none of that name."""
    try:
        return str(access.client("sqs").get_queue_url(QueueName=queue)["QueueUrl"])
    except ClientError as error:
        if error.response["Error"]["Code"] in _ABSENT:
            return None
        raise


def read_queue(access: AwsAccess, queue: str) -> State:
    """Read a queue: how much waits, how long it is kept, and where its dead letters go after how many receives."""
    url = queue_url(access, queue)
    if url is None:
        return {"found": False}
    answer = access.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=_ATTRIBUTES)
    attributes: dict[str, str] = answer["Attributes"]
    policy: dict[str, Any] = json.loads(attributes.get("RedrivePolicy") or "{}")
    target = str(policy.get("deadLetterTargetArn", ""))
    return {
        "found": True,
        "queue_arn": attributes["QueueArn"],
        "url": url,
        "waiting": int(attributes.get("ApproximateNumberOfMessages", 0)),
        "in_work": int(attributes.get("ApproximateNumberOfMessagesNotVisible", 0)),
        "retention_seconds": int(attributes.get("MessageRetentionPeriod", 345_600)),
        "has_own_key": attributes.get("KmsMasterKeyId", _KEY_OF_SQS) not in {"", _KEY_OF_SQS},
        "dead_letter_arn": target,
        "dead_letter_queue": target.rpartition(":")[2],
        "max_receives": int(policy["maxReceiveCount"]) if "maxReceiveCount" in policy else None,
    }
