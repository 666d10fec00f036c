from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from memory.records.assessment import IN_PART, CauseKind, Verdict
from memory.records.evidence import PARTIAL, Gap
from memory.records.incident import Severity
from tests.simulated import StartAccount
from tests.tools.looking import Seen, look_at, look_when_it_fires, the_alarm, variant

HISTORY = 3.0
RENAMED = {
    "checkout": "till",
    "payments": "billing",
    "inventory": "stockroom",
    "orders": "ledger",
    "unhandled exception": "request came to grief",
    "TypeError": "SumProblem",
}
BAD_IMAGE = "checkout:2026.11.2"


def _leading(seen: Seen) -> Any:
    return seen.look.hypotheses[0]


def test_a_bad_deployment_is_named_with_its_revision_and_minute(simulated_account: StartAccount) -> None:
    seen = look_when_it_fires(simulated_account("bad-deployment", history_hours=HISTORY))

    assert seen.look.verdict is Verdict.CAUSE
    leading = _leading(seen)
    assert (leading.kind, leading.component, leading.change) == (
        CauseKind.DEPLOYMENT,
        "checkout",
        "checkout:42",
    )
    assert seen.look.severity in {Severity.HIGH, Severity.CRITICAL}
    assert seen.look.onset is not None
    assert abs(seen.look.onset - (seen.started + timedelta(minutes=4))) <= timedelta(minutes=1)
    in_part = {one.title.split()[2].rpartition("/")[2] for one in seen.evidence if set(one.gaps) & PARTIAL}
    assert set(seen.look.not_checked) == {f"logs of {service}{IN_PART}" for service in in_part}
    stored = {evidence.evidence_id for evidence in seen.evidence}
    cited = {i for h in seen.look.hypotheses for i in (*h.evidence_for, *h.evidence_against)}
    assert cited <= stored
    assert set(seen.look.evidence_ids) <= stored


def test_a_full_table_is_named_before_an_innocent_deployment(simulated_account: StartAccount) -> None:
    seen = look_when_it_fires(simulated_account("throttled-table", history_hours=HISTORY))

    assert seen.look.verdict is Verdict.CAUSE
    assert (_leading(seen).kind, _leading(seen).component) == (CauseKind.CAPACITY, "orders")
    assert _leading(seen).change == "WriteCapacityUnits"
    decoy = next(h for h in seen.look.hypotheses if h.component == "inventory")
    assert decoy.confidence < 0.5


def test_a_spike_that_recurs_and_hits_nobody_is_noise(simulated_account: StartAccount) -> None:
    seen = look_when_it_fires(simulated_account("false-alarm", history_hours=HISTORY))

    assert seen.look.verdict is Verdict.NOISE
    assert seen.look.severity is Severity.NONE
    assert "times before" in seen.look.reason
    assert "web" in seen.look.healthy


def test_what_the_evidence_does_not_show_stays_unresolved(simulated_account: StartAccount) -> None:
    seen = look_when_it_fires(simulated_account("hidden-cause", history_hours=HISTORY))

    assert seen.look.verdict is Verdict.UNRESOLVED
    assert (_leading(seen).kind, _leading(seen).component) == (CauseKind.UNKNOWN, "payments")
    assert "payments" in seen.look.affected
    assert seen.look.severity in {Severity.MEDIUM, Severity.HIGH}


@pytest.mark.parametrize(
    ("scenario", "kind", "component"),
    [
        ("bad-deployment", CauseKind.DEPLOYMENT, "till"),
        ("throttled-table", CauseKind.CAPACITY, "ledger"),
        ("false-alarm", CauseKind.NOISE, "web"),
        ("hidden-cause", CauseKind.UNKNOWN, "billing"),
    ],
)
def test_other_names_and_wording_give_the_same_verdict(
    simulated_account: StartAccount, tmp_path: Path, scenario: str, kind: CauseKind, component: str
) -> None:
    folder = variant(tmp_path, scenario, RENAMED)
    account = simulated_account(scenario, scenarios_dir=folder, history_hours=HISTORY, seed=7)

    seen = look_when_it_fires(account)

    assert (_leading(seen).kind, _leading(seen).component) == (kind, component)


def test_without_the_fault_no_cause_is_found(simulated_account: StartAccount, tmp_path: Path) -> None:
    """The same deployment of a release that works: an alarm rung by hand has no cause."""
    folder = variant(tmp_path, "bad-deployment", {"error_share = 0.35": "error_share = 0.002"})
    account = simulated_account("bad-deployment", scenarios_dir=folder, history_hours=HISTORY)
    started = account.now()
    account.advance(minutes=8)

    seen = look_at(account, the_alarm(account), started)

    assert seen.look.verdict is not Verdict.CAUSE
    assert seen.look.affected == ()


def test_a_fault_that_moves_to_another_service_takes_the_cause_along(
    simulated_account: StartAccount, tmp_path: Path
) -> None:
    folder = variant(tmp_path, "bad-deployment", {})
    scenario = folder / "bad-deployment" / "scenario.toml"
    text = scenario.read_text().replace('service = "checkout"', 'service = "payments"')
    text = text.replace(f"/{BAD_IMAGE}", "/payments:2026.11.2").replace(
        'Value = "checkout"', 'Value = "payments"'
    )
    scenario.write_text(text)
    account = simulated_account("bad-deployment", scenarios_dir=folder, history_hours=HISTORY)

    seen = look_when_it_fires(account)

    assert seen.look.verdict is Verdict.CAUSE
    assert _leading(seen).component == "payments"
    assert _leading(seen).kind is CauseKind.DEPLOYMENT


def test_what_may_not_be_read_is_named_and_never_called_noise(simulated_account: StartAccount) -> None:
    account = simulated_account("false-alarm", history_hours=HISTORY)
    started = account.now()
    account.advance(minutes=5)
    denied = {"kind": "error", "code": "AccessDenied", "status": 403, "message": "no", "times": -1}
    account.faults([{"service": "cloudwatch", "operation": "GetMetricData", **denied}])

    seen = look_at(account, the_alarm(account), started)

    assert seen.look.verdict is Verdict.UNRESOLVED
    assert any("web" in what for what in seen.look.not_checked)
    assert any(Gap.DENIED in evidence.gaps for evidence in seen.evidence)


def test_changes_that_may_not_be_read_leave_the_rest_standing(simulated_account: StartAccount) -> None:
    account = simulated_account("bad-deployment", history_hours=HISTORY)
    denied = {
        "kind": "error",
        "code": "AccessDeniedException",
        "status": 400,
        "message": "no",
        "times": -1,
    }
    account.faults([{"service": "cloudtrail", "operation": "LookupEvents", **denied}])

    seen = look_when_it_fires(account)

    assert seen.look.verdict is Verdict.CAUSE
    assert "changes in the account" in seen.look.not_checked


def test_an_alarm_outside_the_topology_is_unresolved_and_says_so(simulated_account: StartAccount) -> None:
    account = simulated_account("false-alarm", history_hours=1.0)
    alarm = {
        **the_alarm(account),
        "AlarmName": "cpu of a machine",
        "AlarmArn": "arn:aws:cloudwatch:us-east-1:123456789012:alarm:cpu",
        "Namespace": "AWS/EC2",
        "Dimensions": [{"Name": "InstanceId", "Value": "i-0abc"}],
    }

    seen = look_at(account, alarm, account.now())

    assert seen.look.verdict is Verdict.UNRESOLVED
    assert any(Gap.NO_DATA in evidence.gaps for evidence in seen.evidence)
