import base64
import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from graphs.callers import principal_of_caller
from graphs.principals import (
    AUDIENCE,
    LOCAL_ISSUER,
    IssuerKeys,
    LocalIssuer,
    UnauthenticatedError,
    own_token,
    principal_of_token,
)
from graphs.settings import Connection, Settings, World, load
from memory.records.scope import Principal, PrincipalKind, Role
from tools.errors import Misconfigured

ROOT = Path(__file__).parent.parent.parent
ANN = Principal(kind=PrincipalKind.PERSON, id="ann", issuer="test", roles=(Role.VIEWER, Role.APPROVER))


def settings(world: World) -> Settings:
    read = load({"CLOUDOPS_WORLD": "aws", "AWS_REGION": "us-east-1"}, ROOT)
    return read.model_copy(update={"connection": Connection(world=world, region="us-east-1")})


SIMULATED, AWS = settings(World.SIMULATED), settings(World.AWS)
KEYS = IssuerKeys()


@pytest.fixture
def issuer(tmp_path: Path) -> LocalIssuer:
    return LocalIssuer.open(tmp_path)


def signed(issuer: LocalIssuer, **changed: Any) -> str:
    """A token with some claims set otherwise, or left out when they are None."""
    now = datetime.now(UTC)
    claims = {
        "iss": LOCAL_ISSUER,
        "aud": AUDIENCE,
        "sub": "ann",
        "kind": "person",
        "tenant": "default",
        "roles": ["approver"],
        "iat": now,
        "exp": now + timedelta(minutes=5),
        **changed,
    }
    return jwt.encode({k: v for k, v in claims.items() if v is not None}, issuer.key, algorithm="EdDSA")


def unsigned(**claims: Any) -> str:
    def part(value: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    return f"{part({'alg': 'none', 'typ': 'JWT'})}.{part(claims)}."


def test_a_signed_token_names_its_principal(issuer: LocalIssuer) -> None:
    found = principal_of_token(issuer.sign(ANN), SIMULATED, issuer, KEYS)
    assert (found.id, found.kind, found.roles) == ("ann", PrincipalKind.PERSON, ANN.roles)
    assert found.issuer == LOCAL_ISSUER


@pytest.mark.parametrize(
    "changed",
    [
        {"exp": datetime(2026, 1, 1, tzinfo=UTC)},
        {"exp": None},
        {"aud": "another"},
        {"aud": None},
        {"sub": None},
        {"iss": "https://example.com"},
        {"iss": None},
        {"kind": "root"},
        {"nbf": datetime(2126, 1, 1, tzinfo=UTC)},
    ],
    ids=str,
)
def test_a_token_with_a_wrong_claim_is_refused(issuer: LocalIssuer, changed: dict[str, Any]) -> None:
    with pytest.raises(UnauthenticatedError, match="not valid"):
        principal_of_token(signed(issuer, **changed), SIMULATED, issuer, KEYS)


def test_a_token_of_another_key_is_refused(issuer: LocalIssuer) -> None:
    other = LocalIssuer(Ed25519PrivateKey.generate())
    with pytest.raises(UnauthenticatedError):
        principal_of_token(other.sign(ANN), SIMULATED, issuer, KEYS)


def test_an_unsigned_token_is_refused(issuer: LocalIssuer) -> None:
    forged = unsigned(iss=LOCAL_ISSUER, aud=AUDIENCE, sub="ann", roles=["approver"], exp=4102444800)
    with pytest.raises(UnauthenticatedError):
        principal_of_token(forged, SIMULATED, issuer, KEYS)


def test_a_token_signed_with_the_public_key_as_a_secret_is_refused(issuer: LocalIssuer) -> None:
    public = issuer.key.public_key().public_bytes_raw().ljust(64, b"=")
    claims = {"iss": LOCAL_ISSUER, "aud": AUDIENCE, "sub": "ann", "exp": 4102444800}
    with pytest.raises(UnauthenticatedError):
        principal_of_token(jwt.encode(claims, public, algorithm="HS256"), SIMULATED, issuer, KEYS)


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "🔑", "." * 5000])
def test_what_is_no_token_is_refused_and_not_repeated(issuer: LocalIssuer, token: str) -> None:
    with pytest.raises(UnauthenticatedError) as refused:
        principal_of_token(token, SIMULATED, issuer, KEYS)
    assert len(str(refused.value)) < 300


def test_a_role_that_does_not_exist_is_not_held(issuer: LocalIssuer) -> None:
    found = principal_of_token(signed(issuer, roles=["root", "viewer"]), SIMULATED, issuer, KEYS)
    assert found.roles == (Role.VIEWER,)


def test_the_local_issuer_signs_for_people_in_the_simulated_world_only(issuer: LocalIssuer) -> None:
    with pytest.raises(UnauthenticatedError, match="simulated"):
        principal_of_token(issuer.sign(ANN), AWS, issuer, KEYS)


def test_the_copilots_own_token_is_valid_anywhere_and_never_an_approvers(issuer: LocalIssuer) -> None:
    for world in (SIMULATED, AWS):
        found = principal_of_token(own_token(issuer, "default"), world, issuer, KEYS)
        assert found.kind is PrincipalKind.COPILOT
        assert not found.has(Role.APPROVER)


def test_the_key_is_made_once_and_for_this_user_alone(tmp_path: Path) -> None:
    first, second = LocalIssuer.open(tmp_path), LocalIssuer.open(tmp_path)
    assert first.key.private_bytes_raw() == second.key.private_bytes_raw()
    assert stat.S_IMODE((tmp_path / "issuer.pem").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("arn", "roles"),
    [
        ("arn:aws:iam::111122223333:role/cloudops-approver", {Role.APPROVER}),
        ("arn:aws:sts::111122223333:assumed-role/cloudops-approver/ann", {Role.APPROVER}),
        ("arn:aws:sts::111122223333:assumed-role/cloudops-operator/ann", {Role.OPERATOR}),
        ("arn:aws:sts::111122223333:assumed-role/cloudops-viewer/ann", {Role.VIEWER}),
        ("arn:aws:sts::111122223333:assumed-role/other-cloudops-approver/ann", set()),
        ("arn:aws:sts::111122223333:assumed-role/CLOUDOPS-APPROVER/ann", set()),
        ("arn:aws:iam::111122223333:user/cloudops-approver", set()),
        ("arn:aws:iam::111122223333:root", set()),
    ],
)
def test_an_iam_caller_holds_the_roles_whose_pattern_it_matches(arn: str, roles: set[Role]) -> None:
    assert set(principal_of_caller(arn, AWS).roles) == roles


def test_the_one_caller_of_a_simulated_account_holds_every_role() -> None:
    assert set(principal_of_caller("arn:aws:iam::123456789012:root", SIMULATED).roles) == set(Role)


def test_a_token_of_the_local_issuer_names_its_tenant_too(issuer: LocalIssuer) -> None:
    with pytest.raises(UnauthenticatedError, match="names no tenant"):
        principal_of_token(signed(issuer, tenant=None), SIMULATED, issuer, KEYS)


@pytest.mark.parametrize("left", [b"", b"-----BEGIN PRIVATE KEY-----\nMC4CAQ", b"\xff"], ids=str)
def test_a_damaged_key_is_an_error_with_the_remedy(tmp_path: Path, left: bytes) -> None:
    (tmp_path / "issuer.pem").write_bytes(left)
    with pytest.raises(Misconfigured, match=r"issuer\.pem.*remove it"):
        LocalIssuer.open(tmp_path)


def test_a_key_of_another_kind_is_an_error_with_the_remedy(tmp_path: Path) -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    pem = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "issuer.pem").write_bytes(pem)

    with pytest.raises(Misconfigured, match=r"issuer\.pem is not an Ed25519 key; remove it"):
        LocalIssuer.open(tmp_path)
