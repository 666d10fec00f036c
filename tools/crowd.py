"""Who else is changing the same target, and how often it was changed lately."""

from dataclasses import dataclass, field

from memory.clock import Clock
from memory.records.outcome import ExecutionState
from memory.records.pace import Change
from memory.records.scope import Scope
from memory.stores.executions import ExecutionStore
from memory.stores.pace import PaceStore, Seen
from memory.table import Write

_GOES_ON = frozenset({ExecutionState.CLAIMED, ExecutionState.CALLED, ExecutionState.UNDECIDED})


@dataclass(frozen=True)
class Crowd:
    """What a target went through within the last hour: `busy` names an action on it that is not settled."""

    recent: int = 0
    busy: str = ""
    seen: Seen = field(default_factory=Seen, repr=False)


NOBODY_ELSE = Crowd()


@dataclass(frozen=True)
class Traffic:
    """Looks at the changes of targets, and counts new ones."""

    pace: PaceStore
    executions: ExecutionStore
    clock: Clock

    def around(self, scope: Scope, target: str, incident_id: str, action_id: str) -> Crowd:
        """Return how crowded a target is for one action, which does not count itself."""
        own, seen = (incident_id, action_id), self.pace.seen(scope, target, self.clock.now())
        others = [one for one in seen.changes if (one.incident_id, one.action_id) != own]
        busy = next((text for one in others if (text := self._going_on(scope, one))), "")
        return Crowd(len(others), busy, seen)

    def count(self, scope: Scope, target: str, crowd: Crowd, incident_id: str, action_id: str) -> Write:
        """Return the write that counts an action, for the transaction that claims it.

        It is over the crowd that was looked at: who came in between makes it lose.
        """
        change = Change(at=self.clock.now(), incident_id=incident_id, action_id=action_id)
        return self.pace.note(scope, target, crowd.seen, change)

    def _going_on(self, scope: Scope, change: Change) -> str:
        found = self.executions.get(scope, change.incident_id, change.action_id)
        if found is None or found.state not in _GOES_ON:
            return ""
        return f"{found.action} of incident {change.incident_id[:8]} is {found.state.value}"
