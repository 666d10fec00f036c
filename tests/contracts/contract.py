"""What a contract is: one operation, what AWS documents of it, and where AWS documents it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.contracts.place import Place

Asks = Callable[[Place], dict[str, Any]]

GUIDES = {
    "bedrock": "bedrock/latest/APIReference/API_",
    "bedrock-runtime": "bedrock/latest/APIReference/API_runtime_",
    "cloudtrail": "awscloudtrail/latest/APIReference/API_",
    "cloudwatch": "AmazonCloudWatch/latest/APIReference/API_",
    "codedeploy": "codedeploy/latest/APIReference/API_",
    "dynamodb": "amazondynamodb/latest/APIReference/API_",
    "ecs": "AmazonECS/latest/APIReference/API_",
    "events": "eventbridge/latest/APIReference/API_",
    "iam": "IAM/latest/APIReference/API_",
    "kms": "kms/latest/APIReference/API_",
    "lambda": "lambda/latest/api/API_",
    "logs": "AmazonCloudWatchLogs/latest/APIReference/API_",
    "resourcegroupstaggingapi": "resourcegroupstagging/latest/APIReference/API_",
    "s3": "AmazonS3/latest/API/API_",
    "service-quotas": "servicequotas/2019-06-24/apireference/API_",
    "sns": "sns/latest/api/API_",
    "sqs": "AWSSimpleQueueService/latest/APIReference/API_",
    "ssm": "systems-manager/latest/APIReference/API_",
    "sts": "STS/latest/APIReference/API_",
}

PREFIXES = {
    "bedrock-runtime": "bedrock",
    "resourcegroupstaggingapi": "tag",
    "service-quotas": "servicequotas",
}
"""What services call themselves in actions, where clients call them otherwise."""


@dataclass(frozen=True)
class Contract:
    """One operation: what succeeds and with which member, and what fails with which code.

    `action` is what a denial names; without it the operation's own name. `always` says that policies deny nobody.
    `forged` says that what fails is a call with a wrong signature, since nothing else about it could be wrong.
    """

    service: str
    operation: str
    happy: Asks
    gives: str
    wrong: Asks
    code: str
    action: str = ""
    always: bool = False
    forged: bool = False

    @property
    def page(self) -> str:
        """The page of AWS's API reference that documents the operation and its errors."""
        return f"https://docs.aws.amazon.com/{GUIDES[self.service]}{self.operation}.html"

    @property
    def name(self) -> str:
        """The contract's name in reports."""
        return f"{self.service}-{self.operation}"

    @property
    def denied_action(self) -> str:
        """The action that a denial names."""
        prefix = PREFIXES.get(self.service, self.service)
        return self.action or f"{prefix}:{self.operation}"
