"""Savers on real protocols: the simulated account always, and the DynamoDB that the environment names."""

import os
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.config import Config

from memory.checkpoints.saver import DynamoSaver
from tests.simulated import SimulatedAccount, boto_session

NAMED = os.environ.get("CLOUDOPS_TEST_DYNAMODB", "")
STORES = ["simulated", *(["named"] if NAMED else [])]
CONFIG = Config(retries={"total_max_attempts": 1}, max_pool_connections=32, inject_host_prefix=False)

OpenSaver = Callable[..., DynamoSaver]


@pytest.fixture(scope="session", params=STORES)
def client(request: pytest.FixtureRequest, shared_accounts: Callable[..., SimulatedAccount]) -> Any:
    """A DynamoDB client that does not retry."""
    endpoint, key, secret = NAMED, "AKIDEXAMPLE", "secret"
    if request.param == "simulated":
        account = shared_accounts()
        endpoint, key, secret = account.endpoint, *vars(account.root).values()
    return boto_session().client(
        "dynamodb", endpoint_url=endpoint, aws_access_key_id=key, aws_secret_access_key=secret, config=CONFIG
    )


@pytest.fixture(scope="session")
def table(client: Any) -> str:
    """A table that tests share: each uses threads of its own."""
    name = f"checkpoints-{uuid.uuid4().hex}"
    saver = DynamoSaver(client, name)
    saver.setup()
    saver.close()
    return name


@pytest.fixture
def open_saver(client: Any, table: str) -> Iterator[OpenSaver]:
    """A factory of savers on the shared table, each with nothing in memory, closed with the test."""
    opened: list[DynamoSaver] = []

    def make(**options: Any) -> DynamoSaver:
        saver = DynamoSaver(options.pop("client", client), options.pop("table", table), **options)
        opened.append(saver)
        return saver

    yield make
    for saver in opened:
        saver.close()


@pytest.fixture
def saver(open_saver: OpenSaver) -> DynamoSaver:
    return open_saver()


@pytest.fixture
def thread() -> str:
    return uuid.uuid4().hex
