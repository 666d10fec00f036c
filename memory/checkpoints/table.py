"""The calls to DynamoDB. Every read is strongly consistent; none scans."""

import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from memory.checkpoints.errors import StoreBusyError

Item = dict[str, Any]

# Limits of DynamoDB's batches. Fewer bytes than the 16 MB it takes, so that a request stays below a second.
BATCH_ITEMS, BATCH_BYTES = 25, 4_000_000
GET_ITEMS = 100
ATTEMPTS, FIRST_WAIT, LONGEST_WAIT = 12, 0.025, 2.0
# What DynamoDB answers when it is too busy for every item of a batch.
BUSY = frozenset({"ProvisionedThroughputExceededException", "RequestLimitExceeded", "ThrottlingException"})

# What an identity needs to read and write checkpoints, and what the one that makes the table needs besides.
ACTIONS = ("dynamodb:BatchGetItem", "dynamodb:BatchWriteItem", "dynamodb:Query", "dynamodb:UpdateItem")
SETUP_ACTIONS = (
    "dynamodb:CreateTable",
    "dynamodb:DescribeTable",
    "dynamodb:DescribeTimeToLive",
    "dynamodb:UpdateTimeToLive",
)


@dataclass(frozen=True)
class Wish:
    """What to read of a partition: sort keys from low to high, newest first unless said otherwise.

    `limit` is how many items the first page holds at most, `more` how many each further one does.
    """

    partition: str
    low: str
    high: str
    limit: int | None = None
    more: int | None = None
    forward: bool = False
    attributes: tuple[str, ...] = ()


@dataclass(frozen=True)
class CheckpointTable:
    """A table of checkpoints, by a client whose threads may share it."""

    client: Any
    name: str
    sleep: Callable[[float], None]

    def pages(self, wish: Wish) -> Iterator[list[Item]]:
        """Yield what stands in a range, page by page."""
        request = self._query(wish)
        while True:
            answer = self.client.query(**request)
            yield answer["Items"]
            if not (last := answer.get("LastEvaluatedKey")):
                return
            request.pop("Limit", None)
            if wish.more:
                request["Limit"] = wish.more
            request["ExclusiveStartKey"] = last

    def get(self, partition: str, keys: Iterable[str]) -> dict[str, Item]:
        """Return the items that exist among some sort keys of a partition."""
        waiting = [{"pk": {"S": partition}, "sk": {"S": key}} for key in dict.fromkeys(keys)]
        found: dict[str, Item] = {}
        waits = self._waits()
        while waiting:
            asked, waiting = waiting[:GET_ITEMS], waiting[GET_ITEMS:]
            answer = self.client.batch_get_item(
                RequestItems={self.name: {"Keys": asked, "ConsistentRead": True}}
            )
            items = answer["Responses"].get(self.name, [])
            found |= {item["sk"]["S"]: item for item in items}
            left = answer.get("UnprocessedKeys", {}).get(self.name, {}).get("Keys", [])
            # A page that is full leaves keys over as well as a busy table does; only the latter has to wait.
            if left and not items:
                self.sleep(next(waits))
            waiting += left
        return found

    def put(self, items: Sequence[Item]) -> None:
        """Write items, durable when this returns, in no order among them."""
        self._write([{"PutRequest": {"Item": item}} for item in items])

    def delete(self, partition: str, keys: Iterable[str]) -> None:
        """Delete items, gone when this returns, in no order among them."""
        self._write([{"DeleteRequest": {"Key": {"pk": {"S": partition}, "sk": {"S": key}}}} for key in keys])

    def put_together(self, items: Sequence[Item]) -> list[Item]:
        """Write at most a batch of items in one request and return those that the table was too busy for."""
        left = self._request([{"PutRequest": {"Item": item}} for item in items])
        return [one["PutRequest"]["Item"] for one in left]

    def update(self, partition: str, key: str, change: Mapping[str, Any]) -> bool:
        """Change one item under a condition and say whether the condition held."""
        try:
            self.client.update_item(
                TableName=self.name, Key={"pk": {"S": partition}, "sk": {"S": key}}, **change
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return False
            raise
        return True

    def _query(self, wish: Wish) -> dict[str, Any]:
        request: dict[str, Any] = {
            "TableName": self.name,
            "KeyConditionExpression": "pk = :pk AND sk BETWEEN :low AND :high",
            "ExpressionAttributeValues": {
                ":pk": {"S": wish.partition},
                ":low": {"S": wish.low},
                ":high": {"S": wish.high},
            },
            "ScanIndexForward": wish.forward,
            "ConsistentRead": True,
        }
        if wish.limit:
            request["Limit"] = wish.limit
        if wish.attributes:
            names = {f"#{number}": name for number, name in enumerate(wish.attributes)}
            request |= {"ProjectionExpression": ", ".join(names), "ExpressionAttributeNames": names}
        return request

    def _write(self, requests: list[dict[str, Any]]) -> None:
        waits = self._waits()
        while requests:
            count = batch_length(requests)
            sent, requests = requests[:count], requests[count:]
            left = self._request(sent)
            if left:
                # Patience is for a table that takes nothing at all.
                waits = self._waits() if len(left) < count else waits
                self.sleep(next(waits))
            requests = [*left, *requests]

    def _request(self, requests: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Send one batch and return what is left over of it."""
        try:
            answer = self.client.batch_write_item(RequestItems={self.name: requests})
        except ClientError as error:
            if error.response["Error"]["Code"] in BUSY:
                return requests
            raise
        left: list[dict[str, Any]] = answer.get("UnprocessedItems", {}).get(self.name, [])
        return left

    def _waits(self) -> Iterator[float]:
        yield from waits()
        raise StoreBusyError(f"the table {self.name} is too busy")


def waits() -> Iterator[float]:
    """Yield how long to wait before each next attempt, with jitter."""
    for attempt in range(ATTEMPTS):
        yield min(FIRST_WAIT * 2**attempt, LONGEST_WAIT) * random.uniform(0.5, 1.0)


def size(value: Any) -> int:
    """Return about how large an attribute, an item or a request is, in bytes."""
    if isinstance(value, Mapping):
        return sum(len(name) + size(one) for name, one in value.items())
    return len(value) if isinstance(value, str | bytes) else 8


def batch_length(requests: Sequence[Mapping[str, Any]]) -> int:
    """Return how many of some items or requests go into one batch."""
    total = 0
    for number, request in enumerate(requests[:BATCH_ITEMS]):
        total += size(request)
        if total > BATCH_BYTES and number:
            return number
    return min(len(requests), BATCH_ITEMS)


def table_definition(name: str) -> dict[str, Any]:
    """Return what `CreateTable` takes for a table of checkpoints, paid by request."""
    return {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": one, "AttributeType": "S"} for one in ("pk", "sk")],
        "KeySchema": [
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
    }


def create_table(client: Any, name: str) -> None:
    """Create the table where it is missing, with time to live on; what stands is left as it is."""
    try:
        client.create_table(**table_definition(name))
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceInUseException":
            raise
    client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    told = client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    if told["TimeToLiveStatus"] in {"DISABLED", "DISABLING"}:
        client.update_time_to_live(
            TableName=name, TimeToLiveSpecification={"Enabled": True, "AttributeName": "ttl"}
        )
