"""What fills up, stands still, is held back, or is several things at once; and how it spreads."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.records.assessment import CauseKind, Impact, Verdict
from memory.records.config import Dependency, Service
from tools.analysis.findings import (
    AccountChange,
    Findings,
    Gauge,
    QueueFinding,
    Rollout,
    ServiceFinding,
    TableFinding,
)
from tools.analysis.hypotheses import rank
from tools.analysis.logs import Change, Side, compare, named_again
from tools.analysis.paths import changed_otherwise, changes_told
from tools.analysis.points import Point
from tools.analysis.ramps import Ramp
from tools.analysis.resources import resource_finding
from tools.analysis.services import service_finding
from tools.analysis.stops import Stop, StopReason, most_telling, reason_of
from tools.analysis.templates import DrainMiner

MINUTE = timedelta(minutes=1)
ONSET = datetime(2026, 1, 1, 9, tzinfo=UTC)
NAMES = st.lists(st.text("abcdefghijk", min_size=3, max_size=9), min_size=3, max_size=3, unique=True)
CLIMB = Ramp(ONSET, 60.0, 9.0, 429.0)


def _service(name: str, *needs: str, kind: str = "service") -> Service:
    return Service(name=name, depends_on=tuple(Dependency(kind=kind, name=one) for one in needs))


def _finding(service: Service, affected: bool = False, share: float | None = None) -> ServiceFinding:
    impact = Impact(component=service.name, error_share=share)
    since = ONSET if affected else None
    return ServiceFinding(service, impact, affected, True, (f"ev-{service.name}",), since=since)


def _findings(*services: ServiceFinding, **more: object) -> Findings:
    facts: dict[str, object] = {
        "onset": ONSET,
        "alarm_evidence_ids": ("ev-alarm",),
        "alarm_is_over": False,
        "earlier_spikes": 0,
        "own": tuple(one.service.name for one in services[:1]),
        "services": services,
    }
    return Findings(**{**facts, **more})  # type: ignore[arg-type]


def _rollout(service: str, minutes: float = -1) -> Rollout:
    return Rollout(service, ONSET + minutes * MINUTE, f"{service}:2", f"ev-roll-{service}", by="pipeline-1")


@given(NAMES)
def test_two_things_at_once_are_two_causes_and_a_front_door_is_none(names: list[str]) -> None:
    front, below, table = names
    service = Service(
        name=front,
        depends_on=(Dependency(kind="service", name=below), Dependency(kind="table", name=table)),
    )
    small = TableFinding(table, False, 1.5, "ev-t", "WriteCapacityUnits", is_small=True)
    change = AccountChange(table, ONSET, "UpdateTable", "ev-c")
    ranking = rank(
        _findings(
            _finding(service, True),
            _finding(_service(below), True),
            rollouts=(_rollout(below), _rollout(front)),
            tables=(small,),
            changes=(change,),
        )
    )
    assert ranking.verdict is Verdict.CAUSE
    assert {(one.kind, one.component) for one in ranking.causes} == {
        (CauseKind.DEPLOYMENT, below),
        (CauseKind.CAPACITY, table),
    }
    assert ranking.reason.startswith("two independent causes")
    assert set(ranking.causal_path) == set(names)
    assert ranking.causal_path[-1] == front
    assert all(one.confidence < 0.6 for one in ranking.hypotheses if one not in ranking.causes)


def _stuck(consumer: ServiceFinding, **more: float) -> Findings:
    flow: dict[str, Any] = {
        "sent_per_minute": 150.0,
        "done_per_minute": 110.0,
        "again_per_minute": 7.0,
        **more,
    }
    queue = QueueFinding("work", "ev-q", (consumer.service.name,), CLIMB, **flow)
    return _findings(consumer, queues=(queue,))


def test_one_message_that_is_failed_on_again_and_again_is_the_cause_by_its_id() -> None:
    line = Change("KeyError", 0.0, 1.0, "KeyError", repeats="9e0d0341-77ff-dd75-89f0-15c6cca2e5b3")
    consumer = replace(_finding(_service("worker"), True, 0.05), log_changes=(line,), log_evidence_id="ev-l")
    ranking = rank(_stuck(consumer))
    (cause,) = ranking.causes
    assert (cause.kind, cause.component, cause.change) == (CauseKind.MESSAGE, "work", line.repeats)
    assert {"ev-q", "ev-l", "ev-worker"} <= set(cause.evidence_for)
    assert ranking.causal_path == ("work", "worker")


def test_a_consumer_that_fails_on_most_is_not_blamed_on_a_message() -> None:
    ranking = rank(_stuck(_finding(_service("worker"), True, 0.8)))
    assert ranking.verdict is Verdict.UNRESOLVED
    assert CauseKind.MESSAGE not in {one.kind for one in ranking.hypotheses}


@pytest.mark.parametrize(
    ("share", "hidden", "one_message"),
    [(0.05, 60, True), (0.3, 60, False), (0.3, 10, True), (0.3, None, True)],
)
def test_a_consumer_that_fails_more_often_than_one_message_comes_back_fails_on_others(
    share: float, hidden: int | None, one_message: bool
) -> None:
    consumer = _finding(_service("worker"), True, share)
    impact = consumer.impact.model_copy(update={"requests_per_minute": 12.0})
    findings = _stuck(replace(consumer, impact=impact))
    (queue,) = findings.queues
    ranking = rank(replace(findings, queues=(replace(queue, hidden_seconds=hidden),)))
    assert (CauseKind.MESSAGE in {one.kind for one in ranking.hypotheses}) is one_message


def test_a_function_that_may_not_run_is_the_cause_and_its_new_version_is_not() -> None:
    held = replace(_finding(_service("worker")), refused=18.0, reserved=1, reserved_evidence_id="ev-r")
    change = AccountChange("worker", ONSET, "PutFunctionConcurrency", "ev-c")
    findings = replace(
        _stuck(held), changes=(change,), rollouts=(replace(_rollout("worker"), is_version=True),)
    )
    ranking = rank(findings)
    (cause,) = ranking.causes
    assert (cause.kind, cause.component) == (CauseKind.CAPACITY, "worker")
    assert cause.change == "ReservedConcurrentExecutions 1"
    assert ranking.causal_path == ("worker", "work")
    assert CauseKind.CONFIGURATION not in {one.kind for one in ranking.hypotheses}


@pytest.mark.parametrize(
    ("more", "cpu", "kind"),
    [
        (3.0, Gauge(31.0, 80.0), CauseKind.CAPACITY),
        (3.0, Gauge(31.0, 50.0), CauseKind.UNKNOWN),
        (1.0, Gauge(31.0, 80.0), CauseKind.UNKNOWN),
    ],
    ids=["more requests and busy", "more requests, idle", "busy, no more requests"],
)
def test_a_service_is_too_small_when_more_is_asked_and_its_tasks_are_busy(
    more: float, cpu: Gauge, kind: CauseKind
) -> None:
    impact = Impact(component="shop", requests_per_minute=300.0, requests_per_minute_before=100.0)
    shop = replace(_finding(_service("shop"), True), impact=impact, more_requests=more, cpu=cpu)
    ranking = rank(_findings(shop))
    leading = ranking.causes[0] if ranking.causes else None
    assert (leading.kind if leading else CauseKind.UNKNOWN) is kind
    assert leading is None or (leading.change, leading.component) == ("desiredCount", "shop")


def test_memory_that_climbs_from_a_deployment_on_is_its_doing() -> None:
    climb = Ramp(ONSET, 2.0, 45.0, 85.0)
    leaking = replace(_finding(_service("shop")), climb=climb)
    ranking = rank(_findings(leaking, rollouts=(_rollout("shop"),)))
    assert [(one.kind, one.change) for one in ranking.causes] == [(CauseKind.DEPLOYMENT, "shop:2")]
    assert "leaks memory" in ranking.causes[0].statement
    before = rank(_findings(leaking, rollouts=(_rollout("shop", -200),)))
    assert before.verdict is Verdict.UNRESOLVED


def test_a_setting_tells_its_values_and_spreads_to_whom_is_asked_more() -> None:
    pay = replace(_finding(_service("pay")), more_requests=1.5)
    shop = replace(_finding(_service("shop", "pay"), True), more_requests=1.0)
    web = _finding(_service("web", "shop"), True)
    change = AccountChange(
        "shop", ONSET, "PutParameter", "ev-c", setting="/shop/limit", value="60", old="2000"
    )
    ranking = rank(_findings(shop, pay, web, changes=(change,)))
    (cause,) = ranking.causes
    assert (cause.component, cause.change) == ("/shop/limit", "60")
    assert "from 2000 to 60" in cause.statement
    assert ranking.causal_path == ("/shop/limit", "shop", "pay", "web")


def test_what_was_changed_beside_the_cause_is_told_apart() -> None:
    findings = _findings(
        _finding(_service("shop"), True),
        rollouts=(_rollout("shop"), _rollout("other", -60), _rollout("old", -600)),
    )
    ranking = rank(findings)
    assert changed_otherwise(findings, ranking.causes) == ("other",)
    told = changes_told(findings)
    assert told[0].startswith("shop:2 went out to shop at 08:59:00 UTC by pipeline-1")
    assert not any("old" in one for one in told)


@pytest.mark.parametrize(
    ("told", "code", "reason"),
    [
        ("OutOfMemoryError: Container killed due to memory usage", 137, StopReason.OUT_OF_MEMORY),
        ("Essential container in task exited", 137, StopReason.OUT_OF_MEMORY),
        ("CannotPullContainerError: pull image manifest has been retried", None, StopReason.NO_IMAGE),
        ("service was unable to place a task: RESOURCE:CPU", None, StopReason.NO_ROOM),
        ("Task failed container health checks", None, StopReason.UNHEALTHY),
        ("Essential container in task exited", 1, StopReason.CRASHED),
        ("Scaling activity initiated by deployment ecs-svc/1", None, StopReason.ASKED),
        ("", 0, StopReason.OTHER),
    ],
)
def test_a_stop_is_read_in_the_words_of_who_stopped_it(
    told: str, code: int | None, reason: StopReason
) -> None:
    assert reason_of(told, code) is reason


def test_what_is_stopped_on_purpose_tells_nothing() -> None:
    asked, crashed = (Stop(ONSET, one, "") for one in (StopReason.ASKED, StopReason.CRASHED))
    assert most_telling([asked, asked]) is None
    assert most_telling([asked, asked, crashed]) == (StopReason.CRASHED, 1)


def _points(*values: float) -> list[Point]:
    return [(ONSET + n * MINUTE, value) for n, value in enumerate(values)]


@pytest.mark.parametrize(
    ("name", "values", "said", "limit"),
    [
        ("CPUUtilization", [30.0] * 4 + [90.0] * 5, (), "CPU"),
        ("CPUUtilization", [60.0] * 9, (), None),
        ("FreeStorageSpace", [100.0] * 4 + [60.0, 20.0, 6.0, 5.0, 4.0], (), "storage"),
        ("FreeStorageSpace", [5.0] * 9, (), None),
        (
            "DatabaseConnections",
            [90.0] * 4 + [199.0] * 5,
            ("Current connections: 190 of 200.",),
            "max_connections",
        ),
        ("DatabaseConnections", [199.0] * 9, (), None),
        ("ReplicaLag", [1.0, 1.0, 70.0, 200.0, 300.0, 400.0, 500.0], (), "replication"),
        ("NetworkIn", [1e9] * 9, (), None),
    ],
)
def test_a_resource_has_reached_the_limit_that_its_metric_speaks_of(
    name: str, values: list[float], said: tuple[str, ...], limit: str | None
) -> None:
    found = resource_finding("db", {name: _points(*values)}, said, ("ev",))
    assert found.limit == limit
    assert rank(_findings(resources=(found,), own=())).verdict is (
        Verdict.CAUSE if limit else Verdict.UNRESOLVED
    )


@given(st.lists(st.uuids(), min_size=3, max_size=12, unique=True))
def test_an_id_counts_as_named_again_only_when_most_lines_name_it(found: list[object]) -> None:
    assert named_again([f"failed on {one}" for one in found]) is None
    assert named_again([f"failed on {found[0]} at try {n}" for n in range(3)]) == str(found[0])


def test_templates_join_what_differs_in_words_and_a_silence_is_told() -> None:
    lines = [f"connection pool for tenant {name} is used up" for name in ("ann", "ben", "eve", "joe")]
    assert DrainMiner().mine(lines) == ["connection pool for tenant <*> is used up"] * 4
    changes = compare(Side(["job failed: disk"] * 30, 30.0), Side([], 10.0))
    assert [(one.is_gone, one.is_new) for one in changes] == [(True, False)]


def test_an_incident_that_grows_is_as_bad_as_its_newest_minutes() -> None:
    start = ONSET - timedelta(hours=2)
    minutes = [start + n * MINUTE for n in range(124)]
    errors = [0.0] * 120 + [2.0, 10.0, 40.0, 60.0]
    series = {
        "requests": [(at, 100.0) for at in minutes],
        "errors": list(zip(minutes, errors, strict=True)),
        "latency": [(at, 50.0) for at in minutes],
    }
    found = service_finding(_service("shop"), series, ONSET, ONSET + 4 * MINUTE, "ev")
    assert found.affected
    assert found.impact.error_share == pytest.approx(0.5)
    unread = service_finding(_service("shop"), None, ONSET, ONSET + 4 * MINUTE, "ev")
    assert not unread.checked
    assert not unread.affected
