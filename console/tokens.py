"""Sign a token for the HTTP door of this machine."""

import getpass

from console.text import screen
from graphs.principals import LOCAL_ISSUER, LocalIssuer
from graphs.settings import Settings, World
from memory.records.scope import Principal, PrincipalKind, Role
from tools.errors import Misconfigured


def show_token(settings: Settings, roles: list[Role], minutes: int) -> int:
    """Print a token for the user of this machine; only a simulated account believes it."""
    if settings.connection.world is not World.SIMULATED:
        raise Misconfigured(
            "the local issuer signs for people only while the account is simulated: "
            "on AWS take a token from an issuer that settings/access.toml names"
        )
    principal = Principal(
        kind=PrincipalKind.PERSON,
        id=f"local:{getpass.getuser()}",
        issuer=LOCAL_ISSUER,
        tenant=settings.tenant,
        roles=tuple(dict.fromkeys(roles)),
    )
    screen().file.write(LocalIssuer.open(settings.state_dir).sign(principal, minutes) + "\n")
    return 0
