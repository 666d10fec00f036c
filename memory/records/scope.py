"""Who acts, and within which borders."""

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


class Principal(Record):
    """An authenticated caller: a token's subject or an IAM identity."""

    kind: PrincipalKind
    id: str
    issuer: str
    tenant: str = "default"
    roles: tuple[Role, ...] = ()

    def has(self, role: Role) -> bool:
        """Say whether the principal holds a role."""
        return role in self.roles


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
