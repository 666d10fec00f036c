"""The place where all contracts of a run are tried."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
from botocore.config import Config

from tests.contracts.place import ON_AWS, Place, aws_place, simulated_place
from tests.simulated import SimulatedAccount, boto_session

# As botocore would ask, without its own checks: what is refused, AWS refuses.
UNCHECKED = Config(retries={"total_max_attempts": 1}, parameter_validation=False)
SPREADING_SECONDS = 15


@pytest.fixture(scope="session")
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    """The simulated account, or AWS with CLOUDOPS_CONTRACTS=aws."""
    if ON_AWS:
        with _place(lambda service, **given: boto_session().client(service, **given), aws_place) as found:
            yield found
        return
    account: SimulatedAccount = request.getfixturevalue("shared_accounts")("bad-deployment", seed=11)

    def client(service: str, **given: Any) -> Any:
        keys = {
            "aws_access_key_id": account.root.access_key_id,
            "aws_secret_access_key": account.root.secret_access_key,
        }
        session: Any = boto_session()
        return session.client(service, endpoint_url=account.endpoint, **{**keys, **given})

    with _place(client, lambda nobody, forged: simulated_place(account, nobody, forged)) as found:
        yield found


@contextmanager
def _place(client: Callable[..., Any], at: Callable[..., Place]) -> Iterator[Place]:
    """The place, with a user of no policies for as long as it is used."""
    iam, name = client("iam"), f"contract-nobody-{uuid4().hex[:8]}"
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    if ON_AWS:
        time.sleep(SPREADING_SECONDS)

    def of(secret: str) -> Callable[[str], Any]:
        keys = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": secret}
        return lambda service: client(service, config=UNCHECKED, **keys)

    found = at(of(key["SecretAccessKey"]), of("a-guess"))
    found.admin = lambda service: client(service, config=UNCHECKED)
    try:
        yield found
    finally:
        found.remove()
        iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
        iam.delete_user(UserName=name)
