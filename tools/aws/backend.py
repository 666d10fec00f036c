"""What the copilot keeps in the account: two tables, a bucket, a queue with its dead letters, a rule and a topic."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from memory.checkpoints.table import create_table
from memory.table import INDEXES, TTL, table_definition
from tools.aws.access import AwsAccess
from tools.aws.bucket import bucket_name, ensure_bucket
from tools.aws.queue import MISSING
from tools.errors import Misconfigured, error_code, not_set_up

ALARM_PATTERN = {"source": ["aws.cloudwatch"], "detail-type": ["CloudWatch Alarm State Change"]}
MAX_RECEIVES = 5
# DynamoDB takes minutes to make an index over a table that holds much.
INDEX_SECONDS, INDEX_LOOKS = 5.0, 120


@dataclass(frozen=True)
class BackendNames:
    """How the copilot's own resources are called in an account."""

    prefix: str = "cloudops"

    @property
    def records_table(self) -> str:
        """Name the table of records."""
        return f"{self.prefix}-records"

    @property
    def checkpoints_table(self) -> str:
        """Name the table of checkpoints."""
        return f"{self.prefix}-checkpoints"

    @property
    def queue(self) -> str:
        """Name the queue that alarm events arrive on."""
        return f"{self.prefix}-incidents"

    @property
    def dead_letters(self) -> str:
        """Name the queue of events that could not be taken in."""
        return f"{self.prefix}-incidents-dead"

    @property
    def rule(self) -> str:
        """Name the EventBridge rule."""
        return f"{self.prefix}-alarms"

    @property
    def topic(self) -> str:
        """Name the topic that messages to on-call go to."""
        return f"{self.prefix}-on-call"


@dataclass(frozen=True)
class Backend:
    """Where the copilot's resources are."""

    records_table: str
    checkpoints_table: str
    bucket: str
    queue: str
    topic_arn: str


def ensure_backend(
    access: AwsAccess, names: BackendNames, account: str, object_days: Mapping[str, int]
) -> Backend:
    """Create what is missing and return where everything is; what stands is left as it is.

    Only the days that objects are kept, by the prefix of their keys, are set again.
    """
    bucket = bucket_name(names.prefix, account, access.region)
    ensure_bucket(access, bucket, account, object_days)
    _table(access, table_definition(names.records_table))
    create_table(access.client("dynamodb"), names.checkpoints_table)
    sqs = access.client("sqs")
    dead_url = sqs.create_queue(QueueName=names.dead_letters)["QueueUrl"]
    dead_arn = _queue_arn(access, dead_url)
    redrive = json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": MAX_RECEIVES})
    url = _queue(access, names.queue, {"RedrivePolicy": redrive, "VisibilityTimeout": "300"})
    _rule(access, names, url)
    topic = access.client("sns").create_topic(Name=names.topic)["TopicArn"]
    return Backend(names.records_table, names.checkpoints_table, bucket, names.queue, topic)


def find_backend(access: AwsAccess, names: BackendNames, account: str) -> Backend:
    """Return where everything is; raise `Misconfigured` with the remedy when a table is missing.

    Whoever uses the queue looks for it (`tools/aws/queue.py`).
    """
    dynamodb = access.client("dynamodb")
    try:
        for table in (names.records_table, names.checkpoints_table):
            told = dynamodb.describe_table(TableName=table)["Table"]
            if table == names.records_table:
                _check_indexes(told)
    except ClientError as error:
        if error_code(error) == "ResourceNotFoundException":
            raise not_set_up(error) from error
        raise
    topic = f"arn:{access.partition}:sns:{access.region}:{account}:{names.topic}"
    bucket = bucket_name(names.prefix, account, access.region)
    return Backend(names.records_table, names.checkpoints_table, bucket, names.queue, topic)


def _table(access: AwsAccess, definition: dict[str, Any]) -> None:
    dynamodb = access.client("dynamodb")
    try:
        dynamodb.create_table(**definition)
    except ClientError as error:
        if error_code(error) != "ResourceInUseException":
            raise
    name = definition["TableName"]
    dynamodb.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    _add_indexes(dynamodb, definition)
    told = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    if told["TimeToLiveStatus"] in {"DISABLED", "DISABLING"}:
        live = {"Enabled": True, "AttributeName": TTL}
        dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=live)


def _check_indexes(table: Any) -> None:
    missing = set(INDEXES) - {index["IndexName"] for index in table.get("GlobalSecondaryIndexes", [])}
    if missing:
        raise Misconfigured(
            f"the table {table['TableName']} is of an earlier version, without the indexes "
            f"{', '.join(sorted(missing))}: run `cloudops setup`"
        )


def _add_indexes(dynamodb: Any, definition: dict[str, Any]) -> None:
    """Add the indexes that a table of an earlier version has not; DynamoDB makes one at a time."""
    name = definition["TableName"]
    standing = dynamodb.describe_table(TableName=name)["Table"].get("GlobalSecondaryIndexes", [])
    known = {index["IndexName"] for index in standing}
    for index in definition["GlobalSecondaryIndexes"]:
        if index["IndexName"] not in known:
            dynamodb.update_table(
                TableName=name,
                AttributeDefinitions=definition["AttributeDefinitions"],
                GlobalSecondaryIndexUpdates=[{"Create": index}],
            )
            _wait_for_indexes(dynamodb, name)


def _wait_for_indexes(dynamodb: Any, name: str) -> None:
    for _ in range(INDEX_LOOKS):
        indexes = dynamodb.describe_table(TableName=name)["Table"]["GlobalSecondaryIndexes"]
        if all(index["IndexStatus"] == "ACTIVE" for index in indexes):
            return
        time.sleep(INDEX_SECONDS)
    raise Misconfigured(f"the indexes of {name} are still being made: run `cloudops setup` again later")


def _queue(access: AwsAccess, name: str, attributes: dict[str, str]) -> str:
    sqs = access.client("sqs")
    try:
        return str(sqs.get_queue_url(QueueName=name)["QueueUrl"])
    except ClientError as error:
        if error_code(error) not in MISSING:
            raise
    return str(sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"])


def _queue_arn(access: AwsAccess, url: str) -> str:
    answer = access.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return str(answer["Attributes"]["QueueArn"])


def _rule(access: AwsAccess, names: BackendNames, queue_url: str) -> None:
    """Route alarm state changes to the queue; only this rule may send to it."""
    events, queue_arn = access.client("events"), _queue_arn(access, queue_url)
    rule_arn = events.put_rule(Name=names.rule, EventPattern=json.dumps(ALARM_PATTERN), State="ENABLED")[
        "RuleArn"
    ]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue_arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": rule_arn}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    access.client("sqs").set_queue_attributes(QueueUrl=queue_url, Attributes={"Policy": policy})
    events.put_targets(Rule=names.rule, Targets=[{"Id": "incidents", "Arn": queue_arn}])
