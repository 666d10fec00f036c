"""The step that asks people: whatever cuts it off, people are told and the request comes to its end."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from graphs.nodes.approve import approve
from graphs.step import Turn, Wait
from graphs.thinking import Copilot, send_key
from memory import keys
from memory.records.config import Limits
from memory.records.incident import Status
from memory.records.message import CHANNEL, Audience, Message
from memory.records.scope import Role
from memory.records.timeline import EntryKind, TimerKind
from memory.state import IncidentState
from memory.stores.approvals import ApprovalStore
from memory.stores.audit import AuditTrail
from memory.stores.outbox import OutboxStore
from memory.stores.timeline import TimelineStore
from memory.stores.timers import TimerStore
from tests.tools.dials import APPROVER, SIGNER, Dials, decision_on, executor, incident, plan, request_for
from tests.tools.memory_table import Killed, MemoryTable
from tests.tools.stand_ins import NOW, SCOPE, StillClock
from tools.authority import changed_since_asked
from tools.inspection import inspect


class Asking:
    """A copilot whose records are in memory."""

    def __init__(self, table: MemoryTable, no_way_back: tuple[str, ...] = (), freeze: str = "") -> None:
        self.table, acting = table, executor(table, Dials())
        self.timers, self.approvals = TimerStore(table, SCOPE.tenant), ApprovalStore(table)
        self.acting, self.outbox = acting, OutboxStore(table, SCOPE.tenant)
        self.timeline = TimelineStore(table, StillClock())
        self.copilot = SimpleNamespace(
            records=SimpleNamespace(
                approvals=self.approvals,
                timers=self.timers,
                outbox=self.outbox,
                incidents=SimpleNamespace(scope_of=lambda _: SCOPE),
                timeline=self.timeline,
                clock=StillClock(),
                signer=acting.signer,
                settings=SimpleNamespace(limits=Limits()),
            ),
            inspect=lambda one: tuple(inspect(acting.access, a, acting.catalogue) for a in one.actions),
            quorum=lambda *_: 1,
            no_way_back=lambda *_: no_way_back,
            freeze=lambda: freeze,
            tell=lambda *_: None,
            announce=self._announce,
        )
        self.announced = 0

    def _announce(self, state: IncidentState, kind: str, audience: Audience, *, waits: bool) -> None:
        assert waits
        self.announced += 1
        key = send_key(incident().incident_id, kind, state["plan"].plan_hash[:12], audience)
        told = Message(
            incident_id=incident().incident_id,
            send_key=key,
            audience=audience,
            channel=CHANNEL,
            subject="decide",
            body="on this",
            queued_at=NOW,
        )
        self.outbox.queue(SCOPE, told)
        about = incident().incident_id
        self.timeline.append(SCOPE, about, EntryKind.MESSAGE, "sent", facts={"send_key": key}, turn="go")

    def turn(self, **more: Any) -> Turn:
        state = cast(IncidentState, {"incident": incident(), "plan": plan(), "status": Status.OPEN})
        return replace(Turn(cast(Copilot, self.copilot), state, "t"), **more)

    @property
    def ends(self) -> bool:
        """Whether a timer ends the request."""
        return self.timers.get(SCOPE, incident().incident_id, TimerKind.APPROVAL_EXPIRY) is not None


@pytest.mark.parametrize("after_writing", [False, True])
@pytest.mark.parametrize("dies_at", [1, 2, 3, 4])
def test_a_request_that_was_cut_off_is_told_and_ends_all_the_same(dies_at: int, after_writing: bool) -> None:
    table = MemoryTable(dies_at, after_writing=after_writing)
    with pytest.raises(Killed):
        approve(Asking(table).turn())

    second = Asking(table)
    assert isinstance(approve(second.turn()), Wait)

    assert second.ends
    assert len(list(second.outbox.all(SCOPE, incident().incident_id))) == 1
    told = [one.kind for one in second.timeline.entries(SCOPE, incident().incident_id)]
    assert told.count(EntryKind.MESSAGE) == 1


def test_a_request_says_under_its_signature_what_could_not_be_taken_back() -> None:
    told = ("it could not be taken back: the role may not dial:Lower on main",)
    at = Asking(MemoryTable(), told)

    approve(at.turn())
    request = at.approvals.get(SCOPE, incident().incident_id, plan().plan_hash)

    assert request is not None and request.no_way_back == told
    assert changed_since_asked(SIGNER, request) is None
    assert changed_since_asked(SIGNER, request.model_copy(update={"no_way_back": ()})) is not None


def test_a_request_says_under_its_signature_which_freeze_held() -> None:
    at = Asking(MemoryTable(), freeze="the freeze year holds")

    approve(at.turn())
    request = at.approvals.get(SCOPE, incident().incident_id, plan().plan_hash)

    assert request is not None and request.freeze == "the freeze year holds"
    assert changed_since_asked(SIGNER, request.model_copy(update={"freeze": ""})) is not None


def test_what_could_not_be_taken_back_is_found_out_for_each_action_when_people_are_asked() -> None:
    acting, unused = executor(MemoryTable(), Dials(stuck=True)), cast(Any, None)
    records = cast(Any, SimpleNamespace(access=acting.access))
    copilot = Copilot(records=records, agents=unused, executor=acting, outbox=unused, runbooks=unused)
    both = plan().model_copy(update={"actions": (*plan(9).actions, *plan(11, dial="other").actions)})

    found = copilot.no_way_back(incident(), copilot.inspect(both))

    assert [one.partition(" has now")[0] for one in found] == [
        "it could not be taken back: set_dial cannot bring back what dial main",
        "it could not be taken back: set_dial cannot bring back what dial other",
    ]


def test_a_request_that_was_told_is_not_told_again() -> None:
    at = Asking(MemoryTable())

    for _ in range(3):
        assert isinstance(approve(at.turn()), Wait)

    assert at.announced == 1


def test_a_run_that_is_woken_while_nobody_has_decided_goes_on_waiting() -> None:
    at = Asking(MemoryTable())
    at.approvals.request(request_for(at.acting, plan(), incident()))

    assert approve(at.turn(woken=True)) == {"status": Status.AWAITING_APPROVAL}
    assert at.announced == 0


@pytest.mark.parametrize(
    ("quorum", "said"), [(1, "nobody decided before 12:30:00 UTC"), (2, "only 1 of 2 people approved before")]
)
def test_a_request_that_ran_out_tells_how_many_have_approved(quorum: int, said: str) -> None:
    at = Asking(MemoryTable())
    request = request_for(at.acting, plan(), incident(), quorum=quorum)
    at.approvals.request(request)
    if quorum > 1:
        at.approvals.decide(SCOPE, decision_on(request))
    at.copilot.records.clock = StillClock(request.expires_at)

    ended = cast(dict[str, Any], approve(at.turn()))

    assert ended["status"] is Status.ESCALATED and said in ended["reason"]
    chain = AuditTrail(at.table).read(keys.incident(SCOPE, incident().incident_id).pk)
    (last,) = chain.last()
    assert last.payload is not None and last.payload.what.startswith(said.partition(" before")[0])


@pytest.mark.parametrize("break_glass", [False, True])
def test_a_decision_whose_door_was_cut_off_is_told_and_paged_by_the_step(break_glass: bool) -> None:
    table = MemoryTable()
    first, later = Asking(table), Asking(table)
    approve(first.turn())
    by = APPROVER.model_copy(update={"roles": (Role.APPROVER, Role.BREAK_GLASS)})
    request = first.approvals.get(SCOPE, incident().incident_id, plan().plan_hash)
    assert request is not None
    first.approvals.decide(SCOPE, decision_on(request, by=by, break_glass=break_glass))

    for at in (first, later):
        assert cast(Any, approve(at.turn()))["status"] is Status.ACTING

    told = [entry.kind for entry in later.timeline.entries(SCOPE, incident().incident_id)]
    paged = [one for one in later.outbox.all(SCOPE, incident().incident_id) if "Break-glass" in one.subject]
    assert (told.count(EntryKind.DECISION), len(paged)) == (1, int(break_glass))


@pytest.mark.parametrize("woken", [False, True])
def test_a_door_that_was_cut_off_after_the_first_of_two_approvals_still_calls_the_second_person(
    woken: bool,
) -> None:
    at = Asking(MemoryTable())
    request = request_for(at.acting, plan(), incident(), quorum=2)
    at.approvals.request(request)
    at.approvals.decide(SCOPE, decision_on(request))

    for _ in range(2):
        approve(at.turn(woken=woken))

    called = [one for one in at.outbox.all(SCOPE, incident().incident_id) if "1 more has" in one.subject]
    told = [one for one in at.timeline.entries(SCOPE, incident().incident_id) if "ada approved" in one.text]
    assert (len(called), len(told)) == (1, 1)


def test_nobody_is_called_for_an_approval_that_others_have_completed() -> None:
    at = Asking(MemoryTable())
    request = request_for(at.acting, plan(), incident(), quorum=2)
    at.approvals.request(request)
    for name in ("ada", "grace"):
        at.approvals.decide(SCOPE, decision_on(request, by=APPROVER.model_copy(update={"id": name})))

    approve(at.turn())

    assert [one for one in at.outbox.all(SCOPE, incident().incident_id) if "more" in one.subject] == []


def test_what_is_asked_is_signed_where_it_is_asked() -> None:
    at = Asking(MemoryTable())
    approve(at.turn())
    request = at.approvals.get(SCOPE, incident().incident_id, plan().plan_hash)

    assert request is not None
    assert changed_since_asked(at.acting.signer, request) is None
    fewer = request.model_copy(update={"quorum": request.quorum + 1})
    assert (
        changed_since_asked(at.acting.signer, fewer)
        == "the request for approval was changed after it was asked"
    )
