"""Who is calling in a terminal: the IAM caller that STS names."""

import fnmatch

from graphs.people import behind_arn, person_of
from graphs.settings import AccessSettings, Settings, World
from memory.records.scope import STS, Principal, PrincipalKind, Role


def principal_of_caller(arn: str, settings: Settings) -> Principal:
    """Return the principal of an IAM caller: the roles whose patterns its ARN matches, and who it proves.

    Its id is the whole ARN with the session's name, which the caller chose; see `graphs.people` for who counts.
    """
    access: AccessSettings = settings.access
    patterns = access.iam_simulated if settings.connection.world is World.SIMULATED else access.iam
    roles = tuple(
        role for role in Role if any(fnmatch.fnmatchcase(arn, p) for p in patterns.get(role.value, ()))
    )
    behind = behind_arn(arn, access.named_sessions)
    return Principal(
        kind=PrincipalKind.ROLE,
        id=arn,
        issuer=STS,
        tenant=settings.tenant,
        roles=roles,
        person=person_of(behind, access.people, access.named_sessions),
    )
