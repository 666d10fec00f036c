"""Faults in the control plane that a scenario dates from the account's start."""

from datetime import datetime, timedelta

from simulator.control.fault_rules import FaultRule, FaultTerms
from simulator.world.base import Offset


class FaultWorld(FaultTerms):
    """A fault that comes into force at an offset from the account's start, for as long as `lasts`."""

    at: Offset = timedelta(0)
    lasts: Offset | None = None

    def rule(self, start: datetime) -> FaultRule:
        """The fault as the account orders it, dated from `start`."""
        terms = self.model_dump(exclude={"at", "lasts"})
        begins = start + self.at
        return FaultRule(**terms, begins=begins, until=begins + self.lasts if self.lasts else None)
