"""Look at a planned action against the account as it is, before anybody rules on it."""

from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import ValidationError

from memory.records.plan import Plan, PlannedAction
from tools.actions.base import (
    Action,
    BlastRadius,
    Parameters,
    Reversibility,
    State,
    fingerprint,
    targets_of,
)
from tools.actions.registry import Catalogue, named
from tools.ahead import NOTHING_KNOWN, Ahead
from tools.aws.access import AwsAccess
from tools.crowd import NOBODY_ELSE, Crowd

_UNKNOWN_RADIUS = BlastRadius(text="unknown", share=1.0)


@dataclass(frozen=True)
class Inspection:
    """One planned action, what it would touch, and every reason not to do it.

    Without `action` and `params` the plan named something that is not in the catalogue or does not fit it.
    `bound` is the part of the state that an approval rests on, and `fingerprint` its digest. `crowd` is who else
    changes the target, `ahead` what was found out before anybody is asked.
    """

    planned: PlannedAction
    action: Action[Any] | None = None
    params: Parameters | None = None
    state: State = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    bound: State = field(default_factory=dict)
    fingerprint: str = ""
    blast: BlastRadius = _UNKNOWN_RADIUS
    inverse: dict[str, Any] | None = None
    crowd: Crowd = NOBODY_ELSE
    ahead: Ahead = NOTHING_KNOWN

    @property
    def has_a_way_back(self) -> bool:
        """Say whether what it does can be taken back, or is made up for by the account itself.

        An inverse that the role may not carry out is no way back.
        """
        restores = self.action is not None and self.action.reversibility is Reversibility.SELF_RESTORING
        return restores or (self.inverse is not None and not self.ahead.no_way_back)


def inspect(
    access: AwsAccess, planned: PlannedAction, catalogue: Catalogue, *, undoing: bool = False
) -> Inspection:
    """Read the live state of one planned action's target. A state that cannot be read is a problem."""
    action = named(catalogue, planned.action)
    if action is None:
        return Inspection(planned, problems=(f"there is no action {planned.action!r} in the catalogue",))
    try:
        params = action.parameters.model_validate(planned.parameters)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return Inspection(planned, action, problems=(f"its parameters do not fit: {where}: {first['msg']}",))
    try:
        state = action.read_state(access, params)
    except (ClientError, BotoCoreError) as error:
        problem = f"the state of {action.target(params)} cannot be read: {error}"
        return Inspection(planned, action, params, problems=(problem,))
    return Inspection(
        planned=planned,
        action=action,
        params=params,
        state=state,
        problems=action.problems(params, state, undoing=undoing),
        bound=action.bound(state),
        fingerprint=fingerprint(action, state),
        blast=action.blast_radius(params, state),
        inverse=action.inverse(params, state),
    )


def planned_targets(planned: PlannedAction, catalogue: Catalogue) -> tuple[str, ...]:
    """Return by which names a planned action's targets are counted; none where it does not fit the catalogue."""
    action = named(catalogue, planned.action)
    if action is None:
        return ()
    try:
        return targets_of(action, action.parameters.model_validate(planned.parameters))
    except ValidationError:
        return ()


def changed_before(plan: Plan, index: int, catalogue: Catalogue) -> tuple[str, ...]:
    """Say which target of an action an earlier one of its plan changes too.

    What is shown, approved and captured to go back to is the target as it is before the plan, so that a second change
    of it would rest on a state that the first has ended.
    """
    targets = planned_targets(plan.actions[index], catalogue)
    for earlier in plan.actions[:index]:
        shared = [one for one in planned_targets(earlier, catalogue) if one in targets]
        if shared:
            return (f"{earlier.action} of the same plan changes {shared[0]}: a plan changes a target once",)
    return ()
