"""What can be done about a system outside the account: to do without it, where the team has a switch for that."""

from collections.abc import Iterator

from memory.records.plan import Considered, PlannedAction
from tools.actions.ssm_allowed_value import SsmSetAllowedValue
from tools.remedies.place import Place

Found = Iterator[PlannedAction | Considered]


def done_without(place: Place, outside: str) -> Found:
    """Offer the switch that the team has declared for it, once; without one, say that nothing brings it back.

    The declaration may be old: whether the parameter is there and allows the value is seen when the offer is inspected.
    """
    declared = [
        (service.name, part.switch)
        for service in place.topology.services
        for part in service.depends_on
        if part.name == outside and part.switch is not None
    ]
    for service, switch in {one.model_dump_json(): (name, one) for name, one in declared}.values():
        why = f"{service} does without {outside} when {switch.parameter} is {switch.value}, as its team declares"
        parameters = {"name": switch.parameter, "value": switch.value}
        yield PlannedAction(action=SsmSetAllowedValue.name, parameters=parameters, why=why)
    if not declared:
        why = (
            f"{outside} is not in this account: no change in it brings it back, and no switch is declared to do "
            "without it"
        )
        yield Considered(action="", why_not=why)
