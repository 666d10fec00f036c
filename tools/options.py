"""What could be done about each cause, with exact parameters read from live state. A plan chooses among these."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from botocore.exceptions import BotoCoreError, ClientError

from memory.clock import Clock
from memory.records.assessment import Assessment, Hypothesis
from memory.records.base import digest
from memory.records.config import Topology
from memory.records.plan import Considered, ExpectedSignal, PlannedAction
from tools.actions.registry import ACTIONS, Catalogue
from tools.aws.access import AwsAccess
from tools.errors import classify
from tools.inspection import Inspection, inspect
from tools.remedies.finders import remedies
from tools.remedies.place import Place


@dataclass(frozen=True)
class Options:
    """What can be done now, the best first for each cause, and what was looked at and left, with the reason."""

    offers: tuple[PlannedAction, ...] = ()
    considered: tuple[Considered, ...] = ()

    def without(self, tried: Collection[str]) -> "Options":
        """Leave out what was tried in this incident, and say so; `tried` holds digests of actions and parameters."""
        gone = [one for one in self.offers if digest([one.action, one.parameters]) in tried]
        fresh = tuple(one for one in self.offers if one not in gone)
        why = tuple(left(one, "it was tried in this incident") for one in gone)
        return replace(self, offers=fresh, considered=(*self.considered, *why))


def options(
    access: AwsAccess,
    assessment: Assessment,
    topology: Topology,
    clock: Clock,
    catalogue: Catalogue = ACTIONS,
) -> Options:
    """Return the catalogue actions that fit each cause that was found and whose preconditions hold now.

    Raises the copilot's own errors when AWS cannot be asked: not knowing is not the same as having no option.
    """
    place = Place(access, topology, clock)
    offers: list[PlannedAction] = []
    considered: list[Considered] = []
    for cause in assessment.found_causes:
        try:
            found = list(remedies(place, cause))
        except (ClientError, BotoCoreError) as error:
            raise classify(error, f"what can be done about {cause.component}") from error
        for one in found:
            if isinstance(one, Considered):
                considered.append(one.model_copy(update={"cause": named(cause)}))
                continue
            looked = inspect(access, one, catalogue)
            if looked.problems:
                considered.append(left(_completed(looked, cause), "; ".join(looked.problems)))
            else:
                offers.append(_completed(looked, cause))
    return Options(tuple(offers), tuple(considered))


def left(action: PlannedAction, why: str) -> Considered:
    """Write an action down as one that was considered and not chosen."""
    return Considered(action=action.action, parameters=action.parameters, cause=action.cause, why_not=why)


def named(cause: Hypothesis) -> str:
    """Name a cause as plans do."""
    return f"{cause.kind.value} of {cause.component}"


def _completed(looked: Inspection, cause: Hypothesis) -> PlannedAction:
    """Say which cause an action answers, what will be seen if it works, and what would refute that it does."""
    expected: tuple[ExpectedSignal, ...] = ()
    if looked.action is not None and looked.params is not None and looked.state:
        expected = looked.action.expected(looked.params, looked.state)
    seen = " and ".join(signal.text for signal in expected) or "it is done"
    refuted = f"{seen}, and the alarm's metric is no better: then {named(cause)} was not the cause"
    update = {"cause": named(cause), "expected": expected, "falsified_by": refuted}
    return looked.planned.model_copy(update=update)
