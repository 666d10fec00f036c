"""Any operation at all, asked with made-up parameters, and what AWS says it needs."""

from typing import Any

from botocore import xform_name
from botocore.model import ListShape, MapShape, Shape, StructureShape

ACCOUNT = "123456789012"
EXCEPTIONS = {
    ("bedrock-runtime", "Converse"): "bedrock:InvokeModel",
    ("bedrock-runtime", "ConverseStream"): "bedrock:InvokeModelWithResponseStream",
    ("dynamodb", "ExecuteStatement"): "dynamodb:PartiQLSelect",
    ("dynamodb", "TransactGetItems"): "dynamodb:GetItem",
    ("dynamodb", "TransactWriteItems"): "dynamodb:PutItem",
    ("lambda", "Invoke"): "lambda:InvokeFunction",
    ("s3", "GetBucketLifecycleConfiguration"): "s3:GetLifecycleConfiguration",
    ("s3", "HeadBucket"): "s3:ListBucket",
    ("s3", "HeadObject"): "s3:GetObject",
    ("s3", "ListBuckets"): "s3:ListAllMyBuckets",
    ("s3", "ListObjectVersions"): "s3:ListBucketVersions",
    ("s3", "ListObjects"): "s3:ListBucket",
    ("s3", "ListObjectsV2"): "s3:ListBucket",
    ("s3", "PutBucketLifecycleConfiguration"): "s3:PutLifecycleConfiguration",
    ("s3", "PutPublicAccessBlock"): "s3:PutBucketPublicAccessBlock",
    ("sqs", "DeleteMessageBatch"): "sqs:DeleteMessage",
    ("sqs", "SendMessageBatch"): "sqs:SendMessage",
}
"""Actions that are not called like their operation: service authorization reference, one page a service."""
WITHOUT_RESOURCES = {
    "bedrock": {"ListFoundationModels", "ListInferenceProfiles"},
    "bedrock-runtime": {"InvokeGuardrailChecks"},
    "cloudtrail": {"LookupEvents"},
    "cloudwatch": {
        *("DescribeAlarmsForMetric", "GetMetricData", "GetMetricStatistics", "ListMetrics"),
        *("PutAnomalyDetector", "PutMetricData"),
    },
    "dynamodb": {"ListTables"},
    "ecs": {
        *("CreateCluster", "DescribeTaskDefinition", "ListClusters", "ListServices", "ListTaskDefinitions"),
        "DeregisterTaskDefinition",
    },
    "kms": {"CreateKey", "ListKeys"},
    "service-quotas": {
        *("GetAWSDefaultServiceQuota", "GetServiceQuota", "ListAWSDefaultServiceQuotas"),
        *("ListServiceQuotas", "ListServices"),
    },
    "lambda": {
        *("CreateEventSourceMapping", "GetAccountSettings", "ListEventSourceMappings", "ListFunctions"),
    },
    "logs": {"DescribeQueries", "GetQueryResults", "StopQuery"},
    "s3": {"ListBuckets"},
    "sns": {"ListTopics"},
    "sqs": {"CancelMessageMoveTask", "ListQueues"},
    "ssm": {
        *("DescribeAutomationExecutions", "DescribeParameters", "ListDocuments"),
        *("CreateOpsItem", "DescribeOpsItems", "GetExecutionPreview"),
    },
}
"""Operations whose actions are decided on no resource."""
WHOLE_KIND = {
    *("BatchGetApplications", "BatchGetDeployments", "BatchGetDeploymentTargets", "GetDeployment"),
    *("GetDeploymentTarget", "ListApplications", "ListDeploymentConfigs", "ListDeployments"),
    *("ListDeploymentTargets", "StopDeployment"),
    *("DescribeLogGroups", "ListRoles", "ListRules", "ListUsers", "PutEvents"),
}
"""Operations that name no single resource and are decided on a whole kind of them."""
OPTIONAL = (
    *(
        "AlarmName",
        "AlarmNames",
        "KeyId",
        "TopicArn",
        "UserName",
        "cluster",
        "clusters",
        "guardrailIdentifier",
    ),
    *("logGroupName", "Statement"),
)
MADE_UP = "made-up"


def expected_action(service: str, operation: str) -> str:
    """The action that AWS decides an operation by."""
    prefix = {"bedrock-runtime": "bedrock", "service-quotas": "servicequotas"}.get(service, service)
    return EXCEPTIONS.get((service, operation), f"{prefix}:{operation}")


def is_expected_resource(service: str, operation: str, resource: str) -> bool:
    """Whether a denial speaks of the resource that was asked for."""
    if operation in WITHOUT_RESOURCES.get(service, set()):
        return resource == "*"
    prefix = {"bedrock-runtime": "bedrock"}.get(service, service)
    return resource.startswith(f"arn:aws:{prefix}:") and (MADE_UP in resource or operation in WHOLE_KIND)


def ask(client: Any, service: str, operation: str) -> Any:
    """Call an operation with made-up parameters."""
    shape = client.meta.service_model.operation_model(operation).input_shape
    prefix = {"bedrock-runtime": "bedrock"}.get(service, service)
    parameters = _made_up(shape, "", prefix) if shape is not None else {}
    return getattr(client, xform_name(operation))(**parameters)


def _made_up(shape: Shape, name: str, prefix: str) -> Any:
    if isinstance(shape, StructureShape):
        wanted = shape.required_members or list(shape.members)[:1]
        if not name:
            wanted = [*shape.required_members, *(one for one in OPTIONAL if one in shape.members)]
        if name == "TransactItem":
            wanted = [next(one for one in ("Put", "Get") if one in shape.members)]
        return {one: _made_up(shape.members[one], one, prefix) for one in dict.fromkeys(wanted)}
    if isinstance(shape, ListShape):
        item = "TransactItem" if name == "TransactItems" else name
        return [_made_up(shape.member, item, prefix)]
    if isinstance(shape, MapShape):
        return {MADE_UP: _made_up(shape.value, "value", prefix)}
    return _scalar(shape, name, prefix)


def _scalar(shape: Shape, name: str, prefix: str) -> Any:
    if shape.type_name == "string":
        if enum := shape.metadata.get("enum"):
            return enum[0]
        if name == "Statement":
            return f'SELECT * FROM "{MADE_UP}"'
        if name.lower().rstrip("s").endswith("arn") and name != "SourceIdentity":
            kind = "role/" if prefix in ("sts", "iam") else "thing/"
            return f"arn:aws:{prefix}:us-east-1:{ACCOUNT}:{kind}{MADE_UP}"
        return (
            f"http://127.0.0.1/{ACCOUNT}/{MADE_UP}"
            if name == "QueueUrl"
            else MADE_UP.ljust(int(shape.metadata.get("min", 12)), "0")
        )
    if shape.type_name == "timestamp":
        return "2026-11-23T09:00:00Z"
    if shape.type_name == "blob":
        return b"x"
    return {"boolean": True}.get(shape.type_name, int(shape.metadata.get("min", 1)))
