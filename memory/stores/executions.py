"""Action claims: `(incident, action)` once, with what was captured and what came of it."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from memory import keys
from memory.audit_chain import Chain, Checked
from memory.records.audit import AuditEntry, Deed
from memory.records.outcome import Execution, ExecutionState
from memory.records.scope import COPILOT, Scope
from memory.stores.audit import AuditTrail
from memory.stores.traces import newly_owed
from memory.table import ConflictError, Item, RecordTable, Write


class ExecutionStore:
    """The durable account of every action that was ever claimed."""

    def __init__(self, table: RecordTable) -> None:
        self._table = table
        self._trail = AuditTrail(table)

    def claim(self, scope: Scope, execution: Execution, also: Sequence[Write] = ()) -> bool:
        """Claim an action; say whether this call did, so that nobody else may perform it.

        `also` is written in the same transaction: the approval that is used up by it, for one.
        """
        try:
            at, owed = execution.done_at or execution.claimed_at, self._owed(scope, None, execution)
            self._audited(scope, execution, Deed.CLAIMED, at, 0, (*also, *owed))
        except ConflictError:
            return False
        return True

    def get(self, scope: Scope, incident_id: str, action_id: str) -> Execution | None:
        """Read an action's account."""
        item = self._table.get(keys.execution(scope, incident_id, action_id))
        return Execution.model_validate(item.body) if item else None

    def advance(self, scope: Scope, before: Execution, after: Execution, *, at: datetime) -> Execution:
        """Move an account forward; raise `ConflictError` when it no longer stands as it was read.

        `at` is when it moves, which the audit's entry bears: an action that is undone keeps when it was done.
        """
        item = self._table.get(keys.execution(scope, before.incident_id, before.action_id))
        if item is None or Execution.model_validate(item.body) != before:
            raise ConflictError(f"action {before.action_id} was moved on by somebody else")
        if after.state is ExecutionState.CALLED:
            self._table.replace(item, after.model_dump(mode="json"))
        else:
            self._audited(scope, after, Deed.SETTLED, at, item.version, self._owed(scope, before, after))
        return after

    def refuse(self, scope: Scope, refused: Execution, at: datetime) -> Execution:
        """Tell the audit of an attempt that was refused, and return it; nothing is stored of the action itself.

        The same refusal again, with nothing told in between, is told once. A chain that is broken takes no entry
        more: the refusal stands all the same, and whoever verifies the audit finds where it is broken.
        """
        partition = keys.incident(scope, refused.incident_id).pk
        chain, checked = self._trail.hold(partition)
        told = _told_of_refusal(refused)
        if checked.broken is None and not any(one.tells(Deed.REFUSED, told) for one in chain.last()):
            self._trail.commit(partition, [], at, Deed.REFUSED, **told)
        return refused

    def all(self, scope: Scope, incident_id: str) -> Iterator[Execution]:
        """Yield an incident's actions."""
        for item in self._table.query(keys.incident(scope, incident_id).pk, "ACTION#"):
            yield Execution.model_validate(item.body)

    def audit(self, scope: Scope, incident_id: str) -> tuple[Chain, Checked]:
        """Return the audit of an incident, and how it stands."""
        return self._trail.hold(keys.incident(scope, incident_id).pk)

    def _owed(self, scope: Scope, before: Execution | None, after: Execution) -> tuple[Write, ...]:
        """Return the write that begins the search for a call's event; one that stands already must stop no settling."""
        begun = newly_owed(scope, before, after)
        return tuple(one for one in begun if self._table.get(one.item.key) is None)

    def _audited(
        self,
        scope: Scope,
        execution: Execution,
        deed: Deed,
        at: datetime,
        expected: int,
        also: Sequence[Write] = (),
    ) -> AuditEntry:
        """Store an account and its audit entry together."""
        key = keys.execution(scope, execution.incident_id, execution.action_id)
        item = Item(key, execution.model_dump(mode="json"), expected + 1)
        return self._trail.commit(key.pk, [Write(item, expected), *also], at, deed, **told_of(execution))


def told_of(execution: Execution) -> dict[str, Any]:
    """Return what the audit tells of an action as it stands."""
    undo = "undo, " if execution.is_revert else ""
    # What an earlier version has stored names no targets, and its entries do not either.
    targets = {"targets": list(execution.targets)} if execution.targets else {}
    return {
        "who": COPILOT.id,
        "what": f"{undo}{execution.action}: {execution.state.value}",
        "why": "; ".join(said for said in (execution.why, execution.detail) if said),
        "policy_ids": execution.policy_ids,
        "approval": execution.approval,
        "execution_id": execution.action_id,
        "session": execution.session,
        "event_id": execution.event_id,
        "facts": {
            "parameters": execution.parameters,
            "inverse": execution.inverse,
            "approved_by": list(execution.approved_by),
            "policy_set_sha256": execution.policy_set_sha256,
            **targets,
        },
    }


def _told_of_refusal(refused: Execution) -> dict[str, Any]:
    """Return what the audit tells of an attempt. It names the action beside its facts: no record stands behind it."""
    told = told_of(refused if refused.action else refused.model_copy(update={"action": refused.action_id}))
    return {**told, "execution_id": None, "facts": {**told["facts"], "action_id": refused.action_id}}
