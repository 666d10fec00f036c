"""Who is calling in a terminal: the IAM caller that STS names."""

import fnmatch

from graphs.settings import AccessSettings, Settings, World
from memory.records.scope import Principal, PrincipalKind, Role


def principal_of_caller(arn: str, settings: Settings) -> Principal:
    """Return the principal of an IAM caller, with the roles whose patterns its ARN matches."""
    access: AccessSettings = settings.access
    patterns = access.iam_simulated if settings.connection.world is World.SIMULATED else access.iam
    roles = tuple(
        role for role in Role if any(fnmatch.fnmatchcase(arn, p) for p in patterns.get(role.value, ()))
    )
    return Principal(kind=PrincipalKind.ROLE, id=arn, issuer="sts", tenant=settings.tenant, roles=roles)
