"""Who else is changing the same target, and how often it was changed lately."""

from dataclasses import dataclass, field

from memory.clock import Clock
from memory.records.outcome import Execution, ExecutionState
from memory.records.pace import Change
from memory.records.scope import Scope
from memory.stores.executions import ExecutionStore
from memory.stores.pace import PaceStore, Seen, is_recent
from memory.table import Write

_GOES_ON = frozenset({ExecutionState.CLAIMED, ExecutionState.CALLED, ExecutionState.UNDECIDED})


@dataclass(frozen=True)
class Crowd:
    """What a target went through: `recent` counts the changes of the last hour.

    `busy` names an action on it that goes on, or was left undecided within the hour. `unsettled` names one that has
    been undecided for longer: nobody settles it any more, and only a person can look whether it took effect.
    `unfinished` are the changes of both.
    """

    recent: int = 0
    busy: str = ""
    unsettled: str = ""
    unfinished: tuple[Change, ...] = field(default=(), repr=False)
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
        own, now, seen = (incident_id, action_id), self.clock.now(), self.pace.seen(scope, target)
        others = [one for one in seen.changes if (one.incident_id, one.action_id) != own]
        recent = [one for one in others if is_recent(one, now)]
        going_on = [(one, found) for one in others if (found := self._going_on(scope, one)) is not None]
        old = [
            (one, found)
            for one, found in going_on
            if one not in recent and found.state is ExecutionState.UNDECIDED
        ]
        return Crowd(
            recent=len(recent),
            busy=next((_told(*one) for one in going_on if one not in old), ""),
            unsettled=next((_told(*one) for one in old), ""),
            unfinished=tuple(one for one, _ in going_on),
            seen=seen,
        )

    def count(self, scope: Scope, target: str, crowd: Crowd, incident_id: str, action_id: str) -> Write:
        """Return the write that counts an action, for the transaction that claims it.

        It is over the crowd that was looked at: who came in between makes it lose.
        """
        change = Change(at=self.clock.now(), incident_id=incident_id, action_id=action_id)
        return self.pace.note(scope, target, crowd.seen, change, crowd.unfinished)

    def _going_on(self, scope: Scope, change: Change) -> Execution | None:
        found = self.executions.get(scope, change.incident_id, change.action_id)
        return found if found is not None and found.state in _GOES_ON else None


def _told(change: Change, found: Execution) -> str:
    return f"{found.action} of incident {change.incident_id[:8]} is {found.state.value}"
