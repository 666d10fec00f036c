"""Who is calling: settings and the issuer's key are read at the first call, never at import."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from graphs.principals import IssuerKeys, LocalIssuer, UnauthenticatedError, principal_of_token
from graphs.settings import Settings, World
from memory.records.scope import Principal

SCHEME = "bearer "


@dataclass(frozen=True)
class Doorkeeper:
    """Turns an Authorization header into a principal of this server's tenant."""

    read_settings: Callable[[], Settings]
    keys: IssuerKeys = field(default_factory=IssuerKeys)

    @cached_property
    def settings(self) -> Settings:
        """The settings of this process, read once."""
        return self.read_settings()

    @cached_property
    def issuer(self) -> LocalIssuer:
        """The issuer of this machine."""
        return LocalIssuer.open(self.settings.state_dir)

    @property
    def simulated(self) -> bool:
        """Say whether the account is on this machine."""
        return self.settings.connection.world is World.SIMULATED

    def principal(self, authorization: str | None) -> Principal:
        """Return the caller, or raise `UnauthenticatedError` with what is wrong. Blocks."""
        if not authorization:
            raise UnauthenticatedError("a token is needed: Authorization: Bearer <token>")
        if authorization[: len(SCHEME)].lower() != SCHEME:
            raise UnauthenticatedError("the Authorization header must say: Bearer <token>")
        token = authorization[len(SCHEME) :].strip()
        caller = principal_of_token(token, self.settings, self.issuer, self.keys)
        if caller.tenant != self.settings.tenant:
            raise UnauthenticatedError("the token belongs to another tenant than this server")
        return caller
