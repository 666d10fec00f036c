"""GET /healthz: the only route without a token."""

from starlette.requests import Request
from starlette.responses import JSONResponse

from web.desk import desk_of, product_version


async def get_health(request: Request) -> JSONResponse:
    """Say where this server works, which version it is, and whether it can do its work."""
    desk = desk_of(request)
    reachable = await desk.threads.call(desk.reachable)
    sweeping = not request.app.state.sweeper.done()
    consumer = request.app.state.consumer
    answer = {
        "world": desk.records.settings.connection.world.value,
        "version": product_version(),
        "reachable": reachable,
        "sweeping": sweeping,
        "consuming": consumer is not None and not consumer.done(),
    }
    stopped = consumer is not None and consumer.done()
    return JSONResponse(answer, status_code=200 if reachable and sweeping and not stopped else 503)
