"""What a command opens: the durable records, the copilot over them, and whoever runs its graph."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from console import garbage
from console.ahead import Ahead
from graphs.bootstrap import Deferred, load_graph, open_copilot, open_records, open_runs, open_saver
from graphs.copilot import Records
from graphs.run_port import LaterRuns, RunPort
from graphs.settings import Settings

if TYPE_CHECKING:
    from graphs.thinking import Copilot


@dataclass(frozen=True)
class Session:
    """A copilot that runs graphs, opened for one command."""

    records: Records
    copilot: "Copilot"
    runs: RunPort


def open_session(settings: Settings) -> Session:
    """Open everything that a command needs which runs the graph.

    The agents too: what is wrong with their settings is told before an incident begins, and not in its middle.
    """
    records = open_records(settings)
    copilot = open_copilot(records)
    copilot.agents()
    return Session(records, copilot, open_runs(records, copilot))


@dataclass(frozen=True)
class Deciding:
    """What a decision needs: the records that it is stored in, and whoever runs the graph, opened by the first wake.

    `load` loads the graph meanwhile, for a caller who now waits for a person.
    """

    records: Records
    runs: RunPort
    load: Callable[[], None]


def open_to_decide(settings: Settings, *, pages: bool = False) -> Deciding:
    """Open what a decision needs. People wait for the call that they approve.

    So the decision is stored before the graph is loaded; and the agents are opened when the run comes to a step that
    asks one, which no step between a decision and its call does. `pages` sends what the decision has people told before
    its run is woken, which may take minutes.
    """
    records = open_records(settings)
    graph = Ahead(load_graph)

    def opened() -> "Copilot":
        if not settings.runs_url:
            # Nothing of it is imported here before: of two threads in one circle of imports each sees half of it.
            graph.done()
        garbage.resume()
        return open_copilot(records)

    copilot = Deferred(opened)

    def host() -> RunPort:
        if pages:
            copilot().flush()
        return open_runs(records, copilot())

    load = (lambda: None) if settings.runs_url else graph.begin
    return Deciding(records, LaterRuns(Deferred(host)), load)


@dataclass(frozen=True)
class StoredSession:
    """All that is stored: the durable records and the checkpoints."""

    records: Records
    saver: Any


def open_stored(settings: Settings) -> StoredSession:
    """Open what a command needs that hands over or erases what is stored."""
    records = open_records(settings)
    return StoredSession(records, open_saver(records))
