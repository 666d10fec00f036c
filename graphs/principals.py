"""Who is calling over HTTP: signed tokens. `graphs/callers.py` has the IAM caller in a terminal.

The local issuer signs tokens for this machine: for people while the account is simulated, and for the
copilot's own calls to its LangGraph server anywhere. Its key never leaves the state directory.
"""

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from graphs.people import person_of
from graphs.settings import Issuer, Settings, World
from memory.records.scope import COPILOT, Identity, Principal, PrincipalKind, Role
from tools.errors import Misconfigured
from tools.key_file import kept_key

LOCAL_ISSUER = "cloudops-local"
AUDIENCE = "cloudops"
LEEWAY_SECONDS = 30
FETCH_SECONDS = 5.0
KEYS_KEPT_SECONDS = 300.0


class UnauthenticatedError(Exception):
    """No valid token: the message says what is wrong with it, never the token itself."""


def _fresh_key() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@dataclass(frozen=True)
class LocalIssuer:
    """Signs and checks tokens with an Ed25519 key kept in the state directory."""

    key: Ed25519PrivateKey

    @classmethod
    def open(cls, state_dir: Path) -> "LocalIssuer":
        """Read the key, or make one that only this user can read; raise `Misconfigured` when it is damaged."""
        path = state_dir / "issuer.pem"
        try:
            key = load_pem_private_key(kept_key(path, _fresh_key), password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise Misconfigured(f"{path} holds no key; remove it and start again") from error
        if not isinstance(key, Ed25519PrivateKey):
            raise Misconfigured(f"{path} is not an Ed25519 key; remove it and start again")
        return cls(key)

    def sign(self, principal: Principal, minutes: int = 60) -> str:
        """Return a token for a principal, valid for some minutes of wall time."""
        now = datetime.now(UTC)
        claims = {
            "iss": LOCAL_ISSUER,
            "aud": AUDIENCE,
            "sub": principal.id,
            "kind": principal.kind.value,
            "tenant": principal.tenant,
            "roles": [role.value for role in principal.roles],
            "iat": now,
            "exp": now + timedelta(minutes=minutes),
        }
        return jwt.encode(claims, self.key, algorithm="EdDSA")


@dataclass(frozen=True)
class IssuerKeys:
    """The public keys of the issuers that settings name: fetched when first needed, kept, and fetched anew in time.

    A token with a key id that is not among those kept makes PyJWT look once more, at most every half minute.
    """

    kept_seconds: float = KEYS_KEPT_SECONDS
    _clients: dict[str, jwt.PyJWKClient] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def key_of(self, token: str, trusted: Issuer) -> jwt.PyJWK:
        """Return the key that a token of an issuer names. Blocks while keys are fetched."""
        return self._client(trusted).get_signing_key_from_jwt(token)

    def _client(self, trusted: Issuer) -> jwt.PyJWKClient:
        with self._lock:
            if trusted.issuer not in self._clients:
                self._clients[trusted.issuer] = jwt.PyJWKClient(
                    trusted.jwks_url, lifespan=self.kept_seconds, timeout=FETCH_SECONDS
                )
            return self._clients[trusted.issuer]


def own_token(issuer: LocalIssuer, tenant: str) -> str:
    """Return a short token for the copilot's calls to its own server; it can start and wake, never decide."""
    me = COPILOT.model_copy(update={"tenant": tenant, "roles": (Role.OPERATOR, Role.VIEWER)})
    return issuer.sign(me, minutes=5)


def principal_of_token(token: str, settings: Settings, issuer: LocalIssuer, keys: IssuerKeys) -> Principal:
    """Check a token's signature, issuer, audience and times, and return its principal."""
    try:
        named = jwt.decode(token, options={"verify_signature": False}).get("iss")
        claims = (
            _local_claims(token, issuer)
            if named == LOCAL_ISSUER
            else _outside_claims(token, named, settings, keys)
        )
        kind = PrincipalKind(claims.get("kind", "person"))
        roles = tuple(Role(role) for role in claims.get("roles", []) if role in set(Role))
    except (jwt.PyJWTError, ValueError) as error:
        raise UnauthenticatedError(f"the token is not valid: {error}") from error
    if (
        named == LOCAL_ISSUER
        and settings.connection.world is not World.SIMULATED
        and kind is not PrincipalKind.COPILOT
    ):
        raise UnauthenticatedError("the local issuer signs for people only while the account is simulated")
    if named != LOCAL_ISSUER and kind is PrincipalKind.COPILOT:
        raise UnauthenticatedError("only the copilot itself signs as the copilot")
    tenant = claims.get("tenant") or _tenant_of(named, settings)
    if not isinstance(tenant, str):
        raise UnauthenticatedError(
            "the token names no tenant: let its issuer add the claim `tenant`, or name the tenant of all its tokens as "
            "`tenant` of that issuer in settings/access.toml"
        )
    subject, access = str(claims["sub"]), settings.access
    person = person_of(Identity(directory=str(named), name=subject), access.people, access.named_sessions)
    return Principal(kind=kind, id=subject, issuer=str(named), tenant=tenant, roles=roles, person=person)


def _tenant_of(named: object, settings: Settings) -> str | None:
    """Return the tenant that settings give to an issuer whose tokens name none."""
    trusted = next((one for one in settings.access.issuers if one.issuer == named), None)
    return trusted.tenant if trusted and trusted.tenant else None


def _local_claims(token: str, issuer: LocalIssuer) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(
        token,
        issuer.key.public_key(),
        algorithms=["EdDSA"],
        audience=AUDIENCE,
        issuer=LOCAL_ISSUER,
        leeway=LEEWAY_SECONDS,
        options={"require": ["exp", "sub", "aud", "iss"]},
    )
    return claims


def _outside_claims(token: str, named: object, settings: Settings, keys: IssuerKeys) -> dict[str, Any]:
    trusted = next((i for i in settings.access.issuers if i.issuer == named), None)
    if trusted is None:
        raise jwt.InvalidIssuerError(f"issuer {named!r} is not named in settings/access.toml")
    settings.outward_url("token_issuers", trusted.jwks_url)
    claims: dict[str, Any] = jwt.decode(
        token,
        keys.key_of(token, trusted),
        algorithms=["RS256", "ES256", "EdDSA"],
        audience=trusted.audience,
        issuer=trusted.issuer,
        leeway=LEEWAY_SECONDS,
        options={"require": ["exp", "sub", "aud", "iss"]},
    )
    return claims
