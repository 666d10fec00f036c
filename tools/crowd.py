"""Who else is changing the same target, and how often it was changed lately."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from memory.clock import Clock
from memory.records.outcome import Execution, ExecutionState, undo_of
from memory.records.pace import Change
from memory.records.scope import Scope
from memory.stores.executions import ExecutionStore
from memory.stores.pace import PaceStore, Seen, is_recent
from memory.table import Write

_GOES_ON = frozenset({ExecutionState.CLAIMED, ExecutionState.CALLED, ExecutionState.UNDECIDED})
IsUnderWay = Callable[[Execution], bool]
# What AWS has not called finished by then is no longer waited for: nobody could say any more what it waits for.
MOST_UNDER_WAY = timedelta(days=1)


@dataclass(frozen=True)
class Crowd:
    """What an action's targets went through: `recent` counts the last hour's changes of the one that had most.

    `busy` names an action on one that goes on, is under way at AWS, or was left undecided, of the last hour.
    `unsettled` names one that has been so for longer: only a person can look whether it took effect.
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

    def around(
        self,
        scope: Scope,
        targets: Iterable[str],
        incident_id: str,
        action_id: str,
        is_under_way: IsUnderWay,
    ) -> Crowd:
        """Return how crowded its targets are for one action, which does not count itself.

        `is_under_way` asks AWS about an action that it has accepted and of which nobody has seen the end. An incident's
        own are no obstacle to it: the steps of a plan were approved together, and what is undone is waited for.
        """
        own, now = (incident_id, action_id), self.clock.now()
        seen = {target: self.pace.seen(scope, target) for target in targets}
        crowds = [
            [one for one in found.changes if (one.incident_id, one.action_id) != own]
            for found in seen.values()
        ]
        others = list(dict.fromkeys(one for crowd in crowds for one in crowd))

        def is_waited_for(change: Change, found: Execution) -> bool:
            if found.state in _GOES_ON:
                return True
            foreign = change.incident_id != incident_id and change.at > now - MOST_UNDER_WAY
            return foreign and _has_no_end_yet(found) and is_under_way(found)

        going_on = [
            (one, found) for one in others for found in self._of(scope, one) if is_waited_for(one, found)
        ]
        recent = [one for one in others if is_recent(one, now)]
        old = [
            (one, found)
            for one, found in going_on
            if one not in recent and found.state not in {ExecutionState.CLAIMED, ExecutionState.CALLED}
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

    def held(self, scope: Scope, crowd: Crowd) -> tuple[Write, ...]:
        """Return the writes that count nothing, and lose where an action was claimed on a target since it was seen.

        An undo is claimed with them: it is no change of its own to be counted, and must not run beside another.
        """
        return tuple(
            self.pace.renew(scope, target, seen) for target, seen in crowd.seen.items() if seen.version
        )

    def _of(self, scope: Scope, change: Change) -> Iterator[Execution]:
        """Yield the action of a change, and its undo, which changes the same target."""
        for action_id in (change.action_id, undo_of(change.action_id)):
            found = self.executions.get(scope, change.incident_id, action_id)
            if found is not None:
                yield found


def _has_no_end_yet(found: Execution) -> bool:
    """Say whether AWS has accepted an action of which nobody has seen the end; that it was seen leaves no detail."""
    return found.state is ExecutionState.DONE and found.accepted and bool(found.detail)


def _told(change: Change, found: Execution) -> str:
    undo = "the undo of " if found.is_revert else ""
    on = " and still under way" if found.state is ExecutionState.DONE else ""
    return f"{undo}{found.action} of incident {change.incident_id[:8]} is {found.state.value}{on}"
