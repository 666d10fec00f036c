"""Who calls: the principal behind an access key, as CloudTrail would name it."""

from dataclasses import dataclass
from hashlib import md5
from typing import Any

from simulator.wire.protocol import ACCOUNT

ROOT = f"arn:aws:iam::{ACCOUNT}:root"


@dataclass(frozen=True)
class Caller:
    """A principal and the key it signed with."""

    arn: str = ROOT
    access_key: str = ""

    @property
    def username(self) -> str:
        """CloudTrail's `Username`: the user, or the session of an assumed role."""
        return "root" if self.arn.endswith(":root") else self.arn.rpartition("/")[2]

    def identity(self, source_identity: str | None = None) -> dict[str, Any]:
        """The `userIdentity` element (CloudTrail user guide, userIdentity element)."""
        account = self.arn.split(":")[4]
        if ":assumed-role/" in self.arn:
            return self._session_identity(account, source_identity)
        kind = "Root" if self.arn.endswith(":root") else "IAMUser"
        identity = {
            "type": kind,
            "principalId": account if kind == "Root" else f"AIDA{_token(self.arn)}",
            "arn": self.arn,
            "accountId": account,
            "accessKeyId": self.access_key,
        }
        return identity | ({"userName": self.username} if kind == "IAMUser" else {})

    def _session_identity(self, account: str, source_identity: str | None) -> dict[str, Any]:
        role, _, session = self.arn.partition(":assumed-role/")[2].partition("/")
        role_id = f"AROA{_token(role)}"
        issuer = {
            "type": "Role",
            "principalId": role_id,
            "arn": f"arn:aws:iam::{account}:role/{role}",
            "accountId": account,
            "userName": role,
        }
        context = {"sessionIssuer": issuer, "attributes": {"mfaAuthenticated": "false"}}
        return {
            "type": "AssumedRole",
            "principalId": f"{role_id}:{session}",
            "arn": self.arn,
            "accountId": account,
            "accessKeyId": self.access_key or f"ASIA{_token(self.arn)}",
            "sessionContext": context | ({"sourceIdentity": source_identity} if source_identity else {}),
        }


def assumed_role(role: str, session: str) -> Caller:
    """A session of a role in this account."""
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{session}"
    return Caller(arn, f"ASIA{_token(arn)}")


def _token(text: str) -> str:
    return md5(text.encode(), usedforsecurity=False).hexdigest()[:16].upper()
