"""What a first look has learned from tags holds for each later step, after a restart and whatever tags say then."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from memory.records.config import ServiceLevel, Topology
from memory.records.incident import Status
from memory.state import STATE_LIMIT_BYTES
from tests.graphs.desk import Desk, desk, desk_in
from tools.reach import reach_of

pytestmark = pytest.mark.slow

SERVICE = "arn:aws:ecs:us-east-1:123456789012:service/storefront/checkout"
TAGS = {
    "tier": "1",
    "slo-availability": "0.995",
    "slo-latency-ms": "800",
    "depends-on": "service:payments service:inventory table:orders",
}


def tag(at: Desk, tags: dict[str, str]) -> None:
    told = [{"key": key, "value": value} for key, value in tags.items()]
    at.account.client("ecs").tag_resource(resourceArn=SERVICE, tags=told)


@contextmanager
def _untold(folder: Path) -> Iterator[Desk]:
    """A copilot whose settings say nothing of checkout that its tags say."""
    with desk(folder) as at:
        left_out = {"tier", "owner", "slo", "depends_on"}
        known = [
            one.model_dump(exclude=left_out if one.name == "checkout" else set())
            for one in at.records.topology().services
        ]
        bare = Topology.model_validate({"services": known})
        tag(at, TAGS)
        yield desk_in(at.account, topology=bare, topology_parameter=None)


def test_every_step_rests_on_what_the_first_look_learned(tmp_path: Path) -> None:
    with _untold(tmp_path) as at:
        record = at.start()
        assert record.status is Status.AWAITING_APPROVAL, record.reason
        look = record.first_look
        assert look is not None
        (learned,) = look.learned
        assert (learned.service, learned.tier, learned.latency_ms_p99) == ("checkout", 1, 800)
        assert learned.evidence_id in look.evidence_ids
        assert len(look.model_dump_json()) < STATE_LIMIT_BYTES / 2
        assert look.severity.value in {"critical", "high"}

        tag(at, {"tier": "9", "depends-on": "external:nobody", "slo-latency-ms": "9999999"})
        again = desk_in(at.account, topology=at.records.settings.topology, topology_parameter=None)

        whole = again.copilot.topology(record.incident)
        checkout, before = whole.service("checkout"), again.records.topology().service("checkout")
        assert checkout is not None
        assert before is not None
        assert (before.tier, before.depends_on) == (2, ())
        assert (checkout.tier, checkout.owner) == (1, "team-checkout")
        assert checkout.slo == ServiceLevel(availability=0.995, latency_ms_p99=800)
        assert [one.name for one in checkout.depends_on] == ["payments", "inventory", "orders"]
        assert again.copilot.sources(record.incident, None).topology == whole
        assert {"orders", "payments"} <= reach_of(record.incident, look, whole).names

        again.decide(record, approved=True)
        ended = again.to_the_end(record.incident.incident_id)
        assert ended.status is Status.RESOLVED, ended.reason
