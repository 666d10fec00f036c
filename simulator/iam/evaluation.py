"""Whether a principal may do what it asks for, as AWS documents that it decides.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
An explicit deny anywhere ends it. What the identity's policies allow must also be allowed by its permissions
boundary and its session policy. A resource's own policy that names the principal itself allows by itself.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from simulator.iam.matching import Keys
from simulator.iam.policies import Need, Policy, Statement, UnreadablePolicyError, read_policy


@dataclass(frozen=True)
class Principal:
    """Who asks: its policies as documents, and what conditions may ask of it."""

    arn: str
    access_key: str = ""
    is_root: bool = False
    identity: tuple[str, ...] = ()
    boundary: tuple[str, ...] | None = None
    session: tuple[str, ...] | None = None
    keys: Keys = field(default_factory=dict)

    @property
    def asks_for_tags(self) -> bool:
        """Whether any of the policies speaks of the tags of resources, which are slow to find."""
        documents = (*self.identity, *(self.boundary or ()), *(self.session or ()))
        return any("resourcetag/" in one.lower() for one in documents)


class DeniedError(Exception):
    """A need that is not allowed, with the reason in AWS's words."""

    def __init__(self, principal: Principal, need: Need, because: str) -> None:
        self.need = need
        super().__init__(
            f"User: {principal.arn} is not authorized to perform: {need.action} "
            f"on resource: {need.resource} {because}"
        )


def allow(principal: Principal, need: Need, resource_policy: str | None) -> None:
    """Return where the principal may; raise `DeniedError` where it may not."""
    if principal.is_root:
        return
    keys: Keys = {**principal.keys, **need.keys}
    kinds: list[tuple[str, tuple[str, ...] | None]] = [
        ("an identity-based policy", principal.identity),
        ("a permissions boundary", principal.boundary),
        ("a session policy", principal.session),
    ]
    try:
        read = [(kind, _read(documents)) for kind, documents in kinds if documents is not None]
        own = read_policy(resource_policy) if resource_policy else ()
    except UnreadablePolicyError as error:
        raise DeniedError(principal, need, f"because a policy cannot be read: {error}") from error
    for kind, statements in read:
        if any(not one.allows and one.applies(need, keys) for one in statements):
            raise DeniedError(principal, need, f"with an explicit deny in {kind}")
    if _own(own, need, keys, principal, allowing=False):
        raise DeniedError(principal, need, "with an explicit deny in a resource-based policy")
    if "principal" in _own(own, need, keys, principal, allowing=True):
        return
    for kind, statements in read:
        if not any(one.allows and one.applies(need, keys) for one in statements):
            policy = kind.partition(" ")[2]
            raise DeniedError(principal, need, f"because no {policy} allows the {need.action} action")


def decided(principal: Principal, need: Need, resource_policy: str | None) -> str:
    """What IAM's policy simulator says of a need: allowed, explicitDeny or implicitDeny."""
    try:
        allow(principal, need, resource_policy)
    except DeniedError as error:
        return "explicitDeny" if "explicit deny" in str(error) else "implicitDeny"
    return "allowed"


def trusts(document: str, principal: Principal, need: Need) -> set[str]:
    """The ways in which a role's trust policy lets a principal in; an explicit deny raises."""
    keys: Keys = {**principal.keys, **need.keys}
    try:
        statements = read_policy(document)
    except UnreadablePolicyError as error:
        raise DeniedError(principal, need, f"because the trust policy cannot be read: {error}") from error
    if _own(statements, need, keys, principal, allowing=False):
        raise DeniedError(principal, need, "with an explicit deny in a resource-based policy")
    return _own(statements, need, keys, principal, allowing=True)


def _read(documents: Iterable[str]) -> list[Statement]:
    return [statement for document in documents for statement in read_policy(document)]


def _own(policy: Policy, need: Need, keys: Keys, principal: Principal, *, allowing: bool) -> set[str]:
    return {
        named
        for one in policy
        if one.allows == allowing
        and (named := one.names(principal.arn)) is not None
        and one.applies(need, keys)
    }
