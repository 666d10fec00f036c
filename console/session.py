"""A copilot that runs graphs, opened for one command."""

from dataclasses import dataclass

from graphs.bootstrap import open_copilot, open_records, open_runs
from graphs.copilot import Records
from graphs.runs import RunPort
from graphs.settings import Settings
from graphs.thinking import Copilot


@dataclass(frozen=True)
class Session:
    """The durable records, the copilot over them, and whoever runs its graph."""

    records: Records
    copilot: Copilot
    runs: RunPort


def open_session(settings: Settings) -> Session:
    """Open everything that a command needs which runs the graph."""
    records = open_records(settings)
    copilot = open_copilot(records)
    return Session(records, copilot, open_runs(records, copilot))
