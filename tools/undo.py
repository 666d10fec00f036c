"""Whether an action may be undone, and whether anything is left to undo.

An undo needs no approval of its own: it restores what was there when the action was approved. The kill switch stops
it all the same: whoever turns that has taken over, and a copilot that still writes would be in the way.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from memory.audit_told import Told
from memory.records.outcome import Execution, ExecutionState, undo_of
from memory.records.plan import PlannedAction
from memory.records.scope import Scope
from memory.stores.executions import ExecutionStore
from tools.actions.base import Reversibility
from tools.actions.registry import Catalogue, named
from tools.inspection import Inspection
from tools.once import UNDER_WAY, Authority, ClaimLostError, Grant, Once, Refusal
from tools.policy import Answer, Circumstances, Policy
from tools.signing import Signer, changed_since_claimed

_UNDOABLE = frozenset(
    {ExecutionState.DONE, ExecutionState.FAILED, ExecutionState.UNDECIDED, ExecutionState.REVERTED}
)


@dataclass(frozen=True)
class Undo:
    """The way back from one action. `inspection` and `once` are those of the inverse.

    `standing` is the undo that was begun before and cut off. `told` is what the incident's audit tells.
    """

    undone: Execution
    inspection: Inspection
    once: Once
    policy: Policy
    around: Circumstances
    stopped: str | None
    reaches: tuple[str, str]
    signer: Signer
    told: Told
    standing: Execution | None = None

    @property
    def is_needless(self) -> bool:
        """Whether the target is already as it was before the action."""
        return self.once.action.holds(self.once.params, self.inspection.state)

    @property
    def answer(self) -> Answer:
        """What policy says to it."""
        inspection = replace(self.inspection, problems=()) if self.is_needless else self.inspection
        return self.policy.ask("revert", inspection, self.around, approved=False)

    @property
    def authority(self) -> Authority:
        """On whose word it is done: who approved the action stands behind its undo, whether or not it needs a call."""
        undone = self.undone
        ids, why = self.answer.policy_ids, f"undo of {undone.action_id}"
        return Authority(why, ids, self.policy.sha256, undone.approval, undone.approved_by)

    def objection(self) -> Refusal | None:
        """Return why the action may not be undone now, or None: the first of `CHECKS` that says why.

        What the target is busy with may pass: another action, the one to undo, or what a precondition names.
        """
        for check in CHECKS:
            why = check(self)
            if why is not None:
                passing = check in _PASSING and self._is_allowed_without(self.inspection.problems)
                return Refusal(why, passing, self.authority)
        return None

    def _is_allowed_without(self, problems: tuple[str, ...]) -> bool:
        """Say whether policy has nothing against it but the state that the target is in."""
        asked = replace(self.inspection, problems=())
        return self.answer.allowed or (
            bool(problems) and self.policy.ask("revert", asked, self.around, approved=False).allowed
        )

    def start(self, action_id: str, leave: Grant) -> Execution | Refusal:
        """Claim the undo and perform it, unless somebody else has claimed something on the target meanwhile."""
        try:
            begun = self.once.start(
                self.undone.incident_id, action_id, self.inspection, {}, leave, is_revert=True
            )
        except ClaimLostError as error:
            return Refusal(f"somebody else was first: {error}", passing=True, authority=self.authority)
        return self.mark(begun)

    def mark(self, undo: Execution) -> Execution:
        """Record on the action that it was undone, once its undo is done."""
        return marked(self.once.executions, self.once.scope, self.undone, undo, at=self.once.clock.now())


def marked(
    executions: ExecutionStore, scope: Scope, undone: Execution, undo: Execution, *, at: datetime
) -> Execution:
    """Record on an action that it was undone, where its undo is done; return the undo. `at` is when it is recorded.

    Whoever did it may have been cut off between the two, so that a repeat records it as well.
    """
    if undo.state is ExecutionState.DONE and undone.state is not ExecutionState.REVERTED:
        # What was under way was replaced by its undo.
        detail = "" if undone.detail == UNDER_WAY else undone.detail
        reverted = undone.model_copy(update={"state": ExecutionState.REVERTED, "detail": detail})
        executions.advance(scope, undone, reverted, at=at)
    return undo


def no_undo(done: Execution | None, catalogue: Catalogue) -> tuple[PlannedAction, str]:
    """Return what would be undone, and why nothing can do that: no action was done, or it has no way back."""
    if done is None or done.is_revert:
        return PlannedAction(action="", parameters={}), "there is nothing done that can be undone"
    return PlannedAction(action=done.action, parameters={}), why_not_taken_back(done, catalogue)


def why_not_taken_back(done: Execution, catalogue: Catalogue) -> str:
    """Say why what an action did is not taken back, as its way back has it."""
    action = named(catalogue, done.action)
    if action is None:
        return f"there is no action {done.action!r} in the catalogue"
    if action.reversibility is Reversibility.INVERSE:
        return "nothing was found before it that would bring back what was there"
    return action.way_back.partition(": ")[2] or action.way_back


def in_its_account(undo: Undo) -> str | None:
    """Refuse an incident whose account or region is not the one that the access reaches."""
    scope = undo.once.scope
    if (scope.account, scope.region) == undo.reaches:
        return None
    return f"the incident is of {scope.account} in {scope.region}, not of this account"


def not_stopped(undo: Undo) -> str | None:
    """Refuse while the kill switch is on."""
    return undo.stopped


def was_done(undo: Undo) -> str | None:
    """Refuse to undo what may still be about to happen."""
    return None if undo.undone.state in _UNDOABLE else f"the action is {undo.undone.state.value}"


def claimed_by_us(undo: Undo) -> str | None:
    """Refuse a way back that the executor did not capture, or that was changed since. Raises botocore's errors."""
    return changed_since_claimed(undo.signer, undo.undone)


def as_the_audit_tells(undo: Undo) -> str | None:
    """Refuse where the audit tells otherwise of the action, or of an undo that nothing is stored of any more."""
    undone, told = undo.undone, undo.told
    return told.against(undone.action_id, undone) or told.against(undo_of(undone.action_id), undo.standing)


def not_refused_by_policy(undo: Undo) -> str | None:
    """Refuse what policy refuses."""
    answer = undo.answer
    if answer.allowed:
        return None
    problems = () if undo.is_needless else undo.inspection.problems
    return "; ".join((*answer.reasons, *problems))


def nobody_else_acts(undo: Undo) -> str | None:
    """Refuse while another action on the target is not over."""
    return undo.inspection.crowd.busy or None


def not_under_way(undo: Undo) -> str | None:
    """Refuse to call an action undone that may yet take effect."""
    if not undo.is_needless:
        return None
    action = undo.once.action
    original = action.parameters.model_validate(undo.undone.parameters)
    under_way = replace(undo.once, params=original).is_under_way(undo.undone)
    return "the action is still under way and may yet take effect" if under_way else None


def as_it_was_left(undo: Undo) -> str | None:
    """Refuse to overwrite what somebody else has done to the target since."""
    action = undo.once.action
    original = action.parameters.model_validate(undo.undone.parameters)
    if undo.is_needless or action.holds(original, undo.inspection.state):
        return None
    return "somebody has changed the target since; look at the account"


CHECKS: tuple[Callable[[Undo], str | None], ...] = (
    in_its_account,
    not_stopped,
    was_done,
    claimed_by_us,
    as_the_audit_tells,
    not_refused_by_policy,
    nobody_else_acts,
    not_under_way,
    as_it_was_left,
)
_PASSING = frozenset({not_refused_by_policy, nobody_else_acts, not_under_way})
