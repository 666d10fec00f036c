"""Action claims: `(incident, action)` once, with what was captured and what came of it."""

from collections.abc import Iterator

from memory import keys
from memory.records.outcome import Execution
from memory.records.scope import Scope
from memory.table import ConflictError, RecordTable


class ExecutionStore:
    """The durable account of every action that was ever claimed."""

    def __init__(self, table: RecordTable) -> None:
        self._table = table

    def claim(self, scope: Scope, execution: Execution) -> bool:
        """Claim an action; say whether this call did, so that nobody else may perform it."""
        key = keys.execution(scope, execution.incident_id, execution.action_id)
        return self._table.create(key, execution.model_dump(mode="json"))

    def get(self, scope: Scope, incident_id: str, action_id: str) -> Execution | None:
        """Read an action's account."""
        item = self._table.get(keys.execution(scope, incident_id, action_id))
        return Execution.model_validate(item.body) if item else None

    def advance(self, scope: Scope, before: Execution, after: Execution) -> Execution:
        """Move an account forward; raise `ConflictError` when it no longer stands as it was read."""
        item = self._table.get(keys.execution(scope, before.incident_id, before.action_id))
        if item is None or Execution.model_validate(item.body) != before:
            raise ConflictError(f"action {before.action_id} was moved on by somebody else")
        self._table.replace(item, after.model_dump(mode="json"))
        return after

    def all(self, scope: Scope, incident_id: str) -> Iterator[Execution]:
        """Yield an incident's actions."""
        for item in self._table.query(keys.incident(scope, incident_id).pk, "ACTION#"):
            yield Execution.model_validate(item.body)
