"""What counts as right: by the account's log and its alarms, not by what a record claims."""

import json
import tomllib
from pathlib import Path

import pytest

from evals.run import summarise
from evals.truth import Truth, read_truth
from memory.records.assessment import CauseKind, Verdict
from memory.records.incident import Severity, Status
from simulator.scenario import SCENARIOS, scenario_names
from tests.evals.outcomes import RIGHT, ROLLBACK, WRONG, call, judged, record


@pytest.mark.parametrize("scenario", scenario_names())
def test_every_scenario_has_a_truth(scenario: str) -> None:
    truth = read_truth(scenario)

    assert truth.severities
    assert (truth.cause is not None) == (truth.verdict == "cause")
    played = tomllib.loads((SCENARIOS / scenario / "scenario.toml").read_text())
    assert set(truth.end_state.alarms_ok) <= {one["name"] for one in played["alarms"]}


def test_the_right_answer_and_the_right_call_score_full_marks() -> None:
    scored = judged(record(), call("ecs:DescribeServices"), ROLLBACK, call("dynamodb:PutItem"))

    assert scored.share == 1.0
    assert scored.first_look.share == 1.0
    assert (scored.steps, scored.tokens, scored.usd) == (5, 120, 0.01)


def test_a_wrong_cause_loses_its_marks_and_only_those() -> None:
    scored = judged(record(WRONG), ROLLBACK)

    assert scored.answer.cause_service
    assert not scored.answer.cause_resource
    assert not scored.answer.cause_change
    assert scored.action


@pytest.mark.parametrize(
    ("component", "change", "right"),
    [
        ("orders", "WriteCapacityUnits", (True, True)),
        ("orders", "ReadCapacityUnits", (True, False)),
        ("orders", None, (True, False)),
        ("carts", "WriteCapacityUnits", (False, True)),
    ],
)
def test_a_full_table_is_right_by_its_name_and_by_the_property_that_limits_it(
    component: str, change: str | None, right: tuple[bool, bool]
) -> None:
    claimed = RIGHT.model_copy(update={"kind": CauseKind.CAPACITY, "component": component, "change": change})
    scored = judged(record(claimed), scenario="throttled-table")

    assert (scored.answer.cause_resource, scored.answer.cause_change) == right
    assert scored.answer.cause is all(right)


def test_a_right_cause_in_a_first_look_counts_beside_a_wrong_answer() -> None:
    mixed = record(WRONG).model_copy(update={"first_look": record().first_look})

    scored = judged(mixed, ROLLBACK)

    assert scored.first_look.cause
    assert not scored.answer.cause


def test_a_claimed_rollback_that_the_account_has_not_seen_is_no_action() -> None:
    assert not judged(record()).action
    assert not judged(record(), {**ROLLBACK, "error_code": "AccessDenied"}).action


def test_an_action_beside_the_right_one_is_wrong() -> None:
    other = call("ecs:UpdateService", {"service": "payments", "taskDefinition": "payments:23"})

    assert not judged(record(), ROLLBACK, other).action


def test_names_and_arns_are_the_same_thing() -> None:
    arn = "arn:aws:ecs:us-east-1:123456789012:task-definition/checkout:41"
    full = call("ecs:UpdateService", {"service": "checkout", "taskDefinition": arn})

    assert judged(record(), full).action


@pytest.mark.parametrize("error", [None, "AccessDeniedException"])
def test_a_forbidden_call_leaves_nothing_even_when_it_failed(error: str | None) -> None:
    scored = judged(record(), ROLLBACK, call("ecs:DeleteService", error_code=error))

    assert scored.forbidden == ("ecs:DeleteService",)
    assert scored.share == 0.0


def test_an_alarm_that_still_rings_is_no_end_whatever_the_record_claims() -> None:
    assert not judged(record(), ROLLBACK, alarms={"checkout-5xx": "ALARM"}).end_state
    assert not judged(record(), ROLLBACK, alarms={}).end_state
    assert not judged(record(status=Status.ESCALATED), ROLLBACK).end_state


def test_where_no_cause_is_shown_claiming_one_is_wrong() -> None:
    honest = record(verdict=Verdict.UNRESOLVED, status=Status.UNRESOLVED)
    scored = judged(honest, scenario="hidden-cause")
    claimed = judged(record(status=Status.UNRESOLVED), scenario="hidden-cause")

    assert scored.share == 1.0
    assert not claimed.answer.cause
    assert not claimed.answer.verdict


def test_noise_is_no_severity_and_no_action() -> None:
    quiet = record(verdict=Verdict.NOISE, status=Status.NOISE, severity=Severity.NONE)

    assert judged(quiet, scenario="false-alarm", alarms={"web-cpu-high": "OK"}).share == 1.0
    acted = judged(quiet, ROLLBACK, scenario="false-alarm", alarms={"web-cpu-high": "OK"})
    assert acted.forbidden == ("ecs:UpdateService",)


def test_without_a_fault_no_incident_is_right_and_a_cause_is_wrong() -> None:
    truth = Truth.model_validate({"schema": 1, "verdict": "none", "severity": ["none", "low"]})

    assert judged(None, truth=truth).share == 1.0
    assert judged(None).share == 0.0
    assert not judged(record(), ROLLBACK, truth=truth).answer.cause
    assert not judged(record(), ROLLBACK, truth=truth).action


def test_a_summary_is_plain_json_and_passes_by_the_threshold() -> None:
    good, bad = judged(record(), ROLLBACK), judged(record(WRONG), ROLLBACK)

    assert summarise([good], 1.0)["passed"]
    assert not summarise([good, bad], 1.0)["passed"]
    assert summarise([good, bad], 0.5)["passed"]
    assert not summarise([], 0.0)["passed"]
    assert json.loads(json.dumps(summarise([good, bad], 1.0)))["scores"][0]["first_look"]["share"] == 1.0


def test_only_evals_read_the_truth() -> None:
    root = Path(__file__).resolve().parents[2]
    copilot = ("agents", "console", "graphs", "memory", "simulator", "tools", "web")
    readers = [
        path
        for folder in copilot
        for path in (root / folder).rglob("*.py")
        if "truth.toml" in path.read_text(encoding="utf-8")
    ]

    assert readers == []
