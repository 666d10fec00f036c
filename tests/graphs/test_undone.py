"""A failed verification ends in the state before the action, over a whole incident."""

from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from memory.records.incident import Status
from memory.records.incident_record import IncidentRecord
from memory.records.outcome import ExecutionState, Recovery
from memory.records.timeline import EntryKind
from tests.graphs.desk import Desk, desk
from tests.graphs.scenarios import image_expired, red_herring


def _service(at: Desk) -> dict[str, Any]:
    ecs = at.account.client("ecs")
    found = ecs.describe_services(cluster="storefront", services=["checkout"])["services"][0]
    return {
        "task_definition": found["taskDefinition"].rpartition("/")[2],
        "running": found["runningCount"],
        "rollouts": [one["rolloutState"] for one in found["deployments"]],
    }


def _asked_of_ecs(at: Desk) -> list[str]:
    """The task definitions that the copilot asked for, by the account's own log."""
    return [
        call["parameters"]["taskDefinition"]
        for call in at.account.calls("UpdateService")
        if at.records.is_own(call["caller_arn"])
    ]


def _errors(at: Desk, since: datetime) -> list[float]:
    answer = at.account.client("cloudwatch").get_metric_statistics(
        Namespace="Storefront",
        MetricName="Errors",
        Dimensions=[{"Name": "Service", "Value": "checkout"}],
        StartTime=since,
        EndTime=at.account.now(),
        Period=60,
        Statistics=["Sum"],
    )
    return [one["Sum"] for one in sorted(answer["Datapoints"], key=lambda one: one["Timestamp"])]


def _approved_to_the_end(at: Desk) -> IncidentRecord:
    waiting = at.start()
    assert waiting.status is Status.AWAITING_APPROVAL, waiting.reason
    at.decide(waiting, approved=True)
    return at.to_the_end(waiting.incident.incident_id)


def _was_undone_and_handed_over(at: Desk, done: IncidentRecord, before: dict[str, Any], told: str) -> None:
    """The account is as before, nothing more was tried, and people know all of it."""
    assert _asked_of_ecs(at) == ["checkout:41", "checkout:42"]
    assert _service(at) == before
    assert done.status is Status.ESCALATED
    assert [(e.state, e.is_revert) for e in done.executions] == [
        (ExecutionState.REVERTED, False),
        (ExecutionState.DONE, True),
    ]
    assert len(done.plans) == 2
    assert done.plans[-1].actions == ()
    assert done.decision is not None and done.decision.approved
    assert done.reviews
    subjects = at.told(told)
    assert len(subjects) == len(done.messages) == 3
    assert max(Counter(subjects).values()) == 1
    last = max(done.messages, key=lambda message: message.queued_at)
    assert "undone" in done.reason and done.reason in last.body
    for words in ("checkout:42", "approved by", "undo of ecs_rollback_service is done", "tried"):
        assert words in last.body, words
    assert "still under way" not in last.body


def test_what_does_not_help_is_undone_and_handed_over(tmp_path: Path) -> None:
    with desk(tmp_path, "red-herring", scenarios_dir=red_herring(tmp_path)) as at:
        told = at.on_call_queue()
        at.alarm_event()
        before = _service(at)

        done = _approved_to_the_end(at)

        assert [v.recovery for v in done.verifications] == [Recovery.NO_BETTER]
        _was_undone_and_handed_over(at, done, before, told)
        assert at.account.alarm("checkout-5xx")["StateValue"] == "ALARM"


def test_what_makes_it_worse_is_undone_before_the_window_ends(tmp_path: Path) -> None:
    with desk(tmp_path, "image-expired", scenarios_dir=image_expired(tmp_path)) as at:
        told = at.on_call_queue()
        at.alarm_event()
        before, alarmed_at = _service(at), at.account.now()
        at.account.advance(minutes=4)
        left_alone = _errors(at, alarmed_at)
        assert at.account.alarm("checkout-5xx")["StateValue"] == "ALARM"

        done = _approved_to_the_end(at)

        acted, undo = done.executions
        window = timedelta(minutes=at.records.settings.limits.verification_minutes)
        assert acted.done_at is not None and undo.claimed_at < acted.done_at + window
        assert [v.recovery for v in done.verifications] == [Recovery.WORSE]
        assert max(_errors(at, acted.done_at)) > 1.5 * max(left_alone)
        _was_undone_and_handed_over(at, done, before, told)


@pytest.mark.parametrize("ecs_goes_back", [False, True])
def test_a_rollout_that_aws_gives_up_is_undone_too(tmp_path: Path, ecs_goes_back: bool) -> None:
    with desk(tmp_path, "image-expired", scenarios_dir=image_expired(tmp_path)) as at:
        breaker = {"deploymentCircuitBreaker": {"enable": True, "rollback": ecs_goes_back}}
        at.account.client("ecs").update_service(
            cluster="storefront",
            service="checkout",
            deploymentConfiguration={"minimumHealthyPercent": 20, "maximumPercent": 200, **breaker},
        )
        at.alarm_event()
        before = _service(at)

        done = _approved_to_the_end(at)
        at.account.advance(minutes=3)

        assert done.status is Status.ESCALATED
        assert "failed afterwards" in done.reason
        assert _service(at) == before
        assert [e.is_revert for e in done.executions] == [False, True]
        assert done.failures == ()


def test_an_undo_that_stays_under_way_is_said_to_be_uncertain(tmp_path: Path) -> None:
    with desk(tmp_path, "image-expired", scenarios_dir=image_expired(tmp_path, both=True)) as at:
        told = at.on_call_queue()

        done = _approved_to_the_end(at)

        assert done.status is Status.ESCALATED
        assert "the undo is still under way, look at the account" in done.reason
        assert len(done.plans) == 1
        assert _asked_of_ecs(at) == ["checkout:41", "checkout:42"]
        entries = list(at.records.timeline.entries(done.incident.scope, done.incident.incident_id))
        assert sum(entry.kind is EntryKind.REVERT for entry in entries) == 1
        assert sum("escalated" in subject for subject in at.told(told)) == 1
