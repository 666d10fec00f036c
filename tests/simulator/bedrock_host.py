"""Bedrock alone on a loopback port, in a thread, for tests that speak to it as they would to AWS."""

import asyncio
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import uvicorn
from botocore.config import Config
from langchain_aws import ChatBedrockConverse

from simulator.bedrock import BedrockApp

CONFIG = Config(
    region_name="us-east-1",
    connect_timeout=5,
    read_timeout=30,
    retries={"mode": "standard", "total_max_attempts": 1},
    max_pool_connections=16,
    tcp_keepalive=True,
)
KEYS = {"aws_access_key_id": "AKIATEST", "aws_secret_access_key": "secret"}


@dataclass
class Clock:
    """A clock that stands until a test moves it."""

    moment: datetime = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    def advance(self, by: timedelta) -> None:
        self.moment += by


@dataclass
class Host:
    """A started Bedrock and what was asked of it."""

    endpoint: str
    app: BedrockApp
    clock: Clock
    calls: list[dict[str, Any]] = field(default_factory=list)

    def runtime(self) -> Any:
        return boto3.client("bedrock-runtime", endpoint_url=self.endpoint, config=CONFIG, **KEYS)

    def control(self) -> Any:
        return boto3.client("bedrock", endpoint_url=self.endpoint, config=CONFIG, **KEYS)

    def chat(self, model: str = "local.rules-v1:0", **options: Any) -> ChatBedrockConverse:
        return ChatBedrockConverse(
            model=model,
            client=self.runtime(),
            bedrock_client=self.control(),
            provider="local",
            disable_streaming=False,
            supports_tool_choice_values=("auto", "any", "tool"),
            **options,
        )


@contextmanager
def hosted(**options: Any) -> Iterator[Host]:
    """A Bedrock that answers until the block ends."""
    clock, calls = Clock(), []

    def record(
        operation: str, parameters: Mapping[str, Any], access_key: str, error_code: str | None
    ) -> None:
        calls.append(
            {"operation": operation, "parameters": parameters, "key": access_key, "error": error_code}
        )

    app = BedrockApp(clock, record, **options)
    with served(app) as endpoint:
        yield Host(endpoint, app, clock, calls)


@contextmanager
def served(app: Any) -> Iterator[str]:
    """Any ASGI application on a loopback port."""
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
    thread.start()
    wait = threading.Event()
    while not server.started and thread.is_alive():
        wait.wait(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(5)
