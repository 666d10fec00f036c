from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.simulated import SimulatedAccount, StartAccount

CLUSTER = "storefront"


@dataclass(frozen=True)
class Shop:
    """A cluster of one test's own in an account that all of them share, with one service at rest."""

    account: SimulatedAccount
    cluster: str

    @property
    def ecs(self) -> Any:
        return self.account.client("ecs")

    def service(self, **options: Any) -> dict[str, Any]:
        answer = self.ecs.describe_services(cluster=self.cluster, services=["checkout"], **options)
        found: dict[str, Any] = answer["services"][0]
        return found

    def rolled_out(self, definition: str, **options: Any) -> None:
        self.ecs.update_service(
            cluster=self.cluster, service="checkout", taskDefinition=definition, **options
        )

    def rollout(self) -> tuple[str, int]:
        primary = self.service()["deployments"][0]
        return primary["rolloutState"], primary["runningCount"]

    def deployments(self) -> list[dict[str, Any]]:
        answer = self.ecs.list_service_deployments(cluster=self.cluster, service="checkout")
        found: list[dict[str, Any]] = answer["serviceDeployments"]
        return found

    def tasks(self, **options: Any) -> list[str]:
        answer = self.ecs.list_tasks(cluster=self.cluster, serviceName="checkout", **options)
        return list(answer["taskArns"])


@pytest.fixture(scope="module")
def account(shared_accounts: StartAccount) -> SimulatedAccount:
    return shared_accounts("false-alarm", history_hours=3.0)


@pytest.fixture
def shop(account: SimulatedAccount, request: pytest.FixtureRequest) -> Shop:
    own = Shop(account, request.node.name.replace("_", "-")[:200])
    own.ecs.create_cluster(clusterName=own.cluster)
    own.ecs.create_service(
        cluster=own.cluster,
        serviceName="checkout",
        taskDefinition="checkout:41",
        desiredCount=5,
        deploymentConfiguration={"minimumHealthyPercent": 20, "maximumPercent": 200},
    )
    account.advance(90)
    return own


def registered(account: SimulatedAccount, image: str, **changes: Any) -> str:
    ecs = account.client("ecs")
    current = ecs.describe_task_definition(taskDefinition="checkout:41")["taskDefinition"]
    container = current["containerDefinitions"][0] | {"image": image}
    kept = {key: current[key] for key in ("family", "cpu", "memory", "networkMode")}
    answer = ecs.register_task_definition(**kept, containerDefinitions=[container], **changes)
    return str(answer["taskDefinition"]["taskDefinitionArn"])


def test_a_service_at_rest(account: SimulatedAccount) -> None:
    services = account.client("ecs").describe_services(
        cluster=CLUSTER, services=["checkout"], include=["TAGS"]
    )
    (described,) = services["services"]

    assert (described["status"], described["desiredCount"], described["runningCount"]) == ("ACTIVE", 5, 5)
    assert described["taskDefinition"].endswith(":task-definition/checkout:41")
    (deployment,) = described["deployments"]
    assert (deployment["status"], deployment["rolloutState"]) == ("PRIMARY", "COMPLETED")
    assert isinstance(deployment["createdAt"], datetime)
    assert described["events"][0]["message"] == "(service checkout) has reached a steady state."
    assert {"key": "owner", "value": "team-checkout"} in described["tags"]


def test_a_rollout_takes_its_time(shop: Shop) -> None:
    shop.rolled_out("checkout:40")
    assert shop.rollout() == ("IN_PROGRESS", 0)
    both = shop.service()["deployments"]
    assert [(one["status"], one["runningCount"]) for one in both] == [("PRIMARY", 0), ("ACTIVE", 5)]

    shop.account.advance(40)
    assert shop.rollout() == ("IN_PROGRESS", 5)

    shop.account.advance(50)
    assert shop.rollout() == ("COMPLETED", 5)
    described = shop.service()
    assert len(described["deployments"]) == 1
    messages = [one["message"] for one in described["events"]]
    assert messages[0] == "(service checkout) has reached a steady state."
    assert any("has started 5 tasks" in one for one in messages)
    assert any("has stopped 5 running tasks" in one for one in messages)


def test_a_rollout_never_lets_the_service_fall_below_its_count(shop: Shop) -> None:
    shop.rolled_out("checkout:40")
    for _ in range(9):
        assert shop.service()["runningCount"] >= 5
        shop.account.advance(10)


def test_service_deployments_name_their_revisions(shop: Shop) -> None:
    ecs = shop.ecs
    shop.rolled_out("checkout:40")
    shop.account.advance(120)

    briefs = shop.deployments()
    newest = ecs.describe_service_deployments(serviceDeploymentArns=[briefs[0]["serviceDeploymentArn"]])[
        "serviceDeployments"
    ][0]
    revisions = ecs.describe_service_revisions(
        serviceRevisionArns=[
            newest["sourceServiceRevisions"][0]["arn"],
            newest["targetServiceRevision"]["arn"],
        ]
    )["serviceRevisions"]

    assert len(briefs) == 2
    assert [one["createdAt"] for one in briefs] == sorted((one["createdAt"] for one in briefs), reverse=True)
    assert newest["status"] == "SUCCESSFUL"
    assert newest["targetServiceRevision"]["arn"] == briefs[0]["targetServiceRevisionArn"]
    assert [one["taskDefinition"].rpartition("/")[2] for one in revisions] == ["checkout:41", "checkout:40"]
    assert revisions[1]["containerImages"][0]["image"].endswith("checkout:2026.10.5")
    running = ecs.list_service_deployments(cluster=shop.cluster, service="checkout", status=["IN_PROGRESS"])
    assert running["serviceDeployments"] == []


def test_an_image_that_cannot_be_pulled_never_comes_up(shop: Shop) -> None:
    image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/checkout:no-such-tag"
    shop.rolled_out(registered(shop.account, image))
    shop.account.advance(minutes=5)

    described = shop.service()
    primary = described["deployments"][0]
    assert (primary["rolloutState"], primary["runningCount"]) == ("IN_PROGRESS", 0)
    assert primary["failedTasks"] > 5
    assert described["runningCount"] == 1  # The service lets all but one task go at once.
    assert any("CannotPullContainerError" in one["message"] for one in described["events"])
    ecs = shop.ecs
    stopped = shop.tasks(desiredStatus="STOPPED")
    task = ecs.describe_tasks(cluster=shop.cluster, tasks=stopped[-1:])["tasks"][0]
    assert task["stopCode"] == "TaskFailedToStart"
    assert image in task["stoppedReason"]


def test_the_circuit_breaker_rolls_back(shop: Shop) -> None:
    settings = {
        "deploymentCircuitBreaker": {"enable": True, "rollback": True},
        "minimumHealthyPercent": 100,
        "maximumPercent": 200,
    }
    shop.rolled_out(registered(shop.account, "nowhere/checkout:1"), deploymentConfiguration=settings)
    shop.account.advance(minutes=6)

    described = shop.service()
    assert described["taskDefinition"].endswith("checkout:41")
    assert shop.rollout() == ("COMPLETED", 5)
    ecs = shop.ecs
    briefs = shop.deployments()
    failed = next(one for one in briefs if one["status"] == "ROLLBACK_SUCCESSFUL")
    (whole,) = ecs.describe_service_deployments(serviceDeploymentArns=[failed["serviceDeploymentArn"]])[
        "serviceDeployments"
    ]
    assert whole["rollback"]["serviceRevisionArn"] == briefs[0]["targetServiceRevisionArn"]


def test_a_rollout_that_is_replaced_ends(shop: Shop) -> None:
    shop.rolled_out(registered(shop.account, "nowhere/checkout:1"))
    shop.account.advance(60)
    shop.rolled_out("checkout:41")
    shop.account.advance(120)

    assert shop.rollout() == ("COMPLETED", 5)
    assert len(shop.service()["deployments"]) == 1


def test_a_service_scales_out_and_in(shop: Shop) -> None:
    ecs = shop.ecs
    ecs.update_service(cluster=shop.cluster, service="checkout", desiredCount=8)
    shop.account.advance(60)
    assert shop.service()["runningCount"] == 8

    ecs.update_service(cluster=shop.cluster, service="checkout", desiredCount=2)
    shop.account.advance(60)
    assert shop.service()["runningCount"] == 2
    assert len(shop.tasks()) == 2


def test_a_stopped_task_is_replaced(shop: Shop) -> None:
    ecs = shop.ecs
    before = shop.tasks()

    ecs.stop_task(cluster=shop.cluster, task=before[0], reason="drill")
    assert shop.service()["runningCount"] == 4
    shop.account.advance(60)

    after = shop.tasks()
    assert len(after) == 5
    assert before[0] not in after
    task = ecs.describe_tasks(cluster=shop.cluster, tasks=[before[0]])["tasks"][0]
    assert (task["stoppedReason"], task["stopCode"]) == ("drill", "UserInitiated")


def test_a_cluster_counts_what_runs_in_it_until_the_service_is_deleted(shop: Shop) -> None:
    (cluster,) = shop.ecs.describe_clusters(clusters=[shop.cluster])["clusters"]
    assert (cluster["runningTasksCount"], cluster["activeServicesCount"]) == (5, 1)

    shop.ecs.delete_service(cluster=shop.cluster, service="checkout", force=True)

    assert shop.ecs.list_services(cluster=shop.cluster)["serviceArns"] == []
    with pytest.raises(ClientError, match="ServiceNotActiveException"):
        shop.rolled_out("checkout:40")


def test_task_definitions_are_numbered_and_listed(account: SimulatedAccount) -> None:
    ecs = account.client("ecs")
    first = registered(account, "a:1", tags=[{"key": "stage", "value": "test"}])
    listed = ecs.list_task_definitions(familyPrefix="checkout", sort="DESC")["taskDefinitionArns"]

    revisions = [int(one.rpartition(":")[2]) for one in listed]
    assert first == listed[0]
    assert revisions == list(range(revisions[0], 38, -1))
    described = ecs.describe_task_definition(taskDefinition=first, include=["TAGS"])
    assert described["tags"] == [{"key": "stage", "value": "test"}]
    assert described["taskDefinition"]["containerDefinitions"][0]["image"] == "a:1"
    old = ecs.describe_task_definition(taskDefinition="checkout:39")["taskDefinition"]
    assert (account.now() - old["registeredAt"]).days == 75


def test_tags_come_and_go(shop: Shop) -> None:
    ecs = shop.ecs
    arn = shop.service()["serviceArn"]

    ecs.tag_resource(resourceArn=arn, tags=[{"key": "incident", "value": "7"}])
    assert {"key": "incident", "value": "7"} in ecs.list_tags_for_resource(resourceArn=arn)["tags"]
    ecs.untag_resource(resourceArn=arn, tagKeys=["incident"])
    assert {"key": "incident", "value": "7"} not in ecs.list_tags_for_resource(resourceArn=arn)["tags"]


def test_what_is_not_there_is_refused_in_ecss_words(shop: Shop) -> None:
    ecs = shop.ecs

    for call, code in (
        (lambda: ecs.describe_services(cluster="nowhere", services=["x"]), "ClusterNotFoundException"),
        (lambda: ecs.update_service(cluster=shop.cluster, service="x"), "ServiceNotFoundException"),
        (lambda: ecs.describe_task_definition(taskDefinition="checkout:9999"), "ClientException"),
        (lambda: shop.rolled_out("checkout:9999"), "ClientException"),
        (lambda: ecs.delete_service(cluster=shop.cluster, service="checkout"), "InvalidParameterException"),
        (lambda: ecs.create_capacity_provider(name="x"), "UnknownOperationException"),
        (lambda: ecs.list_services(cluster=shop.cluster, nextToken="bogus"), "InvalidParameterException"),
    ):
        with pytest.raises(ClientError) as error:
            call()
        assert error.value.response["Error"]["Code"] == code
    missing = ecs.describe_services(cluster=shop.cluster, services=["x"])["failures"]
    assert missing[0]["reason"] == "MISSING"


def test_rollouts_are_announced_on_the_bus(shop: Shop) -> None:
    sqs, events = shop.account.client("sqs"), shop.account.client("events")
    queue = sqs.create_queue(QueueName="rollouts")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="rollouts", EventPattern='{"detail-type": ["ECS Deployment State Change"]}')
    events.put_targets(Rule="rollouts", Targets=[{"Id": "q", "Arn": arn}])

    shop.rolled_out("checkout:40")
    shop.account.advance(90)

    messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    bodies = "".join(one["Body"] for one in messages)
    assert "SERVICE_DEPLOYMENT_IN_PROGRESS" in bodies
    assert "SERVICE_DEPLOYMENT_COMPLETED" in bodies
