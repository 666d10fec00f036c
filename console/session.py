"""A copilot that runs graphs, opened for one command."""

from dataclasses import dataclass
from typing import Any

from graphs.bootstrap import open_copilot, open_records, open_runs, open_saver
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
    """Open everything that a command needs which runs the graph.

    The agents too: what is wrong with their settings is told before an incident begins, and not in its middle.
    """
    session = open_to_decide(settings)
    session.copilot.agents()
    return session


def open_to_decide(settings: Settings) -> Session:
    """Open what a decision needs; the agents are opened when the run comes to a step that asks one.

    People wait for the call that they approve, and between a decision and its call no model is asked.
    """
    records = open_records(settings)
    copilot = open_copilot(records)
    return Session(records, copilot, open_runs(records, copilot))


@dataclass(frozen=True)
class StoredSession:
    """All that is stored: the durable records and the checkpoints."""

    records: Records
    saver: Any


def open_stored(settings: Settings) -> StoredSession:
    """Open what a command needs that hands over or erases what is stored."""
    records = open_records(settings)
    return StoredSession(records, open_saver(records))
