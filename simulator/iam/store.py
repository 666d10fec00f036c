"""What the account's IAM and STS hold: keys and sessions, and the policies of whoever they belong to.

The emulator keeps users, roles, policies and sessions; it is only read here.
"""

import importlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from secrets import token_hex, token_urlsafe
from typing import Any

from simulator.iam.evaluation import Principal
from simulator.wire.protocol import ACCOUNT, REGION


@dataclass(frozen=True)
class RootKey:
    """The key of the account's root, which no policy holds back."""

    access_key_id: str
    secret_access_key: str


def new_root_key() -> RootKey:
    """A key that no other account has."""
    return RootKey(f"AKIA{token_hex(8).upper()}", token_urlsafe(30))


@dataclass(frozen=True)
class Credential:
    """A key that the account has given out. Without a secret it is no longer good, and `problem` says why."""

    arn: str
    secret: str = ""
    token: str | None = None
    name: str = ""
    problem: str = ""


@dataclass
class IdentityStore:
    """Finds credentials and principals by access key."""

    root: RootKey
    source_identities: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._iam: Any = importlib.import_module("ministack.services.iam")
        self._sts: Any = importlib.import_module("ministack.services.sts")
        self._credentials: Any = importlib.import_module("ministack.core.iam_evaluator")
        self._responses: Any = importlib.import_module("ministack.core.responses")

    def credential(self, access_key: str) -> Credential | None:
        """The credential of a key, or None where the account does not know it."""
        if access_key == self.root.access_key_id:
            return Credential(f"arn:aws:iam::{ACCOUNT}:root", self.root.secret_access_key)
        if self._credentials.is_root_access_key(access_key):
            # The emulator's own well-known keys open nothing here.
            return None
        with self._responses.request_scope(ACCOUNT, REGION):
            found = self._credentials.resolve_credential(access_key, ACCOUNT)
        if hasattr(found, "secret_access_key"):
            return Credential(
                found.principal_arn, found.secret_access_key, found.session_token, found.principal_name
            )
        return Credential("", problem=found.code) if found.code == "ExpiredTokenException" else None

    def principal(self, access_key: str, credential: Credential) -> Principal:
        """The principal behind a credential, with every policy that decides for it."""
        if access_key == self.root.access_key_id:
            return Principal(credential.arn, access_key, is_root=True)
        with self._responses.request_scope(ACCOUNT, REGION):
            role = credential.arn.partition(":assumed-role/")[2].partition("/")[0]
            entity = (self._iam._roles.get(role) if role else self._iam._users.get(credential.name)) or {}
            return self._decided_for(
                access_key, credential, role, entity, self._sts._sessions.get(access_key) or {}
            )

    def principal_of(self, arn: str) -> Principal | None:
        """The user or role of an ARN, with every policy that decides for it; None where there is no such one."""
        kind, _, path = arn.rpartition(":")[2].partition("/")
        name = path.rpartition("/")[2]
        with self._responses.request_scope(ACCOUNT, REGION):
            held = {"role": self._iam._roles, "user": self._iam._users}.get(kind, {})
            entity = held.get(name)
            if entity is None:
                return None
            return self._decided_for(
                "", Credential(arn, name=name), name if kind == "role" else "", entity, {}
            )

    def _decided_for(
        self,
        access_key: str,
        credential: Credential,
        role: str,
        entity: Mapping[str, Any],
        session: Mapping[str, Any],
    ) -> Principal:
        inline = entity.get("InlinePolicies") if role else self._inline(credential.name)
        documents = [*(inline or {}).values(), *self._managed(entity.get("AttachedPolicies", []))]
        documents += [] if role else self._of_groups(credential.name)
        limit = entity.get("PermissionsBoundary")
        return Principal(
            credential.arn,
            access_key,
            identity=tuple(map(_text, documents)),
            boundary=tuple(map(_text, self._managed([_boundary_arn(limit)]))) if limit else None,
            session=self._session_policies(session),
            keys=self._keys(access_key, credential, entity, session),
        )

    def trust_of(self, role_arn: str) -> str | None:
        """A role's trust policy, or None where there is no such role."""
        with self._responses.request_scope(ACCOUNT, REGION):
            role = self._iam._roles.get(role_arn.rpartition("/")[2])
        return _text(role.get("AssumeRolePolicyDocument", "{}")) if role else None

    def _inline(self, user: str) -> Mapping[str, Any]:
        return self._iam._user_inline_policies.get(user) or {}

    def _of_groups(self, user: str) -> Iterator[Any]:
        for name, group in self._iam._groups.items():
            if user in group.get("Users", []):
                yield from (self._iam._group_inline_policies.get(name) or {}).values()
                yield from self._managed(group.get("AttachedPolicies", []))

    def _managed(self, arns: list[str]) -> list[Any]:
        """The documents of managed policies; one that is gone allows nothing."""
        find: Callable[[str, str], Any] = self._credentials._resolve_managed_policy_document
        return [find(arn, ACCOUNT) or {"Statement": []} for arn in arns]

    def _session_policies(self, session: Mapping[str, Any]) -> tuple[str, ...] | None:
        given = session.get("SessionPolicies")
        if not given:
            return None
        own = [given["Policy"]] if given.get("Policy") else []
        return tuple(map(_text, [*own, *self._managed(given.get("PolicyArns") or [])]))

    def _keys(
        self, access_key: str, credential: Credential, entity: Mapping[str, Any], session: Mapping[str, Any]
    ) -> dict[str, tuple[str, ...]]:
        is_session = ":user/" not in credential.arn
        keys = {
            "aws:principalarn": _principal_arn(credential.arn, entity),
            "aws:principalaccount": ACCOUNT,
            "aws:principaltype": "AssumedRole" if is_session else "User",
            "aws:userid": str(session.get("UserId") or entity.get("UserId", "")),
        }
        if not is_session:
            keys["aws:username"] = credential.name
        source = self.source_identities.get(access_key)
        if source:
            keys["aws:sourceidentity"] = source
        for tag in [*(entity.get("Tags") or []), *(session.get("SessionTags") or [])]:
            keys[f"aws:principaltag/{tag['Key'].lower()}"] = str(tag["Value"])
        return {name: (value,) for name, value in keys.items()}


def _principal_arn(arn: str, entity: Mapping[str, Any]) -> str:
    """For a session the role it is of: aws:PrincipalArn never names the session."""
    return str(entity.get("Arn") or arn) if ":assumed-role/" in arn else arn


def _boundary_arn(limit: Any) -> str:
    return str(limit.get("PermissionsBoundaryArn", "")) if isinstance(limit, dict) else str(limit)


def _text(document: Any) -> str:
    return document if isinstance(document, str) else json.dumps(document)
