"""Bring the state of an incident that an earlier version has checkpointed to the version of this code."""

from collections.abc import Callable, Mapping
from typing import Any

from memory.state import SCHEMA_VERSION

State = dict[str, Any]
Upgrade = Callable[[State], State]

# The change that leads from each version to the next one. What is written after an upgrade stands beside what was
# written before it, so a change has to leave alone what it finds in the new shape already.
UPGRADES: Mapping[int, Upgrade] = {}


class UnreadableStateError(Exception):
    """A state is of a version that this code does not know; the message says which."""


def upgraded(state: State, upgrades: Mapping[int, Upgrade] = UPGRADES, to: int = SCHEMA_VERSION) -> State:
    """Return a state as version `to` has it. One that has no version yet has not been through intake."""
    if "schema_version" not in state:
        return state
    version = int(state["schema_version"])
    if version > to:
        raise UnreadableStateError(
            f"the state is of version {version} and this code of version {to}: run the newer code"
        )
    while version < to:
        change = upgrades.get(version)
        if change is None:
            raise UnreadableStateError(f"nothing leads from version {version} of the state to {version + 1}")
        version += 1
        state = {**change(state), "schema_version": version}
    return state
