"""What an action of the catalogue says about itself, and how it is carried out."""

import math
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, Protocol, TypeVar, runtime_checkable

from pydantic import BaseModel, ConfigDict, Field

from memory.records.base import Record, canonical_json, digest
from memory.records.plan import ExpectedSignal, Risk
from memory.records.scope import Scope
from tools.aws.access import AwsAccess

State = dict[str, Any]
"""The live state of an action's target, as JSON: what was read. `Action.bound` is the part of it that changes
only when somebody changes it."""


class Reversibility(StrEnum):
    """Whether what an action did can be taken back, and how."""

    INVERSE = "inverse"
    """The same action with other parameters brings back what was there."""
    SELF_RESTORING = "self-restoring"
    """The account makes up for it by itself, as it was; what begins anew with what may have changed does not count."""
    NONE = "none"
    """What was done stays done."""


class Parameters(BaseModel):
    """An action's parameters: narrow, typed, and nothing beside them."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class IamStatement(Record):
    """Exact permissions on exact resources."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]


class BlastRadius(Record):
    """What an action touches; `share` is the part of serving capacity that it replaces or takes away.

    `amount` is how many things it moves, where more of them would be another matter though the share is the same.
    """

    text: str
    share: float = Field(ge=0.0, le=1.0)
    amount: int = 0

    @property
    def percent(self) -> int:
        """Return the share in whole percents, rounded up."""
        return math.ceil(self.share * 100)


P = TypeVar("P", bound=Parameters)


class Action(Protocol[P]):
    """One thing the copilot may do to an account.

    Everything but `call` only reads. `repeatable` says that a second identical call changes nothing more, so
    that a call whose answer was lost may be sent again once the account shows no trace of it.
    """

    @property
    def name(self) -> str:
        """The name plans use."""
        ...

    @property
    def description(self) -> str:
        """When to use it, in a sentence."""
        ...

    @property
    def effect(self) -> str:
        """What it does to the account."""
        ...

    @property
    def risk(self) -> Risk:
        """How much it may break."""
        ...

    @property
    def reads(self) -> tuple[str, ...]:
        """The IAM actions by which it looks at its target before anything else."""
        ...

    @property
    def preconditions(self) -> tuple[str, ...]:
        """What has to hold, in words; `problems` checks it."""
        ...

    @property
    def blast(self) -> str:
        """What its blast radius is measured by, in words; `blast_radius` measures it."""
        ...

    @property
    def reversibility(self) -> Reversibility:
        """Whether it can be taken back."""
        ...

    @property
    def way_back(self) -> str:
        """How it is taken back, or why it need not ("none is needed: ...") or cannot be ("none: ...")."""
        ...

    @property
    def example(self) -> dict[str, Any]:
        """Parameters that fit, for the printed catalogue."""
        ...

    @property
    def example_state(self) -> State:
        """A target that the example fits, as `read_state` returns it: what is printed of it is promised of this."""
        ...

    @property
    def repeatable(self) -> bool:
        """Whether sending the same call again changes nothing more."""
        ...

    @property
    def parameters(self) -> type[P]:
        """The model its parameters must fit."""
        ...

    def permissions(self, params: P, scope: Scope) -> tuple[IamStatement, ...]:
        """Return what the caller must be allowed, and no more."""
        ...

    def target(self, params: P) -> str:
        """Name what is acted on."""
        ...

    def read_state(self, access: AwsAccess, params: P) -> State:
        """Read the target as it is now."""
        ...

    def bound(self, state: State) -> State:
        """Return what an approval rests on: the part of the state that changes only when somebody changes it."""
        ...

    def expected(self, params: P, state: State) -> tuple[ExpectedSignal, ...]:
        """Say which signals show that it worked, and by when. A problem's state has none."""
        ...

    def blast_radius(self, params: P, state: State) -> BlastRadius:
        """Say what is touched, and how much of it."""
        ...

    def problems(self, params: P, state: State, *, undoing: bool = False) -> tuple[str, ...]:
        """Return every reason not to do this to the target as it is. An undo may go where a plan may not."""
        ...

    def inverse(self, params: P, state: State) -> dict[str, Any] | None:
        """Return the parameters that bring this state back, or None when nothing does."""
        ...

    def call(self, access: AwsAccess, params: P, state: State, token: str) -> dict[str, Any]:
        """Do it: one write. `state` is what was read before, `token` is the same for the same action."""
        ...

    def holds(self, params: P, state: State) -> bool:
        """Say whether the target is as the parameters want it."""
        ...

    def settled(self, access: AwsAccess, params: P, answer: Mapping[str, Any]) -> bool | None:
        """Say whether an accepted call came to its end: True, False when it failed, None while under way."""
        ...


@runtime_checkable
class Rehearsed(Protocol):
    """An action that AWS can try without doing it."""

    def rehearse(self, access: AwsAccess, params: Any, state: State) -> tuple[str, ...]:
        """Try it without effect, and return what speaks against it; botocore's errors where it cannot be tried."""
        ...


@runtime_checkable
class Wide(Protocol):
    """An action whose target is a part of something that others change too, or that has more than one.

    By these names it is counted and kept from running beside another; `target` says what exactly it acts on.
    """

    def targets(self, params: Any) -> tuple[str, ...]:
        """Name each, in the words by which other actions name it."""
        ...


@runtime_checkable
class Traced(Protocol):
    """An action whose target another's change may leave as if the action had been done."""

    def is_trace(self, before: State, now: State) -> bool:
        """Say whether nothing differs that the action would have left as it was."""
        ...


def targets_of(action: Action[Any], params: Parameters) -> tuple[str, ...]:
    """Return every target of an action, at least one."""
    return action.targets(params) if isinstance(action, Wide) else (action.target(params),)


def happened(action: Action[Any], access: AwsAccess, params: Parameters, before: State) -> bool | None:
    """Ask the account whether a call whose answer was lost took effect; None when it cannot be told.

    The target is as wanted: it did. It is exactly as before: it did not. Anything else was somebody else.
    """
    now = action.read_state(access, params)
    if action.holds(params, now):
        return True if not isinstance(action, Traced) or action.is_trace(before, now) else None
    return False if fingerprint(action, now) == fingerprint(action, before) else None


def fingerprint(action: Action[Any], state: State) -> str:
    """Digest what an approval rests on."""
    return digest(action.bound(state))


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[str, ...]:
    """Name each entry of a bound state that is not as it was, as `name: before -> now`."""
    return tuple(_differing(before, now, ""))


def _differing(before: Mapping[str, Any], now: Mapping[str, Any], path: str) -> Iterator[str]:
    for key in sorted(before.keys() | now.keys()):
        was, has = before.get(key), now.get(key)
        if isinstance(was, Mapping) and isinstance(has, Mapping):
            yield from _differing(was, has, f"{path}{key}.")
        elif canonical_json(was) != canonical_json(has):
            yield f"{path}{key}: {canonical_json(was)} -> {canonical_json(has)}"
