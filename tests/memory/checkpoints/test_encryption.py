"""Checkpoints under data keys of KMS: nothing readable is stored, and all of it is read back."""

import json
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from memory.checkpointed import serializer
from memory.checkpoints.encryption import KmsCipher
from memory.checkpoints.errors import CheckpointDamagedError
from tests.memory.checkpoints.conftest import OpenSaver
from tests.memory.checkpoints.drawn import config, steps, values
from tests.memory.checkpoints.suite import failures
from tests.memory.checkpoints.test_damage import PROSE, items
from tests.memory.checkpoints.test_graphs import HOME, held
from tests.memory.checkpoints.watched import Watched
from tests.simulated import SimulatedAccount

CONTEXT = {"table": "checkpoints"}


@pytest.fixture(scope="module")
def kms(shared_accounts: Callable[..., SimulatedAccount]) -> Any:
    return shared_accounts().client("kms")


@pytest.fixture(scope="module")
def key_id(kms: Any) -> str:
    return str(kms.create_key()["KeyMetadata"]["KeyId"])


@pytest.fixture
def encrypted(kms: Any, key_id: str) -> Callable[..., EncryptedSerializer]:
    def make(inner: Any = None, **options: Any) -> EncryptedSerializer:
        cipher = KmsCipher(options.pop("client", kms), key_id, options.pop("context", CONTEXT), **options)
        return EncryptedSerializer(cipher, inner or JsonPlusSerializer())

    return make


async def test_all_eight_capabilities_under_encryption(open_saver: OpenSaver, encrypted: Any) -> None:
    assert await failures(lambda: open_saver(serde=encrypted())) == {}


def test_nothing_of_a_state_is_stored_in_clear(
    open_saver: OpenSaver, client: Any, table: str, thread: str, encrypted: Any
) -> None:
    saver = open_saver(serde=encrypted())
    told = steps(
        saver, thread, [{"note": "marker-71", "p": PROSE}, {"note": "marker-72", "p": PROSE}], tag="marker-73"
    )
    saver.put_writes(told[-1], [("c", "marker-74")], "task")
    stored = json.dumps(items(client, table, thread), default=lambda body: body.decode("latin-1"))
    opened = b"".join(
        zlib.decompress(item["body"]["B"][1:]) if item["body"]["B"][:1] == b"z" else item["body"]["B"]
        for item in items(client, table, thread)
    )
    assert "marker-7" not in stored
    assert b"marker-7" not in opened
    assert b"kms" in opened
    assert values(open_saver(serde=encrypted()), config(thread)) == {"note": "marker-72", "p": PROSE}
    assert [one.metadata["tag"] for one in open_saver(serde=encrypted()).list(config(thread))] == [
        "marker-73"
    ] * 2


async def test_a_graphs_records_come_back_through_encryption(
    open_saver: OpenSaver, thread: str, encrypted: Any
) -> None:
    told: Any = {"configurable": {"thread_id": thread}}
    await held(open_saver(serde=encrypted(serializer()))).ainvoke({}, told)
    asked = await held(open_saver(serde=encrypted(serializer()))).aget_state(told)
    assert (asked.values["scope"], asked.interrupts[0].value) == (HOME, {"about": HOME})


def test_a_key_is_asked_for_once_in_its_life(kms: Any, encrypted: Any) -> None:
    watched, times = Watched(kms), [0.0]
    cipher = encrypted(client=watched, lifetime_seconds=60.0, now=lambda: times[0]).cipher
    made = [cipher.encrypt(b"x" * 100) for _ in range(5)]
    assert [cipher.decrypt(*one) for one in made] == [b"x" * 100] * 5
    assert watched.calls == ["generate_data_key"]
    times[0] = 61.0
    assert cipher.decrypt(*made[0]) == b"x" * 100
    cipher.encrypt(b"y")
    assert watched.calls == ["generate_data_key", "decrypt", "generate_data_key"]
    assert len({one[1] for one in made}) == 5


def test_changed_ciphertext_and_another_context_are_refused(encrypted: Any) -> None:
    name, sealed = encrypted().cipher.encrypt(b"secret")
    with pytest.raises(CheckpointDamagedError, match="not what was stored"):
        encrypted().cipher.decrypt(name, sealed[:-1] + bytes([sealed[-1] ^ 1]))
    with pytest.raises(CheckpointDamagedError, match="not encrypted by this cipher"):
        encrypted().cipher.decrypt("aes", sealed)
    with pytest.raises(ClientError):
        encrypted(context={"table": "another"}).cipher.decrypt(name, sealed)
