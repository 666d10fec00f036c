"""Tokens of an outside issuer: its keys are fetched over HTTP once, kept, and fetched anew when they are old."""

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from graphs.principals import IssuerKeys, LocalIssuer, UnauthenticatedError, principal_of_token
from graphs.settings import AccessSettings, Issuer, Settings, World, load
from memory.records.scope import Principal, Role
from tests.simulated import ROOT
from tests.web.door import until


@dataclass
class Idp:
    """An identity provider on this machine that counts how often its keys are asked for."""

    name: str
    url: str = ""
    fetches: int = 0
    down: bool = False
    tenant: str = ""
    keys: dict[str, Ed25519PrivateKey] = field(default_factory=dict)

    def new_key(self, kid: str) -> None:
        self.keys = {kid: Ed25519PrivateKey.generate()}

    def jwks(self) -> dict[str, Any]:
        return {
            "keys": [
                {
                    **jwt.algorithms.OKPAlgorithm.to_jwk(key.public_key(), as_dict=True),
                    "kid": kid,
                    "use": "sig",
                }
                for kid, key in self.keys.items()
            ]
        }

    def trusted(self) -> Issuer:
        return Issuer(issuer=self.name, audience="cloudops", jwks_url=self.url, tenant=self.tenant)

    def token(self, kid: str = "k1", key: Ed25519PrivateKey | None = None, **claims: Any) -> str:
        expiry = datetime.now(UTC) + timedelta(minutes=5)
        said = {
            "iss": self.name,
            "aud": "cloudops",
            "sub": "ann",
            "roles": ["viewer"],
            "tenant": "default",
            "exp": expiry,
            **claims,
        }
        said = {name: claim for name, claim in said.items() if claim is not None}
        return jwt.encode(said, key or self.keys[kid], algorithm="EdDSA", headers={"kid": kid})


@contextmanager
def serving(idp: Idp) -> Iterator[Idp]:
    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            idp.fetches += 1
            self.send_response(503 if idp.down else 200)
            self.end_headers()
            self.wfile.write(b"" if idp.down else json.dumps(idp.jwks()).encode())

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        idp.url = f"http://127.0.0.1:{server.server_port}/jwks.json"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield idp
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def idp() -> Iterator[Idp]:
    with serving(Idp("https://idp.example")) as one:
        one.new_key("k1")
        yield one


Asking = Callable[[str], Principal]


def door(tmp_path: Path, keys: IssuerKeys, *idps: Idp) -> Asking:
    access = AccessSettings(issuers=tuple(one.trusted() for one in idps))
    read = load({"CLOUDOPS_WORLD": "aws", "AWS_REGION": "us-east-1"}, ROOT)
    here = read.connection.model_copy(update={"world": World.SIMULATED})
    settings: Settings = read.model_copy(update={"access": access, "connection": here})
    issuer = LocalIssuer.open(tmp_path)
    return lambda token: principal_of_token(token, settings, issuer, keys)


def test_keys_are_fetched_once_for_many_tokens(idp: Idp, tmp_path: Path) -> None:
    ask = door(tmp_path, IssuerKeys(), idp)
    with ThreadPoolExecutor(8) as callers:
        found = list(callers.map(lambda _: ask(idp.token()), range(40)))
    assert {(one.id, one.issuer, one.roles) for one in found} == {("ann", idp.name, (Role.VIEWER,))}
    assert idp.fetches == 1


def test_each_issuer_is_asked_for_its_own_keys(idp: Idp, tmp_path: Path) -> None:
    with serving(Idp("https://other.example")) as other:
        other.new_key("k1")
        ask = door(tmp_path, IssuerKeys(), idp, other)
        for _ in range(3):
            assert ask(idp.token()).issuer == idp.name
            assert ask(other.token()).issuer == other.name
        assert (idp.fetches, other.fetches) == (1, 1)
        with pytest.raises(UnauthenticatedError):
            ask(idp.token(key=other.keys["k1"]))


def test_unknown_key_ids_do_not_make_the_issuer_be_asked_for_each(idp: Idp, tmp_path: Path) -> None:
    ask = door(tmp_path, IssuerKeys(), idp)
    ask(idp.token())
    stranger = Ed25519PrivateKey.generate()
    for number in range(10):
        with pytest.raises(UnauthenticatedError):
            ask(idp.token(f"unknown-{number}", stranger))
    assert idp.fetches <= 2


def test_a_new_key_is_taken_up_and_an_old_one_dropped_when_what_is_kept_is_old(
    idp: Idp, tmp_path: Path
) -> None:
    ask = door(tmp_path, IssuerKeys(kept_seconds=0.3), idp)
    before = idp.token()
    ask(before)
    idp.new_key("k2")

    def taken_up() -> bool:
        try:
            return ask(idp.token("k2")).id == "ann"
        except UnauthenticatedError:
            return False

    until(taken_up, 10)
    with pytest.raises(UnauthenticatedError):
        ask(before)


def test_an_issuer_that_is_down_lets_nobody_in_and_is_asked_again(idp: Idp, tmp_path: Path) -> None:
    ask = door(tmp_path, IssuerKeys(), idp)
    idp.down = True
    with pytest.raises(UnauthenticatedError):
        ask(idp.token())
    idp.down = False
    assert ask(idp.token()).id == "ann"


def test_a_key_that_the_issuer_does_not_publish_is_refused(idp: Idp, tmp_path: Path) -> None:
    ask = door(tmp_path, IssuerKeys(), idp)
    with pytest.raises(UnauthenticatedError):
        ask(idp.token(key=Ed25519PrivateKey.generate()))
    with pytest.raises(UnauthenticatedError, match="only the copilot"):
        ask(idp.token(kind="copilot"))


@pytest.mark.parametrize("tenant", [None, "", 7, ["default"]], ids=str)
def test_an_outside_token_that_names_no_tenant_is_refused_with_the_remedy(
    idp: Idp, tmp_path: Path, tenant: object
) -> None:
    ask = door(tmp_path, IssuerKeys(), idp)
    with pytest.raises(UnauthenticatedError, match=r"names no tenant.*settings/access\.toml"):
        ask(idp.token(tenant=tenant))


def test_settings_may_say_whose_an_issuers_tokens_are_and_a_token_that_says_it_itself_stands(
    idp: Idp, tmp_path: Path
) -> None:
    idp.tenant = "shop"
    ask = door(tmp_path, IssuerKeys(), Idp("https://other.example", tenant="another's"), idp)
    assert ask(idp.token(tenant=None)).tenant == "shop"
    assert ask(idp.token(tenant="other")).tenant == "other"
