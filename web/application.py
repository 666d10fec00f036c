"""The application: its routes, its gate, and what is open while it serves."""

import contextlib
from collections.abc import AsyncIterator

from botocore.exceptions import BotoCoreError, ClientError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route

from tools.errors import CopilotError
from web.alarms import post_alarm
from web.consuming import consuming
from web.desk import Desk
from web.doorkeeper import Doorkeeper
from web.errors import DoorError, on_account_error, on_door_error
from web.events import Readers, get_events
from web.gate import Gate
from web.health import get_health
from web.incidents import list_incidents, post_decision, show_incident
from web.sweeping import sweeping
from web.threads import Threads

GATE_THREADS = 8
ROUTES = (
    Route("/alarms", post_alarm, methods=["POST"]),
    Route("/incidents", list_incidents, methods=["GET"]),
    Route("/incidents/{incident_id}", show_incident, methods=["GET"]),
    Route("/incidents/{incident_id}/events", get_events, methods=["GET"]),
    Route("/incidents/{incident_id}/decision", post_decision, methods=["POST"]),
    Route("/healthz", get_health, methods=["GET"]),
)


def application(doorkeeper: Doorkeeper) -> Starlette:
    """Return the app, to be served alone or mounted by the LangGraph server; nothing is opened yet."""
    # Threads of its own for the gate: an issuer that does not answer holds up callers, not the work.
    threads, at_the_gate = Threads(), Threads(GATE_THREADS)

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        desk = await threads.call(lambda: Desk.open(doorkeeper.settings, threads))
        app.state.desk, app.state.readers = desk, Readers()
        try:
            async with sweeping(desk) as sweeper, consuming(desk) as consumer:
                app.state.sweeper, app.state.consumer = sweeper, consumer
                yield
        finally:
            await threads.call(desk.close)

    return Starlette(
        routes=list(ROUTES),
        middleware=[Middleware(Gate, doorkeeper=doorkeeper, threads=at_the_gate)],
        lifespan=lifespan,
        exception_handlers={
            DoorError: on_door_error,
            ClientError: on_account_error,
            BotoCoreError: on_account_error,
            CopilotError: on_account_error,
        },
    )
