"""The HTTP door, as a file: `uvicorn server:app` serves it alone, langgraph.json mounts it.

A leaf: the LangGraph server loads this file by path, once for each name it needs, so nothing imports it but
tests. It holds no client; what it needs is opened when it starts to serve.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.concurrency import run_in_threadpool

from graphs.bootstrap import open_records, open_saver
from graphs.settings import from_environment
from web.application import application
from web.doorkeeper import Doorkeeper
from web.langgraph_auth import langgraph_auth

doorkeeper = Doorkeeper(from_environment)
app = application(doorkeeper)
auth = langgraph_auth(doorkeeper)


@asynccontextmanager
async def checkpointer() -> AsyncIterator[Any]:
    """Yield the saver that the LangGraph server keeps every thread's state in."""
    yield await run_in_threadpool(lambda: open_saver(open_records(doorkeeper.settings)))
