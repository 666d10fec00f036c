"""Who acts, and within which borders."""

from collections import defaultdict
from collections.abc import Iterable
from enum import StrEnum

from memory.records.base import Record


class PrincipalKind(StrEnum):
    """What kind of caller stands behind a principal."""

    PERSON = "person"
    ROLE = "role"
    COPILOT = "copilot"
    STUDIO = "studio"


class Role(StrEnum):
    """What a principal may do at the doors."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    APPROVER = "approver"
    BREAK_GLASS = "break_glass"


STS = "sts"
"""The issuer of callers that STS names."""


class Identity(Record):
    """A name in a directory that gives each person one of their own; without a directory, the name proves nobody."""

    directory: str
    name: str


class Principal(Record):
    """An authenticated caller: a token's subject or an IAM identity.

    `id` is what the door was told, and stands in the audit. `person` is who that proves, as the door found it by its
    settings: callers choose the name of a session, so the id alone makes nobody another person.
    """

    kind: PrincipalKind
    id: str
    issuer: str
    tenant: str = "default"
    roles: tuple[Role, ...] = ()
    person: Identity | None = None

    def has(self, role: Role) -> bool:
        """Say whether the principal holds a role."""
        return role in self.roles

    @property
    def identity(self) -> Identity:
        """Return who is proven: a token's subject within its issuer, unless the door found out more."""
        return self.person or Identity(directory="" if self.issuer == STS else self.issuer, name=self.id)

    def is_same_as(self, other: "Principal") -> bool:
        """Say whether two callers are one and the same identity."""
        return self.id == other.id or self.identity == other.identity

    def is_surely_another(self, other: "Principal") -> bool:
        """Say whether two callers are two people for certain: two names in one directory; or one is the copilot."""
        if self.is_same_as(other):
            return False
        if PrincipalKind.COPILOT in {self.kind, other.kind}:
            return True
        return bool(self.identity.directory) and self.identity.directory == other.identity.directory


def people_in(principals: Iterable[Principal]) -> int:
    """Return how many different people some callers are at least: those that cannot be told apart count as one."""
    names: defaultdict[str, set[str]] = defaultdict(set)
    for one in principals:
        directory = one.identity.directory
        names[directory].add(one.identity.name if directory else "")
    return max(map(len, names.values()), default=0)


COPILOT = Principal(kind=PrincipalKind.COPILOT, id="cloudops-copilot", issuer="self")


class Scope(Record):
    """The tenant, account and region that a record belongs to."""

    tenant: str = "default"
    partition: str = "aws"
    account: str
    region: str

    @property
    def key(self) -> str:
        """Return the prefix of every key in this scope."""
        return f"{self.tenant}#{self.account}#{self.region}"
