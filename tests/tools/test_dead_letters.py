"""Dead letters are offered back only where their consumer is seen to work."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from memory.records.config import Topology
from memory.records.plan import Considered, PlannedAction
from tests.tools.stand_ins import NOW, ScriptedAccess, StillClock
from tools.remedies.dead_letters import put_back
from tools.remedies.place import Place

ARN = "arn:aws:sqs:us-east-1:123456789012:"


@dataclass(frozen=True)
class Feeding:
    """A function whose alias is fed by a queue."""

    def list_aliases(self, FunctionName: str) -> dict[str, Any]:
        return {"Aliases": [{"Name": "live"}]}

    def list_event_source_mappings(self, FunctionName: str) -> dict[str, Any]:
        fed = [{"EventSourceArn": f"{ARN}orders"}] if FunctionName.endswith(":live") else []
        return {"EventSourceMappings": fed}


@dataclass(frozen=True)
class Queues:
    """A queue, and its dead letters."""

    dead: int
    tasks: list[dict[str, Any]] = field(default_factory=list)

    def get_queue_url(self, QueueName: str) -> dict[str, str]:
        return {"QueueUrl": QueueName}

    def get_queue_attributes(self, QueueUrl: str, AttributeNames: list[str]) -> dict[str, Any]:
        if QueueUrl == "dead":
            return {"Attributes": {"QueueArn": f"{ARN}dead", "ApproximateNumberOfMessages": str(self.dead)}}
        policy = {"deadLetterTargetArn": f"{ARN}dead", "maxReceiveCount": 5}
        return {"Attributes": {"QueueArn": f"{ARN}orders", "RedrivePolicy": json.dumps(policy)}}

    def list_message_move_tasks(self, SourceArn: str, MaxResults: int) -> dict[str, Any]:
        return {"Results": self.tasks}


@dataclass(frozen=True)
class Metrics:
    """What the function's metrics sum up to within the one minute that has a point."""

    invocations: int
    errors: int

    def get_metric_data(self, MetricDataQueries: list[dict[str, Any]], **_: Any) -> dict[str, Any]:
        values = {"invocations": self.invocations, "errors": self.errors}
        return {
            "MetricDataResults": [
                {"Id": one["Id"], "Timestamps": [NOW], "Values": [values[one["Id"]]]}
                for one in MetricDataQueries
            ]
        }


def found(dead: int, invocations: int, errors: int) -> list[PlannedAction | Considered]:
    tasks = [{"StartedTimestamp": 17, "Status": "COMPLETED"}, {"StartedTimestamp": 4, "Status": "COMPLETED"}]
    clients: dict[str, Any] = {
        "lambda": Feeding(),
        "sqs": Queues(dead, tasks),
        "cloudwatch": Metrics(invocations, errors),
    }
    return list(
        put_back(Place(ScriptedAccess("us-east-1", clients=clients), Topology(), StillClock()), "confirm")
    )


def test_they_go_back_after_the_newest_move_where_the_function_works() -> None:
    (offer,) = found(dead=7, invocations=30, errors=0)

    assert isinstance(offer, PlannedAction)
    assert offer.parameters == {"dead_letter_queue": "dead", "queue": "orders", "after": 17}
    assert offer.why == "7 messages of orders wait in dead, and confirm works without errors again"


@pytest.mark.parametrize(
    ("invocations", "errors", "said"), [(30, 2, "failed 2 times in 5 minutes"), (0, 0, "is not known")]
)
def test_they_stay_while_the_function_fails_or_is_not_seen_to_work(
    invocations: int, errors: int, said: str
) -> None:
    (left,) = found(dead=7, invocations=invocations, errors=errors)

    assert isinstance(left, Considered) and said in left.why_not and "7 messages wait" in left.why_not


def test_without_dead_letters_there_is_nothing_to_say() -> None:
    assert found(dead=0, invocations=30, errors=0) == []
