"""Let SQS move what its consumer cannot work on out of the way, into the queue's dead-letter queue.

A message that was received more often than maxReceiveCount is moved by SQS itself: it is durable in the dead-letter
queue before it leaves the queue, so nothing is lost and nothing has to be copied by hand. Where a Lambda function
consumes the queue and does not report single failures, a batch fails as a whole, and its messages are moved together:
up to a batch of messages that can be read goes along with the one that cannot
(https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html). For a standard queue its age counts from
when it was first sent, so the dead-letter queue must keep messages longer than the queue
(https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html).
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import Field

from memory.records.alarm import Metric
from memory.records.plan import Direction, ExpectedSignal, Risk
from memory.records.scope import Scope
from tools.actions.base import BlastRadius, IamStatement, Parameters, Reversibility, State
from tools.actions.sqs_queue import QUEUE, READS, one_queue, queue_arn, read_queue
from tools.aws.access import AwsAccess
from tools.aws.pages import pages

FEWEST_RECEIVES = 5
"""AWS's advice for a queue that a Lambda function consumes: fewer would give up what a short outage fails."""
MOVED_SECONDS = 1200
_PAGES = 20


class SqsQuarantine(Parameters):
    """Which queue gives up messages after how many receives, and to where."""

    queue: str = Field(pattern=QUEUE, description="The queue's name.")
    dead_letter_queue: str = Field(
        pattern=QUEUE, description="Its dead-letter queue, where messages are kept."
    )
    max_receives: int = Field(
        ge=1, le=1000, description="How often a message is received before it is moved."
    )


@dataclass(frozen=True)
class SqsQuarantinePoison:
    """Lowers how often a queue's messages are tried before they are put aside."""

    name: str = "sqs_quarantine_poison"
    description: str = (
        "Move messages that failed again and again to the queue's dead-letter queue, by lowering its maxReceiveCount. "
        "Use it when a message that its consumer cannot read holds up the messages behind it."
    )
    effect: str = (
        "At its next receive SQS moves each message that was received that often to the dead-letter queue, and what "
        "waited behind it goes on. A consumer that fails whole batches takes along what shared the message's batch."
    )
    risk: Risk = Risk.MEDIUM
    repeatable: bool = True
    reads: tuple[str, ...] = (*READS, "lambda:ListEventSourceMappings")
    preconditions: tuple[str, ...] = (
        "the queue has that dead-letter queue, it is there, and it keeps messages at least as long as the queue",
        f"the new maxReceiveCount is lower than the present one, and at least {FEWEST_RECEIVES}",
    )
    blast: str = (
        "none of the queue's capacity, so the share is zero; the text says how many messages that can be read may be "
        "put aside with one that cannot, by the batch size of the functions that fail whole batches"
    )
    reversibility: Reversibility = Reversibility.INVERSE
    way_back: str = "the maxReceiveCount is set to what it is now; what was moved waits for a redrive"
    parameters: type[SqsQuarantine] = SqsQuarantine
    example: dict[str, Any] = field(
        default_factory=lambda: {"queue": "orders", "dead_letter_queue": "orders-dead", "max_receives": 5}
    )
    example_state: State = field(
        default_factory=lambda: {
            "found": True,
            "queue_arn": "arn:aws:sqs:eu-west-1:111122223333:orders",
            "url": "https://sqs.eu-west-1.amazonaws.com/111122223333/orders",
            "waiting": 200,
            "in_work": 10,
            "retention_seconds": 345_600,
            "has_own_key": False,
            "dead_letter_arn": "arn:aws:sqs:eu-west-1:111122223333:orders-dead",
            "dead_letter_queue": "orders-dead",
            "max_receives": 100,
            "dead": {
                "found": True,
                "queue_arn": "arn:aws:sqs:eu-west-1:111122223333:orders-dead",
                "retention_seconds": 1_209_600,
            },
            "put_aside": 0,
            "along": 9,
        }
    )

    def permissions(self, params: SqsQuarantine, scope: Scope) -> tuple[IamStatement, ...]:
        """Return what the caller must be allowed, and no more."""
        queue, dead = queue_arn(scope, params.queue), queue_arn(scope, params.dead_letter_queue)
        return (
            IamStatement(actions=READS, resources=(queue, dead)),
            IamStatement(actions=("sqs:SetQueueAttributes",), resources=(queue,)),
            IamStatement(actions=("lambda:ListEventSourceMappings",), resources=("*",)),
        )

    def target(self, params: SqsQuarantine) -> str:
        """Name what is acted on."""
        return one_queue(params.queue)

    def targets(self, params: SqsQuarantine) -> tuple[str, ...]:
        """Name both queues: messages leave the one and fill the other."""
        return (one_queue(params.queue), one_queue(params.dead_letter_queue))

    def read_state(self, access: AwsAccess, params: SqsQuarantine) -> State:
        """Read the queue, and the place where its messages would go."""
        state = read_queue(access, params.queue)
        if not state["found"]:
            return state
        dead = read_queue(access, params.dead_letter_queue)
        kept = {key: dead.get(key) for key in ("found", "queue_arn", "retention_seconds")}
        along = _along(access, state["queue_arn"])
        return {**state, "dead": kept, "put_aside": dead.get("waiting", 0), "along": along}

    def bound(self, state: State) -> State:
        """Bind the redrive policy in place, how long either queue keeps messages, and how many go along."""
        keys = ("found", "queue_arn", "retention_seconds", "dead_letter_arn", "max_receives", "dead", "along")
        return {key: state.get(key) for key in keys}

    def expected(self, params: SqsQuarantine, state: State) -> tuple[ExpectedSignal, ...]:
        """The oldest message gets younger: what held the others up is gone."""
        if not state["found"]:
            return ()
        age = Metric(
            namespace="AWS/SQS",
            name="ApproximateAgeOfOldestMessage",
            dimensions={"QueueName": params.queue},
            stat="Maximum",
            period_seconds=60,
        )
        return (
            ExpectedSignal(
                text=f"the oldest message of {params.queue} gets younger",
                direction=Direction.FALLS,
                within_seconds=MOVED_SECONDS,
                metric=age,
            ),
        )

    def blast_radius(self, params: SqsQuarantine, state: State) -> BlastRadius:
        """Take nothing of what the queue can do away, and say how many messages may go along with one."""
        if not state["found"]:
            return BlastRadius(text=f"no queue {params.queue}", share=1.0)
        text = (
            f"messages of {params.queue} that were received {params.max_receives} times go to "
            f"{params.dead_letter_queue} and are kept there until somebody redrives them; {_said(state['along'])}"
        )
        return BlastRadius(text=text, share=0.0)

    def problems(self, params: SqsQuarantine, state: State, *, undoing: bool = False) -> tuple[str, ...]:
        """Return every reason not to do this to the queue as it is."""
        if not state["found"]:
            return (f"there is no queue {params.queue}",)
        now, dead = state["max_receives"], state["dead"]
        if now is None or state["dead_letter_queue"] != params.dead_letter_queue:
            return (f"{params.dead_letter_queue} is not the dead-letter queue of {params.queue}",)
        reasons = [
            (
                not dead["found"],
                f"there is no queue {params.dead_letter_queue}: messages would have no place",
            ),
            (params.max_receives == now, f"messages are put aside after {now} receives already"),
            (
                not undoing and params.max_receives > now,
                f"{params.max_receives} receives are more than {now}",
            ),
            (
                not undoing and params.max_receives < FEWEST_RECEIVES,
                f"fewer than {FEWEST_RECEIVES} receives give up what a short outage fails",
            ),
            (
                dead["found"] and dead["retention_seconds"] < state["retention_seconds"],
                f"{params.dead_letter_queue} keeps messages for a shorter time than {params.queue}",
            ),
        ]
        return tuple(text for stands, text in reasons if stands)

    def inverse(self, params: SqsQuarantine, state: State) -> dict[str, Any] | None:
        """Return the parameters that bring the present limit back."""
        if not state["found"] or state["max_receives"] is None:
            return None
        return {**params.model_dump(), "max_receives": state["max_receives"]}

    def call(self, access: AwsAccess, params: SqsQuarantine, state: State, token: str) -> dict[str, Any]:
        """Set the limit; the dead-letter queue stays what it was."""
        policy = json.dumps(
            {"deadLetterTargetArn": state["dead_letter_arn"], "maxReceiveCount": params.max_receives},
            separators=(",", ":"),
        )
        access.client("sqs").set_queue_attributes(QueueUrl=state["url"], Attributes={"RedrivePolicy": policy})
        return {"max_receives": params.max_receives}

    def holds(self, params: SqsQuarantine, state: State) -> bool:
        """Say whether the queue has the limit, and the place behind it."""
        if not state["found"] or state["dead_letter_queue"] != params.dead_letter_queue:
            return False
        return bool(state["max_receives"] == params.max_receives)

    def settled(self, access: AwsAccess, params: SqsQuarantine, answer: Mapping[str, Any]) -> bool | None:
        """Say whether the limit is in place; SQS takes up to a minute."""
        return True if self.holds(params, self.read_state(access, params)) else None


def _along(access: AwsAccess, queue_arn: str) -> int | None:
    """Return how many messages may share a failed batch with one that cannot be read; None where no function consumes.

    A function that reports single failures gives back those alone
    (https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting).
    """
    consuming = [one for one in _mappings(access, queue_arn) if one.get("State") != "Disabled"]
    whole = [
        one for one in consuming if "ReportBatchItemFailures" not in one.get("FunctionResponseTypes", [])
    ]
    return max((int(one["BatchSize"]) - 1 for one in whole), default=0) if consuming else None


def _mappings(access: AwsAccess, queue_arn: str) -> Iterator[Mapping[str, Any]]:
    """Tell every mapping of the queue, however many pages Lambda makes of them."""
    call, of = access.client("lambda").list_event_source_mappings, f"the list of what consumes {queue_arn}"
    for page in pages(call, {"EventSourceArn": queue_arn}, _PAGES, of, told="NextMarker", asked="Marker"):
        yield from page["EventSourceMappings"]


def _said(along: int | None) -> str:
    if along is None:
        return "how many messages share a batch is not known, since no function consumes the queue"
    if along == 0:
        return "no other message goes along"
    return f"up to {along} messages that can be read go along with each one that cannot, as its batch fails as a whole"
