import os
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from memory.records.config import Limits
from memory.records.evidence import Gap
from memory.records.outcome import Execution, ExecutionState, Recovery
from tests.simulated import SimulatedAccount, StartAccount
from tests.tools.looking import incident_of, sources_of, the_alarm
from tests.tools.stand_ins import NOW, sources
from tools.aws.access import AwsAccess
from tools.aws.backend import BackendNames, ensure_backend, find_backend
from tools.aws.identity import caller
from tools.aws.queue import open_queue
from tools.catalogue import OBSERVE
from tools.errors import Misconfigured
from tools.observe.describe_alarm import DescribeAlarm, describe_alarm
from tools.observe.get_metric import GetMetric, get_metric
from tools.observe.query_logs import QueryLogs, query_logs
from tools.observe.service_health import ServiceHealth, service_health
from tools.observe.table_health import TableHealth, table_health
from tools.observe.what_changed import WhatChanged, what_changed
from tools.topology import load_topology
from tools.verification import verify_recovery

Shared = Callable[..., SimulatedAccount]


def test_every_read_tool_is_described_and_narrow() -> None:
    assert len({tool.name for tool in OBSERVE}) == len(OBSERVE) == 14
    for tool in OBSERVE:
        schema = tool.question.model_json_schema()
        assert schema["additionalProperties"] is False
        assert all(member.get("description") for member in schema["properties"].values())
        with pytest.raises(ValidationError):
            tool.question.model_validate({"no such parameter": 1})


def test_the_reads_of_a_healthy_account_come_back_whole(shared_accounts: Shared) -> None:
    source = sources_of(shared_accounts("bad-deployment"))
    service = source.topology.service("checkout")
    assert service is not None
    assert service.log_group is not None

    metric = get_metric(
        source,
        GetMetric(
            namespace="Storefront", metric_name="Requests", dimensions={"Service": "checkout"}, stat="Sum"
        ),
    )
    alarm = describe_alarm(source, DescribeAlarm(alarm_name="checkout-5xx"))
    health = service_health(source, ServiceHealth(cluster="storefront", service="checkout"))
    table = table_health(source, TableHealth(table="orders"))
    counted = "stats count(*) as lines by bin(5m)"
    lines = query_logs(source, QueryLogs(log_group=service.log_group, query=counted))
    changed = what_changed(source, WhatChanged())

    assert len(metric.result["points"]) > 30
    assert alarm.result["threshold"] == 20
    assert health.result["running"] == health.result["desired"]
    assert table.result["write_capacity_units"] > 0
    assert lines.result["rows"]
    assert lines.untrusted
    assert lines.bytes_scanned > 0
    assert "changes" in changed.result
    for evidence in (metric, alarm, health, table, lines):
        assert evidence.gaps == (), evidence.title
    assert source.recorder.spend.bytes_scanned == lines.bytes_scanned
    assert source.recorder.spend.aws_calls >= 8


def test_what_is_not_there_is_a_gap_and_not_a_zero(shared_accounts: Shared) -> None:
    source = sources_of(shared_accounts("bad-deployment"))
    for evidence in (
        get_metric(source, GetMetric(namespace="Nothing", metric_name="Here")),
        describe_alarm(source, DescribeAlarm(alarm_name="no such alarm")),
        service_health(source, ServiceHealth(cluster="storefront", service="nobody")),
    ):
        assert evidence.gaps == (Gap.NO_DATA,)
    missing = table_health(source, TableHealth(table="no-such-table"))
    assert missing.gaps == (Gap.FAILED,)
    assert "ResourceNotFound" in str(missing.result)


def test_a_query_that_logs_refuse_is_stored_with_the_answer(shared_accounts: Shared) -> None:
    source = sources_of(shared_accounts("bad-deployment"))
    evidence = query_logs(source, QueryLogs(log_group="/ecs/storefront/checkout", query="make it so"))
    assert evidence.gaps == (Gap.FAILED,)
    assert "MalformedQuery" in str(evidence.result)


class _Logs:
    """A log group that a query of which scans a gigabyte each time it is asked for results."""

    def __init__(self) -> None:
        self.scanned, self.started, self.stopped = 0, 0, 0

    def describe_log_groups(self, **_: Any) -> dict[str, Any]:
        return {"logGroups": [{"logGroupName": "g", "storedBytes": 0}]}

    def start_query(self, **_: Any) -> dict[str, Any]:
        self.started += 1
        return {"queryId": "q"}

    def get_query_results(self, **_: Any) -> dict[str, Any]:
        self.scanned += 10**9
        return {"status": "Running", "results": [], "statistics": {"bytesScanned": self.scanned}}

    def stop_query(self, **_: Any) -> None:
        self.stopped += 1


def test_a_query_is_stopped_at_the_limit_and_none_is_begun_after_it() -> None:
    logs = _Logs()
    source = sources(
        {"logs": logs}, limits=Limits(logs_bytes_scanned=2 * 10**9, query_bytes_scanned=2 * 10**9)
    )

    first = query_logs(source, QueryLogs(log_group="g"))
    second = query_logs(source, QueryLogs(log_group="g", minutes=5))

    assert (logs.started, logs.stopped) == (1, 1)
    assert first.gaps == (Gap.TRUNCATED,)
    assert "limit" in first.gap_detail
    assert second.gaps == (Gap.REFUSED,)
    assert "this incident 0 bytes more" in second.gap_detail


class _Trail:
    """One page of changes, and always one more."""

    def lookup_events(self, **_: Any) -> dict[str, Any]:
        names = ["StartQuery", "StartDeployment", "UpdateService", "AssumeRole"]
        events = [{"EventName": n, "EventTime": NOW, "EventSource": "x.amazonaws.com"} for n in names]
        return {"Events": events, "NextToken": "more"}


def test_changes_leave_out_reads_and_say_when_there_are_more() -> None:
    evidence = what_changed(sources({"cloudtrail": _Trail()}), WhatChanged())
    assert {change["event"] for change in evidence.result["changes"]} == {"StartDeployment", "UpdateService"}
    assert Gap.TRUNCATED in evidence.gaps


def test_times_are_utc_wherever_the_machine_stands() -> None:
    code = (
        "from datetime import datetime; from tools.observe.moments import utc_text; from dateutil.tz import tzlocal; "
        "print(utc_text(datetime.fromtimestamp(0, tzlocal())))"
    )
    told = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "TZ": "Asia/Tokyo"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.strip() == "1970-01-01T00:00:00+00:00"


def test_the_backend_is_made_once_and_found_again(simulated_account: StartAccount) -> None:
    access = sources_of(simulated_account("false-alarm")).access
    names = BackendNames("trial")
    with pytest.raises(Misconfigured, match="run `cloudops setup`"):
        find_backend(access, names, caller(access)[0])
    with pytest.raises(Misconfigured, match="run `cloudops setup`"):
        open_queue(access, names.queue)
    account, days = caller(access)[0], {"evidence": 90}
    made = ensure_backend(access, names, account, days)
    assert ensure_backend(access, names, account, days) == made
    assert find_backend(access, names, account) == made
    assert open_queue(access, made.queue).receive(wait_seconds=0) == []
    assert caller(access)[0] == "123456789012"


def test_a_topology_that_is_not_published_leaves_the_files_own(shared_accounts: Shared) -> None:
    source = sources_of(shared_accounts("bad-deployment"))
    assert load_topology(source.access, "/no/such/parameter", source.topology) == source.topology
    assert load_topology(source.access, None, source.topology) == source.topology


def test_clients_are_made_once_and_for_the_endpoint() -> None:
    access = AwsAccess("us-east-1", "http://127.0.0.1:9", "AKID", "hidden-key", "hidden-token")
    assert "hidden" not in repr(access)
    assert access.client("sqs") is access.client("sqs")
    assert access.client("sqs").meta.endpoint_url == "http://127.0.0.1:9"


def _done(at: datetime) -> Execution:
    return Execution(
        incident_id="i",
        action_id="a",
        action="x",
        parameters={},
        state=ExecutionState.DONE,
        claimed_at=at,
        done_at=at,
    )


def _rolled_to(account: SimulatedAccount, revision: str) -> datetime:
    account.client("ecs").update_service(cluster="storefront", service="checkout", taskDefinition=revision)
    return account.now()


def test_recovery_is_the_alarms_own_return_after_the_action(simulated_account: StartAccount) -> None:
    account = simulated_account("bad-deployment")
    account.advance_until("checkout-5xx", "ALARM", minutes=15)
    source, window = sources_of(account), timedelta(minutes=6)
    incident = incident_of(the_alarm(account), source.scope, account.now())
    acted = _rolled_to(account, "checkout:41")

    early = verify_recovery(source, incident, [_done(acted)], window)
    account.advance_until("checkout-5xx", "OK", minutes=10)
    account.advance(minutes=1)
    late = verify_recovery(source, incident, [_done(acted)], window)

    assert early.recovery is Recovery.UNKNOWN
    assert late.recovery is Recovery.RECOVERED
    assert late.value_before is not None
    assert late.value_after is not None
    assert late.value_after < late.value_before


def test_an_action_that_did_not_help_is_no_better(simulated_account: StartAccount) -> None:
    account = simulated_account("bad-deployment")
    account.advance_until("checkout-5xx", "ALARM", minutes=15)
    account.advance(minutes=4)
    source, window = sources_of(account), timedelta(minutes=6)
    incident = incident_of(the_alarm(account), source.scope, account.now())
    acted = account.now()
    account.advance(minutes=7)
    found = verify_recovery(source, incident, [_done(acted)], window)
    assert found.recovery is Recovery.NO_BETTER


def test_an_alarm_that_was_ok_before_the_action_proves_nothing(simulated_account: StartAccount) -> None:
    account = simulated_account("bad-deployment")
    account.advance(minutes=1)
    source = sources_of(account)
    incident = incident_of(the_alarm(account), source.scope, account.now())
    account.advance(minutes=1)
    found = verify_recovery(source, incident, [_done(account.now())], timedelta(minutes=6))
    assert found.recovery is Recovery.UNKNOWN
