"""Dead-letter queues: where letters come from and how they go back, which the emulator lacks.

All else of SQS is the emulator's. A task moves everything at once, so it is complete when it is started
(https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html).
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from simulator.emulator import Emulator, RefusedError
from simulator.wire.paging import UnknownTokenError, page
from simulator.wire.protocol import ACCOUNT, REGION, AwsError, Call

KEPT = 10
MOST_LISTED = 1000
MOST_A_SECOND = 500


@dataclass(frozen=True)
class MoveTask:
    """One redrive that was made."""

    handle: str
    source: str
    destination: str | None
    moved: int
    started_ms: int
    rate: int | None = None

    def answer(self) -> dict[str, Any]:
        """API_ListMessageMoveTasksResultEntry."""
        return {
            "Status": "COMPLETED",
            "SourceArn": self.source,
            "DestinationArn": self.destination,
            "MaxNumberOfMessagesPerSecond": self.rate,
            "ApproximateNumberOfMessagesMoved": self.moved,
            "ApproximateNumberOfMessagesToMove": self.moved,
            "StartedTimestamp": self.started_ms,
        }


@dataclass(frozen=True)
class RedriveOverlay:
    """Answers the operations on message move tasks over the emulator's queues."""

    emulator: Emulator
    _tasks: list[MoveTask] = field(default_factory=list)
    service: str = "sqs"
    exclusive: bool = False

    @property
    def operations(self) -> frozenset[str]:
        """The operations answered here."""
        return frozenset(self._answers())

    async def answer(self, call: Call) -> Mapping[str, Any]:
        """The operation's result, or `AwsError`."""
        return await self._answers()[call.operation](call)

    def _answers(self) -> dict[str, Callable[[Call], Awaitable[Mapping[str, Any]]]]:
        return {
            "ListDeadLetterSourceQueues": self._sources,
            "StartMessageMoveTask": self._start,
            "ListMessageMoveTasks": self._list,
            "CancelMessageMoveTask": self._cancel,
        }

    async def _start(self, call: Call) -> Mapping[str, Any]:
        source, destination = call.parameters["SourceArn"], call.parameters.get("DestinationArn")
        rate = call.parameters.get("MaxNumberOfMessagesPerSecond")
        if rate is not None and not 1 <= rate <= MOST_A_SECOND:
            text = f"MaxNumberOfMessagesPerSecond must be between 1 and {MOST_A_SECOND}."
            raise AwsError("InvalidParameterValue", text)
        await self._require(_name(source))
        sources = await self._sources_of(source)
        if not sources:
            raise AwsError("InvalidParameterValue", "Source queue must be configured as a dead-letter queue.")
        target = _name(destination or sources[0])
        await self._require(target)
        waiting = self.emulator.queue_messages(_name(source))
        moved = list(waiting)
        waiting.clear()
        for message in moved:
            message |= {"receive_count": 0, "visible_at": 0.0, "receipt_handle": None}
        self.emulator.queue_messages(target).extend(moved)
        handle = str(uuid5(NAMESPACE_URL, f"{source}/{len(self._tasks)}"))
        began = int(call.at.timestamp() * 1000)
        self._tasks.insert(0, MoveTask(handle, source, destination, len(moved), began, rate))
        return {"TaskHandle": handle}

    async def _list(self, call: Call) -> Mapping[str, Any]:
        source, size = call.parameters["SourceArn"], call.parameters.get("MaxResults", 1)
        if not 1 <= size <= KEPT:
            raise AwsError("InvalidParameterValue", f"MaxResults must be between 1 and {KEPT}.")
        await self._require(_name(source))
        return {"Results": [one.answer() for one in self._tasks if one.source == source][:size]}

    async def _cancel(self, call: Call) -> Mapping[str, Any]:
        if call.parameters["TaskHandle"] in [one.handle for one in self._tasks]:
            raise AwsError("UnsupportedOperation", "Only active message move tasks can be cancelled.")
        raise AwsError("ResourceNotFoundException", "The resource that you specified does not exist.", 404)

    async def _sources(self, call: Call) -> Mapping[str, Any]:
        """ListDeadLetterSourceQueues."""
        name = call.parameters["QueueUrl"].rpartition("/")[2]
        try:
            await self._require(name)
        except AwsError as error:
            message = "The specified queue does not exist."
            raise AwsError("AWS.SimpleQueueService.NonExistentQueue", message) from error
        found = await self._sources_of(f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}")
        urls = [await self._url(_name(one)) for one in found]
        size = call.parameters.get("MaxResults", MOST_LISTED)
        try:
            listed, token = page(urls, call.parameters.get("NextToken"), size)
        except UnknownTokenError as error:
            raise AwsError("InvalidParameterValue", "Invalid NextToken value.") from error
        return {"queueUrls": listed, "NextToken": token}

    async def _url(self, name: str) -> str:
        return str((await self.emulator.call("sqs", "GetQueueUrl", {"QueueName": name}))["QueueUrl"])

    async def _sources_of(self, arn: str) -> list[str]:
        """The queues whose dead letters go to a queue."""
        listed = await self.emulator.call("sqs", "ListQueues", {})
        found = []
        for url in listed.get("QueueUrls", []):
            asked = {"QueueUrl": url, "AttributeNames": ["RedrivePolicy", "QueueArn"]}
            attributes = (await self.emulator.call("sqs", "GetQueueAttributes", asked))["Attributes"]
            policy = json.loads(attributes.get("RedrivePolicy") or "{}")
            if policy.get("deadLetterTargetArn") == arn:
                found.append(str(attributes["QueueArn"]))
        return found

    async def _require(self, name: str) -> None:
        """Refuse a queue that does not exist."""
        try:
            await self.emulator.call("sqs", "GetQueueUrl", {"QueueName": name})
        except RefusedError as error:
            message = "The resource that you specified does not exist."
            raise AwsError("ResourceNotFoundException", message, 404) from error


def _name(arn: str) -> str:
    return arn.rpartition(":")[2]
