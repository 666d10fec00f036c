"""A DynamoDB table of JSON records with conditional writes.

Every item is `pk`, `sk`, `body` (JSON text, or the same compressed where that is billed as less) and `version`
(starts at 1); one written on a condition bears the `mark` of that write. It may carry `gsk` and the partitions of the
indexes that list it, all of them in the order of `gsk`. All reads of the table itself are strongly consistent; the
indexes are not, so what they find is read again before anything rests on it.

An item whose `ttl` has passed does not exist: it is not read, and another may be created in its place, whether or
not DynamoDB has deleted it yet.
"""

import random
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from memory.bodies import packed, unpacked

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

INDEX = "by_time"
# Each index, and the attribute that is its partition.
INDEXES = {INDEX: "gpk", "by_status": "status_pk", "by_service": "service_pk", "by_account": "account_pk"}
TTL = "ttl"
# Which write an item is of.
MARK, MARK_BYTES = "mark", 6
# A transaction takes milliseconds; a write that meets one waits for it, two seconds in all at most.
MET_TRANSACTION, MEETINGS, FIRST_WAIT = "TransactionConflictException", 8, 0.02


@dataclass(frozen=True)
class Key:
    """The two parts of an item's key."""

    pk: str
    sk: str


@dataclass(frozen=True)
class Item:
    """One stored record: its key, its version and its JSON body.

    `index` is its place in the index by time; `also` names its partition in each further index. What was read and is
    not kept for good is kept until the second `expires`.
    """

    key: Key
    body: dict[str, Any]
    version: int = 1
    index: Key | None = None
    also: Mapping[str, str] = field(default_factory=dict)
    expires: int | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Write:
    """One conditional write of a transaction.

    `expected` is the version that must stand; 0 means the item must not exist.
    """

    item: Item
    expected: int


class ConflictError(Exception):
    """A conditional write lost: somebody else was first.

    `lost` are the numbers of the writes of a transaction whose condition did not hold, where the table said so.
    """

    def __init__(self, message: str, lost: tuple[int, ...] | None = None) -> None:
        super().__init__(message)
        self.lost = lost


class RecordTable:
    """Reads and writes JSON records of one DynamoDB table.

    `expiry` says until which second an item is kept that is written now, or None for good. TTL is wall time, as
    DynamoDB's is.
    """

    def __init__(
        self,
        client: "DynamoDBClient",
        name: str,
        expiry: Callable[[Key], int | None] = lambda _: None,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self.name = name
        self.expiry = expiry
        self._now = now
        self._sleep = sleep

    def get(self, key: Key) -> Item | None:
        """Read one item, strongly consistent."""
        answer = self._client.get_item(
            TableName=self.name, Key={"pk": {"S": key.pk}, "sk": {"S": key.sk}}, ConsistentRead=True
        )
        raw = answer.get("Item")
        item = _item(raw) if raw else None
        return item if item and self.lives(item) else None

    def create(self, key: Key, body: dict[str, Any], index: Key | None = None) -> bool:
        """Write an item that must not exist yet; say whether this call wrote it."""
        try:
            self.write(Write(Item(key, body, 1, index), expected=0))
        except ConflictError:
            return False
        return True

    def replace(self, item: Item, body: dict[str, Any], index: Key | None = None) -> Item:
        """Write a new body over the version that was read, or raise `ConflictError`."""
        fresh = Item(item.key, body, item.version + 1, index)
        self.write(Write(fresh, expected=item.version))
        return fresh

    def put(self, key: Key, body: dict[str, Any], index: Key | None = None) -> None:
        """Write an item whatever stood there. Only for records with one writer at a time."""
        item = self.attributes(Item(key, body, 1, index))
        self._alone(lambda: self._client.put_item(TableName=self.name, Item=item))

    def delete(self, key: Key) -> None:
        """Delete an item; one that is not there is fine."""
        at: Any = {"pk": {"S": key.pk}, "sk": {"S": key.sk}}
        self._alone(lambda: self._client.delete_item(TableName=self.name, Key=at))

    def transact(self, writes: Sequence[Write]) -> None:
        """Do all writes or none; raise `ConflictError` when a condition does not hold."""
        items: Any = [
            {"Put": {"TableName": self.name, "Item": self.attributes(w.item), **self._condition(w.expected)}}
            for w in writes
        ]
        try:
            self._client.transact_write_items(TransactItems=items)
        except ClientError as error:
            if error.response["Error"]["Code"] in {
                "TransactionCanceledException",
                "TransactionConflictException",
            }:
                raise ConflictError(str(error), _lost(error)) from error
            raise

    def query(
        self,
        pk: str,
        prefix: str = "",
        *,
        after: str = "",
        before: str = "",
        limit: int | None = None,
        newest_first: bool = False,
    ) -> Iterator[Item]:
        """Yield the items of a partition in key order, from a prefix or after a sort key, or all before one."""
        values: dict[str, Any] = {":pk": {"S": pk}}
        condition = "pk = :pk"
        if before:
            values |= {":before": {"S": before}}
            condition += " AND sk < :before"
        elif after:
            values |= {":low": {"S": after + "\x00"}, ":high": {"S": prefix + "\uffff"}}
            condition += " AND sk BETWEEN :low AND :high"
        elif prefix:
            values |= {":prefix": {"S": prefix}}
            condition += " AND begins_with(sk, :prefix)"
        yield from self._pages(
            {
                "KeyConditionExpression": condition,
                "ExpressionAttributeValues": values,
                "ConsistentRead": True,
                "ScanIndexForward": not newest_first,
            },
            limit,
        )

    def by_time(
        self, gpk: str, *, upto: str | None = None, limit: int | None = None, newest_first: bool = False
    ) -> Iterator[Item]:
        """Yield the items of a partition of the index by time in their order, at most `upto`."""
        return self.listed(INDEX, gpk, high=upto, limit=limit, newest_first=newest_first)

    def listed(
        self,
        index: str,
        partition: str,
        *,
        low: str = "",
        high: str | None = None,
        limit: int | None = None,
        page: int | None = None,
        newest_first: bool = False,
    ) -> Iterator[Item]:
        """Yield the items of an index's partition in the order of `gsk`, from `low` to `high` with both.

        `page` is how many are read with each call.
        """
        values: dict[str, Any] = {":pk": {"S": partition}}
        condition = f"{INDEXES[index]} = :pk"
        if low and high is not None:
            values |= {":low": {"S": low}, ":high": {"S": high}}
            condition += " AND gsk BETWEEN :low AND :high"
        elif low:
            values[":low"] = {"S": low}
            condition += " AND gsk >= :low"
        elif high is not None:
            values[":high"] = {"S": high}
            condition += " AND gsk <= :high"
        yield from self._pages(
            {
                "IndexName": index,
                "KeyConditionExpression": condition,
                "ExpressionAttributeValues": values,
                "ScanIndexForward": not newest_first,
                **({"Limit": page} if page is not None else {}),
            },
            limit,
        )

    def _pages(self, request: dict[str, Any], limit: int | None) -> Iterator[Item]:
        seen = 0
        if limit is not None:
            request.setdefault("Limit", limit)
        while True:
            page = self._client.query(TableName=self.name, **request)
            for raw in page["Items"]:
                item = _item(raw)
                if not self.lives(item):
                    continue
                yield item
                seen += 1
                if limit is not None and seen >= limit:
                    return
            if "LastEvaluatedKey" not in page:
                return
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def write(self, write: Write) -> None:
        """Do one conditional write, or raise `ConflictError`.

        botocore sends a write again whose answer was lost, and its condition then meets what it wrote itself. So each
        bears a mark of its own, by which that is no conflict. (A transaction has a token for this.)
        """
        item, condition = self.attributes(write.item), self._condition(write.expected)
        item[MARK] = {"S": secrets.token_hex(MARK_BYTES)}
        condition["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        try:
            self._alone(lambda: self._client.put_item(TableName=self.name, Item=item, **condition))
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            answer: Any = error.response
            if answer.get("Item", {}).get(MARK) != item[MARK]:
                raise ConflictError(f"{write.item.key} is not at version {write.expected}") from error

    def _alone(self, call: Callable[[], object]) -> None:
        """Make a write again that met somebody's transaction over the same item: DynamoDB refuses it meanwhile.

        Nothing was decided by that, so it is no lost condition; botocore does not repeat it.
        https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html#transaction-conflict-handling
        """
        for attempt in range(MEETINGS):
            try:
                call()
            except ClientError as error:
                if error.response["Error"]["Code"] != MET_TRANSACTION or attempt == MEETINGS - 1:
                    raise
                self._sleep(FIRST_WAIT * 2**attempt * random.uniform(0.5, 1.0))
            else:
                return

    def lives(self, item: Item) -> bool:
        """Say whether what was read is kept still."""
        return item.expires is None or item.expires > self._now()

    def _condition(self, expected: int) -> Any:
        if expected == 0:
            return {
                "ConditionExpression": "attribute_not_exists(pk) OR #ttl <= :now",
                "ExpressionAttributeNames": {"#ttl": TTL},
                "ExpressionAttributeValues": {":now": {"N": str(int(self._now()))}},
            }
        return {
            "ConditionExpression": "#version = :expected",
            "ExpressionAttributeNames": {"#version": "version"},
            "ExpressionAttributeValues": {":expected": {"N": str(expected)}},
        }

    def attributes(self, item: Item) -> Any:
        """Return an item as DynamoDB holds it when it is written now."""
        attributes: dict[str, Any] = {
            "pk": {"S": item.key.pk},
            "sk": {"S": item.key.sk},
            "body": packed(item.body),
            "version": {"N": str(item.version)},
        }
        if item.index is not None:
            attributes |= {"gpk": {"S": item.index.pk}, "gsk": {"S": item.index.sk}}
            attributes |= {INDEXES[index]: {"S": partition} for index, partition in item.also.items()}
        until = self.expiry(item.key)
        if until is not None:
            attributes[TTL] = {"N": str(until)}
        return attributes


def _lost(error: ClientError) -> tuple[int, ...] | None:
    reasons: Any = error.response.get("CancellationReasons")
    if reasons is None:
        return None
    return tuple(n for n, reason in enumerate(reasons) if reason.get("Code") == "ConditionalCheckFailed")


def _item(raw: Any) -> Item:
    index = Key(raw["gpk"]["S"], raw["gsk"]["S"]) if "gpk" in raw else None
    also = {name: raw[pk]["S"] for name, pk in INDEXES.items() if name != INDEX and pk in raw}
    key, body = Key(raw["pk"]["S"], raw["sk"]["S"]), unpacked(raw["body"])
    return Item(key, body, int(raw["version"]["N"]), index, also, int(raw[TTL]["N"]) if TTL in raw else None)


def table_definition(name: str) -> dict[str, Any]:
    """Return the CreateTable request of the records table."""
    return {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            {"AttributeName": n, "AttributeType": "S"} for n in ("pk", "sk", "gsk", *INDEXES.values())
        ],
        "KeySchema": [
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        "GlobalSecondaryIndexes": [
            {
                "IndexName": index,
                "KeySchema": [
                    {"AttributeName": partition, "KeyType": "HASH"},
                    {"AttributeName": "gsk", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
            for index, partition in INDEXES.items()
        ],
    }
