"""Move what a dead-letter queue keeps back to the queue it came from.

StartMessageMoveTask has no client token, and SQS runs one task for a queue at a time; the newest task that was seen is
a parameter, so that one that began since, at the rate that this action asks for, is known to be its own
(https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import Field

from memory.records.base import digest
from memory.records.plan import Direction, ExpectedSignal, Risk
from memory.records.scope import Scope
from tools.actions.base import BlastRadius, IamStatement, Parameters, Reversibility, State
from tools.actions.sqs_queue import QUEUE, READS, one_queue, queue_arn, read_queue
from tools.aws.access import AwsAccess

MOST_MESSAGES = 10_000
_LEAST_RATE, _RATES = 401, 99
_FAILED = frozenset({"FAILED", "CANCELLED", "CANCELLING"})


class SqsRedrive(Parameters):
    """Which dead-letter queue is emptied into which queue."""

    dead_letter_queue: str = Field(pattern=QUEUE, description="The queue whose messages are moved.")
    queue: str = Field(pattern=QUEUE, description="The queue that they go back to.")
    after: int = Field(
        ge=0, description="When the newest move task began, in milliseconds since 1970; 0 without any."
    )


@dataclass(frozen=True)
class SqsRedriveDeadLetters:
    """Redrives a dead-letter queue."""

    name: str = "sqs_redrive"
    description: str = (
        "Move the messages of a dead-letter queue back to the queue they came from. Use it once the reason why they "
        "failed is gone; what fails again returns by itself."
    )
    effect: str = (
        "SQS moves all messages back, a few hundred a second; a FIFO queue gets them behind what waits."
    )
    risk: Risk = Risk.MEDIUM
    repeatable: bool = False
    reads: tuple[str, ...] = (*READS, "sqs:ListMessageMoveTasks")
    preconditions: tuple[str, ...] = (
        "both queues are there, the queue's dead letters go to the other one, and no key of KMS but SQS's own encrypts "
        "either: SQS would use it as the caller",
        f"messages wait, at most {MOST_MESSAGES}, and no move task is running or began since it was looked at",
    )
    blast: str = "the messages that come back among all that the queue then has to work on"
    reversibility: Reversibility = Reversibility.NONE
    way_back: str = (
        "none: what was moved stays in the queue or is worked on, and only what fails again returns; a move that still "
        "runs is for people to cancel (CancelMessageMoveTask)"
    )
    parameters: type[SqsRedrive] = SqsRedrive
    example: dict[str, Any] = field(
        default_factory=lambda: {"dead_letter_queue": "orders-dead", "queue": "orders", "after": 0}
    )
    example_state: State = field(
        default_factory=lambda: {
            "found": True,
            "dead_letter_arn": "arn:aws:sqs:eu-west-1:111122223333:orders-dead",
            "queue_arn": "arn:aws:sqs:eu-west-1:111122223333:orders",
            "feeds": "arn:aws:sqs:eu-west-1:111122223333:orders-dead",
            "has_own_key": False,
            "put_aside": 12,
            "waiting": 3,
            "newest_task": 0,
            "task_status": "",
            "own_task_status": "",
        }
    )

    def permissions(self, params: SqsRedrive, scope: Scope) -> tuple[IamStatement, ...]:
        """Return what the caller must be allowed, and no more; SQS moves the messages as the caller."""
        queue, dead = queue_arn(scope, params.queue), queue_arn(scope, params.dead_letter_queue)
        moving = ("sqs:StartMessageMoveTask", "sqs:ReceiveMessage", "sqs:DeleteMessage")
        return (
            IamStatement(actions=READS, resources=(queue, dead)),
            IamStatement(actions=("sqs:ListMessageMoveTasks", *moving), resources=(dead,)),
            IamStatement(actions=("sqs:SendMessage",), resources=(queue,)),
        )

    def target(self, params: SqsRedrive) -> str:
        """Name what is acted on."""
        return one_queue(params.dead_letter_queue)

    def targets(self, params: SqsRedrive) -> tuple[str, ...]:
        """Name both queues: messages leave the one and fill the other."""
        return (one_queue(params.dead_letter_queue), one_queue(params.queue))

    def read_state(self, access: AwsAccess, params: SqsRedrive) -> State:
        """Read both queues, and the newest task on the dead letters."""
        dead, queue = read_queue(access, params.dead_letter_queue), read_queue(access, params.queue)
        if not dead["found"] or not queue["found"]:
            return {"found": False}
        listed = access.client("sqs").list_message_move_tasks(SourceArn=dead["queue_arn"], MaxResults=10)
        tasks = sorted(listed.get("Results", []), key=lambda one: int(one["StartedTimestamp"]))
        newest, own = tasks[-1] if tasks else {}, _own(params, queue["queue_arn"], tasks)
        return {
            "found": True,
            "dead_letter_arn": dead["queue_arn"],
            "queue_arn": queue["queue_arn"],
            "feeds": queue["dead_letter_arn"],
            "has_own_key": dead["has_own_key"] or queue["has_own_key"],
            "put_aside": dead["waiting"],
            "waiting": queue["waiting"],
            "newest_task": int(newest.get("StartedTimestamp", 0)),
            "task_status": newest.get("Status", ""),
            "own_task_status": own[0].get("Status", "") if own else "",
        }

    def bound(self, state: State) -> State:
        """Bind the two queues and the tasks seen so far; how much waits changes by itself."""
        keys = ("found", "dead_letter_arn", "queue_arn", "feeds", "newest_task")
        return {key: state.get(key) for key in keys}

    def expected(self, params: SqsRedrive, state: State) -> tuple[ExpectedSignal, ...]:
        """The dead-letter queue runs empty."""
        if not state["found"]:
            return ()
        return (
            ExpectedSignal(
                text=f"{params.dead_letter_queue} holds no more messages",
                direction=Direction.FALLS,
                within_seconds=300,
                state_key="put_aside",
                level=0,
            ),
        )

    def blast_radius(self, params: SqsRedrive, state: State) -> BlastRadius:
        """Weigh what comes back against all that the queue then holds."""
        if not state["found"]:
            return BlastRadius(text=f"no queues {params.dead_letter_queue} and {params.queue}", share=1.0)
        moved, after = state["put_aside"], max(state["put_aside"] + state["waiting"], 1)
        text = f"{moved} messages go back to {params.queue}, where {state['waiting']} wait"
        return BlastRadius(text=text, share=moved / after, amount=moved)

    def problems(self, params: SqsRedrive, state: State, *, undoing: bool = False) -> tuple[str, ...]:
        """Return every reason not to do this to the queues as they are."""
        if not state["found"]:
            return (f"there are no queues {params.dead_letter_queue} and {params.queue}",)
        reasons = [
            (
                state["feeds"] != state["dead_letter_arn"],
                f"the dead letters of {params.queue} do not go to {params.dead_letter_queue}",
            ),
            (
                state["has_own_key"],
                "a key of KMS encrypts the messages, and the session may not use it: people move those",
            ),
            (state["put_aside"] < 1, f"{params.dead_letter_queue} is empty"),
            (state["put_aside"] > MOST_MESSAGES, f"more than {MOST_MESSAGES} messages would come back"),
            (state["task_status"] == "RUNNING", "a move task is running"),
            (state["newest_task"] > params.after, "a move task was started since it was looked at"),
        ]
        return tuple(text for stands, text in reasons if stands)

    def inverse(self, params: SqsRedrive, state: State) -> dict[str, Any] | None:
        """Return nothing: what was worked on does not come back."""
        return None

    def call(self, access: AwsAccess, params: SqsRedrive, state: State, token: str) -> dict[str, Any]:
        """Start the move."""
        answer = access.client("sqs").start_message_move_task(
            SourceArn=state["dead_letter_arn"],
            DestinationArn=state["queue_arn"],
            MaxNumberOfMessagesPerSecond=rate_of(params),
        )
        return {"task": answer["TaskHandle"]}

    def holds(self, params: SqsRedrive, state: State) -> bool:
        """Say whether our own task began: another's, begun since as well, is not taken for it."""
        return bool(state["found"]) and bool(state["own_task_status"])

    def settled(self, access: AwsAccess, params: SqsRedrive, answer: Mapping[str, Any]) -> bool | None:
        """Say how our task went; what SQS does not list, or no longer, is not known to have failed."""
        state = self.read_state(access, params)
        if not state["found"] or state["own_task_status"] in _FAILED:
            return False
        return True if state["own_task_status"] == "COMPLETED" else None


def rate_of(params: SqsRedrive) -> int:
    """Return how many messages a second are moved at most, by which our task is told from another's.

    SQS lists a task by its queues, its start and the rate that was asked for, and by nothing of who began it
    (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ListMessageMoveTasksResultEntry.html).
    A person asks for no rate, or for a round one; SQS takes at most 500.
    """
    return _LEAST_RATE + int(digest(params.model_dump()), 16) % _RATES


def _own(params: SqsRedrive, queue_arn: str, tasks: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the tasks that are ours: begun since, into the named queue, at our rate."""
    return [
        one
        for one in tasks
        if int(one["StartedTimestamp"]) > params.after
        and one.get("DestinationArn") == queue_arn
        and one.get("MaxNumberOfMessagesPerSecond") == rate_of(params)
    ]
