"""A truth's calls in the catalogue's words, with exact parameters read from the account."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from evals.truth import AcceptableCall, ForbiddenChange
from memory.records.plan import PlannedAction
from tools.actions.capacity_document import find_document
from tools.actions.dynamodb_units import read_table
from tools.actions.ecs_service import read_service
from tools.actions.ssm_document import SsmDocument, SsmRunDocument
from tools.aws.access import AwsAccess
from tools.code_deployment import function_target

Asked = Mapping[str, Any]


class Untold(Exception):
    """The catalogue has no words for a call."""


def planned(call: AcceptableCall | ForbiddenChange, access: AwsAccess) -> PlannedAction:
    """Return the action that makes a call.

    A forbidden call that no action makes becomes an action of its own name, which review has to refuse; an acceptable
    one raises `Untold`.
    """
    asked = {**call.also, **call.parameters, "of": getattr(call, "cures", "").rpartition("/")[2]}
    teller = _TELLERS.get(call.api)
    told = teller(access, asked) if teller else None
    if told is not None:
        name, parameters = told
        return PlannedAction(action=name, parameters=parameters, why="given by the evaluation")
    if isinstance(call, ForbiddenChange):
        return PlannedAction(action=call.api, parameters=dict(asked), why="given by the evaluation")
    raise Untold(f"the catalogue has no action that makes {call.api} {json.dumps(asked, sort_keys=True)}")


Told = tuple[str, dict[str, Any]] | None


def _service(access: AwsAccess, asked: Asked) -> Told:
    where = {"cluster": asked["cluster"], "service": asked["service"]}
    if "taskDefinition" in asked:
        return "ecs_rollback_service", {**where, "task_definition": asked["taskDefinition"]}
    if "desiredCount" in asked:
        return "ecs_set_desired_count", {**where, "desired_count": asked["desiredCount"]}
    if asked.get("forceNewDeployment"):
        state = read_service(access, where["cluster"], where["service"])
        return "ecs_force_new_deployment", {**where, "deployment": state["deployment"]}
    return None


def _alias(_: AwsAccess, asked: Asked) -> Told:
    named = {
        "function": asked["FunctionName"],
        "alias": asked["Name"],
        "version": asked["FunctionVersion"],
    }
    return "lambda_shift_alias", named


def _stopped(access: AwsAccess, asked: Asked) -> Told:
    if not asked.get("autoRollbackEnabled"):
        return None
    client = access.client("codedeploy")
    deployment = client.get_deployment(deploymentId=asked["deploymentId"])["deploymentInfo"]
    target = function_target(client, deployment)
    if target is None:
        return None
    named = {
        "application": deployment["applicationName"],
        "group": deployment["deploymentGroupName"],
        "deployment": deployment["deploymentId"],
        "function": target["functionName"],
    }
    return "codedeploy_stop", named


def _concurrency(_: AwsAccess, asked: Asked) -> Told:
    reserved = asked.get("ReservedConcurrentExecutions")
    return "lambda_set_reserved_concurrency", {"function": asked["FunctionName"], "reserved": reserved}


def _table(access: AwsAccess, asked: Asked) -> Told:
    table, wanted = asked["TableName"], asked.get("ProvisionedThroughput", {})
    state = read_table(access, table)
    if not state["found"]:
        return None
    if wanted.get("ReadCapacityUnits") not in {None, state["read"]}:
        units = wanted["ReadCapacityUnits"]
        return "dynamodb_set_read_capacity", {"table": table, "read_capacity_units": units}
    document = find_document(access.client("ssm"))
    if document is None or "WriteCapacityUnits" not in wanted:
        return None
    units = wanted["WriteCapacityUnits"]
    given = {"table": table, "write_capacity_units": units, "document": document.name}
    return "dynamodb_set_write_capacity", given


def _parameter(access: AwsAccess, asked: Asked) -> Told:
    history = access.client("ssm").get_parameter_history(Name=asked["Name"])["Parameters"]
    versions = [int(one["Version"]) for one in history if one["Value"] == asked["Value"]]
    if not versions:
        return "ssm_set_allowed_value", {"name": asked["Name"], "value": asked["Value"]}
    return "ssm_revert_parameter", {"name": asked["Name"], "version": max(versions)}


def _queue(_: AwsAccess, asked: Asked) -> Told:
    policy = json.loads(asked.get("Attributes", {}).get("RedrivePolicy", "{}"))
    if not policy:
        return None
    return "sqs_quarantine_poison", {
        "queue": asked["QueueUrl"].rpartition("/")[2],
        "dead_letter_queue": policy["deadLetterTargetArn"].rpartition(":")[2],
        "max_receives": int(policy["maxReceiveCount"]),
    }


def _stop_task(access: AwsAccess, asked: Asked) -> Told:
    """A truth cannot name a task: it is the one of the service whose log tells of most failures lately."""
    ecs, logs, service = access.client("ecs"), access.client("logs"), asked["of"]
    arns = ecs.list_tasks(cluster=asked["cluster"], serviceName=service)["taskArns"]
    described = ecs.describe_services(cluster=asked["cluster"], services=[service])["services"][0]
    definition = ecs.describe_task_definition(taskDefinition=described["taskDefinition"])["taskDefinition"]
    group = definition["containerDefinitions"][0]["logConfiguration"]["options"]["awslogs-group"]
    found = logs.filter_log_events(logGroupName=group, filterPattern="error", limit=1000)["events"]
    told = Counter(one["logStreamName"].rpartition("/")[2] for one in found)
    tasks = [arn.rpartition("/")[2] for arn in arns]
    worst = max(tasks, key=lambda task: told[task], default=None)
    return (
        ("ecs_stop_task", {"cluster": asked["cluster"], "service": service, "task": worst}) if worst else None
    )


def _document(access: AwsAccess, asked: Asked) -> Told:
    values = {name: given[0] for name, given in asked["Parameters"].items()}
    running = SsmRunDocument()
    listed = next((one for one in running.allowed if one.name == asked["DocumentName"]), None)
    if listed is None or listed.parameters.keys() != values.keys():
        return None
    plain = SsmDocument(document=listed.name, values=values, after="")
    return running.name, {**plain.model_dump(), "after": running.read_state(access, plain).get("newest", "")}


_TELLERS: Mapping[str, Callable[[AwsAccess, Asked], Told]] = {
    "ecs:StopTask": _stop_task,
    "ecs:UpdateService": _service,
    "codedeploy:StopDeployment": _stopped,
    "lambda:UpdateAlias": _alias,
    "lambda:PutFunctionConcurrency": _concurrency,
    "lambda:DeleteFunctionConcurrency": _concurrency,
    "dynamodb:UpdateTable": _table,
    "ssm:PutParameter": _parameter,
    "ssm:StartAutomationExecution": _document,
    "sqs:SetQueueAttributes": _queue,
}
