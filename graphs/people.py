"""Who stands behind a caller: which identities are proven, and which of them are one person.

A quorum of two and the separation of duties mean people. STS tells a door the ARN of a session, and whoever assumes a
role chooses the session's name, so that the role alone is proven:
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_monitor.html

A source identity cannot be changed once it is set, but GetCallerIdentity does not tell it (CloudTrail does). What it
tells is the session's name, and a trust policy can hold that to the source identity or to the IAM user's name, with
`sts:RoleSessionName`; such roles stand under `named_sessions`:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#ck_rolesessionname

IAM Identity Center names the sessions of its roles itself, after the user:
https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html
"""

import fnmatch
import re
from collections.abc import Collection

from pydantic import Field, field_validator

from memory.records.base import Record
from memory.records.scope import Identity

PEOPLE = "people"
"""The directory of those whom settings name."""
_SESSION = re.compile(r"arn:(aws[a-z-]*):sts::(\d{12}):assumed-role/([^/]+)/([^/]+)")
_USER = re.compile(r"arn:aws[a-z-]*:iam::(\d{12}):user/(.+)")
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/(?:.+/)?[^/]+")
_IDENTITY_CENTER = re.compile(r"AWSReservedSSO_.+_[0-9a-f]{16}")
_PATTERN = re.compile(r"arn:aws[a-z-]*:sts::(\*|\d{12}):assumed-role/[\w+=,.@-]+/\*")


class Subject(Record):
    """Whom an issuer's tokens name."""

    issuer: str = Field(min_length=1)
    subject: str = Field(min_length=1)


class Person(Record):
    """One person, and what the doors call them: ARNs that STS tells, roles that are theirs alone, tokens' subjects."""

    name: str = Field(min_length=1)
    arns: tuple[str, ...] = ()
    subjects: tuple[Subject, ...] = ()

    @field_validator("arns")
    @classmethod
    def _are_of_callers(cls, arns: tuple[str, ...]) -> tuple[str, ...]:
        for arn in arns:
            if not any(kind.fullmatch(arn) for kind in (_SESSION, _USER, _ROLE)):
                raise ValueError(f"{arn} is no ARN of an IAM user, a role or an assumed role's session")
        return arns


def checked_patterns(patterns: tuple[str, ...]) -> tuple[str, ...]:
    """Return patterns of roles whose sessions' names are proven; raise `ValueError` for one that may fit others too."""
    for pattern in patterns:
        if not _PATTERN.fullmatch(pattern):
            raise ValueError(f"{pattern} is not of the form arn:aws:sts::ACCOUNT:assumed-role/ROLE/*")
    return patterns


def checked_people(people: tuple[Person, ...], named_sessions: Collection[str]) -> None:
    """Raise `ValueError` where two people share a name or an identity, or a session's name proves nobody."""
    names: set[str] = set()
    owners: dict[Identity, str] = {}
    for person in people:
        if person.name.casefold() in names:
            raise ValueError(f"two of the people are called {person.name}")
        names.add(person.name.casefold())
        for arn in person.arns:
            behind = behind_arn(arn, named_sessions)
            if _SESSION.fullmatch(arn) and not behind.directory:
                raise ValueError(
                    f"{person.name}: the caller chooses the session's name in {arn}; name a role of their own, or add "
                    "the role to named_sessions once its trust policy holds the name against the caller"
                )
            _owned(owners, behind, person.name)
        for one in person.subjects:
            _owned(owners, Identity(directory=one.issuer, name=one.subject), person.name)


def _owned(owners: dict[Identity, str], identity: Identity, name: str) -> None:
    if owners.setdefault(identity, name) != name:
        raise ValueError(f"{identity.name} is {owners[identity]} and {name} at once")


def behind_arn(arn: str, named_sessions: Collection[str]) -> Identity:
    """Return who an ARN of STS proves, before settings are asked whose it is.

    An IAM user is proven within its account, a user of Identity Center by the session's name, and so are sessions of
    the roles that `named_sessions` fit; these are of one directory. Of any other session the role is, and it may be
    anybody who may assume it. Root and federated users may be anybody too.
    """
    if user := _USER.fullmatch(arn):
        return Identity(directory=f"IAM users of {user[1]}", name=user[2].casefold())
    session = _SESSION.fullmatch(arn)
    if session is None:
        role = _ROLE.fullmatch(arn)
        return Identity(directory="", name=_role(arn) if role else arn)
    partition, account, role_name, name = session.groups()
    if _IDENTITY_CENTER.fullmatch(role_name):
        return Identity(directory="IAM Identity Center", name=name.casefold())
    if any(fnmatch.fnmatchcase(arn, pattern) for pattern in named_sessions):
        return Identity(directory="named sessions", name=name.casefold())
    return Identity(directory="", name=f"arn:{partition}:iam::{account}:role/{role_name}")


def _role(arn: str) -> str:
    """Return a role's ARN without its path, which STS does not tell of a session."""
    head, _, rest = arn.partition(":role/")
    return f"{head}:role/{rest.rpartition('/')[2]}"


def person_of(identity: Identity, people: tuple[Person, ...], named_sessions: Collection[str]) -> Identity:
    """Return the person whom settings name for an identity, else the identity itself."""
    for person in people:
        known = {behind_arn(arn, named_sessions) for arn in person.arns}
        known |= {Identity(directory=one.issuer, name=one.subject) for one in person.subjects}
        if identity in known:
            return Identity(directory=PEOPLE, name=person.name)
    return identity
