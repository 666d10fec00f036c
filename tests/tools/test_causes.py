"""Which of several changes is the cause, and when none may be blamed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from memory.records.assessment import CauseKind, Hypothesis, Impact, Verdict
from memory.records.config import Dependency, Service
from tools.analysis.changes import changes_of, rollouts_in
from tools.analysis.findings import AccountChange, Findings, Rollout, ServiceFinding, TableFinding
from tools.analysis.hypotheses import rank as ranking_of
from tools.analysis.logs import Change, one_place

MINUTE = timedelta(minutes=1)
ONSET = datetime(2026, 1, 1, 2, tzinfo=UTC)
NAMES = st.lists(st.text("abcdefghijk", min_size=3, max_size=9), min_size=3, max_size=3, unique=True)


def rank(findings: Findings) -> tuple[Verdict, tuple[Hypothesis, ...], str]:
    ranking = ranking_of(findings)
    return ranking.verdict, ranking.hypotheses, ranking.reason


def _service(name: str, *depends_on: str, kind: str = "service") -> Service:
    return Service(name=name, depends_on=tuple(Dependency(kind=kind, name=d) for d in depends_on))


def _finding(service: Service, affected: bool = True) -> ServiceFinding:
    return ServiceFinding(service, Impact(component=service.name), affected, True, (f"ev-{service.name}",))


def _findings(
    *services: ServiceFinding,
    rollouts: tuple[Rollout, ...] = (),
    changes: tuple[AccountChange, ...] = (),
    tables: tuple[TableFinding, ...] = (),
) -> Findings:
    return Findings(
        ONSET, ("ev-alarm",), False, 0, services=services, rollouts=rollouts, changes=changes, tables=tables
    )


def _rollout(service: str, minutes: float = -2) -> Rollout:
    return Rollout(service, ONSET + timedelta(minutes=minutes), f"{service}:2", f"ev-roll-{service}")


def _told(event: str, failed: str | None = None, **parameters: object) -> dict[str, object]:
    return {"at": ONSET.isoformat(), "event": event, "parameters": parameters, "failed": failed}


def _saying(service: Service, *lines: str) -> ServiceFinding:
    told = tuple(Change(line, 0.0, 5.0, line) for line in lines)
    return replace(_finding(service), log_changes=told, log_evidence_id="ev-log")


def test_a_functions_alias_that_gets_a_version_is_a_deployment() -> None:
    told = [
        _told("UpdateFunctionCode20150331v2", functionName="mailer"),
        _told("PublishVersion20150331", functionName="mailer"),
        _told("UpdateAlias20150331", functionName="arn:aws:lambda:r:1:function:mailer", functionVersion="8"),
        _told("UpdateAlias", functionName="mailer", routingConfig={}),
        _told("UpdateFunctionCode", functionName="other"),
    ]
    rollouts = list(rollouts_in(told, {"mailer", "other"}, "ev"))
    assert [(r.service, r.task_definition, r.brought) for r in rollouts] == [
        ("mailer", "mailer:8", "version 8")
    ]
    found = [(c.component, c.event) for c in changes_of(told, {"mailer", "other"}, "ev")]
    assert found == [("mailer", "UpdateAlias"), ("other", "UpdateFunctionCode")]


def test_a_setting_is_the_cause_where_its_path_names_a_part() -> None:
    told = _told("PutParameter", name="/prod/shop/limit")
    (change,) = changes_of([told], {"shop"}, "ev")
    verdict, ranked, _ = rank(_findings(_finding(_service("shop")), changes=(change,)))
    assert (verdict, ranked[0].component) == (Verdict.CAUSE, "/prod/shop/limit")
    assert "of shop" in ranked[0].statement


def test_two_changes_that_explain_a_part_as_well_as_each_other_are_not_told_apart() -> None:
    change = AccountChange("a", ONSET - MINUTE, "PutFunctionConcurrency", "ev-c")
    hit = _finding(_service("a"))
    verdict, ranked, reason = rank(_findings(hit, rollouts=(_rollout("a"),), changes=(change,)))
    assert verdict is Verdict.UNRESOLVED
    assert {h.kind for h in ranked[:2]} == {CauseKind.DEPLOYMENT, CauseKind.CONFIGURATION}
    assert max(h.confidence for h in ranked) == 0.5
    assert "not known" in reason
    assert "PutFunctionConcurrency" in reason


def test_of_two_changes_the_one_whose_part_tells_of_it_is_the_cause() -> None:
    change = AccountChange("a", ONSET - MINUTE, "PutParameter", "ev-c")
    hit = _saying(_service("a"), "coupon engine: no such discount")
    verdict, ranked, _ = rank(_findings(hit, rollouts=(_rollout("a"),), changes=(change,)))
    assert (verdict, ranked[0].kind) == (Verdict.CAUSE, CauseKind.DEPLOYMENT)


def test_one_deployment_after_another_leaves_no_doubt_that_a_deployment_did_it() -> None:
    hit = _finding(_service("a"))
    verdict, ranked, _ = rank(_findings(hit, rollouts=(_rollout("a", -3), _rollout("a", -1))))
    assert (verdict, ranked[0].kind) == (Verdict.CAUSE, CauseKind.DEPLOYMENT)


def test_a_full_table_that_was_made_smaller_is_one_cause() -> None:
    change = AccountChange("t", ONSET - MINUTE, "UpdateTable", "ev-c")
    table = TableFinding("t", throttled=True, used_share=1.2, evidence_id="ev-t", limit="WriteCapacityUnits")
    caller = _finding(_service("caller", "t", kind="table"))
    verdict, ranked, _ = rank(_findings(caller, tables=(table,), changes=(change,)))
    assert (verdict, ranked[0].kind) == (Verdict.CAUSE, CauseKind.CAPACITY)
    assert [h.kind for h in ranked] == [CauseKind.CAPACITY]


@given(NAMES)
def test_a_part_outside_is_blamed_when_its_caller_names_it_in_new_failures(names: list[str]) -> None:
    caller, bank, other = names
    service = _service(caller, bank, other, kind="external")
    hit = _saying(service, f"call to {bank} failed: 503")
    verdict, ranked, _ = rank(_findings(hit))
    assert (verdict, ranked[0].kind, ranked[0].component) == (Verdict.CAUSE, CauseKind.DEPENDENCY, bank)
    assert "ev-log" in ranked[0].evidence_for
    assert rank(_findings(_saying(service, f"call to {bank}x failed")))[0] is Verdict.UNRESOLVED
    assert rank(_findings(_finding(service)))[0] is Verdict.UNRESOLVED


def test_a_part_outside_that_is_named_in_passing_is_not_blamed() -> None:
    often = Change("bank failed", 0.0, 9.0, "bank failed")
    seldom = Change("post failed", 0.0, 1.0, "post failed")
    service = _service("a", "post", "bank", kind="external")
    hit = replace(_finding(service), log_changes=(often, seldom))
    assert [h.component for h in rank(_findings(hit))[1]] == ["bank"]


def test_a_deployment_before_calls_outside_fail_is_not_rolled_back() -> None:
    """The caller's new failures are of what it calls: they do not speak for its deployment, nor against it."""
    hit = _saying(_service("a", "bank", kind="external"), "call to bank failed: 503")
    verdict, ranked, _ = rank(_findings(hit, rollouts=(_rollout("a"),)))
    assert verdict is Verdict.UNRESOLVED
    assert max(h.confidence for h in ranked) < 0.6


SICK, WELL = "0f9de17a6465404e8b1b2356dc13c2f8", "812cc17f1c99bdac17ab4513730c8261"


def _failing(service: Service, tasks: int | None = 4, share: float = 0.16, *places: str) -> ServiceFinding:
    told = tuple(Change(f"{place} fails", 0.0, 5.0, "it fails", place=f"c/c/{place}") for place in places)
    found = replace(_finding(service), log_changes=told, log_evidence_id="ev-log", tasks=tasks)
    impact = found.impact.model_copy(update={"error_share": share})
    return replace(found, impact=impact, tasks_evidence_id="ev-ecs")


def test_one_task_that_alone_tells_of_failures_is_the_cause() -> None:
    _, (first, *_), _ = rank(_findings(_failing(_service("web"), 4, 0.16, SICK)))

    assert (first.kind, first.component, first.change) == (CauseKind.TASK, "web", SICK)
    assert first.confidence >= 0.8
    assert {"ev-log", "ev-ecs", "ev-web"} <= set(first.evidence_for)


def test_one_task_is_not_blamed_for_more_than_it_can_fail_or_where_others_fail_too() -> None:
    web = _service("web")
    for finding in (
        _failing(web, 4, 0.6, SICK),
        _failing(web, 1, 0.16, SICK),
        _failing(web, None, 0.16, SICK),
        _failing(web, 4, 0.16, SICK, WELL),
        _failing(web, 4, 0.16),
        _failing(web, 4, 0.16, "not-a-task"),
        replace(_failing(web, 4, 0.16, SICK), affected=False),
    ):
        verdict, hypotheses, _ = rank(_findings(finding))
        assert verdict is not Verdict.CAUSE
        assert CauseKind.TASK not in {one.kind for one in hypotheses}


def test_the_first_task_of_a_deployment_is_not_taken_for_one_that_is_ill() -> None:
    sick = _failing(_service("web"), 4, 0.16, SICK)

    verdict, (first, *_), _ = rank(_findings(sick, rollouts=(_rollout("web"),)))

    assert verdict is Verdict.CAUSE
    assert first.kind is CauseKind.DEPLOYMENT


def test_lines_come_from_one_place_only_where_nearly_all_of_many_do() -> None:
    assert one_place(["a"] * 10) == "a"
    assert one_place(["a"] * 19 + ["b"]) == "a"
    assert one_place(["a"] * 5) is None
    assert one_place(["a"] * 8 + ["b"] * 2) is None
    assert one_place([""] * 10) is None
    assert one_place([]) is None
