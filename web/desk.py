"""What the routes work with, opened when the server starts."""

import time
from dataclasses import dataclass, field
from importlib.metadata import version

from botocore.exceptions import BotoCoreError, ClientError
from starlette.requests import Request

from graphs.bootstrap import open_copilot, open_records, open_runs
from graphs.copilot import Records
from graphs.run_port import RunPort
from graphs.runs import InProcessRuns
from graphs.settings import Settings
from graphs.thinking import Copilot
from memory.records.scope import Principal, Role
from memory.stores.incidents import UnknownIncidentError
from tools.aws.identity import caller
from web.background_runs import BackgroundRuns
from web.errors import DoorError
from web.threads import Threads

REACHED_FOR_SECONDS = 5.0


@dataclass
class Reach:
    """Whether the account answered, asked at most once in some seconds."""

    asked_at: float = -REACHED_FOR_SECONDS
    answered: bool = False


@dataclass(frozen=True)
class Desk:
    """The open records and copilot, the port that runs incidents, and the threads for blocking work."""

    records: Records
    copilot: Copilot
    runs: RunPort
    threads: Threads
    reach: Reach = field(default_factory=Reach)

    @classmethod
    def open(cls, settings: Settings, threads: Threads) -> "Desk":
        """Open the copilot; runs that this process hosts itself go to the background. Blocks."""
        records = open_records(settings)
        copilot = open_copilot(records)
        copilot.agents()
        runs = open_runs(records, copilot)
        port = BackgroundRuns(runs) if isinstance(runs, InProcessRuns) else runs
        return cls(records, copilot, port, threads)

    def has_room(self) -> bool:
        """Say whether another event can be taken in; a LangGraph server keeps what it cannot run yet."""
        return not isinstance(self.runs, BackgroundRuns) or self.runs.has_room()

    def reachable(self) -> bool:
        """Say whether the account answers. Blocks."""
        now = time.monotonic()
        if now - self.reach.asked_at >= REACHED_FOR_SECONDS:
            self.reach.asked_at = now
            try:
                caller(self.records.access)
                self.reach.answered = True
            except (ClientError, BotoCoreError):
                self.reach.answered = False
        return self.reach.answered

    def full_id(self, prefix: str) -> str:
        """Complete an incident id; answer 404 with the reason when it is not one. Blocks."""
        try:
            return self.records.incidents.full_id(prefix)
        except UnknownIncidentError as error:
            raise DoorError(404, str(error)) from error

    def close(self) -> None:
        """Let the steps under way end. Blocks."""
        if isinstance(self.runs, BackgroundRuns):
            self.runs.close()


def desk_of(request: Request) -> Desk:
    """Return the desk of the app that serves a request."""
    desk: Desk = request.app.state.desk
    return desk


def caller_with(request: Request, *roles: Role) -> Principal:
    """Return the authenticated caller, or answer 403 when it holds none of the roles."""
    principal: Principal = request.state.principal
    if not any(principal.has(role) for role in roles):
        named = " or ".join(role.value for role in roles)
        raise DoorError(403, f"{principal.id} does not hold the role {named}")
    return principal


def product_version() -> str:
    """Return the version of this copilot."""
    return version("cloudops-copilot")
