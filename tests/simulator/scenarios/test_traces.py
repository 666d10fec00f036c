"""What scenarios leave behind where people look: stopped tasks, callers' names, levers that work."""

from datetime import timedelta

from tests.simulator.scenarios.headless import START, Played, Stage


def mean(played: Played, metric: str, service: str, minutes: int, stat: str = "Sum") -> float:
    begin = played.account.clock.now() - timedelta(minutes=minutes)
    found = played.values("Storefront", metric, {"Service": service}, begin, stat)
    return sum(found) / len(found)


def test_a_task_out_of_memory_is_killed_with_the_reason_and_replaced(headless: Stage) -> None:
    played = headless.play("memory-leak")
    played.advance(16)

    named = {"cluster": "storefront", "serviceName": "inventory", "desiredStatus": "STOPPED"}
    stopped = played.call("ecs", "ListTasks", named)["taskArns"]
    tasks = played.call("ecs", "DescribeTasks", {"cluster": "storefront", "tasks": stopped})["tasks"]
    killed = [one for one in tasks if one["containers"][0].get("exitCode") == 137]

    assert killed
    assert killed[0]["stopCode"] == "EssentialContainerExited"
    reason = killed[0]["containers"][0]["reason"]
    assert reason == "OutOfMemoryError: Container killed due to memory usage"
    played.advance(1)
    services = {"cluster": "storefront", "services": ["inventory"]}
    (service,) = played.call("ecs", "DescribeServices", services)["services"]
    assert service["runningCount"] >= 3


def test_more_memory_only_buys_time(headless: Stage) -> None:
    played = headless.play("memory-leak")
    dimensions = {"ClusterName": "storefront", "ServiceName": "inventory"}
    service = played.account.world.service("inventory")
    definition = played.call("ecs", "DescribeTaskDefinition", {"taskDefinition": "inventory:32"})[
        "taskDefinition"
    ]
    larger = {
        "family": service.family,
        "containerDefinitions": [
            {"name": one["name"], "image": one["image"]} for one in definition["containerDefinitions"]
        ],
        "cpu": service.cpu_units,
        "memory": "2048",
    }
    played.call("ecs", "RegisterTaskDefinition", larger)
    update = {"cluster": "storefront", "service": "inventory", "taskDefinition": "inventory:33"}
    played.call("ecs", "UpdateService", update)
    played.advance(3)
    begin = played.account.clock.now()
    played.advance(10)

    used = played.values("AWS/ECS", "MemoryUtilization", dimensions, begin, "Maximum")
    assert used[0] < 45
    assert used[-1] > used[0] + 8


def test_whoever_set_the_parameter_is_in_the_trail(headless: Stage) -> None:
    played = headless.play("wrong-parameter", seed=0)
    played.advance(5)

    found = played.call(
        "cloudtrail",
        "LookupEvents",
        {"LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": "PutParameter"}]},
    )["Events"]

    assert [(one["Username"], one["EventTime"]) for one in found] == [("mara", START + timedelta(minutes=3))]


def test_calls_that_are_given_up_are_made_again(headless: Stage) -> None:
    played = headless.play("wrong-parameter")
    asked = mean(played, "Requests", "payments", 6)
    played.advance(10)

    assert 1.3 < mean(played, "Requests", "payments", 4) / asked < 1.7
    assert mean(played, "Errors", "payments", 4) < 3


def test_a_feature_flag_sheds_load(headless: Stage) -> None:
    played = headless.play("false-alarm", seed=4)
    dimensions = {"ClusterName": "storefront", "ServiceName": "web"}

    def busy() -> float:
        begin = played.account.clock.now() - timedelta(minutes=2)
        found = played.values("AWS/ECS", "CPUUtilization", dimensions, begin, "Average")
        return sum(found) / len(found)

    before = busy()
    flag = {"Name": "/storefront/web/recommendations", "Value": "off", "Type": "String", "Overwrite": True}
    played.call("ssm", "PutParameter", flag)
    played.advance(3)

    assert busy() < before - 4


def test_a_table_on_demand_takes_everything(headless: Stage) -> None:
    played = headless.play("throttled-table")
    played.advance(9)
    assert mean(played, "OrdersFailed", "checkout", 3) > 10

    played.call("dynamodb", "UpdateTable", {"TableName": "orders", "BillingMode": "PAY_PER_REQUEST"})
    played.advance(4)

    assert mean(played, "OrdersFailed", "checkout", 3) == 0


def test_healthy_parts_look_healthy_while_others_break(headless: Stage) -> None:
    played = headless.play("dependency-outage")
    played.advance(10)

    assert mean(played, "Errors", "payments", 4) > 30
    assert mean(played, "Errors", "checkout", 4) > 30
    assert mean(played, "Errors", "inventory", 4) < 3
    assert mean(played, "Errors", "orders-events", 4) < 1


def test_a_day_of_history_has_a_point_for_every_minute(headless: Stage) -> None:
    played = headless.play("bad-deployment", history=timedelta(hours=24))

    requests = played.values("Storefront", "Requests", {"Service": "web"}, START - timedelta(hours=24))
    assert len(requests) == 24 * 60
    hourly = [sum(requests[hour * 60 : hour * 60 + 60]) for hour in range(24)]
    assert 1.25 < max(hourly) / min(hourly) < 1.5
    summaries = [
        item["HistorySummary"] for one in played.account.book.alarms.values() for item in one.history
    ]
    assert not [one for one in summaries if one.endswith("to ALARM")]
