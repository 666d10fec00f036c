"""A duty that one of the processes that share a table does at a time."""

from dataclasses import dataclass

from graphs.copilot import Records
from memory.stores.leases import IncidentBusyError


@dataclass(frozen=True)
class Duty:
    """A lease by the duty's name. When its holder dies, another process takes it over, at the latest when it lapses."""

    records: Records
    name: str
    holder: str

    def take(self) -> bool:
        """Take or keep the duty; False while another process has it."""
        try:
            self.records.leases.hold(self.records.home, self.name, self.holder)
        except IncidentBusyError:
            return False
        return True

    def leave(self) -> None:
        """Leave the duty to another process at once."""
        self.records.leases.release(self.records.home, self.name, self.holder)
