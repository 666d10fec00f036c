"""Which resources a call names, as CloudTrail lists them."""

from collections.abc import Iterator, Mapping
from typing import Any

_NAMING = {
    "cloudwatch": {"AlarmName": "AWS::CloudWatch::Alarm"},
    "codedeploy": {
        "applicationName": "AWS::CodeDeploy::Application",
        "deploymentGroupName": "AWS::CodeDeploy::DeploymentGroup",
    },
    "dynamodb": {"TableName": "AWS::DynamoDB::Table"},
    "ecs": {
        "cluster": "AWS::ECS::Cluster",
        "service": "AWS::ECS::Service",
        "serviceName": "AWS::ECS::Service",
        "taskDefinition": "AWS::ECS::TaskDefinition",
        "family": "AWS::ECS::TaskDefinition",
    },
    "events": {"Name": "AWS::Events::Rule", "Rule": "AWS::Events::Rule"},
    "lambda": {"FunctionName": "AWS::Lambda::Function"},
    "logs": {"logGroupName": "AWS::Logs::LogGroup"},
    "s3": {"Bucket": "AWS::S3::Bucket"},
    "sns": {"TopicArn": "AWS::SNS::Topic"},
    "sqs": {"QueueUrl": "AWS::SQS::Queue", "QueueName": "AWS::SQS::Queue"},
    "ssm": {"DocumentName": "AWS::SSM::Document"},
    "sts": {"RoleArn": "AWS::IAM::Role"},
}


def named_resources(service: str, parameters: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Type and name of each resource that the parameters name."""
    for member, kind in _NAMING.get(service, {}).items():
        value = parameters.get(member)
        if isinstance(value, str):
            yield kind, value
