"""A request for approval, and the decisions that answer it."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from pydantic import Field

from memory.records.base import Record, UtcTime, canonical_json, digest
from memory.records.plan import PlannedAction, Review
from memory.records.scope import Principal, Role, Scope

NAMED_BY = 8
"""The fewest digits of a plan's hash that name it to people."""

MOST_REASON = 2000
"""How many characters people may give as a reason or a note: it is kept in the state, told, and read by models."""

ONE_PERSON = "1 person"


class ApprovalStatus(StrEnum):
    """Where a request stands."""

    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    """What it was asked for has passed by itself."""


class ApprovalRequest(Record):
    """What people are asked: this plan, against this live state, until then.

    `states` are what the fingerprints are digests of. `quorum` is how many people have to approve. `used` are the
    actions that were claimed on this approval, each once. `blast_percents` and `amounts` are what each action touched
    then. `no_way_back` is what of it could not be taken back, and why. `freeze` is the freeze that held, or nothing.
    `withdrawn` is why nobody is asked any more.
    `signature` is of what is asked, made where it is asked: the table alone proves no quorum and no expiry.
    """

    incident_id: str
    scope: Scope
    plan_hash: str
    actions: tuple[PlannedAction, ...]
    fingerprints: tuple[str, ...]
    proposer: Principal
    role_needed: Role = Role.APPROVER
    requested_at: UtcTime
    expires_at: UtcTime
    status: ApprovalStatus = ApprovalStatus.PENDING
    states: tuple[dict[str, Any], ...] = ()
    quorum: int = Field(default=1, ge=1)
    blast_percents: tuple[int, ...] = ()
    amounts: tuple[int, ...] = ()
    no_way_back: tuple[str, ...] = ()
    freeze: str = ""
    used: tuple[str, ...] = ()
    withdrawn: str = ""
    key_id: str = ""
    signature: str = ""

    @property
    def needed(self) -> str:
        """Say how many people have to approve, and with which role."""
        people = f"{self.quorum} people, each" if self.quorum > 1 else ONE_PERSON
        return f"{people} with the role {self.role_needed.value}"

    def no_way_back_beside(self, reviews: Iterable[Review]) -> tuple[str, ...]:
        """Return what cannot be taken back and was found after the reviews, which tell the rest."""
        told = tuple(one.way_back for one in reviews)
        return tuple(why for why in self.no_way_back if not any(why in one for one in told))

    def freeze_beside(self, reviews: Iterable[Review]) -> str:
        """Return the freeze that began after the reviews, which tell of one that held already."""
        return "" if any(one.freeze for one in reviews) else self.freeze

    @property
    def signed_text(self) -> str:
        """Return what the signature is over: the digest of what is asked, and the key."""
        return canonical_json({"asked": self.sha256, "key_id": self.key_id})

    def is_named(self, plan: str) -> bool:
        """Say whether a plan's hash, or the first digits of one, is of the plan that is asked here."""
        return len(plan) >= NAMED_BY and self.plan_hash.startswith(plan)

    @property
    def sha256(self) -> str:
        """Return the digest of all that is decided on: everything but its signature and where the request stands.

        What has its default is left out, so that a version that adds a field reads the same digest.
        """
        apart = {"status", "used", "withdrawn", "key_id", "signature"}
        return digest(self.model_dump(mode="json", exclude=apart, exclude_defaults=True))


class Decision(Record):
    """Made at the decision door by an authenticated principal, once for each, and signed there.

    `break_glass` stands for all that the quorum would have approved, and for the role; people review it afterwards.
    """

    incident_id: str
    plan_hash: str
    approved: bool
    by: Principal
    reason: str = ""
    decided_at: UtcTime
    door: str
    request_sha256: str = ""
    break_glass: bool = False
    key_id: str = ""
    signature: str = ""

    @property
    def signed_text(self) -> str:
        """Return what the signature is over: all else that the decision says.

        Who decided at a door of an earlier version has no `person`: its text is as it was signed.
        """
        told = self.model_dump(mode="json", exclude={"signature"})
        if self.by.person is None:
            del told["by"]["person"]
        return canonical_json(told)


class GlassReview(Record):
    """Another person has looked at an approval by break-glass, and says what they found."""

    by: Principal
    note: str = Field(min_length=1)
    at: UtcTime


class BrokenGlass(Record):
    """An approval by break-glass, and the review that it waits for."""

    decision: Decision
    review: GlassReview | None = None
