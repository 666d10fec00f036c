"""The decision door: who may decide, how many have to, and what a broken glass brings with it."""

import contextlib
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from graphs.callers import principal_of_caller
from graphs.copilot import Records
from graphs.decision import Decided, DecisionRefusedError, NotAllowedError, OtherPlanError, decide
from graphs.glass_review import review_glass
from graphs.people import Person, Subject
from graphs.run_port import LaterRuns, RunPort
from graphs.settings import AccessSettings, World, load
from memory import keys
from memory.records.approval import ApprovalRequest, ApprovalStatus, Decision, GlassReview
from memory.records.audit import Deed
from memory.records.incident import Incident
from memory.records.plan import Plan
from memory.records.scope import COPILOT, Identity, Principal, PrincipalKind, Role
from memory.records.timeline import TimerKind
from memory.stores.approvals import ApprovalStore
from memory.stores.audit import AuditTrail
from memory.stores.leases import IncidentBusyError
from memory.stores.outbox import OutboxStore
from memory.stores.timeline import TimelineStore
from memory.stores.timers import TimerStore
from tests.simulated import ROOT
from tests.tools.dials import (
    APPROVER,
    SIGNER,
    WITH_APPROVAL,
    Dials,
    decision_on,
    executor,
    incident,
    plan,
    request_for,
)
from tests.tools.memory_table import Killed, MemoryTable
from tests.tools.stand_ins import NOW, SCOPE, StillClock
from tools.errors import Misconfigured

SETTINGS = load({"CLOUDOPS_WORLD": "aws", "AWS_REGION": "us-east-1"}, ROOT, World.AWS)
GRACE = APPROVER.model_copy(update={"id": "grace"})
MARY = APPROVER.model_copy(update={"id": "mary", "roles": (Role.BREAK_GLASS,)})


class Runs:
    """A host of runs that only notes who was woken."""

    def __init__(self) -> None:
        self.woken: list[str] = []
        self.raising: BaseException | None = None

    def wake(self, incident_id: str) -> None:
        self.woken.append(incident_id)
        if self.raising is not None:
            raise self.raising


class Door:
    """The door over stores in memory, at which one plan waits."""

    def __init__(self, quorum: int = 1) -> None:
        self.table, self.dials, self.runs = MemoryTable(), Dials(), Runs()
        self.acting = executor(self.table, self.dials)
        self.approvals = ApprovalStore(self.table)
        self.outbox = OutboxStore(self.table, SCOPE.tenant)
        self.timeline = TimelineStore(self.table, StillClock())
        self.approvals.request(request_for(self.acting, plan(), incident(), quorum=quorum))
        self.records = SimpleNamespace(
            incidents=SimpleNamespace(scope_of=lambda _: SCOPE),
            approvals=self.approvals,
            clock=StillClock(),
            signer=SIGNER,
            timeline=self.timeline,
            timers=TimerStore(self.table, SCOPE.tenant),
            outbox=self.outbox,
        )

    def knock(self, by: Principal, *, approved: bool = True, **more: Any) -> Decided:
        records, runs = cast(Records, self.records), cast(RunPort, self.runs)
        given = {"plan": plan().plan_hash, "reason": "seen", "door": "test", **more}
        return decide(records, runs, incident().incident_id, by, approved=approved, **given)

    @property
    def status(self) -> ApprovalStatus:
        found = self.approvals.get(SCOPE, incident().incident_id, plan().plan_hash)
        assert found is not None
        return found.status


def test_what_the_door_takes_the_executor_believes() -> None:
    at = Door()

    decided = at.knock(APPROVER)
    done = at.acting.execute(incident(), plan(), 0, WITH_APPROVAL)

    assert decided.woken and decided.missing == 0 and at.runs.woken
    assert (done.state.value, done.approved_by) == ("done", ("ada",))


def test_an_answer_to_one_plan_is_no_answer_to_the_next() -> None:
    at, first, second = Door(), plan(), plan(40, attempt=2)
    at.knock(GRACE)
    at.approvals.request(request_for(at.acting, second, incident()))

    with pytest.raises(OtherPlanError, match=f"plan {second.plan_hash} is asked now: set_dial"):
        at.knock(APPROVER, plan=first.plan_hash)
    assert at.approvals.decisions(SCOPE, incident().incident_id, second.plan_hash) == ()
    assert at.knock(APPROVER, plan=second.plan_hash[:8]).decision.plan_hash == second.plan_hash


def test_a_late_answer_leaves_the_wake_of_the_decision_that_stands() -> None:
    at = Door()
    seen = at.approvals.get(SCOPE, incident().incident_id, plan().plan_hash)
    at.runs.raising = IncidentBusyError("another run holds it")
    assert at.knock(GRACE).held_up == "another run holds the incident and goes on with it"

    with pytest.raises(DecisionRefusedError):
        at.knock(APPROVER, seen=seen)

    due = at.records.timers.get(SCOPE, incident().incident_id, TimerKind.CADENCE)
    assert due is not None and due.wake_at <= NOW


def test_an_answer_to_a_plan_that_was_replaced_meanwhile_names_the_one_that_is_asked() -> None:
    at, second = Door(), plan(40, attempt=2)
    seen = at.approvals.get(SCOPE, incident().incident_id, plan().plan_hash)
    assert seen is not None
    at.approvals.withdraw(seen, NOW, "it passed by itself")
    at.approvals.request(request_for(at.acting, second, incident()))

    with pytest.raises(OtherPlanError, match=f"plan {second.plan_hash} is asked now: set_dial"):
        at.knock(APPROVER, seen=seen)


@pytest.mark.parametrize(
    "error", [Misconfigured("no key"), ImportError("no graph"), PermissionError(13, "no")]
)
def test_a_host_that_cannot_be_opened_holds_up_a_decision_that_stands(error: Exception) -> None:
    at = Door()

    def opened() -> RunPort:
        raise error

    at.runs = cast(Any, LaterRuns(opened))
    decided = at.knock(APPROVER)

    assert decided.held_up == (
        f"the next sweep lets the incident go on, since the runs cannot be opened: {error}"
    )
    assert at.status is ApprovalStatus.APPROVED


def test_a_request_that_was_closed_after_it_was_seen_takes_no_decision() -> None:
    at = Door()
    seen = at.approvals.get(SCOPE, incident().incident_id, plan().plan_hash)
    at.knock(GRACE)

    with pytest.raises(DecisionRefusedError, match="the last request is approved"):
        at.knock(APPROVER, seen=seen)
    made = at.approvals.decisions(SCOPE, incident().incident_id, plan().plan_hash)
    assert [one.by.id for one in made] == ["grace"]


@pytest.mark.parametrize("approved", [True, False])
def test_nobody_decides_once_the_time_is_up(approved: bool) -> None:
    at = Door()
    at.records.clock = StillClock(NOW + timedelta(minutes=30))

    with pytest.raises(DecisionRefusedError, match="the request expired at"):
        at.knock(APPROVER, approved=approved)
    assert at.status is ApprovalStatus.PENDING and at.runs.woken == []


@pytest.mark.parametrize("named", ["", plan().plan_hash[:7], plan().plan_hash + "0", "g" * 64])
def test_a_decision_names_the_plan_that_was_seen(named: str) -> None:
    at = Door()

    with pytest.raises(OtherPlanError):
        at.knock(APPROVER, plan=named)
    assert at.status is ApprovalStatus.PENDING and at.runs.woken == []


@pytest.mark.parametrize(
    ("by", "error"),
    [
        (APPROVER.model_copy(update={"roles": (Role.VIEWER, Role.OPERATOR)}), NotAllowedError),
        (APPROVER.model_copy(update={"roles": (Role.BREAK_GLASS,)}), NotAllowedError),
        (APPROVER.model_copy(update={"tenant": "other"}), NotAllowedError),
        (APPROVER.model_copy(update={"kind": PrincipalKind.STUDIO}), NotAllowedError),
        (COPILOT.model_copy(update={"roles": (Role.APPROVER,)}), NotAllowedError),
        (APPROVER.model_copy(update={"id": COPILOT.id}), NotAllowedError),
    ],
)
def test_who_may_not_decide_leaves_nothing_behind(by: Principal, error: type[Exception]) -> None:
    at = Door()

    with pytest.raises(error):
        at.knock(by)

    assert at.status is ApprovalStatus.PENDING and at.runs.woken == []
    assert at.approvals.decisions(SCOPE, incident().incident_id, plan().plan_hash) == ()


@pytest.mark.parametrize(
    "raising", [Killed(), ConnectionError("the host of the runs does not answer"), IncidentBusyError("held")]
)
def test_a_decision_whose_run_could_not_be_woken_is_found_by_the_next_sweep(raising: BaseException) -> None:
    at = Door()
    at.runs.raising = raising

    with contextlib.suppress(Killed, ConnectionError):
        at.knock(APPROVER)

    assert at.status is ApprovalStatus.APPROVED
    assert [incident_id for incident_id, _ in at.records.timers.due(NOW)] == [incident().incident_id]


def test_a_decision_whose_run_was_woken_leaves_no_timer() -> None:
    at = Door()

    assert at.knock(APPROVER).woken
    assert list(at.records.timers.due(NOW)) == []


def test_nobody_is_woken_before_the_last_of_the_quorum() -> None:
    at = Door(quorum=2)

    first = at.knock(APPROVER)
    with pytest.raises(DecisionRefusedError, match="ada has decided already"):
        at.knock(APPROVER)
    assert (first.missing, at.status, at.runs.woken) == (1, ApprovalStatus.PENDING, [])
    assert [one.plan_hash for one in at.approvals.pending(SCOPE.tenant)] == [plan().plan_hash]
    second = at.knock(GRACE)

    assert (second.missing, at.status) == (0, ApprovalStatus.APPROVED) and at.runs.woken
    told = [entry.text for entry in at.timeline.entries(SCOPE, incident().incident_id)]
    assert told == ["ada approved the plan; 1 more has to approve it", "grace approved the plan"]
    with pytest.raises(DecisionRefusedError, match="nothing waits"):
        at.knock(MARY, break_glass=True)


def caller(arn: str, *roles: Role, **access: Any) -> Principal:
    """A caller as STS names it, at a door whose settings say who is who."""
    found = principal_of_caller(arn, SETTINGS.model_copy(update={"access": AccessSettings(**access)}))
    return found.model_copy(update={"roles": roles or (Role.APPROVER,)})


def session(role: str, name: str) -> str:
    return f"arn:aws:sts::111122223333:assumed-role/{role}/{name}"


def test_one_person_under_two_session_names_is_no_quorum_of_two() -> None:
    at = Door(quorum=2)
    first, second = (caller(session("cloudops-approver", name)) for name in ("ada", "ada-2"))

    assert at.knock(first).missing == 1
    with pytest.raises(DecisionRefusedError, match=r"ada-2 has decided already, as .*/ada; another person"):
        at.knock(second)
    assert at.status is ApprovalStatus.PENDING
    assert at.acting.execute(incident(), plan(), 0, WITH_APPROVAL).state.value == "refused"


def test_who_cannot_be_told_apart_adds_nobody_and_is_told_why() -> None:
    at = Door(quorum=2)
    user = caller("arn:aws:iam::111122223333:user/ada")

    assert at.knock(user).told == "1 more has to approve it, another person"
    through_http = at.knock(APPROVER)

    assert (through_http.missing, through_http.woken, at.status) == (1, False, ApprovalStatus.PENDING)
    assert f"ada cannot be told apart from {user.id}" in through_http.told and "people" in through_http.told
    assert at.knock(GRACE).missing == 0
    assert at.acting.execute(incident(), plan(), 0, WITH_APPROVAL).state.value == "done"


def test_two_people_whom_settings_name_are_a_quorum_through_two_doors() -> None:
    at = Door(quorum=2)
    people = (
        Person(name="ada", arns=("arn:aws:iam::111122223333:role/ada",)),
        Person(name="grace", subjects=(Subject(issuer=GRACE.issuer, subject="grace"),)),
    )
    grace = GRACE.model_copy(update={"person": Identity(directory="people", name="grace")})

    assert at.knock(caller(session("ada", "x"), people=people)).missing == 1
    assert at.knock(grace).missing == 0
    assert at.acting.execute(incident(), plan(), 0, WITH_APPROVAL).state.value == "done"


def test_whoever_approved_may_still_deny() -> None:
    at = Door(quorum=2)
    at.knock(APPROVER)

    at.knock(APPROVER, approved=False)

    assert at.status is ApprovalStatus.DENIED
    told = [entry.text for entry in at.timeline.entries(SCOPE, incident().incident_id)]
    assert told[-1] == "ada denied the plan"
    assert at.acting.execute(incident(), plan(), 0, WITH_APPROVAL).state.value == "refused"


def test_a_broken_glass_is_not_reviewed_by_whom_nobody_can_tell_apart() -> None:
    at = Door(quorum=3)
    records: Any = at.records
    at.knock(
        caller(session("cloudops-break-glass", "ada"), Role.BREAK_GLASS), break_glass=True, reason="down"
    )
    for by in (session("cloudops-break-glass", "bob"), session("cloudops-approver", "ada")):
        with pytest.raises(NotAllowedError, match="another person"):
            review_glass(records, incident().incident_id, caller(by), "fine")
    with pytest.raises(NotAllowedError, match=r"cannot be told apart .*access\.toml"):
        review_glass(records, incident().incident_id, GRACE, "fine")


def test_a_broken_glass_is_reviewed_by_another_user_of_identity_center() -> None:
    at = Door(quorum=3)
    records: Any = at.records
    glass, lead = (f"AWSReservedSSO_{name}_0123456789abcdef" for name in ("Glass", "Lead"))
    at.knock(caller(session(glass, "ada@example.com"), Role.BREAK_GLASS), break_glass=True, reason="down")

    with pytest.raises(NotAllowedError, match=r"/Ada@.* broke the glass, as .*/ada@"):
        review_glass(records, incident().incident_id, caller(session(lead, "Ada@example.com")), "fine")
    assert review_glass(records, incident().incident_id, caller(session(lead, "bob@example.com")), "fine")


def test_whoever_approved_may_break_the_glass_when_nobody_else_comes() -> None:
    at, alone = Door(quorum=2), APPROVER.model_copy(update={"roles": (Role.APPROVER, Role.BREAK_GLASS)})
    assert at.knock(alone).missing == 1

    assert at.knock(alone, break_glass=True, reason="nobody else answers").missing == 0

    told = [entry.text for entry in at.timeline.entries(SCOPE, incident().incident_id)]
    assert told == ["ada approved the plan; 1 more has to approve it", "ada approved the plan by break-glass"]
    assert [one.decision.by.id for one in at.approvals.break_glass(SCOPE.tenant)] == ["ada"]
    done = at.acting.execute(incident(), plan(), 0, WITH_APPROVAL)
    assert (done.state.value, done.approved_by) == ("done", ("ada",))


def test_an_approval_that_leaves_somebody_missing_pages_that_another_person_is_needed() -> None:
    at = Door(quorum=3)

    for by in (APPROVER, GRACE, APPROVER.model_copy(update={"id": "joan"})):
        at.knock(by)

    second, first = sorted((read() for _, read in at.outbox.waiting()), key=lambda one: one.subject)
    assert first.subject.endswith("2 more have to approve it") and "ada approved" in first.body
    assert second.subject.endswith("1 more has to approve it") and "grace approved" in second.body
    asked = f"as another person: cloudops approve {incident().incident_id[:8]} --plan {plan().plan_hash[:12]}"
    assert all(asked in one.body and "set_dial" in one.body for one in (first, second))


def test_a_denial_pages_nobody_to_approve() -> None:
    at = Door(quorum=2)

    at.knock(APPROVER, approved=False)

    assert list(at.outbox.waiting()) == []


def test_a_door_whose_clock_is_behind_takes_no_decision_that_nobody_could_act_on() -> None:
    at = Door()
    at.records.clock = StillClock(NOW - timedelta(seconds=20))

    with pytest.raises(DecisionRefusedError, match="set the clock, and decide again"):
        at.knock(APPROVER)
    assert at.status is ApprovalStatus.PENDING
    at.records.clock = StillClock(NOW)
    assert at.knock(APPROVER).woken
    assert at.acting.execute(incident(), plan(), 0, WITH_APPROVAL).state.value == "done"


@pytest.mark.parametrize("approved", [True, False])
def test_a_reason_that_would_fill_the_state_and_every_prompt_is_refused(approved: bool) -> None:
    at = Door()

    with pytest.raises(DecisionRefusedError, match="at most 2000 characters, and this has 2001"):
        at.knock(APPROVER, approved=approved, reason="x" * 2001)
    assert at.status is ApprovalStatus.PENDING
    assert at.knock(APPROVER, approved=approved, reason="x" * 2000).woken


def test_a_page_of_a_broken_glass_tells_its_reason_in_one_line() -> None:
    at = Door(quorum=2)
    at.knock(MARY, break_glass=True, reason="down\nReview it, as another person: nothing to review")

    ((_, read),) = at.outbox.waiting()
    assert len(read().body.splitlines()) == 2


def test_a_note_of_a_review_has_the_same_limit() -> None:
    at = Door(quorum=2)
    records: Any = at.records
    at.knock(MARY, break_glass=True, reason="down")

    with pytest.raises(DecisionRefusedError, match="at most 2000 characters"):
        review_glass(records, incident().incident_id, GRACE, "x" * 2001)


def test_break_glass_needs_its_role_and_a_reason() -> None:
    at = Door(quorum=2)

    with pytest.raises(NotAllowedError, match="break_glass"):
        at.knock(APPROVER, break_glass=True)
    for refused in ({"reason": " "}, {"approved": False}):
        with pytest.raises(DecisionRefusedError, match="reason"):
            at.knock(MARY, break_glass=True, **refused)
    assert at.status is ApprovalStatus.PENDING


def test_break_glass_pages_people_and_is_listed_for_review() -> None:
    at = Door(quorum=3)

    at.knock(MARY, break_glass=True, reason="the shop is down")

    assert at.status is ApprovalStatus.APPROVED
    ((_, read),) = at.outbox.waiting()
    page = read()
    assert "Break-glass" in page.subject and "the shop is down" in page.body
    (listed,) = at.approvals.break_glass(SCOPE.tenant)
    made = listed.decision
    assert (made.by.id, made.reason, made.break_glass) == ("mary", "the shop is down", True)
    assert listed.review is None


def test_a_broken_glass_is_reviewed_once_by_another_person_and_the_audit_holds_it() -> None:
    at, incident_id = Door(quorum=3), incident().incident_id
    at.knock(MARY, break_glass=True, reason="the shop is down")
    records: Any = at.records

    (reviewed,) = review_glass(records, incident_id, APPROVER, "right, and the runbook now says so")

    assert at.approvals.break_glass(SCOPE.tenant) == (reviewed,)
    assert reviewed.review is not None
    assert (reviewed.review.by, reviewed.decision.by) == (APPROVER, MARY)
    last = list(AuditTrail(at.table).read(keys.incident(SCOPE, incident_id).pk).links())[-1]
    assert last.entry.deed is Deed.REVIEWED and last.payload is not None
    assert (last.payload.who, last.payload.why) == ("ada", "right, and the runbook now says so")
    with pytest.raises(DecisionRefusedError, match="reviewed before"):
        review_glass(records, incident_id, GRACE, "again")


@pytest.mark.parametrize(
    ("by", "note", "why"),
    [
        (MARY.model_copy(update={"roles": (Role.APPROVER,)}), "fine", "another person"),
        (GRACE.model_copy(update={"roles": (Role.OPERATOR,)}), "fine", "role approver"),
        (GRACE.model_copy(update={"tenant": "other"}), "fine", "another tenant"),
        (COPILOT.model_copy(update={"roles": (Role.APPROVER,)}), "fine", "no person"),
        (GRACE, "  ", "needs a note"),
    ],
)
def test_a_review_is_refused_to_whom_it_is_not_for(by: Principal, note: str, why: str) -> None:
    at = Door(quorum=3)
    at.knock(MARY, break_glass=True, reason="the shop is down")
    records: Any = at.records

    with pytest.raises(DecisionRefusedError, match=why):
        review_glass(records, incident().incident_id, by, note)

    assert [one.review for one in at.approvals.break_glass(SCOPE.tenant)] == [None]


def test_a_review_is_of_what_waits_in_its_own_incident() -> None:
    at, elsewhere = Door(quorum=3), incident(incident_id="another")
    records: Any = at.records

    def broken(planned: Plan, about: Incident, minute: int) -> Decision:
        asked = at.approvals.request(request_for(at.acting, planned, about, quorum=3))
        made = decision_on(asked, by=MARY, break_glass=True, at=NOW + timedelta(minutes=minute))
        at.approvals.decide(SCOPE, made)
        return made

    first, other = broken(plan(), incident(), 0), broken(plan(30), elsewhere, 1)
    reviewed = review_glass(records, incident().incident_id, APPROVER, "fine")
    second = broken(plan(31, attempt=2), incident(), 2)
    then = review_glass(records, incident().incident_id, GRACE, "fine again")

    assert [one.decision for one in (*reviewed, *then)] == [first, second]
    listed = at.approvals.break_glass(SCOPE.tenant)
    assert [one.decision for one in listed if one.review is None] == [other]


def test_without_a_broken_glass_there_is_nothing_to_review() -> None:
    records: Any = Door().records
    with pytest.raises(DecisionRefusedError, match="nothing in it"):
        review_glass(records, incident().incident_id, GRACE, "fine")


def test_what_waits_for_review_is_listed_before_what_was_reviewed() -> None:
    table = MemoryTable()
    approvals, review = ApprovalStore(table), GlassReview(by=GRACE, note="fine", at=NOW)
    for minute in range(3):
        asked = request_for(executor(table, Dials()), plan(minute), incident())
        approvals.request(asked)
        decision = decision_on(asked, by=MARY, break_glass=True, at=NOW + timedelta(minutes=minute))
        approvals.decide(SCOPE, decision)
    oldest = approvals.break_glass(SCOPE.tenant)[0].decision

    approvals.review(SCOPE, oldest, review)

    listed = approvals.break_glass(SCOPE.tenant)
    assert [one.review is None for one in listed] == [True, True, False]
    assert listed[2].decision == oldest


@pytest.mark.parametrize(
    "update",
    [
        {"quorum": 1},
        {"expires_at": NOW + timedelta(days=9)},
        {"proposer": GRACE},
        {"fingerprints": ("f" * 64,)},
        {"quorum": 1, "key_id": "", "signature": ""},
    ],
)
def test_a_request_that_was_changed_in_the_table_is_not_approved_but_may_be_denied(
    update: dict[str, Any],
) -> None:
    at = Door(quorum=3)
    key = keys.approval(SCOPE, incident().incident_id, plan().plan_hash)
    standing = at.table.get(key)
    assert standing is not None
    request = ApprovalRequest.model_validate(standing.body).model_copy(update=update)
    at.table.put(key, request.model_dump(mode="json"))

    with pytest.raises(DecisionRefusedError, match="the request for approval"):
        at.knock(APPROVER)
    assert at.approvals.decisions(SCOPE, incident().incident_id, plan().plan_hash) == ()
    at.knock(APPROVER, approved=False)
    assert at.status is ApprovalStatus.DENIED
