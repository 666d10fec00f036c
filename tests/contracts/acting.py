"""Contracts of what the copilot looks into and changes beside ECS: Lambda, parameters, redrives, roles, calendars."""

from typing import Any

from tests.contracts.contract import Asks, Contract
from tests.contracts.place import ABSENT, Place

NO_ROLE_SECONDS = 10
NO_PREVIEW = "00000000-0000-4000-8000-000000000000"


def _function(**more: Any) -> Asks:
    return lambda place: {"FunctionName": place.the("function"), **more}


def _lambda(operation: str, gives: str, **more: Any) -> Contract:
    wrong = {"FunctionName": ABSENT, **more}
    return Contract(
        "lambda", operation, _function(**more), gives, lambda _: wrong, "ResourceNotFoundException"
    )


def _aliased(name: str = "", **more: Any) -> Asks:
    def asks(place: Place) -> dict[str, Any]:
        return {"FunctionName": place.the("function"), "Name": name or place.the("alias"), **more}

    return asks


def _version(place: Place) -> str:
    """The version that the alias names."""
    return str(place.admin("lambda").get_alias(**_aliased()(place))["FunctionVersion"])


LAMBDA = (
    _lambda("GetFunction", "Configuration"),
    _lambda("GetFunctionConfiguration", "Version"),
    _lambda("ListAliases", "Aliases"),
    _lambda("ListVersionsByFunction", "Versions"),
    _lambda("GetFunctionConcurrency", ""),
    _lambda("PutFunctionConcurrency", "ReservedConcurrentExecutions", ReservedConcurrentExecutions=5),
    _lambda("DeleteFunctionConcurrency", ""),
    Contract("lambda", "GetAlias", _aliased(), "Name", _aliased(ABSENT), "ResourceNotFoundException"),
    Contract(
        *("lambda", "UpdateAlias"),
        lambda place: {**_aliased()(place), "FunctionVersion": _version(place)},
        "FunctionVersion",
        lambda place: {**_aliased()(place), "FunctionVersion": "9999"},
        "ResourceNotFoundException",
    ),
    Contract(
        *("lambda", "ListFunctions", lambda _: {"MaxItems": 1}, "Functions"),
        *(lambda _: {"Marker": "not a marker"}, "InvalidParameterValueException"),
    ),
    Contract(
        *("lambda", "ListEventSourceMappings", _function(), "EventSourceMappings"),
        *(lambda _: {"Marker": "not a marker"}, "InvalidParameterValueException"),
    ),
    Contract(
        *("lambda", "ListTags"),
        lambda place: {"Resource": place.function_arn},
        "Tags",
        lambda place: {"Resource": f"{place.function_arn}-{ABSENT}"},
        "ResourceNotFoundException",
    ),
    Contract(
        *("lambda", "GetAccountSettings", lambda _: {}, "AccountLimit"),
        *(lambda _: {}, "InvalidSignatureException"),
        forged=True,
    ),
)


def _names(count: int) -> Asks:
    return lambda _: {"Names": [f"/{ABSENT}/{number}" for number in range(count)]}


PARAMETERS = (
    Contract(
        *("ssm", "PutParameter"),
        lambda place: {"Name": place.setting, "Value": "2", "Type": "String", "Overwrite": True},
        "Version",
        lambda place: {"Name": place.setting, "Value": "3", "Type": "String"},
        "ParameterAlreadyExists",
    ),
    Contract(
        *("ssm", "GetParameterHistory", lambda place: {"Name": place.setting}, "Parameters"),
        *(lambda _: {"Name": f"/{ABSENT}"}, "ParameterNotFound"),
    ),
    Contract("ssm", "GetParameters", _names(1), "InvalidParameters", _names(11), "ValidationException"),
    Contract(
        *("ssm", "DescribeParameters", lambda _: {"MaxResults": 1}, "Parameters"),
        *(lambda _: {"NextToken": "not a token"}, "InvalidNextToken"),
    ),
)
AUTOMATION = (
    Contract(
        *("ssm", "DescribeDocument", lambda place: {"Name": place.the("document")}, "Document"),
        *(lambda _: {"Name": ABSENT}, "InvalidDocument"),
    ),
    Contract(
        *("ssm", "ListDocumentVersions", lambda place: {"Name": place.the("document")}, "DocumentVersions"),
        *(lambda _: {"Name": ABSENT}, "InvalidDocument"),
    ),
    Contract(
        *("ssm", "DescribeAutomationExecutions"),
        lambda place: {"Filters": [{"Key": "ExecutionId", "Values": [place.execution()]}]},
        "AutomationExecutionMetadataList",
        lambda _: {"NextToken": "not a token"},
        "InvalidNextToken",
    ),
    Contract(
        *("ssm", "StopAutomationExecution"),
        lambda place: {"AutomationExecutionId": place.paused_execution()},
        "",
        lambda _: {"AutomationExecutionId": NO_PREVIEW},
        "AutomationExecutionNotFoundException",
    ),
    Contract(
        *("ssm", "StartExecutionPreview", lambda place: place.previewed(), "ExecutionPreviewId"),
        *(lambda _: {"DocumentName": ABSENT}, "ValidationException"),
    ),
    Contract(
        *("ssm", "GetExecutionPreview", lambda place: {"ExecutionPreviewId": place.preview()}, "Status"),
        *(lambda _: {"ExecutionPreviewId": NO_PREVIEW}, "ResourceNotFoundException"),
    ),
    Contract(
        *("ssm", "GetCalendarState", lambda place: {"CalendarNames": [place.calendar]}, "State"),
        *(lambda _: {"CalendarNames": [ABSENT]}, "InvalidDocument"),
    ),
)
REDRIVES = (
    Contract(
        *("sqs", "StartMessageMoveTask", lambda place: {"SourceArn": place.dead_letters}, "TaskHandle"),
        *(lambda place: {"SourceArn": f"{place.dead_letters}-absent"}, "ResourceNotFoundException"),
    ),
    Contract(
        *("sqs", "ListMessageMoveTasks", lambda place: {"SourceArn": place.dead_letters}, ""),
        *(lambda place: {"SourceArn": f"{place.dead_letters}-absent"}, "ResourceNotFoundException"),
    ),
    Contract(
        *("sqs", "ListQueues", lambda _: {"MaxResults": 1}, ""),
        *(lambda _: {}, "SignatureDoesNotMatch"),
        forged=True,
    ),
    Contract(
        *("sqs", "ListDeadLetterSourceQueues", lambda place: {"QueueUrl": place.queue}, "queueUrls"),
        lambda place: {"QueueUrl": f"{place.queue}-absent"},
        "AWS.SimpleQueueService.NonExistentQueue",
    ),
    Contract(
        *("sqs", "ListQueueTags", lambda place: {"QueueUrl": place.queue}, ""),
        lambda place: {"QueueUrl": f"{place.queue}-absent"},
        "AWS.SimpleQueueService.NonExistentQueue",
    ),
    Contract(
        *("sqs", "SendMessage", lambda place: {"QueueUrl": place.queue, "MessageBody": "x"}, "MessageId"),
        lambda place: {"QueueUrl": f"{place.queue}-absent", "MessageBody": "x"},
        "AWS.SimpleQueueService.NonExistentQueue",
    ),
)
ROLES = (
    Contract(
        *("iam", "GetRole", lambda place: {"RoleName": place.role.rpartition("/")[2]}, "Role"),
        *(lambda _: {"RoleName": ABSENT}, "NoSuchEntity"),
    ),
    Contract(
        *("sts", "AssumeRole"),
        lambda place: {"RoleArn": place.role, "RoleSessionName": "contract"},
        "Credentials",
        lambda place: {
            "RoleArn": place.role,
            "RoleSessionName": "contract",
            "DurationSeconds": NO_ROLE_SECONDS,
        },
        "ValidationError",
    ),
)


def _unfinished(place: Place) -> dict[str, Any]:
    """A deployment that has just begun."""
    ecs, named = place.admin("ecs"), {"cluster": place.the("cluster"), "service": place.the("service")}
    ecs.update_service(**named, forceNewDeployment=True)
    begun = ecs.list_service_deployments(**named, status=["PENDING", "IN_PROGRESS"])["serviceDeployments"]
    return {"serviceDeploymentArn": begun[0]["serviceDeploymentArn"], "stopType": "ROLLBACK"}


def _no_deployment(place: Place) -> dict[str, Any]:
    arn = place.service_arn.replace(":service/", ":service-deployment/")
    return {"serviceDeploymentArn": f"{arn}/{'0' * 21}", "stopType": "ROLLBACK"}


def _task(place: Place) -> str:
    asked = {"cluster": place.the("cluster"), "serviceName": place.the("service")}
    return str(place.admin("ecs").list_tasks(**asked)["taskArns"][0])


def _tasks(place: Place) -> dict[str, Any]:
    return {"cluster": place.the("cluster"), "tasks": [_task(place)]}


TASKS = (
    Contract(
        *("ecs", "ListTasks", lambda place: {"cluster": place.the("cluster")}, "taskArns"),
        *(lambda _: {"cluster": ABSENT}, "ClusterNotFoundException"),
    ),
    Contract(
        *("ecs", "DescribeTasks", _tasks, "tasks"),
        *(lambda place: {"cluster": place.the("cluster"), "tasks": []}, "InvalidParameterException"),
    ),
    Contract(
        *("ecs", "StopTask"),
        lambda place: {"cluster": place.the("cluster"), "task": _task(place), "reason": "contract"},
        "task",
        lambda place: {"cluster": place.the("cluster"), "task": "0" * 32},
        "InvalidParameterException",
    ),
    Contract(
        *("ecs", "StopServiceDeployment", _unfinished, "serviceDeploymentArn"),
        *(_no_deployment, "ServiceDeploymentNotFoundException"),
    ),
    Contract(
        *("ecs", "ListServices", lambda place: {"cluster": place.the("cluster")}, "serviceArns"),
        *(lambda _: {"cluster": ABSENT}, "ClusterNotFoundException"),
    ),
    Contract(
        *("ecs", "ListTagsForResource", lambda place: {"resourceArn": place.service_arn}, "tags"),
        *(lambda place: {"resourceArn": "not an arn"}, "InvalidParameterException"),
    ),
)
CONTRACTS = (*LAMBDA, *PARAMETERS, *AUTOMATION, *REDRIVES, *ROLES, *TASKS)
