"""Sign requests, decisions and claims where they are made; they are checked where they are believed.

The table proves nothing.

HMAC-SHA-256 (RFC 2104), with a key of this machine or one of AWS KMS
(https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateMac.html).
"""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from botocore.exceptions import ClientError

from memory.records.approval import ApprovalRequest
from memory.records.outcome import Execution
from tools.aws.access import AwsAccess
from tools.errors import Misconfigured
from tools.key_file import kept_key

_ALGORITHM = "HMAC_SHA_256"
_KEY_BYTES = 32


class Signer(Protocol):
    """Makes signatures of texts, and knows its own again."""

    @property
    def key_id(self) -> str:
        """Name the key, so that a signature by another one is told apart from a forged one."""
        ...

    def sign(self, text: str) -> str:
        """Return the signature of a text."""
        ...

    def knows(self, text: str, signature: str) -> bool:
        """Say whether a signature is this key's, of this text. Raises botocore's errors when it cannot be asked."""
        ...


def signed_request(signer: Signer, request: ApprovalRequest) -> ApprovalRequest:
    """Sign what is asked, where it is asked. Raises botocore's errors when the key cannot be asked."""
    named = request.model_copy(update={"key_id": signer.key_id})
    return named.model_copy(update={"signature": signer.sign(named.signed_text)})


def signed_claim(signer: Signer, claim: Execution) -> Execution:
    """Sign what is captured for an action before it. Raises botocore's errors when the key cannot be asked."""
    named = claim.model_copy(update={"key_id": signer.key_id})
    return named.model_copy(update={"signature": signer.sign(named.signed_text)})


def changed_since_claimed(signer: Signer, claim: Execution) -> str | None:
    """Return why the claim of an action is not the one that was captured, or None. Raises botocore's errors."""
    named = f"the claim of action {claim.action_id}"
    if claim.key_id != signer.key_id:
        return f"{named} is signed with the key {claim.key_id or 'of nobody'}, not with ours"
    is_ours = signer.knows(claim.signed_text, claim.signature)
    return None if is_ours else f"{named} was changed after it was signed"


@dataclass(frozen=True)
class LocalKey:
    """Signs with a key that only this user of this machine can read."""

    key: bytes = field(repr=False)

    @classmethod
    def open(cls, state_dir: Path) -> "LocalKey":
        """Read the key of a state directory, or make one; raise `Misconfigured` when it is damaged."""
        path = state_dir / "approvals.key"
        key = kept_key(path, lambda: secrets.token_bytes(_KEY_BYTES))
        if len(key) != _KEY_BYTES:
            raise Misconfigured(f"{path} is not a key for approvals; remove it, and decide anew what waits")
        return cls(key)

    @property
    def key_id(self) -> str:
        """Name the key by the digest of it."""
        return f"local:{hashlib.sha256(self.key).hexdigest()[:16]}"

    def sign(self, text: str) -> str:
        """Return the signature of a text, as hex digits."""
        return hmac.new(self.key, text.encode(), hashlib.sha256).hexdigest()

    def knows(self, text: str, signature: str) -> bool:
        """Say whether a signature is this key's, of this text."""
        return hmac.compare_digest(self.sign(text).encode(), signature.encode())


@dataclass(frozen=True)
class KmsKey:
    """Signs with a KMS key of usage GENERATE_VERIFY_MAC and spec HMAC_256, which never leaves KMS."""

    access: AwsAccess
    key_id: str

    def sign(self, text: str) -> str:
        """Return the signature of a text, in base64. Only the digest is sent: KMS takes 4096 bytes at most."""
        answer = self.access.client("kms").generate_mac(
            KeyId=self.key_id, MacAlgorithm=_ALGORITHM, Message=_digest(text)
        )
        return base64.b64encode(answer["Mac"]).decode()

    def knows(self, text: str, signature: str) -> bool:
        """Say whether a signature is this key's, of this text."""
        try:
            mac = base64.b64decode(signature, validate=True)
        except ValueError:
            return False
        if not mac:
            return False
        try:
            self.access.client("kms").verify_mac(
                KeyId=self.key_id, MacAlgorithm=_ALGORITHM, Message=_digest(text), Mac=mac
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "KMSInvalidMacException":
                return False
            raise
        return True


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
