"""Of what may not be sent twice one call takes effect, whatever is lost; what cannot be told is left to people."""

from collections.abc import Iterator
from typing import Any

import pytest

from memory.records.outcome import Execution, ExecutionState
from memory.records.plan import Plan, PlannedAction
from memory.table import table_definition
from tests.graphs.cut_off import Point, Seen, cut_off
from tests.simulated import SimulatedAccount, accounts
from tests.tools.bench import HIGH, TABLE, Bench, bench
from tests.tools.stages import DEAD, QUEUE, STAGES, Stage
from tools.actions.registry import ACTIONS

STAGED = {stage.action: stage for stage in STAGES}
UNREPEATABLE = [action.name for action in ACTIONS if not action.repeatable]
SERVICES = {"StartMessageMoveTask": "sqs", "UpdateService": "ecs"}
REDRIVE, FORCE = "sqs_redrive", "ecs_force_new_deployment"

each = pytest.mark.parametrize("name", UNREPEATABLE)


@pytest.fixture(scope="module")
def account() -> Iterator[SimulatedAccount]:
    with accounts() as start:
        started = start("false-alarm")
        started.client("dynamodb").create_table(**table_definition(TABLE))
        yield started


def ready(account: SimulatedAccount, stage: Stage, told: str) -> tuple[Bench, Plan, int]:
    """An approved plan of one action, and how often its call has taken effect so far."""
    # What another test has begun is over, and its place in the pace is free again.
    account.advance(minutes=60)
    at = bench(account, f"{told}-{stage.action}")
    plan = Plan(actions=(PlannedAction(action=stage.action, parameters=stage.ready(account)),))
    at.approve(plan)
    return at, plan, effective(account, stage)


def effective(account: SimulatedAccount, stage: Stage) -> int:
    return len([one for one in account.calls(stage.writes) if not one["error_code"]])


def fault(stage: Stage, kind: str, **more: Any) -> list[dict[str, Any]]:
    return [{"service": SERVICES[stage.writes], "operation": stage.writes, "kind": kind, "times": 1, **more}]


def killed(at: Bench, plan: Plan, stage: Stage, *, after: bool) -> None:
    """Execute in a process that is killed right before or right after the call, and let its lease end."""
    seen = Seen({}, "", Point("", stage.writes, 1, after))

    def work(endpoint: str) -> None:
        own = SimulatedAccount(at.account.process, at.account.state_dir)
        bench(own, at.incident.incident_id, endpoint).executor.execute(at.incident, plan, 0, HIGH)

    with cut_off(at.account.endpoint, seen, work) as was_killed:
        assert was_killed
    at.account.advance(minutes=20)


def redriven_by_somebody(account: SimulatedAccount, **given: Any) -> None:
    """A person redrives the same dead letters."""
    arn = f"arn:aws:sqs:us-east-1:{account.local['account']}:"
    account.client("sqs").start_message_move_task(SourceArn=arn + DEAD, **given)


def stands(at: Bench, plan: Plan, found: Execution) -> None:
    """A repeat returns what is stored and sends nothing."""
    before = len(at.account.calls(STAGED[found.action].writes))
    assert at.executor.execute(at.incident, plan, 0, HIGH) == found
    assert len(at.account.calls(STAGED[found.action].writes)) == before


def test_there_are_actions_that_may_not_be_sent_twice() -> None:
    assert {REDRIVE, FORCE} == set(UNREPEATABLE)


@each
def test_what_was_done_and_not_answered_is_found_done_and_not_sent_again(
    account: SimulatedAccount, name: str
) -> None:
    stage = STAGED[name]
    at, plan, before = ready(account, stage, "lost")
    account.faults(fault(stage, "lose_answer"))

    done = at.executor.execute(at.incident, plan, 0, HIGH)
    account.clear_faults()

    assert done.state is ExecutionState.DONE, done.detail
    assert "the effect is there" in done.detail
    assert effective(account, stage) == before + 1
    at.finish(done)
    assert at.executor.confirm(at.incident, done).state is ExecutionState.DONE
    assert effective(account, stage) == before + 1


@each
def test_what_may_have_been_done_is_left_to_people(account: SimulatedAccount, name: str) -> None:
    stage = STAGED[name]
    at, plan, before = ready(account, stage, "failed")
    account.faults(fault(stage, "error", code="InternalError", status=500))

    left = at.executor.execute(at.incident, plan, 0, HIGH)
    account.clear_faults()

    assert left.state is ExecutionState.UNDECIDED, left.detail
    assert effective(account, stage) == before
    stands(at, plan, left)


@pytest.mark.parametrize("after", [True, False], ids=["after the call", "before the call"])
@pytest.mark.parametrize("name", [REDRIVE, pytest.param(FORCE, marks=pytest.mark.slow)])
def test_a_host_killed_at_the_call_is_followed_by_no_second_call(
    account: SimulatedAccount, name: str, after: bool
) -> None:
    stage = STAGED[name]
    at, plan, before = ready(account, stage, f"killed-{after}")
    killed(at, plan, stage, after=after)

    found = at.executor.execute(at.incident, plan, 0, HIGH)

    assert found.state is (ExecutionState.DONE if after else ExecutionState.UNDECIDED), found.detail
    assert effective(account, stage) == before + after
    if not after:
        stands(at, plan, found)


@pytest.mark.parametrize(
    "how",
    [
        pytest.param("plainly", marks=pytest.mark.slow),
        pytest.param("to the same queue", marks=pytest.mark.slow),
        "to the same queue as fast as can be",
    ],
)
def test_anothers_redrive_is_not_taken_for_ours(account: SimulatedAccount, how: str) -> None:
    stage = STAGED[REDRIVE]
    at, plan, before = ready(account, stage, f"other-{len(how)}")
    killed(at, plan, stage, after=False)
    queue = f"arn:aws:sqs:us-east-1:{account.local['account']}:{QUEUE}"
    given: dict[str, Any] = {} if how == "plainly" else {"DestinationArn": queue}
    redriven_by_somebody(account, **given, **({"MaxNumberOfMessagesPerSecond": 500} if "fast" in how else {}))

    found = at.executor.execute(at.incident, plan, 0, HIGH)

    assert found.state is ExecutionState.UNDECIDED, found.detail
    assert not found.was_accepted
    assert effective(account, stage) == before + 1
    stands(at, plan, found)


def test_anothers_release_is_not_taken_for_our_deployment(account: SimulatedAccount) -> None:
    stage = STAGED[FORCE]
    at, plan, before = ready(account, stage, "released")
    killed(at, plan, stage, after=False)
    named = {one: plan.actions[0].parameters[one] for one in ("cluster", "service")}
    account.client("ecs").update_service(**named, taskDefinition="payments:23")

    found = at.executor.execute(at.incident, plan, 0, HIGH)

    assert found.state is ExecutionState.UNDECIDED, found.detail
    assert effective(account, stage) == before + 1


def test_ours_is_found_behind_anothers_later_one(account: SimulatedAccount) -> None:
    stage = STAGED[REDRIVE]
    at, plan, before = ready(account, stage, "behind")
    killed(at, plan, stage, after=True)
    redriven_by_somebody(account)

    found = at.executor.execute(at.incident, plan, 0, HIGH)

    assert found.state is ExecutionState.DONE, found.detail
    assert effective(account, stage) == before + 2
