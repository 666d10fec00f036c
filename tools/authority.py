"""Whether the stored records let an action be done now. The graph's state is never asked.

One check is one function, and `CHECKS` is all of them in order. Each says why not, or nothing; the first that says
why not is the answer. `python -m evals.mutations` takes them away one at a time and shows which test notices.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from botocore.exceptions import BotoCoreError, ClientError

from memory.audit_told import Told
from memory.records.approval import ApprovalRequest, ApprovalStatus, Decision
from memory.records.base import canonical_json
from memory.records.incident import Incident
from memory.records.outcome import Execution
from memory.records.plan import Plan, Review, Ruling
from memory.records.scope import PrincipalKind, Role, people_in
from tools.actions.base import BlastRadius, State, differences
from tools.signing import Signer, changed_since_claimed

GRACE = timedelta(minutes=10)
"""How long a decision made in time stays good when the action starts after the request expired."""

MOST_GROWTH = 2
"""How many times as many things an action may move as when people were asked; how many there are changes by itself."""


@dataclass(frozen=True)
class Attempt:
    """One action that is about to be done, and all that the checks look at, read just now.

    `quorum` is how many people have to approve what it touches now. `reaches` is the account and region that the access
    really is of. `stopped` says why nothing may be written.
    `standing` is the claim of an attempt before that was cut off. `told` is what the incident's audit tells.
    """

    incident: Incident
    plan: Plan
    index: int
    action_id: str
    fingerprint: str
    bound: State
    blast: BlastRadius
    no_way_back: tuple[str, ...]
    quorum: int
    review: Review
    request: ApprovalRequest | None
    decisions: tuple[Decision, ...]
    signer: Signer
    stopped: str | None
    reaches: tuple[str, str]
    now: datetime
    told: Told
    standing: Execution | None = None

    @property
    def approved_by(self) -> tuple[str, ...]:
        """Name who approved it, each once."""
        return tuple(dict.fromkeys(one.by.id for one in self.decisions if one.approved))


Check = Callable[[Attempt], str | None]


def doubt(signer: Signer, told: Told, *claims: Execution) -> str | None:
    """Return why stored claims are not to be gone on with, or None: not ours, changed, or told otherwise by the audit.

    Raises botocore's errors when the key cannot be asked.
    """
    doubts = (changed_since_claimed(signer, one) or told.against(one.action_id, one) for one in claims)
    return next((why for why in doubts if why is not None), None)


def objection(attempt: Attempt) -> str | None:
    """Return why an action may not be done now, or None.

    An approval that policy does not need may be missing; one that was asked must have been given, whatever
    policy says now.
    """
    for check in CHECKS:
        why_not = check(attempt)
        if why_not is not None:
            return why_not
    if attempt.request is None:
        return None
    return next(
        (why for check in OF_AN_APPROVAL if (why := check(attempt, attempt.request)) is not None), None
    )


# What every action is held against.


def in_its_account(attempt: Attempt) -> str | None:
    """Refuse an incident whose account or region is not the one that the access reaches."""
    scope = attempt.incident.scope
    if (scope.account, scope.region) == attempt.reaches:
        return None
    return f"the incident is of {scope.account} in {scope.region}, not of this account"


def not_stopped(attempt: Attempt) -> str | None:
    """Refuse while the kill switch is on."""
    return attempt.stopped


def not_refused_by_policy(attempt: Attempt) -> str | None:
    """Refuse what policy refuses, whoever approved it; say what has changed since, if something has."""
    if attempt.review.ruling is not Ruling.REFUSE:
        return None
    said = f"policy refuses: {'; '.join(attempt.review.reasons)}"
    drift = as_it_was_approved(attempt, attempt.request) if attempt.request is not None else None
    return f"{said}; {drift}" if drift else said


def asked_where_needed(attempt: Attempt) -> str | None:
    """Refuse what needs a person when nobody was asked."""
    if attempt.request is None and attempt.review.ruling is not Ruling.PERMIT:
        return "nobody was asked to approve this plan"
    return None


def as_the_audit_tells(attempt: Attempt) -> str | None:
    """Refuse what the audit tells of already, and a claim of which it tells otherwise."""
    return attempt.told.against(attempt.action_id, attempt.standing)


# What an approval is held against, once one was asked.


def asked_of_this_incident(attempt: Attempt, request: ApprovalRequest) -> str | None:
    """Refuse an approval that was asked in another incident."""
    here = (attempt.incident.incident_id, attempt.incident.scope)
    return None if (request.incident_id, request.scope) == here else "the approval is for another incident"


def asked_about_this_plan(attempt: Attempt, request: ApprovalRequest) -> str | None:
    """Refuse a plan of other actions, parameters or order than people were asked about; say what differs."""
    asked = [[act.action, act.parameters] for act in request.actions]
    planned = [[act.action, act.parameters] for act in attempt.plan.actions]
    if request.plan_hash == attempt.plan.plan_hash and canonical_json(asked) == canonical_json(planned):
        return None
    said = f"asked {canonical_json(asked)}, planned {canonical_json(planned)}"
    return f"the plan is not the one that people were asked about: {said}"


def approved_in_the_end(attempt: Attempt, request: ApprovalRequest) -> str | None:
    """Refuse a request that waits, was denied or expired."""
    if request.status is ApprovalStatus.APPROVED:
        return None
    return f"the request for approval is {request.status.value}"


def not_closed_by_the_audit(attempt: Attempt, request: ApprovalRequest) -> str | None:
    """Refuse a request that was withdrawn or expired by the audit, or of which it does not tell."""
    why_not = attempt.told.against_request(request)
    return f"the request for approval does not stand: {why_not}" if why_not else None


def denied_by_nobody(attempt: Attempt, request: ApprovalRequest) -> str | None:
    """Refuse what anybody denied."""
    by = next((one.by.id for one in attempt.decisions if not one.approved), None)
    return f"the plan was denied by {by}" if by else None


def approved_by_enough(attempt: Attempt, request: ApprovalRequest) -> str | None:
    """Refuse fewer different people than the quorum; a break-glass decision stands for all of them.

    Who cannot be told apart counts as one.
    """
    count = people_in(one.by for one in attempt.decisions if one.approved)
    if count >= request.quorum or any(one.approved and one.break_glass for one in attempt.decisions):
        return None
    return f"{count} of {request.quorum} people approved it"


def approved_by_enough_now(attempt: Attempt, request: ApprovalRequest) -> str | None:
    """Refuse what touches so much by now that more people have to approve it; a broken glass stands for all."""
    count = people_in(one.by for one in attempt.decisions if one.approved)
    if count >= attempt.quorum or any(one.approved and one.break_glass for one in attempt.decisions):
        return None
    asked = request.blast_percents[attempt.index : attempt.index + 1]
    was = f", and {asked[0]} % when approval was asked" if asked else ""
    now = f"it touches {attempt.blast.percent} % now{was}"
    return f"{now}: {attempt.quorum} people have to approve that, and {count} approved it"


def no_more_than_was_shown(attempt: Attempt, request: ApprovalRequest) -> str | None:
    """Refuse what moves far more things by now than people were shown."""
    asked = request.amounts[attempt.index : attempt.index + 1]
    if not asked or attempt.blast.amount <= MOST_GROWTH * asked[0]:
        return None
    return f"it moves {attempt.blast.amount} now, and {asked[0]} when approval was asked"


def no_more_final_than_was_shown(attempt: Attempt, request: ApprovalRequest) -> str | None:
    """Refuse what cannot be taken back by now for a reason that people were not told."""
    new = [why for why in attempt.no_way_back if why not in request.no_way_back]
    return f"{new[0]}; that was not known when approval was asked" if new else None


def no_freeze_but_what_was_shown(attempt: Attempt, request: ApprovalRequest) -> str | None:
    """Refuse under a freeze when none held as people were asked."""
    frozen = attempt.review.freeze if not request.freeze else ""
    return f"{frozen}; that was not so when approval was asked" if frozen else None


def decided_on_this_request(attempt: Attempt, request: ApprovalRequest) -> str | None:
    """Refuse a decision on anything but this request, to the last field."""
    for one in attempt.decisions:
        if (one.incident_id, one.plan_hash, one.request_sha256) != (
            request.incident_id,
            request.plan_hash,
            request.sha256,
        ):
            return f"the decision of {one.by.id} is on another request"
    return None


def signed_when_asked(attempt: Attempt, request: ApprovalRequest) -> str | None:
    """Refuse a request that was not signed where it was asked, or that was changed since, to the last field."""
    return changed_since_asked(attempt.signer, request)


def changed_since_asked(signer: Signer, request: ApprovalRequest) -> str | None:
    """Return why a request is not the one that was asked, or None."""
    if request.key_id != signer.key_id:
        return (
            f"the request for approval is signed with the key {request.key_id or 'of nobody'}, not with ours"
        )
    try:
        is_ours = signer.knows(request.signed_text, request.signature)
    except (ClientError, BotoCoreError) as error:
        return f"the signature of the request cannot be checked: {error}"
    return None if is_ours else "the request for approval was changed after it was asked"


def signed_at_the_door(attempt: Attempt, request: ApprovalRequest) -> str | None:
    """Refuse a decision that the decision door did not sign, or that was changed since."""
    for one in attempt.decisions:
        if one.key_id != attempt.signer.key_id:
            return f"the decision of {one.by.id} is signed with the key {one.key_id or 'of nobody'}, not with ours"
        try:
            is_ours = attempt.signer.knows(one.signed_text, one.signature)
        except (ClientError, BotoCoreError) as error:
            return f"the signature of a decision cannot be checked: {error}"
        if not is_ours:
            return f"the decision of {one.by.id} was changed after it was signed"
    return None


def decided_by_people(attempt: Attempt, request: ApprovalRequest) -> str | None:
    """Refuse a decision by the copilot or by a debugging session."""
    kinds = {PrincipalKind.PERSON, PrincipalKind.ROLE}
    by = next((one.by.id for one in attempt.decisions if one.by.kind not in kinds), None)
    return f"{by} may not decide" if by else None


def not_by_its_proposer(attempt: Attempt, request: ApprovalRequest) -> str | None:
    """Refuse a decision by who proposed the plan, or cannot be told apart from them."""
    proposer = request.proposer
    by = next((one.by.id for one in attempt.decisions if not one.by.is_surely_another(proposer)), None)
    return f"{by} proposed the plan and may not approve it" if by else None


def of_this_tenant(attempt: Attempt, request: ApprovalRequest) -> str | None:
    """Refuse a decision by a stranger."""
    by = next((one.by.id for one in attempt.decisions if one.by.tenant != request.scope.tenant), None)
    return f"{by} belongs to another tenant" if by else None


def with_the_role(attempt: Attempt, request: ApprovalRequest) -> str | None:
    """Refuse a decision by who does not hold the role for it."""
    for one in attempt.decisions:
        needed = Role.BREAK_GLASS if one.break_glass else request.role_needed
        if not one.by.has(needed):
            return f"{one.by.id} does not hold the role {needed.value}"
    return None


def decided_in_time(attempt: Attempt, request: ApprovalRequest) -> str | None:
    """Refuse a decision made before the request or after its end."""
    for one in attempt.decisions:
        if not request.requested_at <= one.decided_at < request.expires_at:
            return "the decision was not made while the request stood"
    return None


def not_lapsed(attempt: Attempt, request: ApprovalRequest) -> str | None:
    """Refuse an approval that is too old to be acted on."""
    decided = max((one.decided_at for one in attempt.decisions), default=request.requested_at)
    until = max(request.expires_at, decided + GRACE)
    if attempt.now < request.expires_at or attempt.now <= decided + GRACE:
        return None
    return f"the approval lapsed at {until:%H:%M:%S} UTC"


def not_used_before(attempt: Attempt, request: ApprovalRequest) -> str | None:
    """Refuse a second use for the same action."""
    if attempt.standing is not None or attempt.action_id not in request.used:
        return None
    return f"the approval was used for action {attempt.action_id} already"


def as_it_was_approved(attempt: Attempt, request: ApprovalRequest) -> str | None:
    """Refuse a target that is no longer as it was when people were asked."""
    index, prints = attempt.index, request.fingerprints
    if not 0 <= index < len(prints) or not attempt.fingerprint:
        return "the approval does not say which state it was given for"
    if prints[index] == attempt.fingerprint:
        return None
    said = "the target has changed since it was looked at for approval"
    if index >= len(request.states):
        return said
    return f"{said}: {'; '.join(differences(request.states[index], attempt.bound))}"


CHECKS: tuple[Check, ...] = (
    in_its_account,
    not_stopped,
    as_the_audit_tells,
    not_refused_by_policy,
    asked_where_needed,
)

OF_AN_APPROVAL: tuple[Callable[[Attempt, ApprovalRequest], str | None], ...] = (
    asked_of_this_incident,
    asked_about_this_plan,
    approved_in_the_end,
    not_closed_by_the_audit,
    denied_by_nobody,
    approved_by_enough,
    approved_by_enough_now,
    no_more_than_was_shown,
    no_more_final_than_was_shown,
    no_freeze_but_what_was_shown,
    decided_on_this_request,
    signed_when_asked,
    signed_at_the_door,
    decided_by_people,
    not_by_its_proposer,
    of_this_tenant,
    with_the_role,
    decided_in_time,
    not_lapsed,
    not_used_before,
    as_it_was_approved,
)
