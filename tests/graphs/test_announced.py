"""What people are told was done is what the records say, not what the state has heard of."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from agents.communicator import Draft
from graphs.consulting import Agents
from graphs.thinking import Copilot
from memory.records.config import Limits, ReadPrices
from memory.records.incident import Status
from memory.records.message import Audience
from memory.records.spend import Spend
from memory.state import IncidentState
from memory.stores.approvals import ApprovalStore
from memory.stores.executions import ExecutionStore
from memory.stores.incidents import IncidentStore
from memory.stores.leases import LeaseStore
from memory.stores.outbox import OutboxStore
from memory.stores.timeline import TimelineStore
from tests.tools.dials import APPROVER, BY_ITSELF, Dials, decision_on, executor, incident, plan, request_for
from tests.tools.memory_table import MemoryTable
from tests.tools.stand_ins import NOW, SCOPE, StillClock
from tools.outbox import Outbox


class Telling:
    """Keeps the facts that a message is made of."""

    def __init__(self) -> None:
        self.facts: dict[str, str] = {}
        self.left_usd: list[float] = []

    def note(self, kind: str, audience: Audience, facts: dict[str, str], budget: Any) -> Draft:
        self.facts = facts
        self.left_usd.append(budget.left_usd)
        return Draft(kind, "told", spend=Spend(usd=0.25))


def telling_copilot(table: MemoryTable, telling: Telling) -> Copilot:
    incidents, outbox = IncidentStore(table, SCOPE.tenant), OutboxStore(table, SCOPE.tenant)
    records = SimpleNamespace(
        approvals=ApprovalStore(table),
        executions=ExecutionStore(table),
        timeline=TimelineStore(table, StillClock()),
        clock=StillClock(),
        settings=SimpleNamespace(limits=Limits(), prices=SimpleNamespace(reads=ReadPrices())),
    )
    unused: Any = None
    return Copilot(
        records=cast(Any, records),
        agents=lambda: Agents(unused, unused, unused, unused, unused, cast(Any, telling)),
        executor=unused,
        outbox=Outbox(outbox, incidents, (), StillClock(), LeaseStore(table)),
        runbooks=unused,
    )


def test_an_action_that_was_done_before_its_step_failed_is_told() -> None:
    table, telling = MemoryTable(), Telling()
    executor(table, Dials()).execute(incident(), plan(), 0, BY_ITSELF)
    copilot = telling_copilot(table, telling)
    failed = {"incident": incident(), "plan": plan(), "status": Status.ESCALATED, "reason": "act failed"}

    copilot.announce(cast(IncidentState, failed), "closing", Audience.ON_CALL)

    assert "set_dial is done" in telling.facts["done"]


def test_the_words_of_a_request_count_against_what_later_words_may_cost() -> None:
    table, telling = MemoryTable(), Telling()
    copilot, acting = telling_copilot(table, telling), executor(table, Dials())
    copilot.records.approvals.request(request_for(acting, plan(), incident()))
    state: Any = {
        "incident": incident(),
        "plan": plan(),
        "status": Status.AWAITING_APPROVAL,
        "spend": Spend(usd=1),
    }

    copilot.announce(state, "approval", Audience.ON_CALL, waits=True)
    copilot.announce({**state, "status": Status.RESOLVED}, "closing", Audience.ON_CALL)

    assert telling.left_usd == [4.0, 3.75]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({}, "approved by ada and grace"),
        ({"break_glass": True}, "approved by ada and grace by break-glass"),
        ({"approved": False}, "denied by grace"),
    ],
)
def test_a_message_names_everybody_whose_approval_counted_and_why(more: dict[str, bool], told: str) -> None:
    table, telling = MemoryTable(), Telling()
    copilot, acting = telling_copilot(table, telling), executor(table, Dials())
    request = request_for(acting, plan(), incident(), quorum=2)
    approvals = copilot.records.approvals
    approvals.request(request)
    state: Any = {"incident": incident(), "plan": plan(), "status": Status.ACTING}

    for index, name in enumerate(("ada", "grace")):
        by, at = APPROVER.model_copy(update={"id": name}), NOW + timedelta(seconds=index)
        made = decision_on(request, by=by, at=at, **(more if index else {}))
        approvals.decide(SCOPE, made.model_copy(update={"reason": f"{name} looked"}))
        copilot.announce(state, f"update {index}", Audience.ON_CALL)
        assert ("decided" in telling.facts) == bool(index), "half a quorum has decided nothing"

    assert telling.facts["decided"] == told
    everybody = more.get("approved", True)
    assert telling.facts["decision_reason"] == (
        "ada: ada looked; grace: grace looked" if everybody else "grace looked"
    )
