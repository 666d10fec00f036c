"""Who else is changing the same target, and how often it was changed lately."""

from collections.abc import Iterable, Mapping
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
    """What an action's targets went through: `recent` counts the last hour's changes of the one that had most.

    `busy` names an action on one that goes on, or was left undecided within the hour. `unsettled` names one that has
    been undecided for longer: nobody settles it any more, and only a person can look whether it took effect.
    `unfinished` are the changes of both, `seen` is by target.
    """

    recent: int = 0
    busy: str = ""
    unsettled: str = ""
    unfinished: tuple[Change, ...] = field(default=(), repr=False)
    seen: Mapping[str, Seen] = field(default_factory=dict, repr=False)


NOBODY_ELSE = Crowd()


@dataclass(frozen=True)
class Traffic:
    """Looks at the changes of targets, and counts new ones."""

    pace: PaceStore
    executions: ExecutionStore
    clock: Clock

    def around(self, scope: Scope, targets: Iterable[str], incident_id: str, action_id: str) -> Crowd:
        """Return how crowded its targets are for one action, which does not count itself."""
        own, now = (incident_id, action_id), self.clock.now()
        seen = {target: self.pace.seen(scope, target) for target in targets}
        crowds = [
            [one for one in found.changes if (one.incident_id, one.action_id) != own]
            for found in seen.values()
        ]
        others = list(dict.fromkeys(one for crowd in crowds for one in crowd))
        recent = [one for one in others if is_recent(one, now)]
        going_on = [(one, found) for one in others if (found := self._going_on(scope, one)) is not None]
        old = [
            (one, found)
            for one, found in going_on
            if one not in recent and found.state is ExecutionState.UNDECIDED
        ]
        return Crowd(
            recent=max((sum(one in recent for one in crowd) for crowd in crowds), default=0),
            busy=next((_told(*one) for one in going_on if one not in old), ""),
            unsettled=next((_told(*one) for one in old), ""),
            unfinished=tuple(one for one, _ in going_on),
            seen=seen,
        )

    def count(self, scope: Scope, crowd: Crowd, incident_id: str, action_id: str) -> tuple[Write, ...]:
        """Return the writes that count an action on each target, for the transaction that claims it.

        They are over the crowd that was looked at: who came in between makes them lose.
        """
        change = Change(at=self.clock.now(), incident_id=incident_id, action_id=action_id)
        return tuple(
            self.pace.note(scope, target, seen, change, crowd.unfinished)
            for target, seen in crowd.seen.items()
        )

    def _going_on(self, scope: Scope, change: Change) -> Execution | None:
        found = self.executions.get(scope, change.incident_id, change.action_id)
        return found if found is not None and found.state in _GOES_ON else None


def _told(change: Change, found: Execution) -> str:
    return f"{found.action} of incident {change.incident_id[:8]} is {found.state.value}"
