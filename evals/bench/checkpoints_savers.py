"""The checkpointers that are compared, over one store on loopback that is started for them."""

import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import httpx
from botocore.config import Config
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph_checkpoint_aws import DynamoDBSaver

from memory.checkpoints.saver import DynamoSaver
from memory.checkpoints.table import table_definition

ROOT = Path(__file__).resolve().parents[2]
OURS, PEER, ALONE = "DynamoSaver (ours)", "DynamoDBSaver, compressed", "InMemorySaver (LangGraph alone)"
OUR_TABLE, PEER_TABLE = "ours", "theirs"
CONNECTIONS = 32

OpenSaver = Callable[[], AbstractAsyncContextManager[Any]]


@dataclass(frozen=True)
class LoopbackStore:
    """The store's address, and its counts."""

    url: str

    def counted(self, delay: float = 0.0, *, empty: bool = False) -> dict[str, int]:
        """Return what was counted since the last call, and answer after a delay from here on."""
        told = httpx.post(f"{self.url}/control", json={"delay": delay, "empty": empty})
        answer: dict[str, int] = told.json()
        return answer

    def session(self) -> boto3.Session:
        """Return a session with credentials that the store does not look at."""
        return boto3.Session(aws_access_key_id="x", aws_secret_access_key="y", region_name="us-east-1")

    def client(self) -> Any:
        """Return a client of the store."""
        return self.session().client("dynamodb", endpoint_url=self.url, config=configuration())


def configuration() -> Config:
    """Return the configuration that both DynamoDB savers are given."""
    return Config(max_pool_connections=CONNECTIONS, retries={"mode": "standard", "total_max_attempts": 3})


@contextmanager
def started_store() -> Iterator[LoopbackStore]:
    """Start the store in a process of its own, with both tables; it ends with the block."""
    command = [sys.executable, "-m", "evals.bench.checkpoints_store"]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        store = LoopbackStore(f"http://127.0.0.1:{int(process.stdout.readline())}")
        client = store.client()
        client.create_table(**table_definition(OUR_TABLE))
        theirs: Any = table_definition(PEER_TABLE)
        for one in (*theirs["AttributeDefinitions"], *theirs["KeySchema"]):
            one["AttributeName"] = one["AttributeName"].upper()
        client.create_table(**theirs)
        try:
            yield store
        finally:
            process.communicate()


def contenders(store: LoopbackStore) -> dict[str, OpenSaver]:
    """Return a way to open each checkpointer, with nothing in memory of what an earlier one did."""

    def peer(*, compressed: bool) -> Any:
        return DynamoDBSaver(
            table_name=PEER_TABLE,
            session=store.session(),
            endpoint_url=store.url,
            boto_config=configuration(),
            enable_checkpoint_compression=compressed,
        )

    @asynccontextmanager
    async def ours() -> AsyncIterator[Any]:
        saver = DynamoSaver(store.client(), OUR_TABLE)
        yield saver
        saver.close()

    @asynccontextmanager
    async def opened(saver: Any) -> AsyncIterator[Any]:
        yield saver

    kept = InMemorySaver()
    folder = tempfile.mkdtemp(prefix="bench-")
    return {
        OURS: ours,
        PEER: lambda: opened(peer(compressed=True)),
        "DynamoDBSaver, plain": lambda: opened(peer(compressed=False)),
        "AsyncSqliteSaver (file)": lambda: AsyncSqliteSaver.from_conn_string(f"{folder}/checkpoints.db"),
        ALONE: lambda: opened(kept),
    }
