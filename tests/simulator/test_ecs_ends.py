"""How tasks end by themselves, from what their task definition says, and what the service makes of it.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentCircuitBreaker.html
"""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from simulator.ecs.containers import command_end
from tests.simulated import SimulatedAccount, StartAccount

IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/checkout:2026.11.1"
BREAKER = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}


@pytest.fixture(scope="module")
def account(shared_accounts: StartAccount) -> SimulatedAccount:
    return shared_accounts("false-alarm", history_hours=3.0)


@pytest.fixture(scope="module")
def ecs(account: SimulatedAccount) -> Any:
    return account.client("ecs")


@pytest.fixture
def cluster(ecs: Any, request: pytest.FixtureRequest) -> str:
    name = request.node.name.translate(str.maketrans("_[] ", "----"))[:100].strip("-")
    ecs.create_cluster(clusterName=name)
    return str(name)


def definition(ecs: Any, family: str, *, memory: str = "1024", **container: Any) -> str:
    answer = ecs.register_task_definition(
        family=family,
        cpu="512" if int(memory) >= 1024 else "256",
        memory=memory,
        requiresCompatibilities=["FARGATE"],
        networkMode="awsvpc",
        containerDefinitions=[{"name": "app", "image": IMAGE, "essential": True, **container}],
    )
    return str(answer["taskDefinition"]["taskDefinitionArn"])


def created(ecs: Any, cluster: str, task_definition: str, **options: Any) -> None:
    ecs.create_service(
        cluster=cluster, serviceName="app", taskDefinition=task_definition, desiredCount=2, **options
    )


def service(ecs: Any, cluster: str) -> dict[str, Any]:
    found: dict[str, Any] = ecs.describe_services(cluster=cluster, services=["app"])["services"][0]
    return found


def stopped(ecs: Any, cluster: str) -> list[dict[str, Any]]:
    arns = ecs.list_tasks(cluster=cluster, desiredStatus="STOPPED")["taskArns"]
    return list(ecs.describe_tasks(cluster=cluster, tasks=arns)["tasks"]) if arns else []


@pytest.mark.parametrize(
    ("container", "exit_code"),
    [
        ({"command": ["sh", "-c", "echo starting; exit 3"]}, 3),
        ({"entryPoint": ["/bin/sh", "-c"], "command": ["false || exit 42"]}, 42),
        ({"command": ["/bin/false"]}, 1),
        ({"command": ["true"]}, 0),
    ],
)
def test_a_command_that_exits_ends_its_task(
    account: SimulatedAccount, ecs: Any, cluster: str, container: dict[str, Any], exit_code: int
) -> None:
    created(ecs, cluster, definition(ecs, "exits", **container))
    account.advance(40)

    task = stopped(ecs, cluster)[0]

    assert task["stopCode"] == "EssentialContainerExited"
    assert task["stoppedReason"] == "Essential container in task exited"
    assert task["containers"][0]["exitCode"] == exit_code
    assert service(ecs, cluster)["runningCount"] == 0


def test_a_command_that_lasts_a_while_runs_and_is_replaced(
    account: SimulatedAccount, ecs: Any, cluster: str
) -> None:
    created(ecs, cluster, definition(ecs, "lasts", command=["sh", "-c", "sleep 120 && exit 1"]))
    account.advance(60)
    assert service(ecs, cluster)["runningCount"] == 2

    account.advance(110)
    ended = stopped(ecs, cluster)
    assert [one["containers"][0]["exitCode"] for one in ended] == [1, 1]
    assert all("startedAt" in one for one in ended)
    account.advance(40)
    assert service(ecs, cluster)["runningCount"] == 2


def test_too_little_memory_kills_the_container(account: SimulatedAccount, ecs: Any, cluster: str) -> None:
    created(ecs, cluster, definition(ecs, "starved"))
    account.advance(90)
    assert service(ecs, cluster)["runningCount"] == 2

    ecs.update_service(cluster=cluster, service="app", taskDefinition=starved(ecs))
    account.advance(60)

    container = stopped(ecs, cluster)[0]["containers"][0]
    assert container["exitCode"] == 137
    assert container["reason"] == "OutOfMemoryError: Container killed due to memory usage"
    assert service(ecs, cluster)["runningCount"] == 2


def starved(ecs: Any) -> str:
    answer = ecs.register_task_definition(
        family="starved",
        cpu="512",
        memory="1024",
        containerDefinitions=[{"name": "app", "image": IMAGE, "essential": True, "memory": 64}],
    )
    return str(answer["taskDefinition"]["taskDefinitionArn"])


def test_a_sidecar_that_is_not_essential_ends_nothing(
    account: SimulatedAccount, ecs: Any, cluster: str
) -> None:
    sidecar = {"name": "init", "image": IMAGE, "essential": False, "command": ["true"], "memory": 64}
    answer = ecs.register_task_definition(
        family="sidecar",
        containerDefinitions=[{"name": "app", "image": IMAGE, "memory": 1024}, sidecar],
    )
    created(ecs, cluster, answer["taskDefinition"]["taskDefinitionArn"])
    account.advance(60)

    assert service(ecs, cluster)["runningCount"] == 2
    assert stopped(ecs, cluster) == []


def test_the_breaker_rolls_back_from_a_command_that_exits(
    account: SimulatedAccount, ecs: Any, cluster: str
) -> None:
    good = definition(ecs, "breaks")
    created(ecs, cluster, good, deploymentConfiguration=BREAKER)
    account.advance(90)

    ecs.update_service(
        cluster=cluster, service="app", taskDefinition=definition(ecs, "breaks", command=["false"])
    )
    account.advance(minutes=5)

    described = service(ecs, cluster)
    assert described["taskDefinition"] == good
    assert (described["runningCount"], described["deployments"][0]["rolloutState"]) == (2, "COMPLETED")
    said = [one["message"] for one in described["events"]]
    assert any(one.endswith("deployment failed: tasks failed to start.") for one in said)
    assert any("rolling back to (deployment ecs-svc/" in one for one in said)
    arns = [
        one["serviceDeploymentArn"]
        for one in ecs.list_service_deployments(cluster=cluster, service="app")["serviceDeployments"]
    ]
    described = ecs.describe_service_deployments(serviceDeploymentArns=arns)["serviceDeployments"]
    failed = next(one for one in described if one["status"] == "ROLLBACK_SUCCESSFUL")
    assert failed["deploymentCircuitBreaker"] == {"status": "TRIGGERED", "failureCount": 4, "threshold": 3}


def test_a_first_rollout_that_fails_has_nothing_to_return_to(
    account: SimulatedAccount, ecs: Any, cluster: str
) -> None:
    bad = definition(ecs, "first", command=["exit", "1"])
    created(ecs, cluster, bad, deploymentConfiguration=BREAKER)
    account.advance(minutes=5)

    described = service(ecs, cluster)
    assert (described["runningCount"], described["pendingCount"]) == (0, 0)
    assert described["deployments"][0]["rolloutState"] == "FAILED"
    assert described["deployments"][0]["failedTasks"] == 4


def test_the_breakers_threshold_can_be_a_count(account: SimulatedAccount, ecs: Any, cluster: str) -> None:
    breaker = {
        "enable": True,
        "rollback": False,
        "thresholdConfiguration": {"type": "COUNT", "value": 7},
    }
    bad = definition(ecs, "counted", command=["exit", "1"])
    created(ecs, cluster, bad, deploymentConfiguration={"deploymentCircuitBreaker": breaker})

    account.advance(100)
    assert service(ecs, cluster)["deployments"][0]["rolloutState"] == "IN_PROGRESS"
    account.advance(60)
    assert service(ecs, cluster)["deployments"][0]["rolloutState"] == "FAILED"


def test_attempts_become_rarer_without_a_breaker(account: SimulatedAccount, ecs: Any, cluster: str) -> None:
    """https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-throttle-logic.html"""
    created(ecs, cluster, definition(ecs, "hopeless", command=["false"]))
    account.advance(minutes=4)
    early = service(ecs, cluster)["deployments"][0]["failedTasks"]
    account.advance(minutes=56)
    described = service(ecs, cluster)

    assert early >= 8
    assert described["deployments"][0]["failedTasks"] - early < 20
    assert any(
        "is unable to consistently start tasks successfully" in one["message"] for one in described["events"]
    )

    ecs.update_service(cluster=cluster, service="app", taskDefinition=definition(ecs, "hopeless"))
    account.advance(90)
    assert service(ecs, cluster)["runningCount"] == 2


def test_stopped_tasks_are_shown_for_an_hour(account: SimulatedAccount, ecs: Any, cluster: str) -> None:
    created(ecs, cluster, definition(ecs, "kept"))
    account.advance(90)
    (first, _) = ecs.list_tasks(cluster=cluster)["taskArns"]
    ecs.stop_task(cluster=cluster, task=first, reason="drill")

    account.advance(minutes=50)
    assert [one["taskArn"] for one in stopped(ecs, cluster)] == [first]
    account.advance(minutes=15)
    assert stopped(ecs, cluster) == []
    failures = ecs.describe_tasks(cluster=cluster, tasks=[first])["failures"]
    assert failures == [{"arn": first, "reason": "MISSING"}]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"containerDefinitions": []}, "Container list cannot be empty."),
        (
            {"containerDefinitions": [{"name": "a", "image": "a:1"}]},
            "At least one of 'memory' or 'memoryReservation' must be specified.",
        ),
        (
            {
                "containerDefinitions": [{"name": "a", "image": "a:1"}],
                "requiresCompatibilities": ["FARGATE"],
                "cpu": "256",
                "memory": "4096",
            },
            "No Fargate configuration exists for given values.",
        ),
    ],
)
def test_a_definition_that_could_not_run_is_refused(ecs: Any, given: dict[str, Any], message: str) -> None:
    """https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-cpu-memory-error.html"""
    with pytest.raises(ClientError) as error:
        ecs.register_task_definition(family="refused", **given)

    assert error.value.response["Error"]["Code"] == "ClientException"
    assert message in error.value.response["Error"]["Message"]


def test_a_deregistered_definition_starts_no_service(ecs: Any, cluster: str) -> None:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeregisterTaskDefinition.html"""
    arn = definition(ecs, "retired")
    answer = ecs.deregister_task_definition(taskDefinition=arn)["taskDefinition"]

    assert answer["status"] == "INACTIVE"
    assert ecs.list_task_definitions(familyPrefix="retired")["taskDefinitionArns"] == []
    assert ecs.list_task_definitions(familyPrefix="retired", status="INACTIVE")["taskDefinitionArns"] == [arn]
    with pytest.raises(ClientError, match="TaskDefinition is inactive"):
        created(ecs, cluster, arn)


@pytest.mark.parametrize(
    ("words", "seconds", "code"),
    [
        (["sh", "-c", "sleep 1m; sleep 30; exit 300"], 90, 44),
        (["sh", "-c", "true && false"], 0, 1),
        (["sh", "-c", "false && exit 9"], 0, 1),
        (["sleep", "0.5"], 0.5, 0),
        (["sleep", "soon"], 0, 1),
        (["sh", "-c", "exit oops"], 0, 2),
        (["sh", "-c", "echo 'unclosed"], 0, 2),
    ],
)
def test_a_script_is_read_as_a_shell_reads_it(words: list[str], seconds: float, code: int) -> None:
    ended = command_end(words)

    assert ended is not None
    assert (ended[0].total_seconds(), ended[1]) == (seconds, code)


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["java", "-jar", "app.jar"],
        ["sh", "-c", "exec gunicorn app:app"],
        ["sh", "-c", "migrate && exit 1"],
        ["sh", "-c", "while true; do sleep 5; done"],
        ["sh", "-c", "echo $(exit 1)"],
        ["sh", "-c", "sleep 5 & wait"],
    ],
)
def test_any_other_command_is_the_images_program(words: list[str]) -> None:
    assert command_end(words) is None
