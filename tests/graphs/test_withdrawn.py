"""A plan for what lies outside is withdrawn once that has passed by itself, whoever has approved it."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from graphs.nodes.approve import approve
from graphs.nodes.remediation import remediation
from graphs.passing import with_waiting
from graphs.step import Turn, Wait
from memory.records.approval import ApprovalStatus, Decision
from memory.records.incident import Status
from memory.records.plan import Risk
from memory.records.scope import Principal, PrincipalKind, Role
from memory.records.spend import Spend
from memory.records.timeline import TimerKind
from memory.state import IncidentState
from memory.table import ConflictError
from tests.graphs.test_approve import Asking
from tests.graphs.test_routes import OUTAGE, RELEASE
from tests.tools.dials import Dials, SetDialAction, incident, plan, request_for
from tests.tools.memory_table import MemoryTable
from tests.tools.stand_ins import NOW, SCOPE, StillClock, sources
from tests.tools.test_unaided import WELL, Account
from tools.passing import Harm
from tools.passing import Passing as Seen

PERSON = Principal(kind=PrincipalKind.PERSON, id="mara", issuer="t", roles=(Role.APPROVER,))


class Passing(Asking):
    """A copilot that is asked about an outage, in an account whose alarm is in some state."""

    def __init__(self, state: str, table: MemoryTable | None = None) -> None:
        super().__init__(table or MemoryTable())
        self.state = state
        self.copilot.sources = lambda *_: sources({"cloudwatch": Account(self.state, NOW, **WELL)})
        self.copilot.executor = self.acting
        self.told: list[str] = []
        self.copilot.tell = lambda _, __, text, *___: self.told.append(text)

    def _announce(self, state: Any, kind: str, audience: Any, *, waits: bool = False) -> Any:
        if waits:
            super()._announce(state, kind, audience, waits=waits)
        return Spend(model_calls=1), []

    def asked(self, **more: Any) -> Turn:
        return self.turn(state=cast(IncidentState, {**self.turn().state, "assessment": OUTAGE, **more}))

    def wait(self) -> None:
        assert isinstance(approve(self.asked()), Wait)

    def later(self, minutes: int) -> None:
        self.copilot.records.clock = StillClock(NOW + timedelta(minutes=minutes))

    def decide(self) -> None:
        request = self.request()
        decision = Decision(
            incident_id=request.incident_id,
            plan_hash=request.plan_hash,
            approved=True,
            by=PERSON,
            decided_at=NOW + timedelta(minutes=5),
            door="test",
        )
        self.approvals.decide(SCOPE, decision)

    def request(self) -> Any:
        found = self.approvals.get(SCOPE, incident().incident_id, plan().plan_hash)
        assert found is not None
        return found

    def look_at(self) -> Any:
        return self.timers.get(SCOPE, incident().incident_id, TimerKind.VERIFICATION)


def woken(at: Passing, **more: Any) -> Any:
    turn = at.asked(**more)
    return approve(Turn(turn.copilot, turn.state, turn.thread_id, woken=True))


def test_what_has_passed_while_people_are_asked_is_withdrawn_and_told() -> None:
    at = Passing("ALARM")
    at.wait()
    assert at.look_at().wake_at == NOW + timedelta(minutes=1)
    at.later(1)
    at.state = "OK"

    found = woken(at)

    assert (found["status"], found["watched_since"]) == (Status.VERIFYING, NOW + timedelta(minutes=1))
    assert at.request().status is ApprovalStatus.WITHDRAWN
    assert "recovered by itself before anything was done" in at.request().withdrawn
    assert any("the plan is withdrawn" in one for one in at.told)
    assert found["spend"].aws_calls > 0
    assert at.look_at() is None
    assert not at.ends
    with pytest.raises(ConflictError, match="withdrawn"):
        at.decide()


def test_what_goes_on_is_looked_at_each_minute_and_waits_on() -> None:
    at = Passing("ALARM")
    at.wait()

    assert woken(at) == {"status": Status.AWAITING_APPROVAL}
    at.later(1)
    assert woken(at)["spend"].aws_calls > 0

    assert at.look_at().wake_at == NOW + timedelta(minutes=2)
    assert at.request().status is ApprovalStatus.PENDING


def test_an_approved_plan_is_withdrawn_when_its_reason_is_gone_before_it_is_done() -> None:
    at = Passing("ALARM")
    at.wait()
    at.decide()
    at.later(5)
    at.state = "OK"

    assert approve(at.asked())["status"] is Status.VERIFYING  # type: ignore[index]
    assert at.request().status is ApprovalStatus.WITHDRAWN


def test_an_approved_plan_is_done_while_the_harm_goes_on() -> None:
    at = Passing("ALARM")
    at.wait()
    at.decide()
    at.later(5)

    assert approve(at.asked())["status"] is Status.ACTING  # type: ignore[index]
    assert at.look_at() is None
    assert not at.ends


@pytest.mark.parametrize("more", [{"assessment": RELEASE}, {"executions": [object()]}])
def test_what_is_caused_inside_or_was_acted_on_is_never_withdrawn(more: dict[str, Any]) -> None:
    at = Passing("OK")
    at.approvals.request(request_for(at.acting, plan(), incident()))
    at.decide()

    assert approve(at.asked(**more)) == {"status": Status.ACTING}


def test_a_withdrawal_that_was_cut_off_is_finished() -> None:
    at = Passing("ALARM")
    at.wait()
    at.approvals.withdraw(at.request(), NOW, "it was over")

    assert approve(at.asked())["status"] is Status.VERIFYING  # type: ignore[index]
    assert at.told[-1] == "the plan is withdrawn: it was over"


def test_an_approval_that_was_used_is_not_withdrawn() -> None:
    table = MemoryTable()
    at = Passing("ALARM", table)
    at.wait()
    at.decide()
    table.transact([at.approvals.use(at.request(), "a-1")])

    assert at.approvals.withdraw(at.request(), NOW, "over").status is ApprovalStatus.APPROVED


def test_nothing_is_proposed_for_what_is_over_by_now() -> None:
    at = Passing("OK")
    found = remediation(at.asked())

    assert not found["plan"].actions
    assert "nothing is left to be done" in found["plan"].no_action_reason
    assert found["spend"].aws_calls > 0


@pytest.mark.parametrize(("risk", "first"), [(Risk.HIGH, "wait: "), (Risk.LOW, "the other")])
def test_waiting_comes_first_among_the_alternatives_of_a_high_risk(risk: Risk, first: str) -> None:
    at = Passing("ALARM")
    at.copilot.executor = SimpleNamespace(catalogue=(SetDialAction(Dials(), risk=risk),))
    proposed = plan().model_copy(update={"alternatives": ("the other",)})

    found = with_waiting(at.asked(), proposed, Seen(Harm.GOES_ON, "")).alternatives

    assert found[0].startswith(first)
    assert found[-1] == "the other"
