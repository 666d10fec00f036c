"""GET /healthz: the only route without a token."""

from starlette.requests import Request
from starlette.responses import JSONResponse

from web.desk import desk_of, product_version


async def get_health(request: Request) -> JSONResponse:
    """Say where this server works, which version it is, and whether it can do its work."""
    desk = desk_of(request)
    reachable = await desk.threads.call(desk.reachable)
    sweeper, consumer = request.app.state.sweeper, request.app.state.consumer
    answer = {
        "world": desk.records.settings.connection.world.value,
        "version": product_version(),
        "reachable": reachable,
        "sweeping": sweeper.is_well,
        "consuming": bool(consumer.tasks) and consumer.is_well,
        "faults": [*sweeper.faults, *consumer.faults],
    }
    is_well = reachable and sweeper.is_well and consumer.is_well
    return JSONResponse(answer, status_code=200 if is_well else 503)
