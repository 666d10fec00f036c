"""For each action of the catalogue: how its account is made ready, exact parameters, and what others may change."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.shifting import shifting
from tests.simulated import SimulatedAccount

CLUSTER = "storefront"
QUEUE, DEAD = "order-events.fifo", "order-events-dead.fifo"
FUNCTION, ALIAS = "orders-events", "live"
LIMIT = "/storefront/checkout/payments-timeout-ms"
ROUTE = "/storefront/payments/acquirers"
DOCUMENT = "Storefront-SetTableWriteCapacity"

Given = dict[str, Any]


@dataclass(frozen=True)
class Stage:
    """One action on its stage.

    `ready` makes it possible and returns its parameters; `meddle` is what somebody else does to the same target;
    `elsewhere` are the parameters with another target; `writes` is the operation that the action calls.
    """

    action: str
    writes: str
    ready: Callable[[SimulatedAccount], Given]
    meddle: Callable[[SimulatedAccount, Given], object]
    elsewhere: Given


def _service(account: SimulatedAccount, name: str) -> dict[str, Any]:
    found: dict[str, Any] = account.client("ecs").describe_services(cluster=CLUSTER, services=[name])[
        "services"
    ][0]
    return found


def _steady(account: SimulatedAccount, name: str) -> dict[str, Any]:
    """The service once it is: whoever changed it before may have left a rollout under way, or a task missing."""
    for _ in range(40):
        found = _service(account, name)
        (deployment, *others) = found["deployments"]
        rolled_out = not others and deployment.get("rolloutState") == "COMPLETED"
        if rolled_out and found["runningCount"] == found["desiredCount"]:
            return found
        account.advance(30)
    raise AssertionError(f"{name} does not become steady")


def _update(account: SimulatedAccount, name: str, **more: Any) -> None:
    account.client("ecs").update_service(cluster=CLUSTER, service=name, **more)


def _rollback(account: SimulatedAccount) -> Given:
    if _steady(account, "web")["taskDefinition"].endswith("web:17"):
        _update(account, "web", taskDefinition="web:18")
        _steady(account, "web")
    return {"cluster": CLUSTER, "service": "web", "task_definition": "web:17"}


def _force(account: SimulatedAccount) -> Given:
    deployment = _steady(account, "payments")["deployments"][0]["id"]
    return {"cluster": CLUSTER, "service": "payments", "deployment": deployment}


def _scale(account: SimulatedAccount) -> Given:
    desired = _steady(account, "inventory")["desiredCount"]
    return {"cluster": CLUSTER, "service": "inventory", "desired_count": desired + 1}


def _stop_task(account: SimulatedAccount) -> Given:
    _steady(account, "checkout")
    tasks = account.client("ecs").list_tasks(cluster=CLUSTER, serviceName="checkout")["taskArns"]
    return {"cluster": CLUSTER, "service": "checkout", "task": tasks[0].rpartition("/")[2]}


def _stopped_by_others(account: SimulatedAccount, given: Given) -> None:
    account.client("ecs").stop_task(cluster=CLUSTER, task=given["task"])


def _alias(account: SimulatedAccount) -> Given:
    whole: dict[str, Any] = {"AdditionalVersionWeights": {}}
    account.client("lambda").update_alias(
        FunctionName=FUNCTION, Name=ALIAS, FunctionVersion="7", RoutingConfig=whole
    )
    return {"function": FUNCTION, "alias": ALIAS, "version": "6"}


def _left_half(account: SimulatedAccount, given: Given) -> None:
    account.client("codedeploy").stop_deployment(deploymentId=given["deployment"])


def _weighted(account: SimulatedAccount, _: Given) -> None:
    weights = {"AdditionalVersionWeights": {"6": 0.1}}
    account.client("lambda").update_alias(FunctionName=FUNCTION, Name=ALIAS, RoutingConfig=weights)


def _concurrency(account: SimulatedAccount) -> Given:
    _reserve(2)(account, {})
    return {"function": FUNCTION, "reserved": 10}


def _reserve(units: int) -> Callable[[SimulatedAccount, Given], None]:
    def reserve(account: SimulatedAccount, _: Given) -> None:
        account.client("lambda").put_function_concurrency(
            FunctionName=FUNCTION, ReservedConcurrentExecutions=units
        )

    return reserve


def _table(account: SimulatedAccount) -> dict[str, Any]:
    for _ in range(10):
        found: dict[str, Any] = account.client("dynamodb").describe_table(TableName="orders")["Table"]
        if found["TableStatus"] == "ACTIVE":
            return found
        account.advance(30)
    raise AssertionError("the table does not become active")


def _units(account: SimulatedAccount, kind: str) -> int:
    return int(_table(account)["ProvisionedThroughput"][f"{kind}CapacityUnits"])


def _write_capacity(account: SimulatedAccount) -> Given:
    wanted = _units(account, "Write") * 2
    return {"table": "orders", "write_capacity_units": wanted, "document": DOCUMENT}


def _read_capacity(account: SimulatedAccount) -> Given:
    return {"table": "orders", "read_capacity_units": _units(account, "Read") * 2}


def _provision(account: SimulatedAccount, _: Given) -> None:
    units = {"ReadCapacityUnits": _units(account, "Read"), "WriteCapacityUnits": _units(account, "Write") + 1}
    account.client("dynamodb").update_table(TableName="orders", ProvisionedThroughput=units)
    _table(account)


def _queue(account: SimulatedAccount, name: str) -> str:
    return str(account.client("sqs").get_queue_url(QueueName=name)["QueueUrl"])


def _receives(account: SimulatedAccount, times: int) -> None:
    target = f"arn:aws:sqs:us-east-1:{account.local['account']}:{DEAD}"
    policy = json.dumps({"deadLetterTargetArn": target, "maxReceiveCount": times})
    account.client("sqs").set_queue_attributes(
        QueueUrl=_queue(account, QUEUE), Attributes={"RedrivePolicy": policy}
    )


def _quarantine(account: SimulatedAccount) -> Given:
    _receives(account, 1000)
    return {"queue": QUEUE, "dead_letter_queue": DEAD, "max_receives": 5}


def _redrive(account: SimulatedAccount) -> Given:
    sqs = account.client("sqs")
    number = len(account.calls("SendMessage"))
    sqs.send_message(
        QueueUrl=_queue(account, DEAD),
        MessageBody=json.dumps({"type": "order.placed", "order_id": f"o-{number}", "currency": "EUR"}),
        MessageGroupId="1",
        MessageDeduplicationId=f"d-{number}",
    )
    arn = f"arn:aws:sqs:us-east-1:{account.local['account']}:{DEAD}"
    tasks = sqs.list_message_move_tasks(SourceArn=arn, MaxResults=10).get("Results", [])
    newest = max((one["StartedTimestamp"] for one in tasks), default=0)
    # Two tasks within a millisecond of the account's time could not be told apart.
    account.advance(1)
    return {"dead_letter_queue": DEAD, "queue": QUEUE, "after": newest}


def _redriven(account: SimulatedAccount, _: Given) -> None:
    arn = f"arn:aws:sqs:us-east-1:{account.local['account']}:{DEAD}"
    account.client("sqs").start_message_move_task(SourceArn=arn)


def _set(account: SimulatedAccount, value: str) -> int:
    answer = account.client("ssm").put_parameter(Name=LIMIT, Value=value, Type="String", Overwrite=True)
    return int(answer["Version"])


def _parameter(account: SimulatedAccount) -> Given:
    version = _set(account, "2000")
    _set(account, "1900")
    return {"name": LIMIT, "version": version}


def _route(account: SimulatedAccount, value: str) -> None:
    account.client("ssm").put_parameter(
        Name=ROUTE, Value=value, Type="String", AllowedPattern="^(a|b|a,b)$", Overwrite=True
    )


def _switch(account: SimulatedAccount) -> Given:
    _route(account, "a,b")
    return {"name": ROUTE, "value": "b"}


def _executions(account: SimulatedAccount) -> list[dict[str, Any]]:
    listed = account.client("ssm").describe_automation_executions()["AutomationExecutionMetadataList"]
    return list(listed)


def _document(account: SimulatedAccount) -> Given:
    _table(account)
    listed = _executions(account)
    for _ in range(20):
        if all(one["AutomationExecutionStatus"] != "InProgress" for one in listed):
            break
        account.advance(30)
        listed = _executions(account)
    newest = max(listed, key=lambda one: one["ExecutionStartTime"], default={"AutomationExecutionId": ""})
    account.advance(1)
    values = {"TableName": "orders", "WriteCapacityUnits": str(_units(account, "Write") + 1)}
    return {"document": DOCUMENT, "values": values, "after": newest["AutomationExecutionId"]}


def _run(account: SimulatedAccount, given: Given) -> None:
    account.client("ssm").start_automation_execution(
        DocumentName=DOCUMENT, Parameters={name: [value] for name, value in given["values"].items()}
    )
    account.advance(60)
    _table(account)


STAGES = (
    Stage(
        *("ecs_rollback_service", "UpdateService", _rollback),
        lambda account, _: _update(account, "web", forceNewDeployment=True),
        {"service": "payments", "task_definition": "payments:23"},
    ),
    Stage(
        *("ecs_force_new_deployment", "UpdateService", _force),
        lambda account, _: _update(account, "payments", forceNewDeployment=True),
        {"service": "web"},
    ),
    Stage(
        *("ecs_set_desired_count", "UpdateService", _scale),
        lambda account, given: _update(account, "inventory", desiredCount=given["desired_count"] + 1),
        {"service": "web"},
    ),
    Stage(*("ecs_stop_task", "StopTask", _stop_task, _stopped_by_others), {"service": "web"}),
    Stage(
        *("codedeploy_stop", "StopDeployment", shifting, _left_half),
        {"deployment": "d-ABCDEFGHI"},
    ),
    Stage(*("lambda_shift_alias", "UpdateAlias", _alias, _weighted), {"function": "another"}),
    Stage(
        *("lambda_set_reserved_concurrency", "PutFunctionConcurrency", _concurrency, _reserve(3)),
        {"function": "another"},
    ),
    Stage(
        *("dynamodb_set_write_capacity", "StartAutomationExecution", _write_capacity, _provision),
        {"table": "stock"},
    ),
    Stage(
        *("dynamodb_set_read_capacity", "UpdateTable", _read_capacity, _provision),
        {"table": "stock"},
    ),
    Stage(
        *("sqs_quarantine_poison", "SetQueueAttributes", _quarantine),
        lambda account, _: _receives(account, 900),
        {"queue": "another"},
    ),
    Stage(
        *("sqs_redrive", "StartMessageMoveTask", _redrive, _redriven),
        {"dead_letter_queue": "another"},
    ),
    Stage(
        *("ssm_revert_parameter", "PutParameter", _parameter),
        lambda account, _: _set(account, "1800"),
        {"name": "/storefront/payments/acquirers"},
    ),
    Stage(
        *("ssm_set_allowed_value", "PutParameter", _switch),
        lambda account, _: _route(account, "a"),
        {"name": LIMIT},
    ),
    Stage(
        *("ssm_run_document", "StartAutomationExecution", _document, _run),
        {"values": {"TableName": "stock", "WriteCapacityUnits": "9"}},
    ),
)
