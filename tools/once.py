"""Carry out one action exactly once, whatever is lost, killed or repeated.

CLAIMED is written with the state before and the way back; CALLED is written before the call. So after any
stop the record says whether the call can have been sent, and the account says whether it took effect.
"""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
)

from memory.clock import Clock
from memory.records.outcome import Execution, ExecutionState
from memory.records.scope import Scope
from memory.stores.executions import ExecutionStore
from memory.table import ConflictError, Write
from tools.actions.base import Action, Parameters, State, differences, fingerprint, happened, targets_of
from tools.aws.access import AwsAccess
from tools.aws.sessions import Session
from tools.aws.unrepeated import unrepeated
from tools.inspection import Inspection
from tools.signing import Signer, signed_claim

OPEN = frozenset({ExecutionState.CLAIMED, ExecutionState.CALLED, ExecutionState.UNDECIDED})
"""States that are not settled: a repeat asks the account."""

_UNSENDABLE = (NoCredentialsError, ParamValidationError, PartialCredentialsError)
_UNCONNECTED = (ConnectTimeoutError, EndpointConnectionError)
_SENDS = 2
UNDER_WAY = "accepted by AWS, still under way"
_NAMESPACE = uuid.UUID("b9f0c1a8-5e0e-5a53-9c0c-0f2f1c6a7d11")


def client_token(incident_id: str, action_id: str) -> str:
    """Return the UUID of an action: the same for every attempt at it."""
    return str(uuid.uuid5(_NAMESPACE, f"{incident_id}/{action_id}"))


class ClaimLostError(ConflictError):
    """Somebody else has claimed the action, used its approval or changed its target meanwhile; nothing was sent."""


@dataclass(frozen=True)
class Authority:
    """On whose word an action is done, as its record and the audit name it."""

    why: str = ""
    policy_ids: tuple[str, ...] = ()
    policy_set_sha256: str = ""
    approval: str | None = None
    approved_by: tuple[str, ...] = ()


@dataclass(frozen=True)
class Refusal:
    """Why an action is not done, and on whose word it would have been, as far as that was looked at.

    `passing` says that the reason may pass by itself, so that it is worth asking again.
    """

    why: str
    passing: bool = False
    authority: Authority = Authority()


@dataclass(frozen=True)
class Grant:
    """Leave to do one action, and the session to do it with. `uses` are written together with the claim."""

    session: Session
    authority: Authority
    uses: tuple[Write, ...] = ()


Authorise = Callable[[], Grant | Refusal]


@dataclass(frozen=True)
class Once:
    """One action of one incident; its caller holds the action's lease.

    `access` only reads. `stopped` says why nothing may be written, and is asked before every single call.
    """

    action: Action[Any]
    params: Parameters
    scope: Scope
    access: AwsAccess
    executions: ExecutionStore
    clock: Clock
    stopped: Callable[[], str | None]
    signer: Signer

    def start(
        self,
        incident_id: str,
        action_id: str,
        inspection: Inspection,
        observed: dict[str, Any],
        grant: Grant,
        *,
        is_revert: bool,
    ) -> Execution:
        """Claim the action with the state before and the way back, and perform it.

        The claim uses up what the grant rests on, in one transaction.
        """
        claim = Execution(
            incident_id=incident_id,
            action_id=action_id,
            action=inspection.planned.action,
            parameters=self.params.model_dump(mode="json"),
            state=ExecutionState.CLAIMED,
            claimed_at=self.clock.now(),
            before={**observed, **inspection.state},
            inverse=inspection.inverse or {},
            is_revert=is_revert,
            targets=targets_of(self.action, self.params),
            **vars(grant.authority),
            session=grant.session.name or None,
            source_identity=grant.session.source_identity or None,
        )
        return self._perform(self._claim(claim, grant.uses), grant.session)

    def skip(
        self, incident_id: str, action_id: str, inspection: Inspection, authority: Authority, detail: str
    ) -> Execution:
        """Record an undo that needs no call, because the target is as it should be, and on whose word."""
        now = self.clock.now()
        done = Execution(
            incident_id=incident_id,
            action_id=action_id,
            action=inspection.planned.action,
            parameters=self.params.model_dump(mode="json"),
            state=ExecutionState.DONE,
            claimed_at=now,
            done_at=now,
            before=inspection.state,
            detail=detail,
            is_revert=True,
            targets=targets_of(self.action, self.params),
            **vars(authority),
        )
        return self._claim(done, ())

    def resume(self, standing: Execution, state: State, authorise: Authorise) -> Execution:
        """Settle what an earlier attempt left; `state` is the target as it was read just now.

        What was only claimed was never sent. It is sent now only where the target is as the claim captured it:
        otherwise the call would overwrite what somebody has changed since, and its undo would bring back what was
        there before that. What was called is sent again only where the account shows that it had no effect and a
        second call could do no harm; what cannot be known goes to people. Where the reason against it may pass by
        itself, it stays as it stands.
        """
        if standing.state is not ExecutionState.CLAIMED:
            took = self._took_effect(standing)
            if took:
                return self._move(
                    standing, ExecutionState.DONE, "interrupted, then found done in the account"
                )
            if standing.state is ExecutionState.UNDECIDED:
                return standing
            if took is None or not self.action.repeatable:
                why = "interrupted during the call, and the account does not show whether it took effect"
                return self._move(standing, ExecutionState.UNDECIDED, why)
        elif fingerprint(self.action, standing.before) != fingerprint(self.action, state):
            changed = "; ".join(differences(self.action.bound(standing.before), self.action.bound(state)))
            why = f"interrupted before it was sent; the target has changed since it was claimed: {changed}"
            return self._move(standing, ExecutionState.FAILED, why)
        leave = authorise()
        if isinstance(leave, Refusal):
            if leave.passing:
                return standing
            detail = f"interrupted before it took effect; {leave.why}"
            return self._move(standing, ExecutionState.FAILED, detail)
        return self._perform(standing, leave.session)

    def check(self, done: Execution) -> Execution:
        """Look again at an accepted call, and record how it went on: failed, or over."""
        settled = self._settled(done.answer)
        if settled is False:
            return self._move(done, ExecutionState.FAILED, "AWS accepted it, but it failed", done.answer)
        if settled and done.detail == UNDER_WAY:
            over = done.model_copy(update={"detail": ""})
            return self.executions.advance(self.scope, done, over, at=self.clock.now())
        return done

    def is_under_way(self, done: Execution) -> bool:
        """Say whether an accepted call may still take effect; where AWS does not say, it may."""
        return done.state is ExecutionState.DONE and self._settled(done.answer) is None

    def _claim(self, captured: Execution, uses: Sequence[Write]) -> Execution:
        """Store a claim, signed: its way back is believed later by that alone."""
        claim = signed_claim(self.signer, captured)
        if not self.executions.claim(self.scope, claim, uses):
            raise ClaimLostError(
                f"action {claim.action_id}, its approval or its target was claimed meanwhile"
            )
        return claim

    def _perform(self, standing: Execution, session: Session) -> Execution:
        called = standing
        if standing.state is ExecutionState.CLAIMED:
            called = self._move(standing, ExecutionState.CALLED)
        token = client_token(called.incident_id, called.action_id)
        access = unrepeated(session.access)
        lost = ""
        for _ in range(_SENDS):
            stopped = self.stopped()
            if stopped is not None:
                return self._unsent(called, f"not sent: {stopped}", lost)
            try:
                answer = self.action.call(access, self.params, called.before, token)
            except (ClientError, BotoCoreError) as error:
                ended = self._after_error(called, error, lost)
                if ended is not None:
                    return ended
                lost = lost if isinstance(error, _UNCONNECTED) else str(error)
            else:
                return self._answered(called, answer)
        return self._unsent(called, "the call did not reach AWS", lost)

    def _unsent(self, called: Execution, why: str, lost: str) -> Execution:
        """Settle a call that was refused or not sent; where an answer was lost before, its effect may show yet."""
        if lost:
            return self._move(called, ExecutionState.UNDECIDED, f"the answer was lost: {lost}; then {why}")
        return self._move(called, ExecutionState.FAILED, why)

    def _after_error(
        self, called: Execution, error: ClientError | BotoCoreError, lost: str
    ) -> Execution | None:
        """Settle a call that ended without AWS's consent; None means that it may be sent again."""
        if _was_refused(error):
            return self._unsent(called, f"AWS refused it: {error}", lost)
        if isinstance(error, _UNSENDABLE):
            return self._unsent(called, f"it could not be sent: {error}", lost)
        took = self._took_effect(called)
        if took:
            return self._move(
                called, ExecutionState.DONE, f"the answer was lost, the effect is there: {error}"
            )
        if took is False and (self.action.repeatable or isinstance(error, _UNCONNECTED)):
            return None
        return self._move(called, ExecutionState.UNDECIDED, f"the answer was lost: {error}")

    def _answered(self, called: Execution, answer: dict[str, Any]) -> Execution:
        settled = self._settled(answer)
        if settled is False:
            return self._move(called, ExecutionState.FAILED, "AWS accepted it, but it failed", answer)
        detail = "" if settled else UNDER_WAY
        return self._move(called, ExecutionState.DONE, detail, answer)

    def _took_effect(self, called: Execution) -> bool | None:
        """Ask the account whether a call took effect; None when it cannot be told."""
        try:
            return happened(self.action, self.access, self.params, called.before)
        except (ClientError, BotoCoreError):
            return None

    def _settled(self, answer: dict[str, Any]) -> bool | None:
        try:
            return self.action.settled(self.access, self.params, answer)
        except (ClientError, BotoCoreError):
            return None

    def _move(
        self,
        before: Execution,
        state: ExecutionState,
        detail: str = "",
        answer: dict[str, Any] | None = None,
    ) -> Execution:
        update: dict[str, Any] = {"state": state, "detail": detail}
        if state is ExecutionState.DONE or answer is not None:
            update["accepted"] = True
        if answer is not None:
            update["answer"] = answer
        now = self.clock.now()
        if state is not ExecutionState.CALLED:
            update["done_at"] = now
        return self.executions.advance(self.scope, before, before.model_copy(update=update), at=now)


def _was_refused(error: ClientError | BotoCoreError) -> bool:
    """Say whether AWS answered that it did not do it; a 5xx answer leaves that open."""
    if not isinstance(error, ClientError):
        return False
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    return 400 <= status < 500 and status != 408
