"""Ways to have an action done that nobody authorised: each spoils one thing about an approved plan."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from memory import keys
from memory.records.approval import ApprovalRequest, ApprovalStatus, Decision
from memory.records.config import Autonomy
from memory.records.incident import Incident
from memory.records.outcome import Execution, ExecutionState
from memory.records.plan import Plan, PlannedAction
from memory.records.scope import COPILOT, Identity, Principal, PrincipalKind, Role, Scope
from tests.tools.dials import (
    APPROVER,
    SIGNER,
    WITH_APPROVAL,
    Dials,
    approve,
    around,
    decision_on,
    executor,
    incident,
    plan,
    signed,
)
from tests.tools.memory_table import MemoryTable
from tests.tools.stand_ins import NOW, SCOPE
from tools.policy import Circumstances
from tools.signing import LocalKey, signed_claim, signed_request

MINUTE = timedelta(minutes=1)
OTHER = Principal(kind=PrincipalKind.PERSON, id="grace", issuer="team", roles=(Role.APPROVER,))
PLAN = Plan(actions=(*plan(9).actions, *plan(11, dial="other").actions))
FIRST = f"{PLAN.plan_hash[:12]}-0"


@dataclass
class Stage:
    """A plan that was asked, approved and not yet done, and what an attempt at it will be made with."""

    table: MemoryTable = field(default_factory=MemoryTable)
    dials: Dials = field(default_factory=Dials)
    about: Incident = field(default_factory=incident)
    planned: Plan = PLAN
    index: int = 0
    circumstances: Circumstances = WITH_APPROVAL
    options: dict[str, Any] = field(default_factory=dict)
    sent_before: int = 0
    stored_before: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        approve(executor(self.table, self.dials), self.planned, self.about)

    @property
    def request(self) -> ApprovalRequest:
        return ApprovalRequest.model_validate(self._item(keys.approval).body)

    @property
    def decision(self) -> Decision:
        return Decision.model_validate(self._item(keys.decision).body)

    @property
    def stored(self) -> frozenset[str]:
        """The ids of all actions that something is stored of."""
        return frozenset(
            key.sk.removeprefix("ACTION#") for key in self.table.items if key.sk.startswith("ACTION#")
        )

    def attempt(self) -> Execution:
        self.sent_before, self.stored_before = self.dials.sent, self.stored
        acting = executor(self.table, self.dials, **self.options)
        return acting.execute(self.about, self.planned, self.index, self.circumstances)

    def put_request(self, **update: Any) -> None:
        """Change the stored request, and leave the decision on the one before."""
        changed = self.request.model_copy(update=update)
        self.table.put(keys.approval(*self._at()), changed.model_dump(mode="json"))

    def ask_anew(self, **update: Any) -> None:
        """Ask otherwise from the start, and have the same person decide on that, whatever was forged before."""
        seal = signed_request(SIGNER, self.request.model_copy(update=update))
        self.put_request(**{**update, "key_id": seal.key_id, "signature": seal.signature})
        self.decide_anew()

    def decide_anew(self) -> None:
        """Have the same person decide on what lies there, as the door would sign it."""
        request = self.request
        self.put_decision(
            incident_id=request.incident_id,
            plan_hash=request.plan_hash,
            request_sha256=request.sha256,
            by=APPROVER,
            break_glass=False,
        )

    def put_decision(self, **update: Any) -> None:
        """Change the stored decision, and sign it as the door does."""
        changed = signed(self.decision.model_copy(update=update))
        self.table.put(keys.decision(*self._at()), changed.model_dump(mode="json"))

    def forge_decision(self, **update: Any) -> None:
        """Change the stored decision as somebody does who has the table but no key."""
        changed = self.decision.model_copy(update=update)
        self.table.put(keys.decision(*self._at()), changed.model_dump(mode="json"))

    def add_decision(self, decision: Decision) -> None:
        key = keys.endorsement(*self._at(), f"{decision.by.id}{len(self.table.items)}")
        self.table.put(key, decision.model_dump(mode="json"))

    def put_claim(self, claim: Execution) -> None:
        """Write the account of an action by hand."""
        key = keys.execution(SCOPE, incident().incident_id, claim.action_id)
        self.table.put(key, claim.model_dump(mode="json"))

    def done_and_taken_back(self) -> Execution:
        """Do the first action as it was approved; a person then sets the dial to what it was."""
        done = executor(self.table, self.dials).execute(incident(), PLAN, 0, WITH_APPROVAL)
        assert done.state is ExecutionState.DONE
        self.dials.values["main"] = 7
        return done

    def forget(self, *which: Callable[..., Any]) -> None:
        for key in which:
            self.table.delete(key(*self._at()))

    def _at(self) -> tuple[Scope, str, str]:
        return SCOPE, incident().incident_id, PLAN.plan_hash

    def _item(self, key: Callable[..., Any]) -> Any:
        item = self.table.get(key(*self._at()))
        assert item is not None
        return item


Spoil = Callable[[Stage, random.Random], None]


def elsewhere(at: Stage, rng: random.Random) -> None:
    if rng.random() < 0.5:
        at.circumstances = replace(at.circumstances, account=str(rng.randrange(10**11, 10**12)))
    else:
        at.options["region"] = rng.choice(["eu-west-1", "us-east-2", ""])


def stopped(at: Stage, rng: random.Random) -> None:
    at.options["stopped"] = rng.choice(["the kill switch is on", "the kill switch cannot be read"])


def refused_by_policy(at: Stage, rng: random.Random) -> None:
    at.circumstances = rng.choice(
        [
            around(at.circumstances.severity, Autonomy.OBSERVE),
            around(at.circumstances.severity, kill_switch=True),
        ]
    )


def never_asked(at: Stage, rng: random.Random) -> None:
    at.forget(keys.approval, *([keys.decision] if rng.random() < 0.5 else []))


def asked_elsewhere(at: Stage, rng: random.Random) -> None:
    if rng.random() < 0.5:
        at.ask_anew(incident_id=f"{rng.getrandbits(64):016x}")
    else:
        at.ask_anew(scope=SCOPE.model_copy(update={"account": str(rng.randrange(10**11, 10**12))}))


def asked_about_other_actions(at: Stage, rng: random.Random) -> None:
    others = [
        (rng.choice([1, 8, 10, 50]), 11),
        (11, 9),
        (9,),
        (9, 11, rng.randrange(50)),
    ]
    at.ask_anew(actions=plan(*rng.choice(others)).actions)


def asked_about_another_hash(at: Stage, rng: random.Random) -> None:
    at.ask_anew(plan_hash=f"{rng.getrandbits(256):064x}")


def not_approved_in_the_end(at: Stage, rng: random.Random) -> None:
    at.put_request(status=rng.choice([ApprovalStatus.PENDING, ApprovalStatus.DENIED, ApprovalStatus.EXPIRED]))


def denied_too(at: Stage, rng: random.Random) -> None:
    at.add_decision(decision_on(at.request, approved=False, by=OTHER))


def wider_than_asked(at: Stage, rng: random.Random) -> None:
    """More serves through it by now, for which the settings want more people than approved it."""
    at.options["share"] = rng.randrange(50, 101) / 100
    wanted = rng.randrange(2, 5)
    at.circumstances = replace(at.circumstances, approvers=lambda percent: wanted if percent >= 50 else 1)


def more_than_shown(at: Stage, rng: random.Random) -> None:
    asked = rng.randrange(1, 100)
    at.ask_anew(amounts=(asked, asked))
    at.options["amount"] = 2 * asked + rng.randrange(1, 10_000)


def more_final_than_shown(at: Stage, rng: random.Random) -> None:
    at.dials.stuck = True


def frozen_since(at: Stage, rng: random.Random) -> None:
    why = rng.choice(["the freeze year holds", "the change calendar year is closed"])
    at.circumstances = replace(at.circumstances, freeze=True, freeze_reason=why)


def too_few(at: Stage, rng: random.Random) -> None:
    at.ask_anew(quorum=rng.randrange(2, 5))
    for number in range(rng.randrange(3)):
        # The same person again and again is one person, and so are sessions of one role, or of another.
        role = rng.choice(["cloudops-approver", "cloudops-lead"])
        session = f"arn:aws:sts::{SCOPE.account}:assumed-role/{role}/ada-{number}"
        behind = Identity(directory="", name=f"arn:aws:iam::{SCOPE.account}:role/{role}")
        update = {"kind": PrincipalKind.ROLE, "id": session, "issuer": "sts", "person": behind}
        by = rng.choice([APPROVER, APPROVER.model_copy(update=update)])
        at.add_decision(signed(at.decision.model_copy(update={"by": by})))


def undecided(at: Stage, rng: random.Random) -> None:
    at.forget(keys.decision)


def decided_on_something_else(at: Stage, rng: random.Random) -> None:
    word = f"{rng.getrandbits(64):016x}"
    at.put_decision(**{rng.choice(["request_sha256", "plan_hash", "incident_id"]): word})


def request_changed_since(at: Stage, rng: random.Random) -> None:
    at.put_request(
        **rng.choice(
            [
                {"expires_at": NOW + rng.randrange(31, 10_000) * MINUTE},
                {"requested_at": NOW - rng.randrange(1, 10_000) * MINUTE},
                {"role_needed": Role.VIEWER},
                {"quorum": 1, "states": ({}, {})},
                {"proposer": OTHER},
            ]
        )
    )


def unsigned(at: Stage, rng: random.Random) -> None:
    stranger = LocalKey(rng.randbytes(32))
    foreign = at.decision.model_copy(update={"key_id": stranger.key_id})
    at.forge_decision(
        **rng.choice(
            [
                {"reason": "so be it"},
                {"signature": ""},
                {"signature": f"{rng.getrandbits(256):064x}"},
                {"key_id": "", "signature": ""},
                {"key_id": stranger.key_id, "signature": stranger.sign(foreign.signed_text)},
                {"by": OTHER},
                {"break_glass": True, "by": OTHER.model_copy(update={"roles": (Role.BREAK_GLASS,)})},
            ]
        )
    )


def no_person(at: Stage, rng: random.Random) -> None:
    kind = rng.choice([PrincipalKind.COPILOT, PrincipalKind.STUDIO])
    at.put_decision(by=APPROVER.model_copy(update={"kind": kind}))


def by_its_proposer(at: Stage, rng: random.Random) -> None:
    at.put_decision(by=APPROVER.model_copy(update={"id": COPILOT.id}))


def by_a_stranger(at: Stage, rng: random.Random) -> None:
    at.put_decision(by=APPROVER.model_copy(update={"tenant": rng.choice(["other", "", "Default"])}))


def without_the_role(at: Stage, rng: random.Random) -> None:
    roles = rng.choice([(), (Role.VIEWER,), (Role.VIEWER, Role.OPERATOR), (Role.BREAK_GLASS,)])
    at.put_decision(by=APPROVER.model_copy(update={"roles": roles}))


def glass_without_the_role(at: Stage, rng: random.Random) -> None:
    at.put_decision(break_glass=True, by=APPROVER)


def decided_out_of_time(at: Stage, rng: random.Random) -> None:
    minutes = rng.choice([-rng.randrange(1, 5_000), rng.randrange(30, 5_000)])
    at.put_decision(decided_at=NOW + minutes * MINUTE)


def lapsed(at: Stage, rng: random.Random) -> None:
    at.options["at"] = NOW + rng.randrange(31, 10_000) * MINUTE


def used(at: Stage, rng: random.Random) -> None:
    at.put_request(used=(FIRST,))


def drifted(at: Stage, rng: random.Random) -> None:
    if rng.random() < 0.5:
        at.dials.values["main"] += rng.choice([-6, -1, 1, 30])
    else:
        at.dials.turned_by_others += 1


def bound_to_no_state(at: Stage, rng: random.Random) -> None:
    at.ask_anew(fingerprints=rng.choice([(), ("",), ("f" * 64, "f" * 64)]))


def another_plan(at: Stage, rng: random.Random) -> None:
    value = rng.randrange(50)
    at.planned = rng.choice(
        [
            plan(10, value),
            plan(11, 9),
            plan(9, 11, attempt=rng.randrange(2, 9)),
            plan(9, 11, dial=rng.choice(["other", "none", "Main", ""])),
            plan(9, 11, action=rng.choice(["set_dials", "SET_DIAL", "", "execute"])),
            Plan(
                actions=(
                    PlannedAction(action="set_dial", parameters={"dial": "main", "value": 9, "x": value}),
                )
            ),
        ]
    )


def changed_before_the_decision(at: Stage, rng: random.Random) -> None:
    update = rng.choice(
        [
            {"expires_at": at.request.expires_at + rng.randrange(1, 600) * MINUTE},
            {"requested_at": at.request.requested_at - rng.randrange(1, 600) * MINUTE},
            {"proposer": OTHER},
            {"states": ()},
            {"signature": ""},
            {"key_id": "", "signature": ""},
        ]
    )
    at.put_request(**update)
    at.decide_anew()


# What somebody writes who would have it look better than it is.


def withdrawn_and_put_back(at: Stage, rng: random.Random) -> None:
    executor(at.table, at.dials).approvals.withdraw(at.request, NOW, "it has passed")
    assert at.request.status is ApprovalStatus.WITHDRAWN
    why = rng.choice([at.request.withdrawn, ""])
    at.put_request(status=ApprovalStatus.APPROVED, withdrawn=why)


def done_and_wiped_out(at: Stage, rng: random.Random) -> None:
    done = at.done_and_taken_back()
    at.table.delete(keys.execution(SCOPE, incident().incident_id, done.action_id))
    at.put_request(used=())


def done_and_put_back_to_its_claim(at: Stage, rng: random.Random) -> None:
    done = at.done_and_taken_back()
    state = rng.choice([ExecutionState.CLAIMED, ExecutionState.CALLED])
    began: dict[str, Any] = {"state": state, "done_at": None, "answer": {}, "accepted": False, "detail": ""}
    at.put_claim(done.model_copy(update=began))


def wiped_out_or_put_back(at: Stage, rng: random.Random) -> None:
    rng.choice([done_and_wiped_out, done_and_put_back_to_its_claim])(at, rng)


def claimed_by_hand(at: Stage, rng: random.Random) -> None:
    """A claim that nobody made, over the state that stands, so that it needs no approval to be used."""
    claim = Execution(
        incident_id=incident().incident_id,
        action_id=FIRST,
        action="set_dial",
        parameters={"dial": "main", "value": 9},
        state=rng.choice([ExecutionState.CLAIMED, ExecutionState.CALLED]),
        claimed_at=NOW,
        before={
            "found": True,
            "value": at.dials.values["main"],
            "by_others": at.dials.turned_by_others,
        },
        inverse={"dial": "main", "value": 666},
    )
    stranger = LocalKey(rng.randbytes(32))
    named_ours = signed_claim(stranger, claim).model_copy(update={"key_id": SIGNER.key_id})
    at.put_claim(rng.choice([claim, signed_claim(stranger, claim), named_ours]))


def no_such_step(at: Stage, rng: random.Random) -> None:
    at.index = rng.choice([-2, -1, 2, 3, 10**6])


def another_incident(at: Stage, rng: random.Random) -> None:
    scopes = [
        Scope(tenant="other", account=SCOPE.account, region=SCOPE.region),
        Scope(account="210987654321", region=SCOPE.region),
        Scope(account=SCOPE.account, region="eu-west-1"),
        SCOPE,
    ]
    at.about = incident(rng.choice(scopes), f"{rng.getrandbits(64):016x}")


# What each check of `tools.authority` is there for: the check, what it says, and a spoil that it notices first.
BY_CHECK: tuple[tuple[str, str, Spoil], ...] = (
    ("in_its_account", "not of this account", elsewhere),
    ("not_stopped", "the kill switch", stopped),
    ("as_the_audit_tells", "audit tells", wiped_out_or_put_back),
    ("not_refused_by_policy", "policy refuses", refused_by_policy),
    ("asked_where_needed", "nobody was asked", never_asked),
    ("asked_of_this_incident", "for another incident", asked_elsewhere),
    ("asked_about_this_plan", "not the one that people were asked about", asked_about_other_actions),
    ("approved_in_the_end", "the request for approval is", not_approved_in_the_end),
    ("not_closed_by_the_audit", "does not stand", withdrawn_and_put_back),
    ("denied_by_nobody", "was denied by grace", denied_too),
    ("approved_by_enough", "people approved it", too_few),
    ("approved_by_enough_now", "% when approval was asked", wider_than_asked),
    ("no_more_than_was_shown", "when approval was asked", more_than_shown),
    ("no_more_final_than_was_shown", "was not known when approval was asked", more_final_than_shown),
    ("no_freeze_but_what_was_shown", "that was not so when approval was asked", frozen_since),
    ("decided_on_this_request", "is on another request", decided_on_something_else),
    ("signed_when_asked", "the request for approval", changed_before_the_decision),
    ("signed_at_the_door", "signed", unsigned),
    ("decided_by_people", "may not decide", no_person),
    ("not_by_its_proposer", "proposed the plan", by_its_proposer),
    ("of_this_tenant", "another tenant", by_a_stranger),
    ("with_the_role", "does not hold the role", without_the_role),
    ("decided_in_time", "not made while the request stood", decided_out_of_time),
    ("not_lapsed", "lapsed at", lapsed),
    ("not_used_before", "was used for action", used),
    ("as_it_was_approved", "has changed since", drifted),
)
