"""A state is brought up version by version, and one that cannot be read is refused."""

from typing import Any

import pytest

from memory.upgrading import UnreadableStateError, upgraded

CHANGES = {
    1: lambda state: {**state, "tags": state.get("tags", [])},
    2: lambda state: {**state, "tags": [str(tag) for tag in state["tags"]]},
}


def up(state: dict[str, Any]) -> dict[str, Any]:
    return upgraded(state, CHANGES, to=3)


def test_every_version_in_between_is_gone_through() -> None:
    assert up({"schema_version": 1, "a": 1}) == {"schema_version": 3, "a": 1, "tags": []}
    assert up({"schema_version": 2, "tags": [1]}) == {"schema_version": 3, "tags": ["1"]}


def test_what_is_of_this_version_or_before_intake_stays_as_it_is() -> None:
    assert up({"schema_version": 3, "tags": [1]}) == {"schema_version": 3, "tags": [1]}
    assert up({"event": {}}) == {"event": {}}


def test_a_version_that_is_not_known_is_refused() -> None:
    with pytest.raises(UnreadableStateError, match="newer code"):
        up({"schema_version": 4})
    with pytest.raises(UnreadableStateError, match="from version 0"):
        up({"schema_version": 0})
