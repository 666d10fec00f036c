"""The audit's chain shows every change made to it, and still holds once what it is about was erased."""

import copy
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memory import keys
from memory.audit_chain import Chain
from memory.records.audit import FIRST, AuditEntry, AuditHead, AuditPayload, Deed
from memory.records.base import digest
from memory.retention import DAY_SECONDS, Retention, expiry_under
from memory.stores.audit import AuditTrail
from memory.table import ConflictError, Item, Key, RecordTable, Write
from tests.memory.filed import START, WallTime, account, new_table
from tests.simulated import SimulatedAccount

__all__ = ["account"]

NOW = 1_800_000_000.0


def chain(length: int, erased_after: int = 0) -> Chain:
    """A sound chain; with `erased_after`, what its first entries are about was erased."""
    entries, payloads, previous = [], {}, FIRST
    for number in range(1, length + 1):
        deed = Deed.ERASED if erased_after and number == erased_after + 1 else Deed.RULED
        payload = AuditPayload(salt=f"{number:032}", who="ann", what=f"deed {number}")
        entry = AuditEntry(
            sequence=number,
            at=START + timedelta(seconds=number),
            deed=deed,
            payload_sha256=digest(payload.model_dump(mode="json")),
            previous=previous,
            hash="",
        )
        entry = entry.model_copy(update={"hash": entry.computed()})
        previous = entry.hash
        entries.append((f"AUDIT#{number:08d}", entry.model_dump(mode="json")))
        if number > erased_after:
            payloads[f"AUDIT_PAYLOAD#{number:08d}"] = payload.model_dump(mode="json")
    head = AuditHead(sequence=length, hash=previous).model_dump(mode="json")
    return Chain(tuple(entries), payloads, head)


def numbered(bodies: list[Any]) -> tuple[tuple[str, Any], ...]:
    """Entries under the keys of their places, as somebody would put them who hides what was done."""
    return tuple((f"AUDIT#{number:08d}", body) for number, body in enumerate(bodies, start=1))


LENGTHS = st.integers(min_value=2, max_value=9)


@given(LENGTHS)
def test_a_sound_chain_is_sound(length: int) -> None:
    checked = chain(length).check(NOW)
    assert (checked.broken, checked.entries, checked.erased) == (None, length, 0)


@given(LENGTHS, st.data())
def test_an_edited_entry_is_named(length: int, data: st.DataObject) -> None:
    sound = chain(length)
    at = data.draw(st.integers(0, length - 1))
    field = data.draw(
        st.sampled_from(["sequence", "at", "deed", "payload_sha256", "previous", "hash", "kept_until"])
    )
    entries = [(key, dict(body)) for key, body in sound.entries]
    other = {"sequence": 77, "at": "2027-01-01T00:00:00Z", "deed": "closed", "kept_until": 1}
    entries[at][1][field] = other.get(field, "f" * 64)
    checked = replace(sound, entries=tuple(entries)).check(NOW)
    assert checked.broken == at + 1


@given(LENGTHS, st.data(), st.booleans())
def test_a_dropped_entry_is_found(length: int, data: st.DataObject, renumbered: bool) -> None:
    sound = chain(length)
    at = data.draw(st.integers(0, length - 1))
    left = [one for number, one in enumerate(sound.entries) if number != at]
    entries = numbered([body for _, body in left]) if renumbered else tuple(left)
    assert replace(sound, entries=entries).check(NOW).broken == at + 1


@given(LENGTHS, st.data())
def test_an_entry_that_was_put_in_is_found(length: int, data: st.DataObject) -> None:
    sound = chain(length)
    at = data.draw(st.integers(0, length))
    bodies = [body for _, body in sound.entries]
    previous = bodies[at - 1]["hash"] if at else FIRST
    forged = AuditEntry.model_validate({**bodies[0], "sequence": at + 1, "previous": previous, "hash": ""})
    bodies.insert(at, forged.model_copy(update={"hash": forged.computed()}).model_dump(mode="json"))
    payloads = dict(sound.payloads)
    payloads[f"AUDIT_PAYLOAD#{at + 1:08d}"] = sound.payloads["AUDIT_PAYLOAD#00000001"]
    broken = replace(sound, entries=numbered(bodies), payloads=payloads).check(NOW).broken
    assert broken is not None
    assert at + 1 <= broken <= at + 2


@given(LENGTHS, st.data())
def test_swapped_entries_are_found(length: int, data: st.DataObject) -> None:
    sound = chain(length)
    one = data.draw(st.integers(0, length - 2))
    other = data.draw(st.integers(one + 1, length - 1))
    bodies = [body for _, body in sound.entries]
    bodies[one], bodies[other] = bodies[other], bodies[one]
    assert replace(sound, entries=numbered(bodies)).check(NOW).broken == one + 1


def hashed_anew(sound: Chain, at: int, **update: Any) -> Chain:
    """A chain with one entry edited, and that hash, all that follow it and the head made anew."""
    entries, last = [], ""
    for number, (key, body) in enumerate(sound.entries):
        entry = AuditEntry.model_validate(body)
        if number > at:
            entry = entry.model_copy(update={"previous": last})
        if number == at:
            entry = entry.model_copy(update=update)
        last = entry.computed()
        entries.append((key, entry.model_copy(update={"hash": last}).model_dump(mode="json")))
    head = AuditHead(sequence=len(entries), hash=last).model_dump(mode="json")
    return replace(sound, entries=tuple(entries), head=head)


@pytest.mark.parametrize(
    ("update", "why"), [({"sequence": 7}, "it is numbered 7"), ({"previous": "f" * 64}, "does not follow")]
)
@pytest.mark.parametrize("at", [0, 1, 2])
def test_an_entry_of_another_place_is_found_though_all_hashes_are_made_anew(
    at: int, update: dict[str, Any], why: str
) -> None:
    assert hashed_anew(chain(3), at).check(NOW).broken is None
    checked = hashed_anew(chain(3), at, **update).check(NOW)

    assert checked.broken == at + 1 and why in checked.why


def test_an_entry_that_lies_in_another_place_than_it_says_is_found() -> None:
    sound = chain(3)
    payloads = {key.replace("03", "09"): body for key, body in sound.payloads.items()}
    moved = (*sound.entries[:2], ("AUDIT#00000009", sound.entries[2][1]))

    assert replace(sound, entries=moved, payloads=payloads).check(NOW).broken == 3


def test_a_head_that_cannot_be_read_breaks_the_chain_at_its_end() -> None:
    checked = replace(chain(2), head={"sequence": "two"}).check(NOW)

    assert (checked.broken, checked.why) == (3, "the head of the chain cannot be read")


@given(LENGTHS, st.data())
def test_an_edited_payload_is_named(length: int, data: st.DataObject) -> None:
    sound = chain(length)
    at = data.draw(st.integers(1, length))
    payloads = {key: dict(body) for key, body in sound.payloads.items()}
    payloads[f"AUDIT_PAYLOAD#{at:08d}"]["who"] = "bob"
    assert replace(sound, payloads=payloads).check(NOW).broken == at


@given(LENGTHS, st.data())
def test_a_payload_that_nobody_erased_is_missed(length: int, data: st.DataObject) -> None:
    sound = chain(length)
    at = data.draw(st.integers(1, length))
    payloads = {key: body for key, body in sound.payloads.items() if not key.endswith(f"{at:08d}")}
    assert replace(sound, payloads=payloads).check(NOW).broken == at


@given(LENGTHS, st.data())
def test_erasing_what_entries_are_about_keeps_the_chain(length: int, data: st.DataObject) -> None:
    erased = data.draw(st.integers(1, length - 1))
    checked = chain(length, erased).check(NOW)
    assert (checked.broken, checked.entries, checked.erased) == (None, length, erased)


def test_a_missing_head_and_an_empty_chain_are_told_apart() -> None:
    assert Chain((), {}, None).check(NOW).broken is None
    assert replace(chain(3), head=None).check(NOW).broken == 4
    assert Chain((), {}, chain(1).head).check(NOW).broken == 1


def test_what_is_stored_is_checked_over_all_that_can_be_done_to_it(account: SimulatedAccount) -> None:
    table = new_table(account)
    trail = AuditTrail(table)
    for number in range(4):
        trail.commit("p", [], START, Deed.RULED, who="ann", what=f"deed {number}", policy_ids=("a", "b"))
    sound = trail.read("p")
    assert sound.check(NOW).entries == 4
    assert [link.payload.what for link in sound.links() if link.payload] == [f"deed {n}" for n in range(4)]

    second = keys.audit("p", 2)
    table.put(second, {**dict(sound.entries[1][1]), "deed": "closed"})
    assert trail.read("p").check(NOW).broken == 2
    table.delete(second)
    assert trail.read("p").check(NOW).broken == 2


def test_an_erasure_is_an_entry_itself_and_leaves_hashes_only(account: SimulatedAccount) -> None:
    table = new_table(account)
    trail = AuditTrail(table)
    for number in range(3):
        trail.commit("p", [], START, Deed.RULED, who="ann", what=f"deed {number}")
    trail.erase("p", START, "bob", "asked for")
    trail.erase("p", START, "bob", "asked again")
    checked = trail.read("p").check(NOW)
    assert (checked.broken, checked.entries, checked.erased) == (None, 5, 4)
    left = [item.body for item in table.query("p")]
    assert "ann" not in str(left)
    assert [number for number in range(3) if f"deed {number}" in str(left)] == []


def test_a_payload_may_reach_its_end_and_not_before(account: SimulatedAccount) -> None:
    wall = WallTime(4_000_000_000.0)
    table = new_table(account, expiry_under(Retention(audit_payloads=2), wall), wall)
    trail = AuditTrail(table)
    trail.commit("p", [], START, Deed.RULED, who="ann", what="deed")
    wall.seconds += 2 * DAY_SECONDS
    assert trail.read("p").payloads == {}
    assert trail.read("p").check(wall()).broken is None
    assert trail.read("p").check(wall() - 1).broken == 1


def test_a_deed_that_loses_leaves_no_entry(account: SimulatedAccount) -> None:
    table = new_table(account)
    trail = AuditTrail(table)
    deed = Key("p", "ACTION#1")
    table.create(deed, {})
    with pytest.raises(ConflictError):
        trail.commit("p", [Write(Item(deed, {}), 0)], START, Deed.CLAIMED, who="ann", what="again")
    assert trail.read("p").entries == ()


def test_whoever_meets_another_entry_appends_after_it(account: SimulatedAccount) -> None:
    """Between one writer's look at the chain's end and its write, another writer appends."""
    met: set[str] = set()

    def meets(key: Key) -> None:
        if key.sk.startswith("AUDIT_PAYLOAD#") and len(met) < 2 and key.sk not in met:
            met.add(key.sk)
            AuditTrail(quiet).commit("p", [], START, Deed.RULED, who="bob", what="in between")

    table = new_table(account, meets)
    quiet = RecordTable(account.client("dynamodb"), table.name)
    for what in ("one", "two"):
        AuditTrail(table).commit("p", [], START, Deed.RULED, who="ann", what=what)
    checked = AuditTrail(quiet).read("p").check(NOW)
    assert checked.broken is None
    told = [link.payload.what for link in AuditTrail(quiet).read("p").links() if link.payload]
    assert sorted(told) == ["in between", "in between", "one", "two"]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.sampled_from(["entries", "payloads", "head"]), min_size=1, max_size=3))
def test_whatever_part_is_taken_away_it_is_noticed(parts: list[str]) -> None:
    sound = copy.deepcopy(chain(3))
    empty: dict[str, Any] = {"entries": (), "payloads": {}, "head": None}
    broken = replace(sound, **{part: empty[part] for part in parts})
    assert broken.check(NOW).broken is not None or broken == Chain((), {}, None)
