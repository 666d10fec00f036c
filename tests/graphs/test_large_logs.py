"""A log group of terabytes costs no more than the incident may spend, and nothing of it is called quiet unread."""

from pathlib import Path
from typing import Any

import pytest

from memory.records.assessment import CauseKind
from memory.records.evidence import Gap
from memory.records.incident import Status
from tests.graphs.desk import Desk, desk
from tests.graphs.scenarios import large_logs

GROUP = "/ecs/storefront/checkout"
SECONDS = 30 * 86_400


def queries(at: Desk) -> list[dict[str, Any]]:
    return [one["parameters"] for one in at.account.calls("StartQuery")]


def bytes_of(query: dict[str, Any], terabytes: int) -> float:
    names = [query.get("logGroupName"), *query.get("logGroupNames", [])]
    return (query["endTime"] - query["startTime"]) * terabytes * 1e12 / SECONDS if GROUP in names else 0.0


def test_a_group_of_five_terabytes_is_read_within_the_limits_and_the_dollars_are_told(tmp_path: Path) -> None:
    with desk(tmp_path, "large-logs", scenarios_dir=large_logs(tmp_path, 5)) as at:
        told = at.account.client("logs").describe_log_groups(logGroupNamePrefix=GROUP)["logGroups"][0]
        assert told["storedBytes"] == pytest.approx(5e12, rel=0.01)

        waiting = at.start()
        limits = at.records.settings.limits
        scanned = [bytes_of(one, 5) for one in queries(at)]

        assert any(scanned)
        assert max(scanned) <= limits.query_bytes_scanned
        assert sum(scanned) <= limits.logs_bytes_scanned
        assert waiting.spend.bytes_scanned <= limits.logs_bytes_scanned
        incident = waiting.incident
        seen = [
            one
            for one in at.records.evidence.all(incident.scope, incident.incident_id)
            if GROUP in (one.asked.get("log_group"), *one.asked.get("log_groups", ()))
        ]
        narrowed = [one for one in seen if Gap.NARROWED in one.gaps]
        assert narrowed
        assert any("Ask for at most" in one.gap_detail for one in narrowed)
        assert all("would scan about" in one.gap_detail and "$" in one.gap_detail for one in narrowed)
        assert sum(one.usd for one in seen) == pytest.approx(sum(scanned) / 1e9 * 0.005, rel=0.05)
        assert waiting.spend.usd >= sum(one.usd for one in seen)
        assert waiting.assessment is not None
        assert GROUP in " ".join(waiting.assessment.gaps)
        assert waiting.assessment.hypotheses[0].kind is CauseKind.DEPLOYMENT
        assert waiting.status is Status.AWAITING_APPROVAL


def test_a_group_too_large_for_a_minute_is_not_queried_at_all(tmp_path: Path) -> None:
    with desk(tmp_path, "large-logs", scenarios_dir=large_logs(tmp_path, 5000)) as at:
        waiting = at.start()
        incident = waiting.incident
        assert not any(bytes_of(one, 5000) for one in queries(at))
        assert waiting.assessment is not None
        assert GROUP in " ".join((*waiting.assessment.gaps, *waiting.assessment.not_checked))
        refused = [
            one
            for one in at.records.evidence.all(incident.scope, incident.incident_id)
            if Gap.REFUSED in one.gaps
        ]
        assert refused
        assert all("$" in one.gap_detail for one in refused)
