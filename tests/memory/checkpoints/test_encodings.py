"""Keys, differences and payloads on their own: what goes in comes out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.checkpoints.deltas import difference, restored
from memory.checkpoints.errors import CheckpointDamagedError
from memory.checkpoints.keys import Place, escaped, named, unescaped
from memory.checkpoints.payloads import BESIDE_BYTES, Payload, Whereabouts, content

NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@given(NAMES, NAMES)
def test_names_keep_their_order_and_none_begins_another(one: str, other: str) -> None:
    first, second = escaped(one) + "!", escaped(other) + "!"
    assert (first < second) == (one < other)
    assert first.startswith(second) == (one == other)
    assert unescaped(escaped(one)) == one


@given(NAMES, NAMES)
def test_a_sort_key_names_its_namespace_and_checkpoint(namespace: str, checkpoint: str) -> None:
    place = Place("thread", namespace)
    assert named(place.commit(checkpoint)) == (namespace, checkpoint)
    assert place.commit(checkpoint).startswith(place.prefix)


def test_ids_that_no_key_can_hold_are_refused() -> None:
    with pytest.raises(ValueError, match="too long"):
        Place("thread", "n" * 1000).commit("id")
    with pytest.raises(ValueError, match="too long"):
        assert Place("t" * 2100).partition


@given(
    st.binary(max_size=400),
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 60), st.binary(max_size=60))),
)
def test_a_difference_restores_what_it_was_taken_of(base: bytes, edits: list[tuple[int, int, bytes]]) -> None:
    new = bytearray(base * 3)
    for at, length, insertion in edits:
        new[at : at + length] = insertion
    assert restored(base * 3, difference(base * 3, bytes(new))) == bytes(new)


def test_a_message_added_to_a_long_list_costs_the_message() -> None:
    base = b"".join(b"message %d: something was said here. " % number for number in range(5000))
    new = b"\x99" + base[1:] + b"message 5000: and one thing more. "
    assert sum(len(one) for one in difference(base, new) if isinstance(one, bytes)) < 100


@pytest.mark.parametrize("size", [0, 10, BESIDE_BYTES * 40])
def test_a_payload_is_read_back_or_found_to_be_damaged(size: int) -> None:
    import random

    body = random.Random(1).randbytes(size)
    payload = Payload.of(body)
    where = Whereabouts.of("c!!1!0", payload, lambda: "name")
    cells = payload.pieces("name") or {"c!!1!0": payload.body}
    assert content(where, cells) == body
    for key in cells:
        with pytest.raises(CheckpointDamagedError, match="missing"):
            content(where, {name: one for name, one in cells.items() if name != key})
        with pytest.raises(CheckpointDamagedError, match="not what was stored"):
            content(where, {**cells, key: cells[key][:-1] + b"\x07"})
