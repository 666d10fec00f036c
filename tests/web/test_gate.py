"""No route is open but /healthz: every other wants a valid token and the right role."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from graphs.principals import AUDIENCE, LOCAL_ISSUER, LocalIssuer
from memory.records.scope import Role
from tests.web.door import Door

NO_ID = "00000000-0000-8000-8000-000000000000"
ROUTES = [
    ("POST", "/alarms", Role.OPERATOR),
    ("GET", "/incidents", Role.VIEWER),
    ("GET", f"/incidents/{NO_ID}", Role.VIEWER),
    ("GET", f"/incidents/{NO_ID}/events", Role.VIEWER),
    ("POST", f"/incidents/{NO_ID}/decision", Role.APPROVER),
]


def claims(**changed: Any) -> dict[str, Any]:
    now = datetime.now(UTC)
    standard = {
        "iss": LOCAL_ISSUER,
        "aud": AUDIENCE,
        "sub": "ann",
        "kind": "person",
        "tenant": "default",
        "roles": [role.value for role in Role],
        "exp": now + timedelta(hours=1),
    }
    return {**standard, **changed}


def unsigned(facts: dict[str, Any]) -> str:
    def part(value: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value, default=str).encode()).rstrip(b"=").decode()

    return f"{part({'alg': 'none', 'typ': 'JWT'})}.{part({**facts, 'exp': 4102444800})}."


def bad_tokens(door: Door) -> dict[str, str]:
    key = LocalIssuer.open(door.settings.state_dir).key
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    past = datetime.now(UTC) - timedelta(minutes=5)
    return {
        "no token at all": "",
        "no scheme": jwt.encode(claims(), key, "EdDSA"),
        "another scheme": "Basic YW5uOmFubg==",
        "no JWT": "Bearer let-me-in",
        "expired": "Bearer " + jwt.encode(claims(exp=past), key, "EdDSA"),
        "alg none": "Bearer " + unsigned(claims()),
        "a foreign key": "Bearer " + jwt.encode(claims(), Ed25519PrivateKey.generate(), "EdDSA"),
        "the public key as a secret": "Bearer " + jwt.encode(claims(), public, "HS256"),
        "another audience": "Bearer " + jwt.encode(claims(aud="somebody"), key, "EdDSA"),
        "an unknown issuer": "Bearer " + jwt.encode(claims(iss="https://idp.example"), key, "EdDSA"),
        "another tenant": "Bearer " + jwt.encode(claims(tenant="rival"), key, "EdDSA"),
        "no expiry": "Bearer " + jwt.encode({k: v for k, v in claims().items() if k != "exp"}, key, "EdDSA"),
    }


@pytest.mark.parametrize(("method", "path", "_role"), ROUTES)
def test_bad_tokens_are_401_with_the_reason(door: Door, method: str, path: str, _role: Role) -> None:
    for name, header in bad_tokens(door).items():
        answer = door.client.request(method, path, headers={"Authorization": header} if header else {})
        assert answer.status_code == 401, name
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert len(answer.json()["detail"]) > 10, name
        assert "eyJ" not in answer.text, "a token is not repeated in an answer"


# Who breaks the glass may decide too; what that takes is asked where decisions are made.
ALSO = {Role.APPROVER: (Role.BREAK_GLASS,)}


@pytest.mark.parametrize(("method", "path", "role"), ROUTES)
def test_each_route_wants_its_own_role(door: Door, method: str, path: str, role: Role) -> None:
    others = tuple(one for one in Role if one not in {role, *ALSO.get(role, ())})
    refused = door.client.request(method, path, headers=door.headers(*others))
    assert refused.status_code == 403
    assert role.value in refused.json()["detail"]
    let_in = door.client.request(method, path, headers=door.headers(role))
    assert let_in.status_code not in {401, 403}


def test_health_is_open_and_says_where_it_works(door: Door) -> None:
    answer = door.client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json() == {
        "world": "simulated",
        "version": answer.json()["version"],
        "reachable": True,
        "sweeping": True,
        "consuming": False,
        "faults": [],
    }


@pytest.mark.parametrize("path", ["/threads", "/docs", "/openapi.json", "/metrics", "/ui/x", "/nowhere"])
def test_routes_of_the_host_want_a_token_too(door: Door, path: str) -> None:
    assert door.client.get(path).status_code == 401
    assert door.client.get(path, headers=door.headers(Role.VIEWER)).status_code == 404


def test_the_hosts_internal_routes_are_closed_to_everybody(door: Door) -> None:
    assert door.client.post("/internal/truncate", headers=door.headers()).status_code == 404


def test_studio_passes_to_the_hosts_routes_only(door: Door) -> None:
    studio = {"x-auth-scheme": "langsmith"}
    assert door.client.get("/incidents", headers=studio).status_code == 401
    assert door.client.post("/alarms", headers=studio).status_code == 401
    assert door.client.get("/assistants", headers=studio).status_code == 404, "passed on; nobody mounted us"


def test_a_websocket_without_a_token_is_closed(door: Door) -> None:
    with pytest.raises(Exception) as refused, door.client.websocket_connect("/threads/x/stream/events"):
        pass
    assert type(refused.value).__name__ == "WebSocketDisconnect"
