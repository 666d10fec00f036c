"""An account that ends and comes back is the one that it was, and goes on as it would have."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from simulator.keeping.kinds import UnkeptError
from simulator.keeping.reading import Reader
from simulator.keeping.writing import Writer
from simulator.logs.store import LogStore
from tests.simulated import ROOT, START, SimulatedAccount, opened


@contextmanager
def account(state_dir: Path, *how: str) -> Iterator[SimulatedAccount]:
    """An account that is kept when the block ends."""
    with opened(state_dir, *how, keep=True) as one:
        yield one
    assert (state_dir / "stderr.txt").read_text() == ""


FRESH = ("--scenario", "bad-deployment", "--seed", "3", "--start", START, "--history-hours", "0.5")


def told(one: SimulatedAccount) -> dict[str, Any]:
    """What the account says of itself through AWS's API."""
    logs, cloudwatch, ecs = one.client("logs"), one.client("cloudwatch"), one.client("ecs")
    names = [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]]
    pages = logs.get_paginator("filter_log_events")
    lines = {
        name: [e["message"] for p in pages.paginate(logGroupName=name) for e in p["events"]] for name in names
    }
    history = cloudwatch.get_paginator("describe_alarm_history").paginate()
    services = ecs.describe_services(cluster="storefront", services=["web", "checkout"])["services"]
    return {
        "now": one.now(),
        "pulse": one.control("GET", "pulse?minutes=60"),
        "logs": lines,
        "alarms": [json.loads(i["HistoryData"]) for page in history for i in page["AlarmHistoryItems"]],
        "services": [
            (s["serviceName"], s["desiredCount"], s["taskDefinition"], [e["message"] for e in s["events"]])
            for s in services
        ],
        "documents": one.client("ssm").list_documents()["DocumentIdentifiers"],
        "alias": one.client("lambda").get_alias(FunctionName="orders-events", Name="live")["FunctionVersion"],
    }


def filled(one: SimulatedAccount) -> None:
    """Put something of a caller's own into every service."""
    one.client("dynamodb").create_table(
        TableName="mine",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    one.client("dynamodb").put_item(TableName="mine", Item={"id": {"S": "a"}, "bytes": {"B": b"\x00\xff"}})
    url = one.client("sqs").create_queue(QueueName="mine")["QueueUrl"]
    one.client("sqs").send_message(QueueUrl=url, MessageBody="hello")
    one.client("s3").create_bucket(Bucket="mine")
    one.client("s3").put_object(Bucket="mine", Key="a/b", Body=b"\x00body")
    one.client("ssm").put_parameter(Name="/mine", Value="1", Type="String")
    one.client("sns").create_topic(Name="mine")
    cloudwatch = one.client("cloudwatch")
    cloudwatch.put_metric_data(
        Namespace="Mine", MetricData=[{"MetricName": "M", "Value": 7, "Timestamp": one.now()}]
    )
    cloudwatch.put_composite_alarm(AlarmName="any", AlarmRule='ALARM("checkout-5xx")')
    one.client("ecs").update_service(cluster="storefront", service="web", desiredCount=4)
    one.faults([{"service": "ecs", "operation": "ListClusters", "kind": "throttle", "times": 2}])


def test_all_that_it_holds_comes_back(tmp_path: Path) -> None:
    with account(tmp_path, *FRESH) as one:
        filled(one)
        one.advance(minutes=8)
        with pytest.raises(Exception, match="ThrottlingException"):
            one.client("ecs").list_clusters()
        before, local = told(one), one.local
        whoami = one.client("sts").get_caller_identity()["Arn"]
        made = len(one.calls())

    with account(tmp_path, "--resume") as one:
        for kept in ("endpoint", "access_key_id", "root_access_key_id", "root_secret_access_key", "scenario"):
            assert one.local[kept] == local[kept]
        assert len(one.calls()) == made
        assert told(one) == before
        item = one.client("dynamodb").get_item(TableName="mine", Key={"id": {"S": "a"}})["Item"]
        assert item["bytes"]["B"] == b"\x00\xff"
        sqs = one.client("sqs")
        (message,) = sqs.receive_message(QueueUrl=sqs.get_queue_url(QueueName="mine")["QueueUrl"])["Messages"]
        assert message["Body"] == "hello"
        assert one.client("s3").get_object(Bucket="mine", Key="a/b")["Body"].read() == b"\x00body"
        assert one.client("ssm").get_parameter(Name="/mine")["Parameter"]["Value"] == "1"
        assert one.alarm("checkout-5xx")["StateValue"] == "ALARM"
        (composite,) = one.client("cloudwatch").describe_alarms(AlarmTypes=["CompositeAlarm"])[
            "CompositeAlarms"
        ]
        assert composite["StateValue"] == "ALARM"
        (point,) = one.client("cloudwatch").get_metric_statistics(
            Namespace="Mine",
            MetricName="M",
            StartTime=one.now() - timedelta(hours=1),
            EndTime=one.now(),
            Period=60,
            Statistics=["Sum"],
        )["Datapoints"]
        assert point["Sum"] == 7
        (fault,) = one.control("GET", "faults")["faults"]
        assert (fault["id"], fault["met"]) == ("f1", 1)
        assert one.client("sts").get_caller_identity()["Arn"] == whoami


def test_it_goes_on_as_if_it_had_never_ended(tmp_path: Path) -> None:
    (tmp_path / "whole").mkdir()
    (tmp_path / "halves").mkdir()
    with account(tmp_path / "whole", *FRESH) as one:
        one.control("POST", "inject", {"scenario": "false-alarm"})
        one.advance(minutes=6)
        one.advance(minutes=12)
        wanted = told(one)

    with account(tmp_path / "halves", *FRESH) as one:
        one.control("POST", "inject", {"scenario": "false-alarm"})
        one.advance(minutes=6)
    with account(tmp_path / "halves", "--resume") as one:
        assert [i["scenario"] for i in one.control("GET", "status")["injected"]] == ["false-alarm"]
    with account(tmp_path / "halves", "--resume") as one:
        one.advance(minutes=12)
        found = told(one)
        # What is written down twice in a row is the same: nothing drifts.
        began = one.control("POST", "reset")

    assert found == wanted
    assert began["now"] == "2026-11-23T09:00:00.000Z"


def test_work_under_way_is_cancelled_and_says_so(tmp_path: Path) -> None:
    content = """{"schemaVersion": "0.3", "mainSteps": [
        {"name": "rest", "action": "aws:sleep", "inputs": {"Duration": "PT1H"}}]}"""
    with account(tmp_path, *FRESH) as one:
        ssm = one.client("ssm")
        ssm.create_document(Name="Rest", Content=content, DocumentType="Automation", DocumentFormat="JSON")
        execution = ssm.start_automation_execution(DocumentName="Rest")["AutomationExecutionId"]
        one.advance(minutes=1)

    with account(tmp_path, "--resume") as one:
        found = one.client("ssm").get_automation_execution(AutomationExecutionId=execution)
        assert found["AutomationExecution"]["AutomationExecutionStatus"] == "Cancelled"
        one.advance(minutes=90)
        other = one.client("ssm").start_automation_execution(DocumentName="Rest")["AutomationExecutionId"]
        one.advance(minutes=61)
        found = one.client("ssm").get_automation_execution(AutomationExecutionId=other)
        assert found["AutomationExecution"]["AutomationExecutionStatus"] == "Success"


def test_where_its_port_is_taken_it_comes_back_on_another(tmp_path: Path) -> None:
    with account(tmp_path, *FRESH) as one:
        port = int(one.endpoint.rpartition(":")[2])
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        with account(tmp_path, "--resume") as one:
            assert one.endpoint != f"http://127.0.0.1:{port}"
            assert one.client("ecs").list_clusters()["clusterArns"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "no account was kept"),
        ("{", "is no kept account"),
        ('{"format": 99}', "another version, in format 99"),
    ],
)
def test_what_cannot_be_taken_up_is_said_in_one_line(tmp_path: Path, text: str | None, said: str) -> None:
    if text is not None:
        (tmp_path / "account.json").write_text(text)
    command = [sys.executable, "-m", "simulator", "--resume", "--state-dir", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_what_is_shared_stays_shared_and_what_stands_is_filled() -> None:
    shared = [1, (2, {"b"})]
    kept = json.loads(json.dumps(Writer().written({"a": shared, "b": shared, 3: b"x"})))
    target: dict[Any, Any] = {"old": 1}

    found = Reader().read(kept, target)

    assert found is target
    assert found == {"a": [1, (2, {"b"})], "b": [1, (2, {"b"})], 3: b"x"}
    assert found["a"] is found["b"]


def test_nothing_outside_the_account_is_ever_made() -> None:
    for name in ("os:system", "subprocess:Popen", "simulator.command:nonesuch"):
        with pytest.raises(UnkeptError):
            Reader().read(["object", name, {}])


def test_what_cannot_be_written_is_named_by_its_place() -> None:
    store = LogStore()
    store.groups["odd"] = memoryview(b"")  # type: ignore[assignment]
    with pytest.raises(UnkeptError, match="account/groups/odd holds a memoryview"):
        Writer().written(store)


@pytest.mark.slow
def test_a_deployment_that_was_under_way_goes_on_after_a_pause(tmp_path: Path) -> None:
    fresh = ("--scenario", "bad-shift", "--seed", "3", "--start", START, "--history-hours", "0.2")

    def weights(one: SimulatedAccount) -> dict[str, float]:
        alias = one.client("lambda").get_alias(FunctionName="orders-events", Name="live")
        return dict(alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {}))

    with account(tmp_path, *fresh) as one:
        one.advance(minutes=5)
        assert weights(one) == {"8": 0.25}
    with account(tmp_path, "--resume") as one:
        assert weights(one) == {"8": 0.25}
        one.advance(minutes=10)
        assert weights(one) == {"8": 0.5}
        deploys = one.client("codedeploy")
        (identity,) = deploys.list_deployments()["deployments"]
        deploys.stop_deployment(deploymentId=identity, autoRollbackEnabled=True)
        one.advance(20)
        assert weights(one) == {}
