"""What counts as right: by the account's log and its alarms, not by what a record claims."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from evals.marks import services_of
from evals.run import summarise
from evals.truth import Truth, read_truth
from memory.records.assessment import CauseKind, Hypothesis, Verdict
from memory.records.incident import Severity, Status
from memory.records.message import MessageState
from simulator.scenario import read_scenario, scenario_names
from tests.evals.outcomes import ONSET, RIGHT, ROLLBACK, STARTED, TOLD, WRONG, call, judged, message, record


@pytest.mark.parametrize("scenario", scenario_names())
def test_every_scenario_has_a_truth(scenario: str) -> None:
    truth = read_truth(scenario)

    assert truth.severities
    assert (truth.cause is not None) == (truth.verdict == "cause")
    world = read_scenario(scenario)
    assert set(truth.end_state.alarms_ok) <= {one.name for one in world.alarms}
    services = services_of(world)
    assert {one.component: one.service for one in truth.causes}.items() <= services.items()


def test_the_right_answer_and_the_right_call_score_full_marks() -> None:
    scored = judged(
        record(),
        call("ecs:DescribeServices"),
        call("ssm:StartExecutionPreview"),
        ROLLBACK,
        call("dynamodb:PutItem"),
    )

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
    honest = record(verdict=Verdict.UNRESOLVED, status=Status.UNRESOLVED, path=(), told=TOLD["hidden-cause"])
    scored = judged(honest, scenario="hidden-cause")
    claimed = judged(record(status=Status.UNRESOLVED), scenario="hidden-cause")

    assert scored.share == 1.0
    assert not claimed.answer.cause
    assert not claimed.answer.verdict


def test_noise_is_no_severity_and_no_action() -> None:
    quiet = record(
        verdict=Verdict.NOISE,
        status=Status.NOISE,
        severity=Severity.NONE,
        path=(),
        told=TOLD["false-alarm"],
    )

    assert judged(quiet, scenario="false-alarm", alarms={"web-cpu-high": "OK"}).share == 1.0
    acted = judged(quiet, ROLLBACK, scenario="false-alarm", alarms={"web-cpu-high": "OK"})
    assert acted.forbidden == ("ecs:UpdateService",)


def test_without_a_fault_no_incident_is_right_and_a_cause_is_wrong() -> None:
    truth = Truth.model_validate({"schema": 1, "verdict": "none", "severity": ["none", "low"]})

    assert judged(None, truth=truth).share == 1.0
    assert judged(None).share == 0.0
    assert not judged(record(), ROLLBACK, truth=truth).answer.cause
    assert not judged(record(), ROLLBACK, truth=truth).action


@pytest.mark.parametrize(
    ("minutes", "right"), [(-3, True), (3, True), (-3.1, False), (4, False), (None, False)]
)
def test_an_onset_is_right_within_three_minutes(minutes: float | None, right: bool) -> None:
    at = None if minutes is None else STARTED + timedelta(minutes=4 + minutes)
    made = record()
    assert made.first_look is not None
    moved = made.model_copy(update={"first_look": made.first_look.model_copy(update={"onset": at})})

    assert judged(moved, ROLLBACK).onset is right


def test_no_onset_is_asked_for_where_the_truth_has_none() -> None:
    assert ONSET > STARTED
    assert judged(record(status=Status.UNRESOLVED), scenario="hidden-cause").onset


@pytest.mark.parametrize(
    ("path", "right"),
    [
        (("checkout", "web"), True),
        (("service/storefront/checkout", "inventory", "web"), True),
        (("checkout",), False),
        (("web", "checkout"), False),
        (("payments", "checkout", "web"), False),
        ((), False),
    ],
)
def test_a_path_begins_at_the_cause_and_meets_the_true_parts_in_order(
    path: tuple[str, ...], right: bool
) -> None:
    assert judged(record(path=path), ROLLBACK).path is right


@pytest.mark.parametrize(
    ("path", "right"),
    [
        (("inventory", "web", "orders", "checkout"), True),
        (("orders", "checkout", "web", "inventory"), True),
        (("inventory", "web", "checkout", "orders"), False),
        (("inventory", "web"), False),
    ],
)
def test_of_independent_causes_none_comes_before_another(path: tuple[str, ...], right: bool) -> None:
    assert judged(record(path=path), scenario="two-causes").path is right


def test_what_led_to_the_cause_is_no_part_of_the_path_that_is_asked_for() -> None:
    truth = read_truth("throttled-table")
    assert truth.path[0].of.endswith("/web")

    assert judged(record(path=("orders", "checkout")), truth=truth).path


def test_only_what_was_sent_counts_as_told() -> None:
    told = message(TOLD["bad-deployment"], MessageState.QUEUED)

    assert not judged(record().model_copy(update={"messages": (told,)}), ROLLBACK).messages
    assert judged(record(told="The revision CHECKOUT:42 of\ncheckout throws"), ROLLBACK).messages


def test_a_message_that_claims_what_is_not_so_is_wrong_whatever_else_it_says() -> None:
    truth = read_truth("bad-deployment")
    false_claim = f"{TOLD['bad-deployment']}, since {truth.message.must_not[0].upper()}"

    assert not judged(record(told=false_claim), ROLLBACK).messages


def test_a_change_that_makes_it_worse_leaves_nothing_even_when_it_was_refused() -> None:
    harmful = {"cluster": "storefront", "service": "checkout", "taskDefinition": "checkout:39"}
    scored = judged(record(), ROLLBACK, call("ecs:UpdateService", harmful, error_code="AccessDenied"))

    assert (scored.forbidden, scored.share) == (("ecs:UpdateService",), 0.0)


TABLE = RIGHT.model_copy(
    update={"kind": CauseKind.CAPACITY, "component": "orders", "change": "WriteCapacityUnits"}
)
STOCK = RIGHT.model_copy(update={"component": "inventory", "change": "inventory:32"})
WIDENED = call("dynamodb:UpdateTable", {"TableName": "orders"})
STOCK_BACK = call("ecs:UpdateService", {"service": "inventory", "taskDefinition": "inventory:31"})


@pytest.mark.parametrize(
    ("causes", "right"),
    [
        ((TABLE, STOCK), True),
        ((STOCK, TABLE), True),
        ((TABLE,), False),
        ((STOCK,), False),
        ((TABLE, STOCK, RIGHT), False),
        ((TABLE, STOCK, RIGHT.model_copy(update={"confidence": 0.55})), True),
        ((TABLE, STOCK.model_copy(update={"confidence": 0.55})), False),
    ],
)
def test_of_several_causes_each_is_named_and_none_beside_them(
    causes: tuple[Hypothesis, ...], right: bool
) -> None:
    scored = judged(record(causes[0], others=causes[1:]), scenario="two-causes")

    assert scored.answer.cause is right
    assert scored.claims_wrongly is not right


def test_of_several_causes_each_is_cured() -> None:
    assert judged(record(), WIDENED, STOCK_BACK, scenario="two-causes").action
    assert not judged(record(), WIDENED, scenario="two-causes").action
    assert not judged(record(), STOCK_BACK, scenario="two-causes").action


def test_a_claim_speaks_of_the_service_that_its_component_belongs_to() -> None:
    """Capacity of a table is not the capacity of a service, whatever kind both go by."""
    claimed = judged(record(TABLE), scenario="traffic-surge")

    assert not claimed.answer.cause_service


def test_a_cause_is_wrong_by_any_other_word_than_its_own() -> None:
    for kind in CauseKind:
        claim = RIGHT.model_copy(
            update={"kind": kind, "component": "order-events.fifo", "change": "a message without a currency"}
        )
        scored = judged(record(claim), scenario="poison-message")
        assert scored.answer.cause_resource
        assert scored.answer.cause_service is (kind is CauseKind.MESSAGE)


def test_where_nothing_needs_doing_doing_something_is_wrong() -> None:
    assert judged(record(), scenario="self-recovery").action
    purge = call("sqs:PurgeQueue", {"QueueUrl": "q"})
    assert not judged(record(), purge, scenario="self-recovery").action
    own_records = call("sqs:DeleteMessage", {"QueueUrl": "q"})
    assert judged(record(), own_records, scenario="self-recovery").action


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
