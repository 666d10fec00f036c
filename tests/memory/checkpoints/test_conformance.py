"""LangGraph's own suite, over the saver's async methods, its sync ones, and behind the server's adapter."""

import inspect
import os
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable
from typing import Any

import pytest
from langgraph.checkpoint.base import BaseCheckpointSaver

from memory.checkpoints.saver import DynamoSaver
from tests.memory.checkpoints.conftest import OpenSaver
from tests.memory.checkpoints.suite import failures
from tests.simulated import ROOT


class InSync(BaseCheckpointSaver[str]):
    """Answers each async call with the saver's sync method."""

    def __init__(self, inner: DynamoSaver) -> None:
        super().__init__(serde=inner.serde)
        self.inner = inner

    async def aput(self, *args: Any, **kwargs: Any) -> Any:
        return self.inner.put(*args, **kwargs)

    async def aput_writes(self, *args: Any, **kwargs: Any) -> None:
        self.inner.put_writes(*args, **kwargs)

    async def aget_tuple(self, *args: Any, **kwargs: Any) -> Any:
        return self.inner.get_tuple(*args, **kwargs)

    async def alist(self, *args: Any, **kwargs: Any) -> AsyncGenerator[Any, None]:
        for one in self.inner.list(*args, **kwargs):
            yield one

    async def adelete_thread(self, *args: Any, **kwargs: Any) -> None:
        self.inner.delete_thread(*args, **kwargs)

    async def adelete_for_runs(self, *args: Any, **kwargs: Any) -> None:
        self.inner.delete_for_runs(*args, **kwargs)

    async def acopy_thread(self, *args: Any, **kwargs: Any) -> None:
        self.inner.copy_thread(*args, **kwargs)

    async def aprune(self, *args: Any, **kwargs: Any) -> None:
        self.inner.prune(*args, **kwargs)


@pytest.mark.parametrize("through", [lambda saver: saver, InSync], ids=["async", "sync"])
async def test_all_eight_capabilities(open_saver: OpenSaver, through: Callable[..., Any]) -> None:
    assert await failures(lambda: through(open_saver())) == {}


def test_all_eight_capabilities_behind_the_servers_adapter(client: Any, table: str) -> None:
    signed = client._request_signer._credentials
    told = [client.meta.endpoint_url, signed.access_key, signed.secret_key, table]
    environment = {
        **os.environ,
        "REDIS_URI": "fake",
        "DATABASE_URI": ":memory:",
        "LANGGRAPH_RUNTIME_EDITION": "inmem",
    }
    command = [sys.executable, "-m", "tests.memory.checkpoints.behind_server", *told]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert done.stdout.splitlines()[-1:] == ["{}"], done.stderr


def test_langgraph_finds_task_path_where_it_looks_for_it() -> None:
    for method in (DynamoSaver.put_writes, DynamoSaver.aput_writes):
        assert "task_path" in inspect.signature(method).parameters
