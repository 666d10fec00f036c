"""The control plane: what came in, how the services do, further scenarios, and a new beginning."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.simulated import ControlRefusedError, SimulatedAccount, StartAccount, accounts
from tools.aws.clock import AccountClock
from tools.errors import Transient

FAULTY = """
schema = 1
world = "storefront"
title = "A control plane that throttles"
description = "Deployments are throttled for two minutes."

[[faults]]
at = "+1m"
lasts = "2m"
service = "ecs"
operation = "UpdateService"
kind = "throttle"
"""


@pytest.fixture(scope="module")
def account() -> Iterator[SimulatedAccount]:
    with accounts() as start:
        yield start(history_hours=0.5)


def written(folder: Path, name: str, text: str) -> Path:
    (folder / name).mkdir(parents=True)
    (folder / name / "scenario.toml").write_text(text)
    return folder


def throttled(account: SimulatedAccount) -> bool:
    ecs = account.client("ecs")
    try:
        ecs.update_service(cluster="storefront", service="web", desiredCount=3)
    except ecs.exceptions.ClientError as error:
        assert error.response["Error"]["Code"] == "ThrottlingException"
        return True
    return False


def test_calls_are_chosen_by_operation_service_caller_and_age(account: SimulatedAccount) -> None:
    before = len(account.calls())
    account.client("ecs").list_clusters()
    account.client("sqs").list_queues()
    account.advance(minutes=5)
    account.client("ecs").list_clusters()
    account.client("ecs").list_services(cluster="storefront")

    def asked(query: str) -> list[str]:
        found = account.control("GET", f"calls?after={before}&{query}")["calls"]
        return [one["operation"] for one in found if "assumed-role" not in one["caller_arn"]]

    assert asked("service=ecs") == ["ListClusters", "ListClusters", "ListServices"]
    assert asked("operation=list*s") == ["ListClusters", "ListQueues", "ListClusters", "ListServices"]
    assert asked("since_seconds=60") == ["ListClusters", "ListServices"]
    assert asked("caller=*:user/nobody") == []
    with pytest.raises(ControlRefusedError, match="after: Input should be a valid integer"):
        account.control("GET", "calls?after=soon")
    with pytest.raises(ControlRefusedError, match="opration: Extra inputs"):
        account.control("GET", "calls?opration=X")


def test_whoever_waits_too_long_is_told_by_the_account_why_not(account: SimulatedAccount) -> None:
    clock = AccountClock(account.local["clock"])

    with pytest.raises(Transient, match=r"clock refuses this: .*2 days"):
        clock.wait_until(clock.now() + timedelta(hours=99))


def test_the_pulse_says_what_cloudwatch_says(account: SimulatedAccount) -> None:
    account.advance_until("checkout-5xx", "ALARM", minutes=20)
    pulse = account.control("GET", "pulse?minutes=10")

    end = account.now().replace(second=0, microsecond=0)
    data = account.client("cloudwatch").get_metric_statistics(
        Namespace="Storefront",
        MetricName="Errors",
        Dimensions=[{"Name": "Service", "Value": "checkout"}],
        StartTime=end.timestamp() - 600,
        EndTime=end,
        Period=60,
        Statistics=["Sum"],
    )["Datapoints"]
    told = [one["Sum"] for one in sorted(data, key=lambda one: one["Timestamp"])]
    (checkout,) = [one for one in pulse["services"] if one["name"] == "checkout"]
    assert checkout["errors"] == told
    assert len(checkout["requests"]) == len(checkout["latency_ms"]) == 10
    assert {"name": "checkout-5xx", "state": "ALARM"} in pulse["alarms"]
    assert pulse["now"].startswith(account.now().isoformat()[:19])


def test_a_scenarios_faults_come_and_go_by_account_time(
    simulated_account: StartAccount, tmp_path: Path
) -> None:
    folder = written(tmp_path / "more", "throttles", FAULTY)
    account = simulated_account("throttles", scenarios_dir=folder, history_hours=0.1)

    met = []
    for _ in range(4):
        met.append(throttled(account))
        account.advance(minutes=1)

    assert met == [False, True, True, False]


def test_a_scenario_with_a_misspelled_fault_is_refused(
    simulated_account: StartAccount, tmp_path: Path
) -> None:
    folder = written(tmp_path / "more", "throttles", FAULTY.replace("UpdateService", "UpdatService"))

    with pytest.raises(AssertionError, match=r"faults.0: .*did you mean UpdateService\?"):
        simulated_account("throttles", scenarios_dir=folder)


def test_an_injected_scenario_plays_from_now_on(simulated_account: StartAccount, tmp_path: Path) -> None:
    folder = written(tmp_path / "more", "throttles", FAULTY)
    account = simulated_account("false-alarm", history_hours=0.5)
    account.advance(minutes=10)

    injected = account.control("POST", "inject", {"scenario": "bad-deployment"})
    account.control("POST", "inject", {"scenario": "throttles", "scenarios_dir": str(folder)})

    assert account.alarm("checkout-5xx")["StateValue"] == "INSUFFICIENT_DATA"
    assert 5 <= account.advance_until("checkout-5xx", "ALARM", minutes=15) <= 10
    account.clear_faults()
    (service,) = account.client("ecs").describe_services(cluster="storefront", services=["checkout"])[
        "services"
    ]
    definition = account.client("ecs").describe_task_definition(taskDefinition=service["taskDefinition"])
    assert definition["taskDefinition"]["containerDefinitions"][0]["image"].endswith("checkout:2026.11.2")
    status = account.control("GET", "status")
    assert status["injected"][0] == injected
    assert [one["scenario"] for one in status["injected"]] == ["bad-deployment", "throttles"]


def test_an_injected_fault_counts_from_its_injection(simulated_account: StartAccount, tmp_path: Path) -> None:
    folder = written(tmp_path / "more", "throttles", FAULTY)
    account = simulated_account("false-alarm", history_hours=0.1)
    account.advance(minutes=7)
    account.control("POST", "inject", {"scenario": "throttles", "scenarios_dir": str(folder)})

    met = []
    for _ in range(4):
        met.append(throttled(account))
        account.advance(minutes=1)

    assert met == [False, True, True, False]


@pytest.mark.parametrize(
    ("order", "said"),
    [
        ({"scenario": "nonesuch"}, "no scenario 'nonesuch'"),
        ({}, "scenario: Field required"),
        ({"scenario": "larger"}, "cannot be laid over bad-deployment: it also changes traffic"),
    ],
)
def test_what_cannot_be_injected_is_refused_and_changes_nothing(
    account: SimulatedAccount, tmp_path: Path, order: dict[str, Any], said: str
) -> None:
    larger = 'schema = 1\nworld = "storefront"\ntitle = "t"\ndescription = "d"\n[traffic]\nrequests_per_minute = 9\n'
    if order.get("scenario") == "larger":
        order = {**order, "scenarios_dir": str(written(tmp_path, "larger", larger))}
    with pytest.raises(ControlRefusedError, match=said):
        account.control("POST", "inject", order)
    assert account.control("GET", "status")["injected"] == []


def test_a_reset_account_stands_where_it_began_under_the_same_keys(simulated_account: StartAccount) -> None:
    account = simulated_account(history_hours=0.5)
    began, whoami = account.now(), account.client("sts").get_caller_identity()["Arn"]
    fresh = account.control("GET", "pulse")
    account.client("sqs").create_queue(QueueName="mine")
    account.client("s3").create_bucket(Bucket="mine")
    account.client("ecs").update_service(cluster="storefront", service="web", desiredCount=5)
    account.control("POST", "inject", {"scenario": "false-alarm"})
    account.faults([{"service": "ecs", "kind": "throttle", "times": -1, "operation": "ListClusters"}])
    account.advance(minutes=10)

    status = account.control("POST", "reset")

    assert account.now() == began
    assert (status["faults"], status["injected"], status["calls"]) == (0, [], 0)
    assert account.control("GET", "pulse") == fresh
    assert not [one for one in account.client("sqs").list_queues()["QueueUrls"] if one.endswith("/mine")]
    assert account.client("s3").list_buckets()["Buckets"] == []
    web = account.client("ecs").describe_services(cluster="storefront", services=["web"])["services"][0]
    assert web["desiredCount"] != 5
    assert account.client("sts").get_caller_identity()["Arn"] == whoami
    account.advance_until("checkout-5xx", "ALARM", minutes=20)
