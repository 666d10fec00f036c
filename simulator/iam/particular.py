"""The operations whose needs depend on more than one parameter.

DynamoDB's transactions need the single-item actions:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html
Bedrock's Converse needs InvokeModel: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
Whoever gives a role to a service needs iam:PassRole on it:
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
"""

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from simulator.iam.policies import Need
from simulator.iam.templates import resources_of
from simulator.wire.protocol import ACCOUNT, REGION

Parameters = Mapping[str, Any]
_ITEM_ACTIONS = {
    "ConditionCheck": "ConditionCheckItem",
    "Delete": "DeleteItem",
    "Get": "GetItem",
    "Put": "PutItem",
    "Update": "UpdateItem",
}
_BEDROCK = f"arn:aws:bedrock:{REGION}"


def _table(named: str, index: str | None = None) -> str:
    (arn,) = resources_of("dynamodb", "table/{TableName}", {"TableName": named})
    return f"{arn}/index/{index}" if index else arn


def _read(action: str) -> Callable[[Parameters], Iterator[Need]]:
    def needs(parameters: Parameters) -> Iterator[Need]:
        yield Need(action, _table(str(parameters.get("TableName", "")), parameters.get("IndexName")))

    return needs


def _batch(action: str) -> Callable[[Parameters], Iterator[Need]]:
    def needs(parameters: Parameters) -> Iterator[Need]:
        for table in parameters.get("RequestItems") or {"": ()}:
            yield Need(action, _table(table))

    return needs


def _transaction(parameters: Parameters) -> Iterator[Need]:
    for item in parameters.get("TransactItems") or [{"Get": {}}]:
        for kind, one in item.items():
            yield Need(f"dynamodb:{_ITEM_ACTIONS.get(kind, kind)}", _table(str(one.get("TableName", ""))))


def _statement(parameters: Parameters) -> Iterator[Need]:
    words = str(parameters.get("Statement", "")).split()
    verb = words[0].capitalize() if words else "Select"
    named = [after for word, after in itertools.pairwise(words) if word.upper() in _TABLE_FOLLOWS]
    yield Need(f"dynamodb:PartiQL{verb}", _table(named[0].strip('"').partition(".")[0] if named else ""))


_TABLE_FOLLOWS = frozenset({"FROM", "INTO", "UPDATE"})


def _invocation(action: str) -> Callable[[Parameters], Iterator[Need]]:
    def needs(parameters: Parameters) -> Iterator[Need]:
        yield Need(action, model_arn(str(parameters.get("modelId", ""))))
        guardrail = parameters.get("guardrailConfig", {}).get("guardrailIdentifier")
        if guardrail:
            (arn,) = resources_of("bedrock", "guardrail/{named}", {"named": guardrail})
            yield Need("bedrock:ApplyGuardrail", arn)

    return needs


def model_arn(model_id: str) -> str:
    """The ARN of a foundation model, or of the inference profile that an id with a geography names."""
    if model_id.startswith("arn:"):
        return model_id
    if model_id.partition(".")[0] in ("us", "eu", "apac", "global", "us-gov", "jp", "au", "ca"):
        return f"{_BEDROCK}:{ACCOUNT}:inference-profile/{model_id}"
    return f"{_BEDROCK}::foundation-model/{model_id}"


def _passing(
    action: str, template: str, service: str, *members: str, also: str = ""
) -> Callable[[Parameters], Iterator[Need]]:
    """The operation's own need, and PassRole for each role that it hands to a service."""

    def needs(parameters: Parameters) -> Iterator[Need]:
        for resource in resources_of(action.partition(":")[0], template, parameters):
            yield Need(action, resource)
        for member in members:
            if parameters.get(member):
                yield passed(str(parameters[member]), service)
        if also:
            for target in parameters.get(also, []):
                if target.get("RoleArn"):
                    yield passed(target["RoleArn"], service)

    return needs


def passed(role: str, service: str) -> Need:
    """What handing a role to a service needs."""
    (arn,) = resources_of("iam", f"arn:aws:iam::{ACCOUNT}:role/{{role}}", {"role": role})
    return Need("iam:PassRole", arn, {"iam:passedtoservice": (service,)})


def _automation(parameters: Parameters) -> Iterator[Need]:
    template = "automation-definition/{DocumentName}:{DocumentVersion=$DEFAULT}"
    for resource in resources_of("ssm", template, parameters):
        yield Need("ssm:StartAutomationExecution", resource)
    for role in (parameters.get("Parameters") or {}).get("AutomationAssumeRole", []):
        yield passed(role, "ssm.amazonaws.com")


def _deletion(parameters: Parameters) -> Iterator[Need]:
    """Deleting a version for good is an action of its own.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html
    """
    action = "s3:DeleteObjectVersion" if parameters.get("VersionId") else "s3:DeleteObject"
    for resource in resources_of("s3", "arn:aws:s3:::{Bucket}/{Key!}", parameters):
        yield Need(action, resource)


def _redrive(parameters: Parameters) -> Iterator[Need]:
    """SQS moves the messages as the caller
    (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html).
    """
    source = str(parameters.get("SourceArn", ""))
    for action in ("StartMessageMoveTask", "ReceiveMessage", "DeleteMessage", "GetQueueAttributes"):
        yield Need(f"sqs:{action}", source)
    if parameters.get("DestinationArn"):
        yield Need("sqs:SendMessage", str(parameters["DestinationArn"]))


def _mapping(parameters: Parameters) -> Iterator[Need]:
    (function,) = resources_of("lambda", "function:{FunctionName}", parameters)
    yield Need("lambda:CreateEventSourceMapping", "*", {"lambda:functionarn": (function,)})


PARTICULAR: Mapping[tuple[str, str], Callable[[Parameters], Iterator[Need]]] = {
    ("bedrock-runtime", "Converse"): _invocation("bedrock:InvokeModel"),
    ("bedrock-runtime", "ConverseStream"): _invocation("bedrock:InvokeModelWithResponseStream"),
    ("bedrock-runtime", "InvokeModel"): _invocation("bedrock:InvokeModel"),
    ("codedeploy", "CreateDeploymentGroup"): _passing(
        *("codedeploy:CreateDeploymentGroup", "deploymentgroup:{applicationName}/{deploymentGroupName}"),
        *("codedeploy.amazonaws.com", "serviceRoleArn"),
    ),
    ("dynamodb", "BatchGetItem"): _batch("dynamodb:BatchGetItem"),
    ("dynamodb", "BatchWriteItem"): _batch("dynamodb:BatchWriteItem"),
    ("dynamodb", "ExecuteStatement"): _statement,
    ("dynamodb", "Query"): _read("dynamodb:Query"),
    ("dynamodb", "Scan"): _read("dynamodb:Scan"),
    ("dynamodb", "TransactGetItems"): _transaction,
    ("dynamodb", "TransactWriteItems"): _transaction,
    ("ecs", "RegisterTaskDefinition"): _passing(
        *("ecs:RegisterTaskDefinition", "task-definition/{family}:*"),
        *("ecs-tasks.amazonaws.com", "taskRoleArn", "executionRoleArn"),
    ),
    ("events", "PutTargets"): _passing(
        "events:PutTargets", "rule/{Rule}", "events.amazonaws.com", also="Targets"
    ),
    ("lambda", "CreateEventSourceMapping"): _mapping,
    ("lambda", "CreateFunction"): _passing(
        "lambda:CreateFunction", "function:{FunctionName}", "lambda.amazonaws.com", "Role"
    ),
    ("lambda", "UpdateFunctionConfiguration"): _passing(
        "lambda:UpdateFunctionConfiguration", "function:{FunctionName}", "lambda.amazonaws.com", "Role"
    ),
    ("s3", "DeleteObject"): _deletion,
    ("sqs", "StartMessageMoveTask"): _redrive,
    ("ssm", "StartAutomationExecution"): _automation,
}
