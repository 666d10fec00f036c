"""A DynamoDB table of JSON records with conditional writes.

Every item is `pk`, `sk`, `body` (JSON text) and `version` (starts at 1), and may carry `gpk`/`gsk`, which
the index `by_time` serves. All reads of the table itself are strongly consistent; the index is not, so what
it finds is read again before anything rests on it.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

INDEX = "by_time"


@dataclass(frozen=True)
class Key:
    """The two parts of an item's key."""

    pk: str
    sk: str


@dataclass(frozen=True)
class Item:
    """One stored record: its key, its version and its JSON body."""

    key: Key
    body: dict[str, Any]
    version: int = 1
    index: Key | None = None


@dataclass(frozen=True)
class Write:
    """One conditional write of a transaction.

    `expected` is the version that must stand; 0 means the item must not exist.
    """

    item: Item
    expected: int


class ConflictError(Exception):
    """A conditional write lost: somebody else was first."""


class RecordTable:
    """Reads and writes JSON records of one DynamoDB table."""

    def __init__(self, client: "DynamoDBClient", name: str) -> None:
        self._client = client
        self.name = name

    def get(self, key: Key) -> Item | None:
        """Read one item, strongly consistent."""
        answer = self._client.get_item(
            TableName=self.name, Key={"pk": {"S": key.pk}, "sk": {"S": key.sk}}, ConsistentRead=True
        )
        raw = answer.get("Item")
        return _item(raw) if raw else None

    def create(self, key: Key, body: dict[str, Any], index: Key | None = None) -> bool:
        """Write an item that must not exist yet; say whether this call wrote it."""
        try:
            self._put(Write(Item(key, body, 1, index), expected=0))
        except ConflictError:
            return False
        return True

    def replace(self, item: Item, body: dict[str, Any], index: Key | None = None) -> Item:
        """Write a new body over the version that was read, or raise `ConflictError`."""
        fresh = Item(item.key, body, item.version + 1, index)
        self._put(Write(fresh, expected=item.version))
        return fresh

    def put(self, key: Key, body: dict[str, Any], index: Key | None = None) -> None:
        """Write an item whatever stood there. Only for records with one writer at a time."""
        self._client.put_item(TableName=self.name, Item=_attributes(Item(key, body, 1, index)))

    def delete(self, key: Key) -> None:
        """Delete an item; one that is not there is fine."""
        self._client.delete_item(TableName=self.name, Key={"pk": {"S": key.pk}, "sk": {"S": key.sk}})

    def transact(self, writes: Sequence[Write]) -> None:
        """Do all writes or none; raise `ConflictError` when a condition does not hold."""
        items: Any = [
            {"Put": {"TableName": self.name, "Item": _attributes(w.item), **_condition(w.expected)}}
            for w in writes
        ]
        try:
            self._client.transact_write_items(TransactItems=items)
        except ClientError as error:
            if error.response["Error"]["Code"] in {
                "TransactionCanceledException",
                "TransactionConflictException",
            }:
                raise ConflictError(str(error)) from error
            raise

    def query(
        self,
        pk: str,
        prefix: str = "",
        *,
        after: str = "",
        limit: int | None = None,
        newest_first: bool = False,
    ) -> Iterator[Item]:
        """Yield the items of a partition in key order, from a prefix or after a sort key."""
        values: dict[str, Any] = {":pk": {"S": pk}}
        condition = "pk = :pk"
        if after:
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
        """Yield the items of an index partition in the order of their index key, at most `upto`."""
        values: dict[str, Any] = {":gpk": {"S": gpk}}
        condition = "gpk = :gpk"
        if upto is not None:
            values[":upto"] = {"S": upto}
            condition += " AND gsk <= :upto"
        yield from self._pages(
            {
                "IndexName": INDEX,
                "KeyConditionExpression": condition,
                "ExpressionAttributeValues": values,
                "ScanIndexForward": not newest_first,
            },
            limit,
        )

    def _pages(self, request: dict[str, Any], limit: int | None) -> Iterator[Item]:
        seen = 0
        if limit is not None:
            request["Limit"] = limit
        while True:
            page = self._client.query(TableName=self.name, **request)
            for raw in page["Items"]:
                yield _item(raw)
                seen += 1
                if limit is not None and seen >= limit:
                    return
            if "LastEvaluatedKey" not in page:
                return
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _put(self, write: Write) -> None:
        try:
            self._client.put_item(
                TableName=self.name, Item=_attributes(write.item), **_condition(write.expected)
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                raise ConflictError(f"{write.item.key} is not at version {write.expected}") from error
            raise


def _condition(expected: int) -> Any:
    if expected == 0:
        return {"ConditionExpression": "attribute_not_exists(pk)"}
    return {
        "ConditionExpression": "#version = :expected",
        "ExpressionAttributeNames": {"#version": "version"},
        "ExpressionAttributeValues": {":expected": {"N": str(expected)}},
    }


def _attributes(item: Item) -> Any:
    attributes: dict[str, Any] = {
        "pk": {"S": item.key.pk},
        "sk": {"S": item.key.sk},
        "body": {"S": json.dumps(item.body, separators=(",", ":"), ensure_ascii=False)},
        "version": {"N": str(item.version)},
    }
    if item.index is not None:
        attributes |= {"gpk": {"S": item.index.pk}, "gsk": {"S": item.index.sk}}
    return attributes


def _item(raw: Any) -> Item:
    index = Key(raw["gpk"]["S"], raw["gsk"]["S"]) if "gpk" in raw else None
    return Item(
        Key(raw["pk"]["S"], raw["sk"]["S"]), json.loads(raw["body"]["S"]), int(raw["version"]["N"]), index
    )


def table_definition(name: str) -> dict[str, Any]:
    """Return the CreateTable request of the records table."""
    return {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            {"AttributeName": n, "AttributeType": "S"} for n in ("pk", "sk", "gpk", "gsk")
        ],
        "KeySchema": [
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        "GlobalSecondaryIndexes": [
            {
                "IndexName": INDEX,
                "KeySchema": [
                    {"AttributeName": "gpk", "KeyType": "HASH"},
                    {"AttributeName": "gsk", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    }
