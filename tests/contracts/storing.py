"""Contracts of what the copilot keeps its own records with: DynamoDB, S3, SQS, SNS, EventBridge, KMS."""

import json
from typing import Any

from tests.contracts.contract import Asks, Contract
from tests.contracts.place import ABSENT, TABLE, Place

KEY = {"id": {"S": "1"}}
NO_QUEUE = "AWS.SimpleQueueService.NonExistentQueue"


def on_table(**more: Any) -> Asks:
    """Parameters over the run's table."""
    return lambda place: {"TableName": place.table, **more}


def without_table(**more: Any) -> Asks:
    """The same over a table that is not there."""
    return lambda place: {"TableName": ABSENT, **more}


def _table(operation: str, gives: str, **more: Any) -> Contract:
    return Contract(
        "dynamodb", operation, on_table(**more), gives, without_table(**more), "ResourceNotFoundException"
    )


def _transaction(condition: str) -> Asks:
    def asks(place: Place) -> dict[str, Any]:
        put = {"TableName": place.table, "Item": {"id": {"S": "2"}}, "ConditionExpression": condition}
        return {"TransactItems": [{"Put": put}]}

    return asks


def _batch(kind: str, table: str | None = None) -> Asks:
    def asks(place: Place) -> dict[str, Any]:
        items: Any = {"Keys": [KEY]} if kind == "get" else [{"PutRequest": {"Item": KEY}}]
        return {"RequestItems": {table or place.table: items}}

    return asks


def _ttl(enabled: bool) -> dict[str, Any]:
    return {"TimeToLiveSpecification": {"Enabled": enabled, "AttributeName": "ttl"}}


DYNAMODB = (
    _table("GetItem", "Item", Key=KEY),
    _table("PutItem", "", Item=KEY),
    _table("UpdateItem", "", Key=KEY),
    _table("DeleteItem", "", Key={"id": {"S": "9"}}),
    _table(
        "Query",
        "Items",
        KeyConditionExpression="id = :id",
        ExpressionAttributeValues={":id": {"S": "1"}},
    ),
    _table("DescribeTable", "Table"),
    _table("UpdateTable", "TableDescription", BillingMode="PAY_PER_REQUEST"),
    _table("DescribeTimeToLive", "TimeToLiveDescription"),
    _table("UpdateTimeToLive", "TimeToLiveSpecification", **_ttl(True)),
    Contract(
        "dynamodb",
        "BatchGetItem",
        _batch("get"),
        "Responses",
        _batch("get", ABSENT),
        "ResourceNotFoundException",
    ),
    Contract(
        *("dynamodb", "BatchWriteItem", _batch("put"), "UnprocessedItems"),
        *(_batch("put", ABSENT), "ResourceNotFoundException"),
    ),
    Contract(
        *("dynamodb", "TransactWriteItems", _transaction("attribute_not_exists(absent)"), ""),
        *(_transaction("attribute_exists(absent)"), "TransactionCanceledException", "dynamodb:PutItem"),
    ),
    Contract(
        *("dynamodb", "CreateTable", lambda place: {"TableName": f"{place.made}-more", **TABLE}),
        *("TableDescription", on_table(**TABLE), "ResourceInUseException"),
    ),
    Contract(
        "dynamodb", "ListTables", lambda _: {}, "TableNames", lambda _: {"Limit": 101}, "ValidationException"
    ),
)


OBJECT = "evidence/one.gz"
PRIVATE = {"BlockPublicAcls": True, "IgnorePublicAcls": True}
KEPT = {"ID": "kept", "Status": "Enabled", "Filter": {"Prefix": "evidence/"}, "Expiration": {"Days": 90}}


def _bucket(operation: str, gives: str, action: str = "", **more: Any) -> Contract:
    return Contract(
        *("s3", operation, lambda place: {"Bucket": place.bucket, **more}, gives),
        *(lambda place: {"Bucket": f"{place.made}-absent", **more}, "NoSuchBucket", action),
    )


S3 = (
    Contract(
        *("s3", "CreateBucket", lambda place: {"Bucket": place.bucket}, ""),
        *(lambda _: {"Bucket": "Not_A_Name"}, "InvalidBucketName"),
    ),
    _bucket(
        "PutPublicAccessBlock", "", "s3:PutBucketPublicAccessBlock", PublicAccessBlockConfiguration=PRIVATE
    ),
    _bucket(
        *("PutBucketLifecycleConfiguration", "", "s3:PutLifecycleConfiguration"),
        LifecycleConfiguration={"Rules": [KEPT]},
    ),
    _bucket("PutObject", "ETag", Key=OBJECT, Body=b"x"),
    Contract(
        *("s3", "GetObject", lambda place: {"Bucket": place.bucket, "Key": OBJECT}, "Body"),
        *(lambda place: {"Bucket": place.bucket, "Key": "absent"}, "NoSuchKey"),
    ),
    _bucket("ListObjectsV2", "KeyCount", "s3:ListBucket"),
    _bucket("ListObjectVersions", "Versions", "s3:ListBucketVersions"),
    _bucket("DeleteObject", "", "s3:DeleteObjectVersion", Key="another", VersionId="null"),
)


def _queue(operation: str, gives: str, **more: Any) -> Contract:
    return Contract(
        *("sqs", operation, lambda place: {"QueueUrl": place.queue, **more}, gives),
        *(lambda place: {"QueueUrl": place.queue + "-absent", **more}, NO_QUEUE),
    )


def _received(**more: Any) -> Asks:
    return lambda place: {"QueueUrl": place.queue, "ReceiptHandle": place.receipt(), **more}


def _bad_receipt(**more: Any) -> Asks:
    return lambda place: {"QueueUrl": place.queue, "ReceiptHandle": "x", **more}


SQS = (
    _queue("GetQueueAttributes", "Attributes", AttributeNames=["QueueArn"]),
    _queue("SetQueueAttributes", "", Attributes={"VisibilityTimeout": "30"}),
    _queue("ReceiveMessage", ""),
    Contract(
        *("sqs", "GetQueueUrl", lambda place: {"QueueName": place.queue.rpartition("/")[2]}, "QueueUrl"),
        *(lambda _: {"QueueName": ABSENT}, NO_QUEUE),
    ),
    Contract(
        *("sqs", "CreateQueue", lambda place: {"QueueName": place.queue.rpartition("/")[2]}, "QueueUrl"),
        *(lambda _: {"QueueName": "not a name"}, "InvalidParameterValue"),
    ),
    Contract("sqs", "DeleteMessage", _received(), "", _bad_receipt(), "ReceiptHandleIsInvalid"),
    Contract(
        *("sqs", "ChangeMessageVisibility", _received(VisibilityTimeout=1), ""),
        *(_bad_receipt(VisibilityTimeout=1), "ReceiptHandleIsInvalid"),
    ),
)


def _no_topic(**more: Any) -> Asks:
    return lambda place: {"TopicArn": place.topic + "-absent", **more}


SNS = (
    Contract(
        *("sns", "CreateTopic", lambda place: {"Name": place.topic.rpartition(":")[2]}, "TopicArn"),
        *(lambda _: {"Name": "not a name"}, "InvalidParameter"),
    ),
    Contract(
        *("sns", "GetTopicAttributes", lambda place: {"TopicArn": place.topic}, "Attributes"),
        *(_no_topic(), "NotFound"),
    ),
    Contract(
        *("sns", "Publish", lambda place: {"TopicArn": place.topic, "Message": "x"}, "MessageId"),
        *(_no_topic(Message="x"), "NotFound"),
    ),
)


def _target(rule: str | None = None) -> Asks:
    def asks(place: Place) -> dict[str, Any]:
        arn = f"arn:aws:sqs:us-east-1:{place.account_id}:{place.queue.rpartition('/')[2]}"
        return {"Rule": rule or place.rule, "Targets": [{"Id": "1", "Arn": arn}]}

    return asks


EVENTS = (
    Contract(
        *("events", "DescribeRule", lambda place: {"Name": place.rule}, "Arn"),
        *(lambda _: {"Name": ABSENT}, "ResourceNotFoundException"),
    ),
    Contract(
        *("events", "PutRule"),
        lambda place: {"Name": place.rule, "EventPattern": json.dumps({"source": ["nobody"]})},
        "RuleArn",
        lambda place: {"Name": place.rule, "EventPattern": "{"},
        "InvalidEventPatternException",
    ),
    Contract(
        "events", "PutTargets", _target(), "FailedEntryCount", _target(ABSENT), "ResourceNotFoundException"
    ),
)

MAC = {"Message": b"an approval", "MacAlgorithm": "HMAC_SHA_256"}


def _signed(place: Place) -> dict[str, Any]:
    mac = place.admin("kms").generate_mac(KeyId=place.mac_key, **MAC)["Mac"]
    return {"KeyId": place.mac_key, **MAC, "Mac": mac}


ABSENT_KEY = "00000000-0000-4000-8000-000000000000"
KMS = (
    Contract(
        *("kms", "GenerateMac", lambda place: {"KeyId": place.mac_key, **MAC}, "Mac"),
        *(lambda _: {"KeyId": ABSENT_KEY, **MAC}, "NotFoundException"),
    ),
    Contract(
        *("kms", "VerifyMac", _signed, "MacValid"),
        *(lambda place: {"KeyId": place.mac_key, **MAC, "Mac": b"forged"}, "KMSInvalidMacException"),
    ),
    Contract(
        *("kms", "GenerateDataKey", lambda place: {"KeyId": place.key, "KeySpec": "AES_256"}, "Plaintext"),
        *(lambda _: {"KeyId": ABSENT_KEY, "KeySpec": "AES_256"}, "NotFoundException"),
    ),
    Contract(
        "kms",
        "Decrypt",
        lambda place: {
            "KeyId": place.key,
            "CiphertextBlob": place.admin("kms").encrypt(KeyId=place.key, Plaintext=b"x")["CiphertextBlob"],
        },
        "Plaintext",
        lambda place: {"KeyId": place.key, "CiphertextBlob": b"not of KMS"},
        "InvalidCiphertextException",
    ),
)
CONTRACTS = (*DYNAMODB, *S3, *SQS, *SNS, *EVENTS, *KMS)
