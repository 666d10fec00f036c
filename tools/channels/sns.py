"""Send a message to an SNS topic (https://docs.aws.amazon.com/sns/latest/api/API_Publish.html)."""

from dataclasses import dataclass
from typing import Any

from memory.records.message import Message
from tools.aws.access import AwsAccess

SUBJECT_CHARS = 99
BODY_BYTES = 250_000
"""SNS takes 262,144 bytes, attributes included."""


@dataclass(frozen=True)
class SnsChannel:
    """Publishes to one topic; the send key travels along, so that a receiver can tell a repeat."""

    access: AwsAccess
    topic_arn: str
    name: str = "sns"

    def send(self, message: Message) -> str:
        """Publish and return SNS's message id."""
        attributes = {
            "send_key": message.send_key,
            "incident_id": message.incident_id,
            "audience": message.audience.value,
        }
        request: dict[str, Any] = {
            "TopicArn": self.topic_arn,
            "Subject": _subject(message.subject),
            "Message": _body(message.body),
            "MessageAttributes": {
                key: {"DataType": "String", "StringValue": value} for key, value in attributes.items()
            },
        }
        if self.topic_arn.endswith(".fifo"):
            request["MessageGroupId"] = message.incident_id
            request["MessageDeduplicationId"] = message.send_key[:128]
        return str(self.access.client("sns").publish(**request)["MessageId"])


def _subject(text: str) -> str:
    """Return a subject that SNS takes: printable ASCII, one line, under a hundred characters."""
    ascii_only = text.encode("ascii", errors="replace").decode()
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in ascii_only).split())
    return line[:SUBJECT_CHARS].strip() or "incident"


def _body(text: str) -> str:
    """Return a body that SNS takes: not empty, not over its limit."""
    cut = text.encode("utf-8", errors="replace")[:BODY_BYTES].decode("utf-8", errors="ignore")
    return cut or "(no text)"
