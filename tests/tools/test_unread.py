"""No read that fails is taken for a healthy answer: every tool in `OBSERVE`, under every way in which AWS fails."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from memory.records.assessment import CauseKind, Verdict
from memory.records.config import Limits
from memory.records.evidence import UNREAD, Evidence, Gap
from memory.records.incident import Severity
from tests.simulated import SimulatedAccount, accounts
from tests.tools.looking import RUBRIC, incident_of, sources_of, the_alarm
from tests.tools.stand_ins import Kept
from tools.aws.access import AwsAccess
from tools.catalogue import OBSERVE
from tools.evidence import Answer
from tools.first_look import take_first_look
from tools.observe.sources import Sources

LOGS, QUEUE = "/ecs/storefront/web", "order-events.fifo"
ECS = {"cluster": "storefront", "service": "checkout"}
# What there is to see, and what there is not. A tool that is added without its two questions fails here.
ASKED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "describe_alarm": ({"alarm_name": "checkout-5xx"}, {"alarm_name": "nobody"}),
    "alarm_history": ({}, {"minutes": 5}),
    "get_metric": (
        {
            "namespace": "Storefront",
            "metric_name": "Requests",
            "dimensions": {"Service": "web"},
            "stat": "Sum",
        },
        {"namespace": "Storefront", "metric_name": "Nothing"},
    ),
    "query_logs": ({"log_group": LOGS}, {"log_group": LOGS, "query": 'filter @message like "no such words"'}),
    "trace_request": (
        {"request_id": "nobody-asked-this", "log_groups": [LOGS]},
        {"request_id": "nobody-asked-this", "log_groups": [LOGS]},
    ),
    "service_health": (ECS, {**ECS, "service": "nobody"}),
    "stopped_tasks": (ECS, ECS),
    "function_health": ({"function": "orders-events"}, {"function": "nobody"}),
    "queue_health": ({"queue": QUEUE}, {"queue": "nobody"}),
    "table_health": ({"table": "orders"}, {"table": "nobody"}),
    "parameter_history": ({"name": "/storefront/web/recommendations"}, {"name": "/nobody"}),
    "what_changed": ({}, {"minutes": 5}),
    "code_deployments": ({}, {"minutes": 5}),
    "search_runbooks": ({"text": "errors after a deployment"}, {"text": "nothing fits this"}),
}
# These list what happened: an empty list is AWS's whole answer, and the list itself is what they return.
EMPTY_IS_AN_ANSWER = {
    "stopped_tasks": "tasks",
    "alarm_history": "changes",
    "what_changed": "changes",
    "code_deployments": "deployments",
}
# Asks nothing of AWS.
LOCAL = {"search_runbooks"}
TOOLS = {tool.name: tool for tool in OBSERVE}
REMOTE = sorted(set(TOOLS) - LOCAL)


@pytest.fixture
def account(shared_accounts: Callable[..., SimulatedAccount]) -> Iterator[SimulatedAccount]:
    """The account that tests share; faults that are put in force are lifted again."""
    shared = shared_accounts("bad-deployment")
    yield shared
    shared.clear_faults()


@pytest.fixture(scope="module")
def firing() -> Iterator[SimulatedAccount]:
    """An account of this file alone, whose alarm fires."""
    with accounts() as start:
        started = start("bad-deployment")
        started.advance_until("checkout-5xx", "ALARM", minutes=15)
        yield started


@pytest.fixture
def sources(account: SimulatedAccount) -> Sources:
    return hasty(account)


def hasty(account: SimulatedAccount) -> Sources:
    """Read access that gives up after half a second."""
    given = sources_of(account)
    access = given.access
    keys = (access.access_key_id, access.secret_access_key)
    quick = AwsAccess(access.region, access.endpoint_url, *keys, read_timeout_seconds=0.5)
    return replace(given, access=quick)


def ask(sources: Sources, name: str, number: int = 0) -> Evidence:
    tool = TOOLS[name]
    return tool.ask(sources, tool.question.model_validate(ASKED[name][number]))


def ask_all(sources: Sources) -> dict[str, Evidence]:
    with ThreadPoolExecutor(len(REMOTE)) as pool:
        return dict(zip(REMOTE, pool.map(lambda name: ask(sources, name), REMOTE), strict=True))


def fault(kind: str, **more: Any) -> dict[str, Any]:
    return {"service": "*", "operation": "*", "kind": kind, "times": -1, **more}


DENIED = fault("error", code="AccessDeniedException", status=403, message="not you")
FAULTS = {
    Gap.DENIED: DENIED,
    Gap.THROTTLED: fault("throttle"),
    Gap.TIMED_OUT: fault("hang", seconds=30),
    Gap.FAILED: fault("error", code="InternalFailure", status=500),
}


def test_every_read_tool_has_its_questions() -> None:
    assert set(ASKED) == set(TOOLS)


@pytest.mark.parametrize("gap", list(FAULTS))
def test_a_read_that_aws_does_not_answer_is_unread(
    account: SimulatedAccount, sources: Sources, gap: Gap
) -> None:
    account.faults([FAULTS[gap]])
    for name, seen in ask_all(sources).items():
        assert seen.gaps == (gap,), (name, seen.gaps, seen.gap_detail)
        assert set(seen.gaps) <= UNREAD
        assert set(seen.result) <= {"error"}, name
        assert seen.gap_detail, name
        assert seen.operation, name


@pytest.mark.slow
@pytest.mark.parametrize("name", REMOTE)
def test_a_tool_that_misses_one_of_its_calls_says_so(
    account: SimulatedAccount, sources: Sources, name: str
) -> None:
    after = len(account.calls())
    whole = ask(sources, name)
    made = {(call["service"], call["operation"]) for call in account.calls(after=after)}
    assert made, name
    assert not set(whole.gaps) & UNREAD, (name, whole.gap_detail)
    for service, operation in made:
        account.faults([{**DENIED, "service": service, "operation": operation}])
        seen = ask(sources, name)
        account.clear_faults()
        assert Gap.DENIED in seen.gaps, (name, operation)
        assert operation in seen.gap_detail, (name, operation, seen.gap_detail)


@pytest.mark.parametrize("name", sorted(TOOLS))
def test_what_is_empty_is_said_to_be_empty(sources: Sources, name: str) -> None:
    seen = ask(sources, name, 1)
    if name in EMPTY_IS_AN_ANSWER:
        assert isinstance(seen.result[EMPTY_IS_AN_ANSWER[name]], list)
    else:
        assert set(seen.gaps) & {Gap.NO_DATA, Gap.FAILED}, (name, seen.result)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(TOOLS))
def test_what_is_cut_is_said_to_be_cut(sources: Sources, name: str) -> None:
    tool, recorder = TOOLS[name], sources.recorder
    recorder.result_chars = 20
    seen = tool.ask(sources, tool.question.model_validate(ASKED[name][0]))
    assert Gap.TRUNCATED in seen.gaps or len(str(seen.result)) <= 40, name
    long = recorder.observe("t", "s", "Op", {}, lambda: Answer({"rows": ["line"] * 40}), tool=name)
    assert Gap.TRUNCATED in long.gaps


@pytest.mark.slow
@pytest.mark.parametrize("gap", list(FAULTS))
def test_a_first_look_that_sees_nothing_calls_nothing_healthy(firing: SimulatedAccount, gap: Gap) -> None:
    alarm, sources = the_alarm(firing), hasty(firing)
    firing.faults([FAULTS[gap]])
    look = take_first_look(
        replace(sources, limits=Limits(first_look_seconds=20)),
        incident_of(alarm, sources.scope, firing.now()),
        RUBRIC,
    )
    firing.clear_faults()
    assert look.healthy == ()
    assert look.verdict is Verdict.UNRESOLVED
    assert {hypothesis.kind for hypothesis in look.hypotheses} <= {CauseKind.UNKNOWN}
    assert look.not_checked
    # What could not be read may be anything.
    assert look.severity is Severity.HIGH
    assert look.severity_reason == "checkout: what a tier 1 service's users get could not be read"


@pytest.mark.slow
def test_nothing_that_was_read_before_an_action_is_served_after_it(firing: SimulatedAccount) -> None:
    sources = hasty(firing)
    before = ask(sources, "service_health")
    firing.client("ecs").update_service(
        cluster="storefront", service="checkout", desiredCount=before.result["desired"] + 1
    )
    kept = Kept()
    for name in REMOTE:
        calls = len(firing.calls())
        ask(replace(sources, recorder=replace(sources.recorder, ledger=kept)), name)  # type: ignore[arg-type]
        assert len(firing.calls()) > calls, f"{name} asked nothing"
    after = ask(sources, "service_health")
    assert after.result["desired"] == before.result["desired"] + 1
    assert after.evidence_id != before.evidence_id
