"""What an account's quotas let its parts do, what of it is used, and what nobody could read of that."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from memory.records.assessment import CauseKind, Impact, Verdict
from memory.records.config import Service
from memory.records.evidence import UNREAD, Evidence, Gap
from tests.tools.stand_ins import NOW, sources
from tools.analysis.causes.quotas import of_quota
from tools.analysis.findings import Findings, Gauge, QueueFinding, QuotaFinding, ServiceFinding
from tools.analysis.hypotheses import rank
from tools.analysis.quotas import FULL, Use, quota_finding
from tools.analysis.ramps import Ramp
from tools.collectors.quotas import (
    CONCURRENCY,
    VCPUS,
    is_refused,
    look_at_busiest,
    look_at_quota,
    look_at_usage,
    use_in,
    watched_of,
)
from tools.collectors.reads import COLLECTED
from tools.collectors.tasks import unplaced_in
from tools.replay import Outcome, replay

ONSET = NOW - timedelta(minutes=6)
MINUTE = timedelta(minutes=1)


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "Any")


class _Quotas:
    """Service Quotas with one quota, or with an error; `applied` is none where only a default is known."""

    def __init__(self, value: float | None = 20.0, error: str = "", applied: bool = True) -> None:
        self.value, self.error, self.applied = value, error, applied
        self.asked: list[str] = []

    def get_service_quota(self, ServiceCode: str, QuotaCode: str) -> dict[str, Any]:
        self.asked.append("applied")
        if self.error or not self.applied:
            raise refused(self.error or "NoSuchResourceException")
        return self._told(QuotaCode)

    def get_aws_default_service_quota(self, ServiceCode: str, QuotaCode: str) -> dict[str, Any]:
        self.asked.append("default")
        return self._told(QuotaCode)

    def _told(self, code: str) -> dict[str, Any]:
        quota: dict[str, Any] = {"QuotaCode": code, "QuotaName": "Concurrent executions"}
        reason = {"ErrorCode": "DEPENDENCY_SERVICE_ERROR", "ErrorMessage": "later"}
        return {"Quota": quota | ({"ErrorReason": reason} if self.value is None else {"Value": self.value})}


class _Metrics:
    """CloudWatch with the same values for every metric, newest last; an expression finds two functions."""

    def __init__(self, *values: float, error: str = "") -> None:
        self.values, self.error = values, error

    def get_metric_data(self, MetricDataQueries: list[Any], **_: Any) -> dict[str, Any]:
        if self.error:
            raise refused(self.error)
        times = [NOW - MINUTE * n for n in reversed(range(len(self.values)))]
        found = [
            {
                "Id": query["Id"],
                "Label": label,
                "Timestamps": times,
                "Values": [v * share for v in self.values],
            }
            for query in MetricDataQueries
            for label, share in ([("mailer", 0.1), ("export", 0.9)] if "Expression" in query else [("", 1.0)])
        ]
        return {"MetricDataResults": found}


def _use(points: Sequence[float], value: float = 20.0) -> Use:
    dated = tuple(
        (NOW - MINUTE * n, one) for n, one in zip(reversed(range(len(points))), points, strict=True)
    )
    return Use(
        "lambda", CONCURRENCY.code, "Concurrent executions", value, dated, (("export", 18.0),), ("ev-q",)
    )


HELD_BACK = ServiceFinding(
    Service(name="mailer"),
    Impact(component="mailer"),
    affected=False,
    checked=True,
    evidence_ids=("ev-m",),
    refused=12.0,
    refused_since=ONSET,
    concurrency=Gauge(3.0, 1.0),
    reserved_evidence_id="ev-r",
)
WAITING = QueueFinding("mails", "ev-s", ("mailer",), Ramp(ONSET, 9.0, 400.0, 60.0))


def _findings(
    finding: ServiceFinding, points: Sequence[float], queues: tuple[QueueFinding, ...] = (WAITING,)
) -> Findings:
    quota = quota_finding(_use(points), ONSET)
    return Findings(ONSET, ("ev-a",), False, 0, services=(finding,), queues=queues, quotas=(quota,))


def test_functions_and_tasks_each_have_their_quota_and_nothing_else_is_asked() -> None:
    shop, mailer = Service(name="shop", cluster="c"), Service(name="mailer")

    assert watched_of([shop]) == (VCPUS,)
    assert watched_of([mailer]) == (CONCURRENCY,)
    assert watched_of([shop, mailer, shop]) == (CONCURRENCY, VCPUS)
    assert watched_of([]) == ()


def test_a_quota_that_was_never_given_is_aws_default() -> None:
    quotas = _Quotas(1000.0, applied=False)

    seen = look_at_quota(sources({"service-quotas": quotas}), CONCURRENCY)

    assert quotas.asked == ["applied", "default"]
    assert (seen.result["value"], seen.result["is_default"], seen.calls) == (1000.0, True, 2)


@pytest.mark.parametrize(
    ("quotas", "gap"),
    [
        (_Quotas(error="AccessDeniedException"), Gap.DENIED),
        (_Quotas(error="TooManyRequestsException"), Gap.THROTTLED),
        (_Quotas(error="UnknownOperationException"), Gap.FAILED),
        (_Quotas(value=None), Gap.FAILED),
    ],
)
def test_a_quota_that_is_not_told_is_a_gap_and_explains_nothing(quotas: _Quotas, gap: Gap) -> None:
    given_sources = sources({"service-quotas": quotas, "cloudwatch": _Metrics(20.0)})
    seen, usage = look_at_quota(given_sources, CONCURRENCY), look_at_usage(given_sources, (CONCURRENCY,))

    assert gap in seen.gaps
    assert set(seen.gaps) & UNREAD
    assert use_in(seen, usage, None, CONCURRENCY) is None


def test_usage_that_cannot_be_read_explains_nothing() -> None:
    given_sources = sources(
        {"service-quotas": _Quotas(), "cloudwatch": _Metrics(error="AccessDeniedException")}
    )
    quota, usage = look_at_quota(given_sources, CONCURRENCY), look_at_usage(given_sources, (CONCURRENCY,))

    assert use_in(quota, usage, None, CONCURRENCY) is None
    assert not is_refused(usage)


def test_who_uses_the_most_is_told_with_the_quota_and_can_be_asked_again() -> None:
    given_sources = sources({"service-quotas": _Quotas(), "cloudwatch": _Metrics(4.0, 20.0)})
    read = [look_at_quota(given_sources, CONCURRENCY), look_at_usage(given_sources, (CONCURRENCY,))]
    busiest = look_at_busiest(given_sources)

    use = use_in(read[0], read[1], busiest, CONCURRENCY)

    assert use is not None
    assert is_refused(read[1])
    assert use.users == (("export", 18.0), ("mailer", 2.0))
    assert set(use.evidence_ids) == {one.evidence_id for one in (*read, busiest)}
    again = [replay(given_sources, one, one.result, COLLECTED).outcome for one in (*read, busiest)]
    assert again == [Outcome.SAME] * 3


@given(st.lists(st.floats(0, 40), min_size=30, max_size=60), st.floats(1, 30))
def test_a_quota_is_met_exactly_where_its_use_reaches_it_around_the_onset(
    points: list[float], value: float
) -> None:
    found = quota_finding(_use(points, value), ONSET)

    late = [one for at, one in _use(points).points if at >= ONSET - timedelta(minutes=15)]
    assert found.most == max(late)
    assert (found.met_since is not None) == any(one >= FULL * value for one in late)
    if found.met_since is not None:
        assert dict(_use(points).points)[found.met_since] >= FULL * value


def test_a_function_that_others_crowd_out_is_explained_by_the_quota_and_by_who_uses_it() -> None:
    ranking = rank(_findings(HELD_BACK, [5.0] * 20 + [20.0] * 8))

    assert ranking.verdict is Verdict.CAUSE
    (cause,) = ranking.causes
    assert (cause.kind, cause.component, cause.change) == (
        CauseKind.CAPACITY,
        "L-B99A9384",
        "Concurrent executions",
    )
    assert "20 of 20 run at once, of which export up to 18" in cause.statement
    assert {"ev-q", "ev-m", "ev-r", "ev-s"} <= set(cause.evidence_for)
    assert ranking.causal_path == ("L-B99A9384", "mailer", "mails")


@pytest.mark.parametrize(
    ("finding", "points"),
    [
        (HELD_BACK, [5.0] * 28),
        (HELD_BACK, [20.0] * 4 + [5.0] * 24),
        (replace(HELD_BACK, reserved=2), [20.0] * 28),
        (replace(HELD_BACK, reserved_evidence_id=None), [20.0] * 28),
        (replace(HELD_BACK, refused=0.0), [20.0] * 28),
    ],
    ids=["room left", "met hours ago", "own reservation", "reservation unread", "not refused"],
)
def test_a_quota_is_not_blamed_for_what_it_does_not_hold_back(
    finding: ServiceFinding, points: list[float]
) -> None:
    assert of_quota(finding, _findings(finding, points)) is None


def _events(*messages: str) -> Evidence:
    seen = look_at_usage(sources({"cloudwatch": _Metrics(1.0)}), (VCPUS,))
    told = [{"at": (NOW - MINUTE * n).isoformat(), "message": one} for n, one in enumerate(messages)]
    return seen.model_copy(update={"result": {"events": told}})


NO_VCPUS = (
    "(service shop) was unable to place a task. Reason: You’ve reached the limit on the number of vCPUs you can run "
    "concurrently."
)


def test_tasks_that_ecs_cannot_place_for_want_of_vcpus_are_explained_by_the_quota() -> None:
    since = unplaced_in(_events("steady", NO_VCPUS, NO_VCPUS), NOW - timedelta(minutes=15))
    shop = replace(
        HELD_BACK,
        service=Service(name="shop", cluster="c"),
        affected=True,
        refused=0.0,
        since=ONSET,
        cpu=Gauge(50.0, 99.0),
        more_requests=3.0,
        unplaced_since=since,
        unplaced_evidence_id="ev-e",
    )
    full = QuotaFinding("fargate", VCPUS.code, "vCPUs", 9.5, 9.5, ONSET, (), ("ev-v",))
    findings = Findings(ONSET, ("ev-a",), False, 0, services=(shop,), quotas=(full,))

    ranking = rank(findings)

    assert since == NOW - 2 * MINUTE
    assert [one.component for one in ranking.causes] == ["L-3032A538"]
    assert "ECS cannot place the tasks that shop lacks" in ranking.reason
    assert unplaced_in(_events("steady", "unable to place a task. Reason: other"), NOW - MINUTE) is None
