from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from memory import keys
from memory.audit_chain import Checked
from memory.records.kill_switch import KillSwitch
from memory.stores.audit import AuditTrail
from memory.stores.kill_switch import KillSwitchStore
from memory.table import Item, Key
from tests.tools.memory_table import MemoryTable
from tests.tools.stand_ins import NOW
from tools.errors import Misconfigured
from tools.kill_switch import why_stopped
from tools.signing import LocalKey

ON = KillSwitch(on=True, reason="a bad day", by="ada", at=NOW)


class BrokenTable(MemoryTable):
    def get(self, key: Key) -> Item | None:
        raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1")


def _store(table: MemoryTable) -> KillSwitchStore:
    return KillSwitchStore(table, "default")


def test_a_switch_that_was_never_turned_stops_nothing() -> None:
    assert why_stopped(False, _store(MemoryTable())) is None


def test_a_switch_that_is_turned_stops_everybody_and_says_who_and_why() -> None:
    table = MemoryTable()
    _store(table).turn(ON)

    assert "ada: a bad day" in (why_stopped(False, _store(table)) or "")
    _store(table).turn(ON.model_copy(update={"on": False, "reason": "over"}))
    assert why_stopped(False, _store(table)) is None


def test_the_settings_stop_whatever_the_record_says() -> None:
    assert "settings" in (why_stopped(True, _store(MemoryTable())) or "")


def test_a_switch_that_cannot_be_read_is_on() -> None:
    damaged = MemoryTable()
    damaged.put(keys.kill_switch("default"), {"on": "perhaps"})

    assert "counts as on" in (why_stopped(False, _store(BrokenTable())) or "")
    assert "counts as on" in (why_stopped(False, _store(damaged)) or "")


def test_every_turn_is_in_the_tenants_audit() -> None:
    table = MemoryTable()
    _store(table).turn(ON)
    _store(table).turn(ON.model_copy(update={"on": False, "reason": "over"}))

    chain = AuditTrail(table).read(keys.tenant_audit("default"))
    told = [(link.payload.who, link.payload.what, link.payload.why) for link in chain.links() if link.payload]
    assert told == [("ada", "writes stopped", "a bad day"), ("ada", "writes allowed again", "over")]
    checked: Checked = chain.check(0.0)
    assert checked.broken is None


# The key that decisions are signed with.


def test_a_key_is_made_once_and_only_its_user_can_read_it(tmp_path: Path) -> None:
    first, second = LocalKey.open(tmp_path), LocalKey.open(tmp_path)

    assert first == second and (tmp_path / "approvals.key").stat().st_mode & 0o077 == 0
    assert [path.name for path in tmp_path.iterdir()] == ["approvals.key"]
    assert "k" * 4 not in repr(LocalKey(b"k" * 32))


def test_a_damaged_key_is_refused_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "approvals.key").write_bytes(b"short")

    with pytest.raises(Misconfigured, match="remove it"):
        LocalKey.open(tmp_path)


@pytest.mark.parametrize("signature", ["", "0" * 64, "ü"])
def test_a_signature_of_another_text_or_key_is_not_known(signature: str) -> None:
    key, other = LocalKey(b"a" * 32), LocalKey(b"b" * 32)

    assert key.knows("yes", key.sign("yes"))
    made: list[Any] = [signature, key.sign("no"), other.sign("yes")]
    assert not any(key.knows("yes", one) for one in made)
