"""Whether what a runbook names is still in the account as it says, before anybody follows it.

A runbook's head may name documents as `name@version`, log groups, ECS services as `cluster/service`, functions, queues,
roles and alarms. What cannot be looked at is said too: not knowing is not the same as no drift.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from memory.records.plan import Drift
from tools.aws.access import AwsAccess
from tools.errors import error_code

Problem = str | None
_ABSENT = frozenset(
    {
        "AWS.SimpleQueueService.NonExistentQueue",
        "ClusterNotFoundException",
        "InvalidDocument",
        "InvalidDocumentVersion",
        "NoSuchEntity",
        "QueueDoesNotExist",
        "ResourceNotFoundException",
    }
)


def drift_of(access: AwsAccess, runbook: str, names: Mapping[str, Sequence[str]]) -> tuple[Drift, ...]:
    """Return everything that a runbook names and the account does not have as it says."""
    return tuple(_drift(access, runbook, names))


def _drift(access: AwsAccess, runbook: str, names: Mapping[str, Sequence[str]]) -> Iterator[Drift]:
    for label, look in LOOKS.items():
        for name in names.get(label, ()):
            problem = _looked(look, access, name)
            if problem is not None:
                yield Drift(runbook=runbook, subject=f"{label.rstrip('s')} {name}", problem=problem)


def _looked(look: Callable[[AwsAccess, str], Problem], access: AwsAccess, name: str) -> Problem:
    try:
        return look(access, name)
    except (ClientError, BotoCoreError) as error:
        if isinstance(error, ClientError) and error.response["Error"]["Code"] in _ABSENT:
            return "it is not there"
        return f"it could not be looked at: {error_code(error)}"


def _document(access: AwsAccess, named: str) -> Problem:
    name, _, version = named.partition("@")
    found = access.client("ssm").get_document(Name=name)
    if found.get("Status", "Active") != "Active":
        return f"it is {found['Status']}"
    now = str(found["DocumentVersion"])
    return f"its version is {now}, not {version}" if version and now != version else None


def _log_group(access: AwsAccess, name: str) -> Problem:
    found = access.client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    return None if any(one["logGroupName"] == name for one in found) else "it is not there"


def _ecs_service(access: AwsAccess, named: str) -> Problem:
    cluster, _, service = named.partition("/")
    found = access.client("ecs").describe_services(cluster=cluster, services=[service])["services"]
    if not found:
        return "it is not there"
    return None if found[0]["status"] == "ACTIVE" else f"it is {found[0]['status']}"


def _function(access: AwsAccess, name: str) -> Problem:
    access.client("lambda").get_function_configuration(FunctionName=name)
    return None


def _queue(access: AwsAccess, name: str) -> Problem:
    access.client("sqs").get_queue_url(QueueName=name)
    return None


def _role(access: AwsAccess, name: str) -> Problem:
    access.client("iam").get_role(RoleName=name)
    return None


def _alarm(access: AwsAccess, name: str) -> Problem:
    found: dict[str, Any] = access.client("cloudwatch").describe_alarms(
        AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"]
    )
    return None if found.get("MetricAlarms") or found.get("CompositeAlarms") else "it is not there"


LOOKS: Mapping[str, Callable[[AwsAccess, str], Problem]] = {
    "documents": _document,
    "log_groups": _log_group,
    "ecs_services": _ecs_service,
    "functions": _function,
    "queues": _queue,
    "roles": _role,
    "alarms": _alarm,
}
"""What a runbook's head may name, by its label, and how it is looked at."""
