"""Send a message to the on-call topic."""

from dataclasses import dataclass

from memory.records.message import Message
from tools.aws.access import AwsAccess

SUBJECT_CHARS = 99


@dataclass(frozen=True)
class SnsChannel:
    """Publishes to one SNS topic; the send key travels with the message, so that a receiver can tell a repeat."""

    access: AwsAccess
    topic_arn: str
    name: str = "sns"

    def send(self, message: Message) -> str:
        """Publish and return SNS's message id."""
        answer = self.access.client("sns").publish(
            TopicArn=self.topic_arn,
            Subject=_subject(message.subject),
            Message=message.body,
            MessageAttributes={
                "send_key": {"DataType": "String", "StringValue": message.send_key},
                "incident_id": {"DataType": "String", "StringValue": message.incident_id},
                "audience": {"DataType": "String", "StringValue": message.audience.value},
            },
        )
        return str(answer["MessageId"])


def _subject(text: str) -> str:
    """Return a subject that SNS takes: ASCII, one line, under a hundred characters."""
    plain = " ".join(text.encode("ascii", errors="replace").decode().split())
    return plain[:SUBJECT_CHARS] or "incident"
