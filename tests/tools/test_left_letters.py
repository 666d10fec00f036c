"""What lies in dead-letter queues when an incident ends is counted and told; what cannot be read is told as such."""

from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from agents.notes import facts_of
from memory.records.evidence import Evidence
from memory.records.outcome import DeadLetters, Execution, ExecutionState
from tests.tools.dials import incident
from tests.tools.stand_ins import NOW, SCOPE, sources
from tools.left_letters import letters_left, queues_met


class Sqs:
    """Dead-letter queues by the number of messages that wait; a queue that is not there is refused."""

    def __init__(self, **waiting: int) -> None:
        self.waiting = waiting

    def get_queue_url(self, QueueName: str) -> dict[str, str]:
        return {"QueueUrl": QueueName}

    def get_queue_attributes(self, QueueUrl: str, AttributeNames: list[str]) -> dict[str, Any]:
        if QueueUrl not in self.waiting:
            raise EndpointConnectionError(endpoint_url=QueueUrl)
        return {"Attributes": {"ApproximateNumberOfMessages": str(self.waiting[QueueUrl])}}


class NoMetrics:
    def get_metric_data(self, MetricDataQueries: list[Any], **_: Any) -> dict[str, Any]:
        return {
            "MetricDataResults": [{"Id": q["Id"], "Timestamps": [], "Values": []} for q in MetricDataQueries]
        }


def seen(tool: str, **result: Any) -> Evidence:
    return Evidence(
        evidence_id="ev-1",
        incident_id="i-1",
        scope=SCOPE,
        title="t",
        source="sqs",
        operation="o",
        tool=tool,
        asked={},
        taken_at=NOW,
        result=result,
        result_sha256="0",
        result_bytes=0,
    )


def executed(state: ExecutionState, **parameters: Any) -> Execution:
    return Execution(
        incident_id="i-1", action_id="a-0", action="a", parameters=parameters, state=state, claimed_at=NOW
    )


def test_queues_are_those_that_were_looked_at_or_acted_on() -> None:
    stored = [
        seen("collected_dead_letters", queue="orders", dead_letters="orders-dead"),
        seen("collected_dead_letters", queue="mails", dead_letters=None),
        seen("queue_health", queue="others", dead_letters={"queue": "others-dead"}),
    ]
    done = [
        executed(ExecutionState.DONE, queue="bills", dead_letter_queue="bills-dead", max_receives=5),
        executed(ExecutionState.REFUSED, queue="tips", dead_letter_queue="tips-dead"),
        executed(ExecutionState.DONE, name="/a"),
    ]

    assert queues_met(stored, done) == {"orders": "orders-dead", "bills": "bills-dead"}


def test_what_waits_is_told_with_its_queue_and_the_way_back() -> None:
    account = sources({"sqs": Sqs(dead=3, empty=0), "cloudwatch": NoMetrics()})

    (left,) = letters_left(account, {"orders": "dead", "mails": "empty"})

    assert (left.queue, left.dead_letter_queue, left.waiting) == ("orders", "dead", 3)
    said = facts_of(incident(), left=[left])["dead_letters"]
    assert said.startswith("3 messages of orders wait in dead.")
    assert "sqs_redrive (dead_letter_queue=dead, queue=orders)" in said
    assert account.recorder.spend.aws_calls > 0


@pytest.mark.parametrize(("waiting", "said"), [(1, "1 message of q waits in d"), (None, "could not be read")])
def test_one_and_unknown_are_said_as_such(waiting: int | None, said: str) -> None:
    assert said in str(DeadLetters(queue="q", dead_letter_queue="d", waiting=waiting, evidence_id="ev-1"))


def test_a_queue_that_cannot_be_read_is_not_left_out() -> None:
    account = sources({"sqs": Sqs(), "cloudwatch": NoMetrics()})

    (left,) = letters_left(account, {"orders": "dead"})

    assert left.waiting is None
