"""Encrypts checkpoints before they leave the process, with data keys of AWS KMS.

    serde = EncryptedSerializer(KmsCipher(kms_client, key_id, {"table": table}), JsonPlusSerializer(...))
    saver = DynamoSaver(client, table, serde=serde)

Values, metadata and writes are ciphertext then; ids, channel names, sizes and times are not.
"""

import os
import threading
import time
import zlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from langgraph.checkpoint.serde.base import CipherProtocol

from memory.checkpoints.errors import CheckpointDamagedError

# What an identity needs on the key.
ACTIONS = ("kms:Decrypt", "kms:GenerateDataKey")

NAME, VERSION = "kms", b"\x01"
NONCE_BYTES = 12
# A data key is used for so long and so often at most; far below what random nonces allow.
LIFETIME_SECONDS, USES = 3600.0, 1 << 20
REMEMBERED = 1000


@dataclass
class DataKey:
    """A key of KMS, in clear for a while."""

    sealed: bytes
    cipher: AESGCM
    until: float
    uses: int = 0


class KmsCipher(CipherProtocol):
    """AES-256-GCM under data keys that only the KMS key opens. Compresses first: ciphertext no longer can be.

    `context` is KMS's encryption context: what it must be told again to open a key, and writes into its log.
    """

    def __init__(
        self,
        client: Any,
        key_id: str,
        context: Mapping[str, str],
        *,
        lifetime_seconds: float = LIFETIME_SECONDS,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._key_id = key_id
        self._context = dict(context)
        self._lifetime = lifetime_seconds
        self._now = now
        self._current: DataKey | None = None
        self._opened: OrderedDict[bytes, DataKey] = OrderedDict()
        self._lock = threading.Lock()

    def encrypt(self, plaintext: bytes) -> tuple[str, bytes]:
        """Return the cipher's name and the ciphertext, which carries its sealed data key."""
        key = self._key()
        head = VERSION + len(key.sealed).to_bytes(2, "big") + key.sealed
        nonce = os.urandom(NONCE_BYTES)
        return NAME, head + nonce + key.cipher.encrypt(nonce, zlib.compress(plaintext), head)

    def decrypt(self, ciphername: str, ciphertext: bytes) -> bytes:
        """Return the plaintext, or raise `CheckpointDamagedError`."""
        if ciphername != NAME or ciphertext[:1] != VERSION:
            raise CheckpointDamagedError(f"not encrypted by this cipher: {ciphername}")
        end = 3 + int.from_bytes(ciphertext[1:3], "big")
        head, nonce, body = (
            ciphertext[:end],
            ciphertext[end : end + NONCE_BYTES],
            ciphertext[end + NONCE_BYTES :],
        )
        try:
            return zlib.decompress(self._unsealed(head[3:]).decrypt(nonce, body, head))
        except InvalidTag as error:
            raise CheckpointDamagedError("the ciphertext is not what was stored") from error

    def _key(self) -> DataKey:
        """Return the data key in use, a new one when it is worn."""
        with self._lock:
            if self._current is None or self._now() >= self._current.until or self._current.uses >= USES:
                made = self._client.generate_data_key(
                    KeyId=self._key_id, KeySpec="AES_256", EncryptionContext=self._context
                )
                self._current = self._remembered(made["CiphertextBlob"], made["Plaintext"])
            self._current.uses += 1
            return self._current

    def _unsealed(self, sealed: bytes) -> AESGCM:
        with self._lock:
            key = self._opened.get(sealed)
            if key is None or self._now() >= key.until:
                opened = self._client.decrypt(
                    CiphertextBlob=sealed, KeyId=self._key_id, EncryptionContext=self._context
                )
                key = self._remembered(sealed, opened["Plaintext"])
            return key.cipher

    def _remembered(self, sealed: bytes, clear: bytes) -> DataKey:
        key = DataKey(sealed, AESGCM(clear), self._now() + self._lifetime)
        self._opened[sealed] = key
        while len(self._opened) > REMEMBERED:
            self._opened.popitem(last=False)
        return key
