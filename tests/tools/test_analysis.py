from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.records.assessment import CauseKind, Hypothesis, Impact, Verdict
from memory.records.config import Dependency, Rubric, RubricRow, Service, ServiceMetrics, Topology
from memory.records.incident import Severity
from tools.analysis.changes import changes_of, rollouts_in
from tools.analysis.findings import AccountChange, Findings, Rollout, ServiceFinding, TableFinding
from tools.analysis.hypotheses import rank as ranking_of
from tools.analysis.logs import Side, compare
from tools.analysis.neighbourhood import alarms_of_rule, around, own_services
from tools.analysis.points import Point
from tools.analysis.series import find_onset
from tools.analysis.services import service_finding
from tools.analysis.severity import rate
from tools.analysis.tables import table_finding
from tools.analysis.templates import template_of

START = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ONSET = START + timedelta(hours=2)


def _series(*values: float) -> list[Point]:
    return [(START + n * MINUTE, value) for n, value in enumerate(values)]


@given(st.integers(40, 150), st.integers(2, 10), st.floats(1, 1000), st.randoms(use_true_random=False))
def test_the_onset_is_the_first_point_of_the_new_level(
    before: int, after: int, level: float, dice: object
) -> None:
    noise = [level * (1 + 0.02 * ((n * 7919) % 11 - 5) / 5) for n in range(before)]
    onset = find_onset(_series(*noise, *[level * 3] * after))
    assert onset is not None
    assert onset.at == START + before * MINUTE


@given(st.integers(40, 180), st.floats(0.1, 1000))
def test_a_series_at_its_level_has_no_onset(length: int, level: float) -> None:
    assert find_onset(_series(*[level * (1 + 0.02 * ((n * 31) % 7 - 3) / 3) for n in range(length)])) is None


def test_earlier_spikes_do_not_move_the_onset() -> None:
    hour = [20.0] * 57 + [80.0] * 3
    onset = find_onset(_series(*hour, *hour, *[20.0] * 57, 80.0, 80.0))
    assert onset is not None
    assert onset.at == START + 177 * MINUTE


def test_a_stray_point_before_a_great_departure_is_no_part_of_it() -> None:
    quiet = [0.0, 1.0, 0.0, 0.0, 0.0] * 20
    onset = find_onset(_series(*quiet, 4.0, 0.0, 60.0, 95.0, 97.0))
    assert onset is not None
    assert onset.at == START + 102 * MINUTE


def test_a_spike_that_is_over_is_no_onset() -> None:
    assert find_onset(_series(*[20.0] * 60, *[80.0] * 3, *[20.0] * 10)) is None


def test_a_series_too_short_to_judge_has_no_onset() -> None:
    assert find_onset(_series(1, 1, 1, 9)) is None


@given(st.uuids(), st.integers(0, 10**6), st.integers(0, 10**6))
def test_lines_that_differ_in_ids_and_numbers_share_a_template(one: object, first: int, second: int) -> None:
    line = "request {} took {} ms for 10.0.0.{}"
    assert template_of(line.format(one, first, 7)) == template_of(line.format(one, second, 8))


def test_a_trace_is_known_by_its_first_and_last_line() -> None:
    trace = "ERROR boom\nTraceback\n  File a.py, line 1\nTypeError: no"
    assert template_of(trace) == template_of(trace.replace("line 1", "line 22"))
    assert "TypeError" in template_of(trace)


def test_a_failure_that_is_new_is_told_apart_from_one_that_was_there() -> None:
    old = ["retry failed for job 1"] * 5
    changes = compare(Side(old, 30.0), Side([*old, *["payment exploded"] * 9], 3.0))
    assert [change.template for change in changes if change.is_new] == ["payment exploded"]


METRICS = ServiceMetrics(namespace="N", dimensions={}, requests="r", errors="e", latency="l")


def rank(findings: Findings) -> tuple[Verdict, tuple[Hypothesis, ...], str]:
    ranking = ranking_of(findings)
    return ranking.verdict, ranking.hypotheses, ranking.reason


def _service(name: str, *depends_on: str, kind: str = "service", **more: object) -> Service:
    needs = tuple(Dependency(kind=kind, name=d) for d in depends_on)
    return Service.model_validate({"name": name, "depends_on": needs, "metrics": METRICS, **more})


def _finding(service: Service, affected: bool = False, checked: bool = True) -> ServiceFinding:
    return ServiceFinding(service, Impact(component=service.name), affected, checked, (f"ev-{service.name}",))


def _findings(*services: ServiceFinding, **more: object) -> Findings:
    facts: dict[str, object] = {
        "onset": ONSET,
        "alarm_evidence_ids": ("ev-alarm",),
        "alarm_is_over": False,
        "earlier_spikes": 0,
        "own": tuple(f.service.name for f in services[:1]),
        "services": services,
    }
    return Findings(**{**facts, **more})  # type: ignore[arg-type]


def _rollout(service: str, minutes: float = -2) -> Rollout:
    return Rollout(service, ONSET + timedelta(minutes=minutes), f"{service}:2", f"ev-roll-{service}")


NAMES = st.lists(st.text("abcdefghijk", min_size=3, max_size=9), min_size=3, max_size=3, unique=True)


@given(NAMES)
def test_a_deployment_of_the_deepest_affected_service_is_the_cause_whatever_its_name(
    names: list[str],
) -> None:
    front, middle, table = names
    below = _finding(_service(middle, table, kind="table"), affected=True)
    above = _finding(_service(front, middle), affected=True)
    verdict, ranked, _ = rank(_findings(below, above, rollouts=(_rollout(front), _rollout(middle))))
    assert verdict is Verdict.CAUSE
    assert ranked[0].component == middle


def test_a_deployment_above_a_sick_dependency_is_no_cause() -> None:
    below = _finding(_service("below"), affected=True)
    above = _finding(_service("above", "below"), affected=True)
    verdict, ranked, _ = rank(_findings(above, below, rollouts=(_rollout("above"),)))
    assert verdict is Verdict.UNRESOLVED
    assert ranked[0].confidence < 0.6


@pytest.mark.parametrize("minutes", [-16, 2, -600])
def test_a_deployment_away_from_the_onset_is_no_cause(minutes: float) -> None:
    verdict, _, _ = rank(
        _findings(_finding(_service("a"), affected=True), rollouts=(_rollout("a", minutes),))
    )
    assert verdict is Verdict.UNRESOLVED


def test_a_full_table_outranks_a_deployment_of_its_caller() -> None:
    caller = _finding(_service("caller", "t", kind="table"), affected=True)
    table = TableFinding("t", throttled=True, used_share=1.2, evidence_id="ev-t")
    verdict, ranked, _ = rank(_findings(caller, rollouts=(_rollout("caller"),), tables=(table,)))
    assert verdict is Verdict.CAUSE
    assert (ranked[0].kind, ranked[0].component) == (CauseKind.CAPACITY, "t")


def _health(**more: object) -> dict[str, object]:
    def minutes(value: float) -> list[list[object]]:
        return [[(ONSET + n * MINUTE).isoformat(), value] for n in range(-10, 5)]

    return {
        "billing": "PROVISIONED",
        "write_capacity_units": 10,
        "read_capacity_units": 10,
        "consumed_write_per_second": minutes(3.0),
        "consumed_read_per_second": minutes(3.0),
        "write_throttles": [],
        "read_throttles": [],
        **{key: minutes(value) if isinstance(value, float) else value for key, value in more.items()},
    }


def _table_finding(**more: object) -> TableFinding:
    return table_finding("t", _health(**more), ONSET, (START, ONSET + 5 * MINUTE), "ev-t")


REFUSED = [[(ONSET + n * MINUTE).isoformat(), 90.0] for n in range(5)]


@pytest.mark.parametrize(("side", "limit"), [("write", "WriteCapacityUnits"), ("read", "ReadCapacityUnits")])
def test_a_table_that_is_full_names_the_property_that_limits_it(side: str, limit: str) -> None:
    found = _table_finding(**{f"{side}_throttles": REFUSED, f"consumed_{side}_per_second": 10.0})

    assert (found.throttled, found.used_share, found.limit) == (True, 1.0, limit)
    verdict, ranked, _ = rank(
        _findings(_finding(_service("caller", "t", kind="table"), affected=True), tables=(found,))
    )
    assert (verdict, ranked[0].component, ranked[0].change) == (Verdict.CAUSE, "t", limit)
    assert limit in ranked[0].statement


def test_the_side_that_throttles_more_is_the_one_that_limits() -> None:
    few = [[at, 2.0] for at, _ in REFUSED]
    found = _table_finding(
        write_throttles=few,
        read_throttles=REFUSED,
        consumed_write_per_second=9.0,
        consumed_read_per_second=9.5,
    )
    assert (found.limit, found.used_share) == ("ReadCapacityUnits", 0.95)


@pytest.mark.parametrize(
    "facts",
    [
        {"write_throttles": []},
        {"consumed_write_per_second": 4.0},
        {"billing": "PAY_PER_REQUEST", "write_capacity_units": 0},
        {"write_throttles": [[(ONSET + n * MINUTE).isoformat(), 90.0] for n in range(-110, 5)]},
    ],
    ids=["nothing refused", "far from full", "on demand", "as ever"],
)
def test_no_property_is_named_that_the_evidence_does_not_show(facts: dict[str, object]) -> None:
    found = _table_finding(**{"write_throttles": REFUSED, "consumed_write_per_second": 10.0, **facts})
    assert found.limit is None


def test_a_setting_changed_at_the_onset_is_a_cause_of_its_own_kind() -> None:
    change = AccountChange("a", ONSET - MINUTE, "PutParameter", "ev-c")
    verdict, ranked, _ = rank(_findings(_finding(_service("a"), affected=True), changes=(change,)))
    assert (verdict, ranked[0].kind) == (Verdict.CAUSE, CauseKind.CONFIGURATION)


def test_noise_needs_a_reason_and_everything_read() -> None:
    healthy = _finding(_service("a"))
    assert rank(_findings(healthy, earlier_spikes=2))[0] is Verdict.NOISE
    assert rank(_findings(healthy))[0] is Verdict.UNRESOLVED
    assert rank(_findings(healthy, earlier_spikes=2, unread=("b",)))[0] is Verdict.UNRESOLVED
    unseen = _finding(_service("a"), checked=False)
    well = _finding(_service("b"))
    assert rank(_findings(unseen, well, own=("a",), earlier_spikes=2))[0] is Verdict.UNRESOLVED
    assert rank(_findings(earlier_spikes=2))[0] is Verdict.UNRESOLVED


@given(st.lists(st.tuples(st.booleans(), st.floats(-30, 30)), min_size=1, max_size=4))
def test_hypotheses_come_most_likely_first_and_cite_what_was_seen(parts: list[tuple[bool, float]]) -> None:
    services = [_finding(_service(f"s{n}"), affected=hit) for n, (hit, _) in enumerate(parts)]
    rollouts = tuple(_rollout(f"s{n}", minutes) for n, (_, minutes) in enumerate(parts))
    _, ranked, _ = rank(_findings(*services, rollouts=rollouts))
    assert [h.confidence for h in ranked[1:]] == sorted((h.confidence for h in ranked[1:]), reverse=True)
    assert all((*h.evidence_for, *h.evidence_against) for h in ranked)


def test_everything_below_and_above_is_near_and_a_circle_ends() -> None:
    topology = Topology(
        services=(_service("web", "shop"), _service("shop", "pay"), _service("pay", "web"), _service("alone"))
    )
    own = topology.services[1]
    assert {s.name for s in around(topology, [own])} == {"web", "shop", "pay"}


def test_an_alarm_is_matched_by_list_then_name_then_target_then_table() -> None:
    shop = _service("shop", "t", kind="table", alarms=("shop-5xx",), target_group="targetgroup/s/1")
    front = _service("front", load_balancer="app/f/1")
    topology = Topology(services=(shop, front))
    assert own_services(topology, ["shop-5xx"], {}) == (shop,)
    assert own_services(topology, ["x"], {"ServiceName": "shop", "ClusterName": "front"}) == (shop,)
    both = {"TargetGroup": "targetgroup/s/1", "LoadBalancer": "app/f/1"}
    assert own_services(topology, ["x"], both) == (shop,)
    assert own_services(topology, ["x"], {"LoadBalancer": "app/f/1"}) == (front,)
    assert own_services(topology, ["x"], {"TableName": "t"}) == (shop,)
    assert own_services(topology, ["x"], {"InstanceId": "i-1"}) == ()


def test_a_composite_alarm_speaks_of_its_children() -> None:
    rule = 'ALARM("a b") OR (ALARM(arn:aws:cloudwatch:us-east-1:1:alarm:c) AND NOT OK(d))'
    assert alarms_of_rule(rule) == ("a b", "c", "d")
    assert alarms_of_rule(None) == ()


def _told(event: str, failed: str | None = None, **parameters: object) -> dict[str, object]:
    return {"at": ONSET.isoformat(), "event": event, "parameters": parameters, "failed": failed}


def test_changes_are_taken_by_what_they_name() -> None:
    told = [
        _told("UpdateService", service="arn:aws:ecs:r:1:service/c/shop", taskDefinition="x/shop:9"),
        _told("UpdateService", service="shop", desiredCount=1),
        _told("PutParameter", name="/prod/shop/flag"),
        _told("PutParameter", name="/prod/workshop/flag"),
        _told("UpdateTable", failed="AccessDenied", tableName="t"),
    ]
    assert [r.task_definition for r in rollouts_in(told, {"shop"}, "ev")] == ["shop:9"]
    found = [(c.component, c.event) for c in changes_of(told, {"shop", "t"}, "ev")]
    assert found == [("shop", "UpdateService"), ("shop", "PutParameter")]


def test_severity_is_the_gravest_row_that_a_measured_impact_reaches() -> None:
    rubric = Rubric(
        rows=(
            RubricRow(severity=Severity.CRITICAL, min_error_share=0.5, max_tier=1, reason="half"),
            RubricRow(severity=Severity.MEDIUM, min_latency_factor=2.0, reason="slow"),
        )
    )
    slow = Impact(component="a", latency_ms=300, latency_ms_before=100, tier=1)
    failing = Impact(component="b", error_share=0.6, tier=1)
    assert rate(rubric, [slow])[0] is Severity.MEDIUM
    assert rate(rubric, [slow, failing])[0] is Severity.CRITICAL
    assert rate(rubric, [Impact(component="c", error_share=0.6, tier=2)])[0] is Severity.LOW
    assert rate(rubric, [])[0] is Severity.LOW


def test_a_service_that_does_nothing_any_more_is_severe_where_its_points_say_so() -> None:
    rubric = Rubric(
        rows=(RubricRow(severity=Severity.HIGH, when_stopped=True, max_tier=2, reason="stopped"),)
    )
    service, now = Service(name="mailer", tier=2), START + timedelta(minutes=30)
    busy = [(START + timedelta(minutes=n), 20.0) for n in range(24)]
    silent = [(START + timedelta(minutes=n), 0.0) for n in range(24, 30)]
    onset = now - timedelta(minutes=6)

    stopped = service_finding(service, {"requests": [*busy, *silent]}, onset, now, "ev")
    missing = service_finding(service, {"requests": busy}, onset, now, "ev")

    assert (stopped.affected, stopped.impact.stopped, missing.impact.stopped) == (True, True, False)
    assert rate(rubric, [stopped.impact])[0] is Severity.HIGH
    assert rate(rubric, [missing.impact])[0] is Severity.LOW
    assert rate(rubric, [stopped.impact.model_copy(update={"tier": 3})])[0] is Severity.LOW
