"""Reads of tasks, functions, queues, parameters, alarms and requests."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from memory.records.evidence import UNREAD, Gap
from tests.simulated import SimulatedAccount
from tests.tools.looking import sources_of
from tests.tools.stand_ins import NOW, sources
from tools.observe.alarm_history import AlarmHistory, alarm_history
from tools.observe.function_health import FunctionHealth, function_health
from tools.observe.parameter_history import ParameterHistory, parameter_history
from tools.observe.query_logs import QueryLogs, query_logs
from tools.observe.queue_health import QueueHealth, queue_health
from tools.observe.stopped_tasks import StoppedTasks, stopped_tasks
from tools.observe.trace_request import TraceRequest, trace_request

Shared = Callable[..., SimulatedAccount]
QUEUE, FUNCTION = "order-events.fifo", "orders-events"


def test_a_queue_tells_its_depth_its_flow_and_its_dead_letters(shared_accounts: Shared) -> None:
    seen = queue_health(sources_of(shared_accounts("bad-deployment")), QueueHealth(queue=QUEUE))
    assert seen.gaps == ()
    assert seen.result["waiting"] >= 0
    assert seen.result["dead_letters"] == {
        "queue": "order-events-dead.fifo",
        **dict.fromkeys(("waiting", "in_work", "delayed"), 0),
    }
    assert len(seen.result["sent"]) > 30


def test_a_function_tells_its_versions_its_alias_and_its_invocations(shared_accounts: Shared) -> None:
    seen = function_health(sources_of(shared_accounts("bad-deployment")), FunctionHealth(function=FUNCTION))
    assert seen.gaps == ()
    served = next(alias["version"] for alias in seen.result["aliases"] if alias["name"] == "live")
    assert served in [version["version"] for version in seen.result["versions"]]
    assert seen.result["event_sources"][0]["source"].endswith(QUEUE)
    assert len(seen.result["invocations"]) > 30


def test_a_parameter_tells_every_value_it_has_had(shared_accounts: Shared) -> None:
    source = sources_of(shared_accounts("bad-deployment"))
    seen = parameter_history(source, ParameterHistory(name="/storefront/web/recommendations"))
    assert seen.gaps == ()
    assert seen.result["versions"][-1]["value"] == "on"
    missing = parameter_history(source, ParameterHistory(name="/no/such"))
    assert missing.gaps == (Gap.FAILED,)
    assert "ParameterNotFound" in str(missing.result)


def test_a_request_is_followed_through_the_groups_that_name_it(shared_accounts: Shared) -> None:
    source = sources_of(shared_accounts("bad-deployment"))
    lines = query_logs(source, QueryLogs(log_group="/ecs/storefront/web"))
    found = re.search(r'request_id[="\s:]+([\w-]{6,})', str(lines.result["rows"]))
    assert found is not None
    groups = ["/ecs/storefront/web", "/ecs/storefront/checkout"]
    seen = trace_request(source, TraceRequest(request_id=found[1], log_groups=groups))
    assert seen.gaps == ()
    assert all(found[1] in row["@message"] for row in seen.result["rows"])
    nobody = trace_request(source, TraceRequest(request_id="nobody-asked-this", log_groups=groups))
    assert nobody.gaps == (Gap.NO_DATA,)


@pytest.mark.parametrize("text", ['x" or @message like "', "abc|def", "abc def", "../etc", "a\nbcdefg"])
def test_a_request_id_cannot_end_its_text_in_the_query(text: str) -> None:
    with pytest.raises(ValidationError):
        TraceRequest(request_id=text, log_groups=["g"])


def test_alarms_that_changed_and_fire_are_listed(shared_accounts: Shared) -> None:
    account = shared_accounts("bad-deployment")
    seen = alarm_history(sources_of(account), AlarmHistory(minutes=240))
    # The account is shared, and others may have moved its time to where alarms fire.
    alarms = account.client("cloudwatch").describe_alarms(StateValue="ALARM")["MetricAlarms"]
    assert not set(seen.gaps) & UNREAD
    assert seen.result["firing"] == [one["AlarmName"] for one in alarms]
    assert any(change["alarm"] == "checkout-5xx" for change in seen.result["changes"])


class _Tasks:
    """A cluster of three tasks that ended, two for one reason."""

    def list_tasks(self, **_: Any) -> dict[str, Any]:
        return {"taskArns": ["a/1", "a/2", "a/3"], "nextToken": "more"}

    def describe_tasks(self, tasks: list[str], **_: Any) -> dict[str, Any]:
        why = ["OutOfMemoryError: Container killed due to memory usage", "Scaling activity initiated", ""]
        return {
            "tasks": [
                {
                    "taskArn": arn,
                    "taskDefinitionArn": "arn:aws:ecs:x:1:task-definition/web:3",
                    "stoppedAt": NOW - timedelta(minutes=number),
                    "stoppedReason": "Essential container in task exited",
                    "containers": [{"name": "app", "exitCode": 137, "reason": why[number]}],
                }
                for number, arn in enumerate(tasks)
            ]
        }


def test_stopped_tasks_tell_their_reasons_and_that_there_are_more() -> None:
    seen = stopped_tasks(sources({"ecs": _Tasks()}), StoppedTasks(cluster="c", service="web"))
    assert seen.result["reasons"] == {"Essential container in task exited": 3}
    assert seen.result["tasks"][0]["containers"][0]["exit_code"] == 137
    assert [task["task"] for task in seen.result["tasks"]] == ["1", "2", "3"]
    assert seen.gaps == (Gap.TRUNCATED,)
