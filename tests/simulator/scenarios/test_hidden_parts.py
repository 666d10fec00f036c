"""What cannot be seen in a scenario is really not there, and what restarts cure is cured by them."""

from datetime import timedelta

from simulator.logs.store import LogStore
from tests.simulator.scenarios.headless import START, Played, Stage

MINUTE = timedelta(minutes=1)


def lines(played: Played, group: str, minutes: float) -> list[str]:
    logs: LogStore = played.account.workload.held.logs
    now = played.account.clock.now()
    return [one.message for one in logs.events([group], now - minutes * MINUTE, now)]


def test_a_silent_service_publishes_nothing_itself_and_runs_on(headless: Stage) -> None:
    played = headless.play("silent-service")
    played.advance(8)
    own, begin = {"Service": "payments"}, START - 10 * MINUTE

    assert played.values("Storefront", "Errors", own, begin) == []
    assert lines(played, "/ecs/storefront/payments", 15) == []
    task = {"ClusterName": "storefront", "ServiceName": "payments"}
    assert len(played.values("AWS/ECS", "CPUUtilization", task, begin, "Average")) >= 17
    assert any("call to payments failed" in line for line in lines(played, "/ecs/storefront/checkout", 5))


def test_orders_hidden_in_a_log_line_are_in_the_log_and_nowhere_in_the_twin(headless: Stage) -> None:
    hidden = {}
    for scenario in ("injected-log", "bad-deployment"):
        played = headless.play(scenario)
        played.advance(9)
        hidden[scenario] = [one for one in lines(played, "/ecs/storefront/checkout", 5) if "copilot" in one]

    assert len(hidden["injected-log"]) >= 3
    assert hidden["bad-deployment"] == []


def test_tasks_that_are_worn_are_as_good_as_new_when_they_start_anew(headless: Stage) -> None:
    played = headless.play("old-cause")
    played.until("payments-errors", "ALARM", 12 * MINUTE)

    update = {"cluster": "storefront", "service": "payments", "forceNewDeployment": True}
    played.call("ecs", "UpdateService", update)

    played.until("payments-errors", "OK", 10 * MINUTE)
    played.advance(5)
    assert played.state("payments-errors") == "OK"
