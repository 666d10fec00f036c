"""What was done, and whether it helped."""

from enum import StrEnum
from typing import Any

from pydantic import Field

from memory.records.base import Record, UtcTime, canonical_json, digest


class ExecutionState(StrEnum):
    """How far one action got."""

    CLAIMED = "claimed"
    CALLED = "called"
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"
    UNDECIDED = "undecided"
    REVERTED = "reverted"


# How far an action got since its claim, and what came of it.
_SINCE = frozenset({"state", "done_at", "answer", "detail", "event_id", "accepted"})


def undo_of(action_id: str) -> str:
    """Return the id under which the undo of an action is claimed."""
    return f"{action_id}-undo"


class Execution(Record):
    """The durable account of one action: claimed once, called once.

    `approval` is the hash of the plan that was approved, `session` the name of the session that made the call,
    `source_identity` who stands behind it, `event_id` CloudTrail's id of the call once it was found. `accepted` says
    that AWS took the call, by its answer or, where that was lost, by what the account showed. `signature` is of the
    claim, made by the executor with the key `key_id`: the table alone proves no way back. `passing` says of a refusal
    that its reason may pass by itself; no refusal is stored. `targets` are what is acted on, in words.
    """

    incident_id: str
    action_id: str
    action: str
    parameters: dict[str, Any]
    state: ExecutionState
    claimed_at: UtcTime
    done_at: UtcTime | None = None
    before: dict[str, Any] = Field(default_factory=dict)
    inverse: dict[str, Any] = Field(default_factory=dict)
    answer: dict[str, Any] = Field(default_factory=dict)
    detail: str = ""
    is_revert: bool = False
    why: str = ""
    policy_ids: tuple[str, ...] = ()
    policy_set_sha256: str = ""
    approval: str | None = None
    approved_by: tuple[str, ...] = ()
    session: str | None = None
    source_identity: str | None = None
    event_id: str | None = None
    accepted: bool = False
    passing: bool = False
    key_id: str = ""
    signature: str = ""
    targets: tuple[str, ...] = ()

    @property
    def signed_text(self) -> str:
        """Return what the signature is over: the digest of all that was captured at the claim, and the key.

        What has its default is left out, so that a version that adds a field reads the same digest.
        """
        apart = {*_SINCE, "key_id", "signature"}
        claimed = digest(self.model_dump(mode="json", exclude=apart, exclude_defaults=True))
        return canonical_json({"claimed": claimed, "key_id": self.key_id})

    @property
    def was_accepted(self) -> bool:
        """Say whether AWS took the call, so that there is an effect to watch or to undo."""
        # A record of old says it by its answer alone.
        is_known = self.accepted or bool(self.answer)
        return self.state is ExecutionState.DONE or (self.state is ExecutionState.FAILED and is_known)


class Recovery(StrEnum):
    """What verification found. BETTER is much better than before and not well yet.

    UNVERIFIED is an alarm that is seen to be OK where the rest could not all be seen, and nothing speaks against it.
    """

    RECOVERED = "recovered"
    BETTER = "better"
    UNVERIFIED = "unverified"
    NO_BETTER = "no_better"
    WORSE = "worse"
    UNKNOWN = "unknown"


class SignalState(StrEnum):
    """How a signal stands after an action."""

    MET = "met"
    AWAITED = "awaited"
    NOT_MET = "not_met"
    WORSE = "worse"
    UNKNOWN = "unknown"


class Signal(Record):
    """One thing that shows whether an action helped: a part of the service's level, or what the action promised.

    `unread` says why it could not be read; it is empty where it was. `improved` says that it is much better than
    before, whether or not that is good enough.
    """

    text: str
    state: SignalState
    before: bool | int | float | str | None = None
    now: bool | int | float | str | None = None
    unread: str = ""
    improved: bool = False

    def __str__(self) -> str:
        """Say it in a line, with both values."""
        if self.unread:
            return f"{self.text} (could not be read: {self.unread})"
        return f"{self.text} (before {_short(self.before)}, now {_short(self.now)})"


def _short(value: bool | int | float | str | None) -> str:
    if value is None:
        return "unknown"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


class Verification(Record):
    """The same alarm and service level, looked at again after an action, and what the action promised.

    `unread` names what could not be read, with the reason: recovery is never concluded without it. `awaited_at` is the
    last look at which something that was promised was not there yet, though it was not due.
    """

    recovery: Recovery
    alarm_state: str
    value_before: float | None = None
    value_after: float | None = None
    checked_at: UtcTime
    recovered_at: UtcTime | None = None
    detail: str
    evidence_ids: tuple[str, ...] = ()
    signals: tuple[Signal, ...] = ()
    unread: tuple[str, ...] = ()
    awaited_at: UtcTime | None = None


class DeadLetters(Record):
    """Messages of a queue that lie in its dead-letter queue when an incident ends; None where that was not read."""

    queue: str
    dead_letter_queue: str
    waiting: int | None
    evidence_id: str

    def __str__(self) -> str:
        """Say how many wait where, and what can be done about them."""
        if self.waiting is None:
            return f"how many messages of {self.queue} wait in {self.dead_letter_queue} could not be read"
        wait = "1 message" if self.waiting == 1 else f"{self.waiting} messages"
        verb = "waits" if self.waiting == 1 else "wait"
        return (
            f"{wait} of {self.queue} {verb} in {self.dead_letter_queue}. Once their consumer is seen to work, "
            f"sqs_redrive (dead_letter_queue={self.dead_letter_queue}, queue={self.queue}) moves them back; what "
            "cannot be read fails again, so look at them first"
        )
