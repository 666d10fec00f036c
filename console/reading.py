"""What a command needs that only reads what is stored: one table, and no more of the account."""

from dataclasses import dataclass
from typing import Protocol

from graphs.connecting import open_access, open_clock
from graphs.settings import Settings
from memory.stores.evidence import EvidenceLedger
from memory.stores.incidents import IncidentStore
from memory.stores.timeline import TimelineStore
from memory.table import RecordTable
from tools.aws.backend import BackendNames


class Shelf(Protocol):
    """The stored side of incidents, as a story needs it."""

    @property
    def settings(self) -> Settings:
        """Return the settings."""
        ...

    @property
    def incidents(self) -> IncidentStore:
        """Return the incidents."""
        ...

    @property
    def timeline(self) -> TimelineStore:
        """Return the timelines."""
        ...

    @property
    def evidence(self) -> EvidenceLedger:
        """Return the observations."""
        ...


@dataclass(frozen=True)
class Stored:
    """A shelf over one table: quick to open, since it asks nothing of the account before it reads."""

    settings: Settings
    incidents: IncidentStore
    timeline: TimelineStore
    evidence: EvidenceLedger


def open_shelf(settings: Settings) -> Stored:
    """Return the stored incidents of the account that settings name."""
    table_name = BackendNames(settings.prefix).records_table
    table = RecordTable(open_access(settings).client("dynamodb"), table_name)
    return Stored(
        settings,
        IncidentStore(table, settings.tenant),
        TimelineStore(table, open_clock(settings)),
        EvidenceLedger(table),
    )
