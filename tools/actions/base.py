"""What every action declares."""

from collections.abc import Mapping
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict

from memory.records.base import Record
from memory.records.plan import Risk
from memory.records.scope import Scope
from tools.aws.access import AwsAccess

State = Mapping[str, Any]


class Parameters(BaseModel):
    """An action's parameters: typed, and nothing beside them."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class IamStatement(Record):
    """Exactly what an action needs to be allowed to do, on exactly which resources."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]


class BlastRadius(Record):
    """How much of the target an action touches."""

    share: float
    text: str


class Action(Protocol):
    """One entry of the catalogue."""

    @property
    def name(self) -> str:
        """Name the action as plans do."""
        ...

    @property
    def description(self) -> str:
        """Say what it does, for people and for the agent that plans."""
        ...

    @property
    def risk(self) -> Risk:
        """Say how much it may break."""
        ...

    @property
    def effect(self) -> str:
        """Say what should be seen afterwards."""
        ...

    @property
    def parameters(self) -> type[Parameters]:
        """Return the type of its parameters."""
        ...

    def permissions(self, asked: Any, scope: Scope) -> tuple[IamStatement, ...]:
        """Return the IAM permissions that this call needs."""
        ...

    def read_state(self, access: AwsAccess, asked: Any) -> dict[str, Any]:
        """Read the target's live state: what is captured before, and what an approval is bound to."""
        ...

    def fingerprint(self, state: State) -> str:
        """Return a digest of the part of the state that an approval is given for."""
        ...

    def blast_radius(self, state: State) -> BlastRadius:
        """Return how much is touched, from live state."""
        ...

    def problems(self, asked: Any, state: State) -> tuple[str, ...]:
        """Return what speaks against acting now; nothing when the preconditions hold."""
        ...

    def inverse(self, asked: Any, state: State) -> dict[str, Any] | None:
        """Return the parameters that undo it, from the state before; None when it cannot be undone."""
        ...

    def call(self, access: AwsAccess, asked: Any, token: str) -> dict[str, Any]:
        """Make the one changing call. `token` is the client token where AWS takes one."""
        ...

    def happened(self, access: AwsAccess, asked: Any, before: State, token: str) -> bool | None:
        """Say whether the call took effect, for an answer that was lost; None when it cannot be known."""
        ...
