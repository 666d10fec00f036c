"""The queue that alarm events arrive on."""

from dataclasses import dataclass

from botocore.exceptions import ClientError

from tools.aws.access import AwsAccess
from tools.errors import error_code, not_set_up

MISSING = frozenset({"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"})
"""How SQS says that it has no such queue, by its query protocol and by its JSON one."""


@dataclass(frozen=True)
class Delivery:
    """One received message, and what is needed to say that it is done."""

    body: str
    receipt: str
    receives: int


@dataclass(frozen=True)
class IncidentQueue:
    """Receives events at least once; what is not marked done comes again, and lands in the dead letters."""

    access: AwsAccess
    url: str

    def receive(self, wait_seconds: int = 10, most: int = 10) -> list[Delivery]:
        """Return up to ten messages, waiting for the first."""
        answer = self.access.client("sqs").receive_message(
            QueueUrl=self.url,
            MaxNumberOfMessages=most,
            WaitTimeSeconds=wait_seconds,
            MessageSystemAttributeNames=["ApproximateReceiveCount"],
        )
        return [
            Delivery(
                message["Body"],
                message["ReceiptHandle"],
                int(message.get("Attributes", {}).get("ApproximateReceiveCount", 1)),
            )
            for message in answer.get("Messages", [])
        ]

    def done(self, delivery: Delivery) -> None:
        """Mark a message as dealt with."""
        self.access.client("sqs").delete_message(QueueUrl=self.url, ReceiptHandle=delivery.receipt)

    def put_back(self, delivery: Delivery, seconds: int = 5) -> None:
        """Let a message come again after some seconds."""
        self.access.client("sqs").change_message_visibility(
            QueueUrl=self.url, ReceiptHandle=delivery.receipt, VisibilityTimeout=seconds
        )


def open_queue(access: AwsAccess, name: str) -> IncidentQueue:
    """Return the queue of a name; raise `Misconfigured` with the remedy when there is none."""
    try:
        return IncidentQueue(access, str(access.client("sqs").get_queue_url(QueueName=name)["QueueUrl"]))
    except ClientError as error:
        if error_code(error) in MISSING:
            raise not_set_up(error) from error
        raise
