import re
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from evals.truth import read_truth
from simulator.scenario import SCENARIOS, WORLDS, ScenarioError, read_scenario, scenario_names
from tests.simulated import START, SimulatedAccount, StartAccount

ALARMS = {
    "bad-deployment": ("checkout-5xx", 8),
    "throttled-table": ("orders-failed", 10),
    "false-alarm": ("web-cpu-high", 6),
    "hidden-cause": ("payments-latency", 7),
}
HISTORY_HOURS = {"throttled-table": 1.5, "false-alarm": 3.0}
SERVICES = ("web", "checkout", "payments", "inventory")


def values(
    account: SimulatedAccount, metric: str, service: str, *, minutes: int, stat: str = "Sum"
) -> list[float]:
    return measured(account, "Storefront", metric, {"Service": service}, minutes=minutes, stat=stat)


def measured(
    account: SimulatedAccount,
    namespace: str,
    metric: str,
    dimensions: dict[str, str],
    *,
    minutes: int,
    stat: str,
) -> list[float]:
    named = [{"Name": key, "Value": value} for key, value in dimensions.items()]
    query = {
        "Id": "m",
        "MetricStat": {
            "Metric": {"Namespace": namespace, "MetricName": metric, "Dimensions": named},
            "Period": 60,
            "Stat": stat,
        },
    }
    now = account.now()
    (result,) = account.client("cloudwatch").get_metric_data(
        StartTime=now - timedelta(minutes=minutes),
        EndTime=now,
        ScanBy="TimestampAscending",
        MetricDataQueries=[query],
    )["MetricDataResults"]
    return list(result["Values"])


def roll_out(account: SimulatedAccount, definition: str) -> None:
    account.client("ecs").update_service(cluster="storefront", service="checkout", taskDefinition=definition)


def states(account: SimulatedAccount) -> dict[str, str]:
    alarms = account.client("cloudwatch").describe_alarms()["MetricAlarms"]
    return {one["AlarmName"]: one["StateValue"] for one in alarms}


@pytest.fixture(scope="module")
def at_alarm(shared_accounts: StartAccount) -> Callable[[str], SimulatedAccount]:
    """An account at the minute when its scenario's alarm fired. Only to be looked at."""

    @cache
    def reached(scenario: str) -> SimulatedAccount:
        account = shared_accounts(scenario, seed=3, history_hours=HISTORY_HOURS.get(scenario, 0.5))
        assert set(states(account).values()) == {"OK"}
        alarm, minutes = ALARMS[scenario]
        account.advance_until(alarm, "ALARM", minutes=minutes)
        return account

    return reached


@pytest.mark.parametrize("scenario", ALARMS)
def test_its_alarm_fires_by_itself_and_no_other(
    at_alarm: Callable[[str], SimulatedAccount], scenario: str
) -> None:
    account = at_alarm(scenario)

    start = datetime.fromisoformat(START)
    updates = account.client("cloudwatch").describe_alarm_history(
        HistoryItemType="StateUpdate", StartDate=start, EndDate=start + timedelta(minutes=10)
    )["AlarmHistoryItems"]

    assert {one["AlarmName"] for one in updates} == {ALARMS[scenario][0]}
    assert updates[-1]["HistorySummary"] == "Alarm updated from OK to ALARM"


def test_three_hours_of_history_and_ten_minutes_ahead_are_quick(simulated_account: StartAccount) -> None:
    account = simulated_account("throttled-table", history_hours=3.0)
    opened = cpu_seconds(account)
    account.advance(minutes=10)

    assert opened < 4
    assert cpu_seconds(account) - opened < 1.5
    assert len(values(account, "Requests", "web", minutes=200)) == 190
    assert min(values(account, "OrdersFailed", "checkout", minutes=200)) == 0


def cpu_seconds(account: SimulatedAccount) -> float:
    fields = Path(f"/proc/{account.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def test_a_bad_release_stays_bad_until_it_is_rolled_back(simulated_account: StartAccount) -> None:
    account = simulated_account("bad-deployment", history_hours=0.5)
    account.advance_until("checkout-5xx", "ALARM", minutes=8)
    fired_at = account.alarm("checkout-5xx")["StateUpdatedTimestamp"]

    account.advance(hours=2)
    assert account.alarm("checkout-5xx")["StateUpdatedTimestamp"] == fired_at

    roll_out(account, "checkout:41")
    account.advance_until("checkout-5xx", "OK", minutes=6)
    account.advance(minutes=30)
    assert account.alarm("checkout-5xx")["StateValue"] == "OK"
    assert max(values(account, "Errors", "checkout", minutes=25)) < 10


def test_a_bad_release_fails_upstream_with_less_share(at_alarm: Callable[[str], SimulatedAccount]) -> None:
    account = at_alarm("bad-deployment")
    account.advance(minutes=20)

    share = {
        name: sum(values(account, "Errors", name, minutes=10))
        / sum(values(account, "Requests", name, minutes=10))
        for name in SERVICES
    }

    assert 0.3 < share["checkout"] < 0.4
    assert 0.06 < share["web"] < 0.12
    assert share["payments"] < 0.01
    balancer = {
        "LoadBalancer": "app/storefront/50dc6c495c0c9188",
        "TargetGroup": "targetgroup/storefront-web/6d0ecf831eec9f09",
    }
    failed = measured(
        account, "AWS/ApplicationELB", "HTTPCode_Target_5XX_Count", balancer, minutes=10, stat="Sum"
    )
    assert sum(failed) == sum(values(account, "Errors", "web", minutes=10))


def test_wrong_actions_make_it_worse(simulated_account: StartAccount) -> None:
    account = simulated_account("bad-deployment", history_hours=0.5)
    account.advance(minutes=10)
    before = sum(values(account, "Errors", "checkout", minutes=4))

    roll_out(account, "checkout:39")
    account.advance(minutes=6)
    assert sum(values(account, "Errors", "checkout", minutes=4)) > 1.3 * before

    roll_out(account, "checkout:42")
    account.client("ecs").update_service(cluster="storefront", service="checkout", desiredCount=1)
    account.advance(minutes=6)
    assert sum(values(account, "Errors", "checkout", minutes=4)) > 1.3 * before


def test_an_image_that_does_not_exist_takes_the_service_down(simulated_account: StartAccount) -> None:
    account = simulated_account("false-alarm", history_hours=0.5)
    ecs = account.client("ecs")
    container = {"name": "checkout", "image": "checkout:nonesuch", "memory": 512}
    ecs.register_task_definition(family="checkout", containerDefinitions=[container])

    roll_out(account, "checkout:42")
    account.advance(minutes=6)

    errors = sum(values(account, "Errors", "checkout", minutes=4))
    assert errors > 0.3 * sum(values(account, "Requests", "checkout", minutes=4))


def test_capacity_decides_what_a_throttled_table_takes(simulated_account: StartAccount) -> None:
    account = simulated_account("throttled-table", history_hours=0.5)
    account.advance_until("orders-failed", "ALARM", minutes=10)
    account.advance(hours=1)
    assert account.alarm("orders-failed")["StateValue"] == "ALARM"
    before = sum(values(account, "OrdersFailed", "checkout", minutes=4))

    provision(account, 1)
    account.advance(minutes=5)
    assert sum(values(account, "OrdersFailed", "checkout", minutes=4)) > 1.3 * before

    provision(account, 12)
    account.advance_until("orders-failed", "OK", minutes=5)
    account.advance(minutes=30)
    assert account.alarm("orders-failed")["StateValue"] == "OK"
    assert max(values(account, "OrdersFailed", "checkout", minutes=20)) == 0
    table = {"TableName": "orders"}
    assert not measured(account, "AWS/DynamoDB", "WriteThrottleEvents", table, minutes=20, stat="Sum")
    assert measured(account, "AWS/DynamoDB", "WriteThrottleEvents", table, minutes=90, stat="Sum")


def provision(account: SimulatedAccount, units: int) -> None:
    throughput = {"ReadCapacityUnits": 10, "WriteCapacityUnits": units}
    account.client("dynamodb").update_table(TableName="orders", ProvisionedThroughput=throughput)


def test_the_accounts_own_document_clears_it_too(simulated_account: StartAccount) -> None:
    account = simulated_account("throttled-table", history_hours=0.5)
    account.advance_until("orders-failed", "ALARM", minutes=10)
    ssm = account.client("ssm")

    started = ssm.start_automation_execution(
        DocumentName="Storefront-SetTableWriteCapacity",
        Parameters={"TableName": ["orders"], "WriteCapacityUnits": ["12"]},
    )
    account.advance_until("orders-failed", "OK", minutes=5)

    execution = ssm.get_automation_execution(AutomationExecutionId=started["AutomationExecutionId"])
    assert execution["AutomationExecution"]["AutomationExecutionStatus"] == "Success"
    (call,) = account.calls("UpdateTable")
    assert call["caller_arn"].endswith(":root")


def test_a_campaign_and_its_decoy_are_visible(at_alarm: Callable[[str], SimulatedAccount]) -> None:
    account = at_alarm("throttled-table")
    account.advance(minutes=15)

    writes = account.client("cloudtrail").lookup_events(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "UpdateService"}]
    )["Events"]

    assert [one["Resources"][1]["ResourceName"] for one in writes] == ["inventory"]
    assert writes[0]["EventTime"].isoformat() == "2026-11-23T08:02:00+00:00"
    requests = values(account, "Requests", "web", minutes=60)
    assert sum(requests[-5:]) > 1.7 * sum(requests[:5])
    lines = account.client("logs").filter_log_events(
        logGroupName="/ecs/storefront/checkout", filterPattern="ProvisionedThroughputExceededException"
    )["events"]
    assert lines


def test_a_false_alarm_goes_by_itself_and_nobody_was_hurt(
    at_alarm: Callable[[str], SimulatedAccount],
) -> None:
    account = at_alarm("false-alarm")
    account.advance_until("web-cpu-high", "OK", minutes=6)

    assert max(values(account, "Errors", "web", minutes=200)) < 20
    assert max(values(account, "LatencyMs", "web", minutes=200, stat="p99")) < 400
    dimensions = {"ClusterName": "storefront", "ServiceName": "web"}
    cpu = measured(account, "AWS/ECS", "CPUUtilization", dimensions, minutes=190, stat="Average")
    assert sum(value > 75 for value in cpu) == 12


def test_a_hidden_cause_shows_nowhere(at_alarm: Callable[[str], SimulatedAccount]) -> None:
    account = at_alarm("hidden-cause")
    account.advance(hours=2)

    assert account.alarm("payments-latency")["StateValue"] == "ALARM"
    writes = account.client("cloudtrail").lookup_events(
        LookupAttributes=[{"AttributeKey": "ReadOnly", "AttributeValue": "false"}]
    )["Events"]
    assert writes == []
    latency = values(account, "LatencyMs", "payments", minutes=180, stat="p50")
    assert 5 < latency[-1] / latency[0] < 7


def test_the_topology_is_published(at_alarm: Callable[[str], SimulatedAccount]) -> None:
    account = at_alarm("bad-deployment")
    parameter = account.client("ssm").get_parameter(Name="/storefront/topology")["Parameter"]["Value"]

    assert '"depends_on": [{"kind": "service", "name": "payments"}' in parameter
    assert '"alarms": ["checkout-5xx"]' in parameter
    runbooks = [{"Key": "DocumentType", "Values": ["Automation"]}]
    documents = account.client("ssm").list_documents(Filters=runbooks)["DocumentIdentifiers"]
    named = {one["Name"] for one in documents}
    assert named == {"Storefront-SetTableOnDemand", "Storefront-SetTableWriteCapacity"}


RENAMED = {
    "Storefront": "Arcade",
    "storefront": "arcade",
    "checkout": "till",
    "payments": "ledger",
    "inventory": "depot",
    "orders": "tickets",
    "OrdersFailed": "TicketsLost",
    "2026.11.2": "rc-77",
    "unhandled exception": "boom",
    "TypeError": "Oops",
}


def test_renaming_everything_in_the_files_renames_the_account(
    simulated_account: StartAccount, tmp_path: Path
) -> None:
    for file in (WORLDS / "storefront.toml", SCENARIOS / "bad-deployment" / "scenario.toml"):
        target = tmp_path / renamed(str(file.relative_to(SCENARIOS.parent)).removeprefix("scenarios/"))
        target.parent.mkdir(parents=True)
        target.write_text(renamed(file.read_text()))

    account = simulated_account("bad-deployment", scenarios_dir=tmp_path, history_hours=0.5)
    account.advance_until("till-5xx", "ALARM", minutes=8)

    ecs = account.client("ecs")
    described = ecs.describe_services(cluster="arcade", services=["till"])["services"][0]
    assert described["taskDefinition"].endswith("till:42")
    lines = account.client("logs").filter_log_events(logGroupName="/ecs/arcade/till", filterPattern="boom")
    assert lines["events"]
    ecs.update_service(cluster="arcade", service="till", taskDefinition="till:41")
    account.advance_until("till-5xx", "OK", minutes=6)
    everything = str(account.calls()) + str(list_all(account)) + str(lines)
    assert not [old for old in RENAMED if old in everything]


def renamed(text: str) -> str:
    for old, new in RENAMED.items():
        text = text.replace(old, new)
    return text


def list_all(account: SimulatedAccount) -> list[Any]:
    return [
        account.client("cloudwatch").list_metrics()["Metrics"],
        account.client("cloudwatch").describe_alarms()["MetricAlarms"],
        account.client("dynamodb").list_tables()["TableNames"],
        account.client("logs").describe_log_groups()["logGroups"],
        account.client("ecs").list_task_definitions()["taskDefinitionArns"],
    ]


def test_no_name_of_a_world_stands_in_the_code() -> None:
    names = {*RENAMED} - {"2026.11.2", "TypeError", "orders"}
    code = [file for file in SCENARIOS.parent.rglob("*.py") if "bedrock" not in file.parts]

    for file in code:
        found = [name for name in names if re.search(rf"\b{name}\b", file.read_text())]
        assert not found, f"{file.name} knows {found}"


def test_the_scenarios_that_come_along_can_be_read() -> None:
    assert len(scenario_names()) >= 12
    assert {"bad-deployment", "false-alarm", "hidden-cause", "throttled-table"} <= set(scenario_names())
    for name in scenario_names():
        assert read_scenario(name).title


@pytest.mark.parametrize("name", scenario_names())
def test_a_truth_speaks_of_what_is_in_its_scenario(name: str) -> None:
    truth, world = read_truth(name), read_scenario(name)

    assert truth.severity_reason
    assert set(truth.severity) <= {"critical", "high", "medium", "low", "noise"}
    assert truth.alarm is not None
    alarms = {one.name for one in world.alarms}
    assert {truth.alarm.name, *truth.end_state.alarms_ok} <= alarms
    assert all(":" in api for api in truth.actions.forbidden)
    assert truth.actions.forbidden_changes
    assert truth.message.must
    assert truth.message.must_not
    assert (truth.cause is not None) == (truth.verdict == "cause") == bool(truth.path)
    # What recovers by itself needs no change, although it has a cause, and AWS alone gives more of a quota.
    is_quota = truth.cause is not None and truth.cause.resource.startswith("quota/")
    needs_change = truth.cause is not None and not truth.alarm.clears_by and not is_quota
    assert bool(truth.actions.acceptable) == needs_change
    named = {one.name for one in world.services} | {one.name for one in world.tables}
    named |= {one.name for one in world.functions} | {one.name for one in world.queues}
    named |= {one.name for one in world.externals}
    named |= {one.name.rpartition("/")[2] for one in world.parameters}
    named |= {one.code for one in world.quotas}
    assert {one.component for one in (truth.cause, *truth.other_causes) if one is not None} <= named


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('title = "x', "Unterminated string|not closed|Illegal character|Expected"),
        ('world = "nonesuch"', "no world 'nonesuch'"),
        ('world = "storefront"\ntitel = "x"', "titel: Extra inputs"),
        ('world = "storefront"\n[[events]]\nat = "soon"\nkind = "traffic"\nfactor = 2', "not an offset"),
        (
            'world = "storefront"\n[[events]]\nat = "+1m"\nkind = "slowdown"\nservice = "cart"',
            "event slowdown names 'cart', which is not in this world",
        ),
        (
            'world = "storefront"\n[[events]]\nat = "+1m"\nkind = "deploy"\nservice = "web"\nimage = "web:x"',
            "event deploy names the undeclared release 'web:x'",
        ),
        (
            'world = "storefront"\n[[services]]\nname = "payments"\n'
            'calls = [{ service = "web", per_request = 1 }]',
            "call each other in a circle",
        ),
    ],
)
def test_a_bad_scenario_is_refused_with_the_reason(tmp_path: Path, text: str, why: str) -> None:
    folder = tmp_path / "broken"
    folder.mkdir()
    (folder / "scenario.toml").write_text(text)

    with pytest.raises(ScenarioError, match=why):
        read_scenario("broken", tmp_path)
