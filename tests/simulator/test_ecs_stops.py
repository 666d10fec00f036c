"""Deployments that are stopped or forced, and what the bus hears of services and tasks.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stop-service-deployment.html
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_task_events.html
"""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.simulated import SimulatedAccount, StartAccount

IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/checkout:2026.11.1"


@pytest.fixture(scope="module")
def account(shared_accounts: StartAccount) -> SimulatedAccount:
    return shared_accounts("false-alarm", history_hours=3.0)


@pytest.fixture(scope="module")
def ecs(account: SimulatedAccount) -> Any:
    return account.client("ecs")


@pytest.fixture
def cluster(account: SimulatedAccount, ecs: Any, request: pytest.FixtureRequest) -> str:
    """A cluster of its own with one service at rest."""
    name = request.node.name.translate(str.maketrans("_[] ", "----"))[:100].strip("-")
    ecs.create_cluster(clusterName=name)
    ecs.create_service(cluster=name, serviceName="app", taskDefinition="checkout:41", desiredCount=3)
    account.advance(90)
    return str(name)


def service(ecs: Any, cluster: str) -> dict[str, Any]:
    found: dict[str, Any] = ecs.describe_services(cluster=cluster, services=["app"])["services"][0]
    return found


def newest(ecs: Any, cluster: str, **options: Any) -> dict[str, Any]:
    found: dict[str, Any] = ecs.list_service_deployments(cluster=cluster, service="app", **options)[
        "serviceDeployments"
    ][0]
    return found


def whole(ecs: Any, arn: str) -> dict[str, Any]:
    found: dict[str, Any] = ecs.describe_service_deployments(serviceDeploymentArns=[arn])[
        "serviceDeployments"
    ][0]
    return found


def test_a_deployment_that_is_stopped_is_rolled_back(
    account: SimulatedAccount, ecs: Any, cluster: str
) -> None:
    ecs.update_service(cluster=cluster, service="app", taskDefinition="checkout:40")
    account.advance(40)
    arn = newest(ecs, cluster)["serviceDeploymentArn"]

    answer = ecs.stop_service_deployment(serviceDeploymentArn=arn, stopType="ROLLBACK")
    assert answer["serviceDeploymentArn"] == arn
    assert whole(ecs, arn)["status"] == "ROLLBACK_REQUESTED"
    ecs.stop_service_deployment(serviceDeploymentArn=arn)

    account.advance(20)
    stopping = whole(ecs, arn)
    assert stopping["status"] == "ROLLBACK_IN_PROGRESS"
    assert stopping["rollback"]["startedAt"] >= stopping["createdAt"]
    ecs.stop_service_deployment(serviceDeploymentArn=arn)

    account.advance(120)
    assert whole(ecs, arn)["status"] == "ROLLBACK_SUCCESSFUL"
    described = service(ecs, cluster)
    assert described["taskDefinition"].endswith("checkout:41")
    assert (described["runningCount"], described["deployments"][0]["rolloutState"]) == (3, "COMPLETED")


def test_what_is_over_cannot_be_stopped(ecs: Any, cluster: str) -> None:
    arn = newest(ecs, cluster, status=["SUCCESSFUL"])["serviceDeploymentArn"]
    for options, code in (
        ({"serviceDeploymentArn": arn}, "ConflictException"),
        ({"serviceDeploymentArn": arn, "stopType": "ABORT"}, "InvalidParameterException"),
        ({"serviceDeploymentArn": arn + "x"}, "ServiceDeploymentNotFoundException"),
    ):
        with pytest.raises(ClientError) as error:
            ecs.stop_service_deployment(**options)
        assert error.value.response["Error"]["Code"] == code


def test_a_forced_deployment_replaces_every_task(account: SimulatedAccount, ecs: Any, cluster: str) -> None:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_UpdateService.html"""
    before = set(ecs.list_tasks(cluster=cluster, serviceName="app")["taskArns"])

    ecs.update_service(cluster=cluster, service="app")
    assert len(service(ecs, cluster)["deployments"]) == 1
    ecs.update_service(cluster=cluster, service="app", forceNewDeployment=True)
    account.advance(120)

    after = set(ecs.list_tasks(cluster=cluster, serviceName="app")["taskArns"])
    assert len(after) == 3
    assert not before & after
    assert service(ecs, cluster)["taskDefinition"].endswith("checkout:41")


def test_another_network_is_rolled_out_too(ecs: Any, cluster: str) -> None:
    network = {"awsvpcConfiguration": {"subnets": ["subnet-1"], "assignPublicIp": "DISABLED"}}
    ecs.update_service(cluster=cluster, service="app", networkConfiguration=network)

    described = service(ecs, cluster)
    assert described["networkConfiguration"] == network
    assert [one["status"] for one in described["deployments"]] == ["PRIMARY", "ACTIVE"]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"placementStrategy": [{"type": "random"}]}, "UnsupportedFeatureException"),
        ({"deploymentConfiguration": {"strategy": "BLUE_GREEN"}}, "UnsupportedFeatureException"),
        (
            {"deploymentConfiguration": {"maximumPercent": 100, "minimumHealthyPercent": 100}},
            "InvalidParameterException",
        ),
        ({"desiredCount": -1}, "InvalidParameterException"),
    ],
)
def test_what_a_service_cannot_be_told_is_refused(
    ecs: Any, cluster: str, options: dict[str, Any], code: str
) -> None:
    before = service(ecs, cluster)

    with pytest.raises(ClientError) as error:
        ecs.update_service(cluster=cluster, service="app", **options)

    assert error.value.response["Error"]["Code"] == code
    assert service(ecs, cluster) == before


def test_a_service_says_again_that_it_is_steady(account: SimulatedAccount, ecs: Any, cluster: str) -> None:
    (first, *_) = ecs.list_tasks(cluster=cluster, serviceName="app")["taskArns"]
    ecs.stop_task(cluster=cluster, task=first, reason="drill")
    account.advance(60)

    said = [one["message"] for one in service(ecs, cluster)["events"]]
    assert said[0] == "(service app) has reached a steady state."
    assert said[1].startswith("(service app) has started 1 tasks: (task ")


def test_a_service_behind_a_load_balancer_says_when_its_targets_come_and_go(
    account: SimulatedAccount, ecs: Any, cluster: str
) -> None:
    group = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/app/6d0ecf831eec9f09"
    ecs.create_service(
        cluster=cluster,
        serviceName="front",
        taskDefinition="checkout:41",
        desiredCount=2,
        loadBalancers=[{"targetGroupArn": group, "containerName": "checkout", "containerPort": 8080}],
    )
    account.advance(90)
    ecs.update_service(cluster=cluster, service="front", desiredCount=1)
    account.advance(10)

    described = ecs.describe_services(cluster=cluster, services=["front"])["services"][0]
    said = [one["message"] for one in described["events"]]
    assert f"(service front) registered 2 targets in (target-group {group})" in said
    assert f"(service front) deregistered 1 targets in (target-group {group})" in said
    assert "(service front) has begun draining connections on 1 tasks." in said


def test_the_bus_hears_of_tasks_and_of_a_steady_service(
    account: SimulatedAccount, ecs: Any, cluster: str
) -> None:
    sqs, events = account.client("sqs"), account.client("events")
    queue = sqs.create_queue(QueueName=f"heard-{cluster}"[:80])["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    pattern = {
        "source": ["aws.ecs"],
        "detail-type": ["ECS Task State Change", "ECS Service Action"],
        "detail": {"clusterArn": [ecs.describe_clusters(clusters=[cluster])["clusters"][0]["clusterArn"]]},
    }
    events.put_rule(Name=f"heard-{cluster}"[:60], EventPattern=json.dumps(pattern))
    events.put_targets(Rule=f"heard-{cluster}"[:60], Targets=[{"Id": "q", "Arn": arn}])
    (first, *_) = ecs.list_tasks(cluster=cluster, serviceName="app")["taskArns"]

    ecs.stop_task(cluster=cluster, task=first, reason="drill")
    account.advance(60)

    heard = [
        json.loads(one["Body"])
        for one in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    ]
    details = [one["detail"] for one in heard if one["detail-type"] == "ECS Task State Change"]
    (gone,) = [one for one in details if one["taskArn"] == first]
    assert (gone["lastStatus"], gone["stoppedReason"], gone["stopCode"]) == (
        "STOPPED",
        "drill",
        "UserInitiated",
    )
    assert gone["group"] == "service:app"
    assert sorted(one["lastStatus"] for one in details if one["taskArn"] != first) == ["PENDING", "RUNNING"]
    assert max(one["version"] for one in details if one["taskArn"] == first) >= 3
    (action,) = [one["detail"] for one in heard if one["detail-type"] == "ECS Service Action"]
    assert action["eventName"] == "SERVICE_STEADY_STATE"
