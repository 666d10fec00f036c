"""Whether an action may be undone, and whether anything is left to undo."""

from dataclasses import dataclass, replace

from memory.records.outcome import Execution, ExecutionState
from tools.inspection import Inspection
from tools.once import UNDER_WAY, Once
from tools.policy import Circumstances, Policy

_UNDOABLE = frozenset(
    {ExecutionState.DONE, ExecutionState.FAILED, ExecutionState.UNDECIDED, ExecutionState.REVERTED}
)


@dataclass(frozen=True)
class Undo:
    """The way back from one action. `inspection` and `once` are those of the inverse.

    It needs no approval of its own: it restores what was there when the action was approved.
    """

    undone: Execution
    inspection: Inspection
    once: Once
    policy: Policy
    around: Circumstances

    @property
    def is_needless(self) -> bool:
        """Whether the target is already as it was before the action."""
        return self.once.action.holds(self.once.params, self.inspection.state)

    def objection(self) -> str | None:
        """Return why the action may not be undone now, or None."""
        if self.undone.state not in _UNDOABLE:
            return f"the action is {self.undone.state.value}"
        inspection = replace(self.inspection, problems=()) if self.is_needless else self.inspection
        answer = self.policy.ask("revert", inspection, self.around, approved=False)
        if not answer.allowed:
            return "; ".join((*answer.reasons, *inspection.problems))
        action = self.once.action
        original = action.parameters.model_validate(self.undone.parameters)
        if self.is_needless:
            under_way = replace(self.once, params=original).is_under_way(self.undone)
            return "the action is still under way and may yet take effect" if under_way else None
        if not action.holds(original, self.inspection.state):
            return "somebody has changed the target since; look at the account"
        return None

    def mark(self, undo: Execution) -> Execution:
        """Record on the action that it was undone, once its undo is done."""
        if undo.state is ExecutionState.DONE and self.undone.state is not ExecutionState.REVERTED:
            # What was under way was replaced by its undo.
            detail = "" if self.undone.detail == UNDER_WAY else self.undone.detail
            reverted = self.undone.model_copy(update={"state": ExecutionState.REVERTED, "detail": detail})
            self.once.executions.advance(self.once.scope, self.undone, reverted)
        return undo
