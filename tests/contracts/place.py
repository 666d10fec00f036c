"""Where contracts are tried: the simulated account, or the AWS account that credentials in the environment name."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from uuid import uuid4

import pytest

from tests.shifting import shifting
from tests.simulated import SimulatedAccount, boto_session

WANTED = "CLOUDOPS_CONTRACTS"
ON_AWS = os.environ.get(WANTED) == "aws"
ABSENT = "contract-that-is-not-there"


@dataclass
class Place:
    """An account with what contracts need. `admin` and `nobody` make clients, `named` are things that stand there."""

    admin: Callable[[str], Any]
    nobody: Callable[[str], Any]
    forged: Callable[[str], Any]
    named: dict[str, str]
    made: str = field(default_factory=lambda: f"contract-{uuid4().hex[:8]}")

    def the(self, kind: str) -> str:
        """The name of something that stands in the account; skips the contract where none is named."""
        if kind not in self.named:
            pytest.skip(f"name one in {WANTED}_{kind.upper()}")
        return self.named[kind]

    @cached_property
    def account_id(self) -> str:
        """The account's number."""
        return str(self.admin("sts").get_caller_identity()["Account"])

    @cached_property
    def table(self) -> str:
        """A table of one string key, made for this run."""
        dynamodb = self.admin("dynamodb")
        dynamodb.create_table(TableName=self.made, **TABLE)
        dynamodb.get_waiter("table_exists").wait(TableName=self.made, WaiterConfig={"Delay": 1})
        dynamodb.put_item(TableName=self.made, Item={"id": {"S": "1"}})
        return self.made

    @cached_property
    def bucket(self) -> str:
        """A bucket with one object, made for this run."""
        s3 = self.admin("s3")
        s3.create_bucket(Bucket=self.made)
        s3.put_object(Bucket=self.made, Key="evidence/one.gz", Body=b"x")
        return self.made

    @cached_property
    def queue(self) -> str:
        """The URL of a queue, made for this run."""
        return str(self.admin("sqs").create_queue(QueueName=self.made)["QueueUrl"])

    @cached_property
    def topic(self) -> str:
        """A topic's ARN, made for this run."""
        return str(self.admin("sns").create_topic(Name=self.made)["TopicArn"])

    @cached_property
    def rule(self) -> str:
        """A rule for events that never come, made for this run."""
        self.admin("events").put_rule(Name=self.made, EventPattern=json.dumps({"source": ["nobody"]}))
        return self.made

    @cached_property
    def key(self) -> str:
        """A KMS key, made for this run."""
        return str(self.admin("kms").create_key()["KeyMetadata"]["KeyId"])

    @cached_property
    def mac_key(self) -> str:
        """A KMS key that signs, made for this run."""
        made = self.admin("kms").create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")
        return str(made["KeyMetadata"]["KeyId"])

    @cached_property
    def user(self) -> str:
        """The ARN of the user without policies."""
        return str(self.nobody("sts").get_caller_identity()["Arn"])

    @cached_property
    def dead_letters(self) -> str:
        """The ARN of a queue that the run's queue gives up its messages to, made for this run."""
        sqs, asked = self.admin("sqs"), {"AttributeNames": ["QueueArn"]}
        url = sqs.create_queue(QueueName=f"{self.made}-dead")["QueueUrl"]
        arn = str(sqs.get_queue_attributes(QueueUrl=url, **asked)["Attributes"]["QueueArn"])
        policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 3})
        sqs.set_queue_attributes(QueueUrl=self.queue, Attributes={"RedrivePolicy": policy})
        return arn

    @cached_property
    def setting(self) -> str:
        """The name of a parameter, made for this run."""
        self.admin("ssm").put_parameter(Name=f"/{self.made}", Value="1", Type="String")
        return f"/{self.made}"

    @cached_property
    def calendar(self) -> str:
        """The name of a change calendar that is always open, made for this run."""
        content = {"Content": CALENDAR, "DocumentFormat": "TEXT", "DocumentType": "ChangeCalendar"}
        self.admin("ssm").create_document(Name=f"{self.made}-calendar", **content)
        return f"{self.made}-calendar"

    @cached_property
    def pausing_document(self) -> str:
        """The name of a document that only waits, made for this run."""
        step = {"name": "wait", "action": "aws:sleep", "inputs": {"Duration": "PT1H"}}
        content = json.dumps({"schemaVersion": "0.3", "mainSteps": [step]})
        self.admin("ssm").create_document(
            Name=f"{self.made}-wait", Content=content, DocumentType="Automation"
        )
        return f"{self.made}-wait"

    @cached_property
    def role(self) -> str:
        """The ARN of a role that the account's own principals may take on, made for this run."""
        trusted = {"AWS": f"arn:aws:iam::{self.account_id}:root"}
        statement = {"Effect": "Allow", "Principal": trusted, "Action": "sts:AssumeRole"}
        trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        made = self.admin("iam").create_role(RoleName=self.made, AssumeRolePolicyDocument=trust)
        return str(made["Role"]["Arn"])

    @property
    def table_arn(self) -> str:
        """The ARN of the run's table."""
        return f"arn:aws:dynamodb:us-east-1:{self.account_id}:table/{self.table}"

    @property
    def function_arn(self) -> str:
        """The ARN of the named function."""
        return f"arn:aws:lambda:us-east-1:{self.account_id}:function:{self.the('function')}"

    @property
    def service_arn(self) -> str:
        """The ARN of the named ECS service."""
        named = f"{self.the('cluster')}/{self.the('service')}"
        return f"arn:aws:ecs:us-east-1:{self.account_id}:service/{named}"

    def paused_execution(self) -> str:
        """The id of an execution that waits and can be stopped."""
        started = self.admin("ssm").start_automation_execution(DocumentName=self.pausing_document)
        return str(started["AutomationExecutionId"])

    def previewed(self) -> dict[str, Any]:
        """The parameters that preview the named document."""
        given = self.runbook()
        inputs = {"Automation": {"Parameters": given["Parameters"]}}
        return {"DocumentName": given["DocumentName"], "ExecutionInputs": inputs}

    def preview(self) -> str:
        """The id of a preview that was just started."""
        started = self.admin("ssm").start_execution_preview(**self.previewed())
        return str(started["ExecutionPreviewId"])

    def receipt(self) -> str:
        """The receipt of a message that was just received."""
        sqs = self.admin("sqs")
        sqs.send_message(QueueUrl=self.queue, MessageBody="x")
        return str(
            sqs.receive_message(QueueUrl=self.queue, WaitTimeSeconds=5)["Messages"][0]["ReceiptHandle"]
        )

    def target(self) -> str:
        """The id of what the named deployment deploys to."""
        asked = {"deploymentId": self.the("deployment")}
        return str(self.admin("codedeploy").list_deployment_targets(**asked)["targetIds"][0])

    def query(self) -> str:
        """The id of a query that was just started."""
        return str(self.admin("logs").start_query(**self.question("limit 1"))["queryId"])

    def question(self, text: str) -> dict[str, Any]:
        """The parameters of a query over the last hour."""
        group = self.the("log_group")
        return {"logGroupName": group, "startTime": 0, "endTime": 3600, "queryString": text}

    def execution(self) -> str:
        """The id of an execution that was just started."""
        started = self.admin("ssm").start_automation_execution(**self.runbook())
        return str(started["AutomationExecutionId"])

    def runbook(self) -> dict[str, Any]:
        """The parameters that start the named document."""
        return {
            "DocumentName": self.the("document"),
            "Parameters": json.loads(self.the("document_parameters")),
        }

    def remove(self) -> None:
        """Take away what was made for this run."""
        for made, take_away in REMOVALS.items():
            if made in self.__dict__:
                take_away(self)

    def _empty_bucket(self) -> None:
        s3 = self.admin("s3")
        for one in s3.list_objects_v2(Bucket=self.bucket).get("Contents", []):
            s3.delete_object(Bucket=self.bucket, Key=one["Key"])
        s3.delete_bucket(Bucket=self.bucket)

    def _remove_rule(self) -> None:
        self.admin("events").remove_targets(Rule=self.rule, Ids=["1"])
        self.admin("events").delete_rule(Name=self.rule)

    def _remove_dead_letters(self) -> None:
        sqs = self.admin("sqs")
        sqs.delete_queue(QueueUrl=sqs.get_queue_url(QueueName=f"{self.made}-dead")["QueueUrl"])


REMOVALS: dict[str, Callable[[Place], Any]] = {
    "table": lambda place: place.admin("dynamodb").delete_table(TableName=place.table),
    "bucket": Place._empty_bucket,
    "queue": lambda place: place.admin("sqs").delete_queue(QueueUrl=place.queue),
    "dead_letters": Place._remove_dead_letters,
    "calendar": lambda place: place.admin("ssm").delete_document(Name=place.calendar),
    "pausing_document": lambda place: place.admin("ssm").delete_document(Name=place.pausing_document),
    "setting": lambda place: place.admin("ssm").delete_parameter(Name=place.setting),
    "role": lambda place: place.admin("iam").delete_role(RoleName=place.made),
    "topic": lambda place: place.admin("sns").delete_topic(TopicArn=place.topic),
    "rule": Place._remove_rule,
    "mac_key": lambda place: place.admin("kms").schedule_key_deletion(
        KeyId=place.mac_key, PendingWindowInDays=7
    ),
    "key": lambda place: place.admin("kms").schedule_key_deletion(KeyId=place.key, PendingWindowInDays=7),
}
CALENDAR = """BEGIN:VCALENDAR
PRODID:-//AWS//Change Calendar 1.0//EN
VERSION:2.0
X-CALENDAR-TYPE:DEFAULT_OPEN
END:VCALENDAR"""
TABLE: dict[str, Any] = {
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "BillingMode": "PAY_PER_REQUEST",
}


def simulated_place(
    account: SimulatedAccount, nobody: Callable[[str], Any], forged: Callable[[str], Any]
) -> Place:
    """The storefront's account."""
    models = account.client("bedrock").list_foundation_models()["modelSummaries"]
    profiles = account.client("bedrock").list_inference_profiles()["inferenceProfileSummaries"]
    guardrails = account.client("bedrock").list_guardrails()["guardrails"]
    ecs = account.client("ecs")
    service = ecs.describe_services(cluster="storefront", services=["checkout"])["services"][0]
    named = {
        "cluster": "storefront",
        "service": "checkout",
        "function": "orders-events",
        "alias": "live",
        "task_definition": str(service["taskDefinition"]),
        "log_group": "/ecs/storefront/checkout",
        "alarm": account.client("cloudwatch").describe_alarms()["MetricAlarms"][0]["AlarmName"],
        "parameter": account.client("ssm").describe_parameters()["Parameters"][0]["Name"],
        "document": "Storefront-SetTableWriteCapacity",
        "document_parameters": json.dumps({"TableName": ["orders"], "WriteCapacityUnits": ["41"]}),
        "model": models[0]["modelId"],
        "profile": profiles[0]["inferenceProfileId"],
        "guardrail": guardrails[0]["id"],
        "deployment": shifting(account)["deployment"],
    }
    return Place(account.client, nobody, forged, named)


def aws_place(nobody: Callable[[str], Any], forged: Callable[[str], Any]) -> Place:
    """The account of the credentials in the environment, with what CLOUDOPS_CONTRACTS_<KIND> names."""
    kinds = {
        name.removeprefix(f"{WANTED}_").lower(): value
        for name, value in os.environ.items()
        if name.startswith(f"{WANTED}_")
    }
    session: Any = boto_session()
    return Place(session.client, nobody, forged, kinds)
